/**
 * A machine in a Worker, by the API of `terrarium-vm/browser`, in a real Chromium: built, run, stopped, moved back in
 * time, watched.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import type * as Terrarium from '../../src/browser/index.js';
import { noChromium, startChromium } from '../support/chromium.js';
import { root, Scratch } from '../support.js';

const HELLO = `.code16
.globl _start
_start:
        mov     $message, %si
        mov     $0xe9, %dx
1:      lodsb
        test    %al, %al
        jz      done
        out     %al, %dx
        jmp     1b
done:   movw    $0x1234, 0x600
        hlt
message:
        .asciz  "hi there"
`;

/** The argument of a test's part in the page. */
interface Lab {
  terrarium: typeof Terrarium;
  machine: Terrarium.WorkerMachine;
  said(): string;
  open(source: string, more?: Partial<Terrarium.MachineParts>): Promise<Terrarium.MadeInWorker>;
}

describe('a machine in a Worker', { skip: noChromium }, () => {
  const scratch = new Scratch();
  let server: ChildProcess;
  let browser: Browser;
  let page: Page;

  before(async () => {
    server = spawn(process.execPath, ['docs/examples/browser/serve.mjs', '0'], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const url = await new Promise<string>((resolve) =>
      server.stdout?.once('data', (line) => resolve(String(line).trim())),
    );
    browser = await startChromium(scratch.path);
    page = await browser.newPage();
    await page.goto(url);
    await page.evaluate(async () => {
      const bundle = '/dist/browser.js';
      const terrarium = (await import(bundle)) as typeof Terrarium;
      const files = { worker: '/dist/browser-worker.js', program: '/dist/soft.wasm' };
      const machine = await terrarium.WorkerMachine.start(files);
      let text = '';
      machine.onOutput = (bytes) => {
        text = (text + new TextDecoder().decode(bytes)).slice(-1000);
      };
      const open: Lab['open'] = async (source, more = {}) => {
        text = '';
        const built = await machine.ask('assemble', {
          files: [{ name: 'k.S', content: source }],
          mode: 'auto',
        });
        if ('complaints' in built) throw new Error(built.complaints.map(({ message }) => message).join());
        return machine.ask('open', {
          spec: { mode: 'real', memory: 1048576 },
          name: 'k',
          image: built.image,
          symbols: built.symbols,
          ...more,
        });
      };
      (globalThis as unknown as { lab: Lab }).lab = { terrarium, machine, open, said: () => text };
    });
  });

  after(async () => {
    await browser?.close();
    server?.kill();
    scratch[Symbol.dispose]();
  });

  /** Runs a function in the page; its source is sent there, so it cannot use this file's names. */
  const inPage = <T, A>(action: (lab: Lab, argument: A) => Promise<T>, argument?: A): Promise<T> =>
    page.evaluate(
      ([text, given]) => {
        const { lab } = globalThis as unknown as { lab: Lab };
        // biome-ignore lint/security/noGlobalEval: the page runs a function of this file
        return globalThis.eval(`(${text})`)(lab, given) as Promise<T>;
      },
      [action.toString(), argument] as const,
    );

  test('runs to its end, and returns the reason', async () => {
    const result = await inPage(async ({ machine, open, said }, source) => {
      await open(source);
      const halt = await machine.ask('go', 'resume');
      const look = await machine.ask('look', { memory: { address: 0x600n, length: 2 } });
      const { end } = halt;
      return {
        why: halt.why,
        kind: end?.kind,
        console: said(),
        memory: [...look.memory!.bytes],
        exits: look.exits,
      };
    }, HELLO);
    // Eight letters and the HLT.
    assert.deepEqual(result, {
      why: 'end',
      kind: 'halted',
      console: 'hi there',
      memory: [0x34, 0x12],
      exits: 9,
    });
  });

  test('stops at a line’s breakpoint, steps, and goes back', async () => {
    const result = await inPage(async ({ machine, open }, source) => {
      await open(source);
      const set = await machine.ask('breakpoints', [
        { file: 'k.S', line: 9 },
        { file: 'k.S', line: 99 },
      ]);
      const lines: (number | undefined)[] = [];
      const letters: string[] = [];
      const note = async () => {
        const { source: at, registers } = await machine.ask('look', {});
        lines.push(at?.line);
        letters.push(String.fromCharCode(Number(registers.rax! & 0xffn)));
      };
      const why = [(await machine.ask('go', 'resume')).why];
      await note();
      why.push((await machine.ask('go', 'resume')).why);
      await note();
      why.push((await machine.ask('go', 'step')).why);
      await note();
      why.push((await machine.ask('go', 'resumeBack')).why);
      await note();
      why.push((await machine.ask('go', 'resumeBack')).why);
      await note();
      why.push((await machine.ask('go', 'stepBack')).why);
      await note();
      return { why, lines, letters, set };
    }, HELLO);
    assert.deepEqual(result.why, ['breakpoint', 'breakpoint', 'step', 'breakpoint', 'breakpoint', 'step']);
    assert.deepEqual(result.lines, [9, 9, 10, 9, 9, 8]);
    assert.deepEqual(result.letters.slice(0, 5), ['h', 'i', 'i', 'i', 'h']);
    assert.equal(result.set[0]!.line, 9);
    assert.match(String(result.set[1]!.problem), /no code in line 99/);
  });

  test('lists its exits by number, and goes to each', async () => {
    const result = await inPage(async ({ machine, open }, source) => {
      await open(source);
      await machine.ask('go', 'resume');
      const rows = await machine.ask('exits', 1, 100);
      await machine.ask('goToExit', 3);
      const { registers } = await machine.ask('look', {});
      const timeline = await machine.ask('timeline', 16);
      const counted = timeline.rows.map(({ name, counts }) => [name, counts.reduce((a, b) => a + b, 0)]);
      return {
        rows: rows.map(({ number, kind, data }) => [number, kind, Number(data)]),
        counted,
        al: Number(registers.rax! & 0xffn),
      };
    }, HELLO);
    const letters = [...'hi there'].map((letter, i) => [i + 1, 'io', letter.charCodeAt(0)]);
    assert.deepEqual(result.rows.slice(0, 8), letters);
    assert.equal(result.rows[8]![1], 'halt');
    assert.deepEqual(result.counted, [
      ['debug-console', 8],
      ['halt', 1],
    ]);
    assert.equal(result.al, ' '.charCodeAt(0), 'right after the third letter’s exit');
  });

  test('that never ends is stopped, and answers meanwhile', async () => {
    const result = await inPage(async ({ machine, open }) => {
      await open('.code16\n_start: inc %eax\n jmp _start\n');
      const running = machine.ask('go', 'resume');
      const looks = [await machine.ask('look', {}), await machine.ask('look', {})];
      let last = looks[1]!;
      while (last.registers.rax === looks[0]!.registers.rax) last = await machine.ask('look', {});
      machine.pause();
      const { why } = await running;
      const { history } = await machine.ask('look', {});
      return { why, ran: history!.now > 0 };
    });
    assert.deepEqual(result, { why: 'interrupt', ran: true });
  });

  test('that floods its console waits for its reader', async () => {
    const result = await inPage(async ({ machine, open }) => {
      const waiting: (() => void)[] = [];
      let bytes = 0;
      const shows = machine.onOutput;
      machine.onOutput = (chunk) => {
        bytes += chunk.length;
        return new Promise<void>((resolve) => waiting.push(resolve));
      };
      await open('.code16\n_start: mov $0xe9, %dx\n mov $0x41, %al\n1: out %al, %dx\n jmp 1b\n');
      machine.tell({ tell: 'pace', real: false });
      const running = machine.ask('go', 'resume');
      // Nothing is shown: the guest gets as far as the bound, and waits there.
      let before = -1;
      while (bytes !== before || bytes < 1 << 18) {
        before = bytes;
        for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 10));
      }
      const stood = bytes;
      for (const resolve of waiting.splice(0)) resolve();
      while (bytes === stood) await new Promise((resolve) => setTimeout(resolve, 10));
      machine.pause();
      machine.onOutput = shows;
      for (const resolve of waiting.splice(0)) resolve();
      const { why } = await running;
      machine.tell({ tell: 'pace', real: true });
      return { why, bounded: stood < 1 << 20 };
    });
    assert.deepEqual(result, { why: 'interrupt', bounded: true });
  });

  test('has an explanation why it died', async () => {
    const result = await inPage(async ({ machine, open }) => {
      await open(
        '.code32\n.globl _start\n_start: xor %ecx, %ecx\n mov $1, %eax\n xor %edx, %edx\n div %ecx\n hlt\n',
        {
          spec: { mode: 'protected', memory: 1048576 * 4 },
        },
      );
      const { end } = await machine.ask('go', 'resume');
      const { explanation, line } = await machine.ask('why');
      return { kind: end!.kind, title: explanation.title, line: line?.line };
    });
    assert.equal(result.kind, 'shutdown');
    assert.match(result.title, /#DE \(divide error\)/);
    assert.equal(result.line, 6);
  });

  test('reads what is typed: bytes and keys', async () => {
    const result = await inPage(async ({ machine, open }) => {
      // The serial port, then the keyboard's data port, each as soon as it has data.
      await open(`.code16
_start: mov $0x3fd, %dx
1:      in %dx, %al
        test $1, %al
        jz 1b
        mov $0x3f8, %dx
        in %dx, %al
        mov %al, %bl
2:      in $0x64, %al
        test $1, %al
        jz 2b
        in $0x60, %al
        mov %al, %bh
        cli
        hlt
`);
      const running = machine.ask('go', 'resume');
      machine.send(new TextEncoder().encode('Q'));
      machine.key('KeyA', true);
      machine.key('KeyA', false);
      await running;
      const { registers } = await machine.ask('look', {});
      return Number(registers.rbx! & 0xffffn);
    });
    // 1E is KeyA in scan code set 1 (IBM PS/2 technical reference).
    assert.equal(result.toString(16), '1e51');
  });

  test('is saved as a file, and opened again at that moment', async () => {
    const result = await inPage(async ({ machine, open, said }, source) => {
      await open(source);
      await machine.ask('breakpoints', [{ file: 'k.S', line: 11 }]);
      await machine.ask('go', 'resume');
      const file = await machine.ask('save');
      const there = await machine.ask('look', {});
      await machine.ask('openTerra', file);
      const again = await machine.ask('look', {});
      const { end } = await machine.ask('go', 'resume');
      const refused = await machine.ask('openTerra', file.slice(0, 100)).catch((error) => error.code);
      return { same: there.pc === again.pc, kind: end?.kind, refused, console: said() };
    }, HELLO);
    assert.deepEqual(result, { same: true, kind: 'halted', refused: 'ETERRA', console: 'hi there' });
  });

  test('reports every error of a source with its place', async () => {
    const complaints = await inPage(async ({ machine }) => {
      const built = await machine.ask('assemble', {
        files: [{ name: 'k.S', content: '.code16\n mvo %ax, %bx\n nop\n jmp nowhere\n' }],
        mode: 'real',
      });
      return 'complaints' in built
        ? built.complaints.map(({ origin, message }) => [origin.line, message])
        : [];
    });
    assert.equal(complaints[0]![0], 2);
    assert.match(String(complaints[0]![1]), /mvo/);
  });

  test('a call that does not exist, and one without a machine, are refused', async () => {
    const result = await inPage(async ({ terrarium }) => {
      const files = { worker: '/dist/browser-worker.js', program: '/dist/soft.wasm' };
      const machine = await terrarium.WorkerMachine.start(files);
      const first = await machine.ask('go', 'resume').catch((error) => error.message);
      const second = await machine.ask('constructor' as 'why').catch((error) => error.message);
      machine.end();
      const third = await machine.ask('why').catch((error) => error.code);
      const missing = await terrarium.WorkerMachine.start({ ...files, program: '/nowhere.wasm' }).catch(
        (error) => error.code,
      );
      return [first, second, third, missing];
    });
    assert.match(result[0], /there is no machine/);
    assert.match(result[1], /cannot 'constructor'/);
    assert.equal(result[2], 'EWORKER');
    assert.equal(result[3], 'ELOAD');
  });
});
