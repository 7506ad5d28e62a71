/** `--screenshot` and `--screen`, from the command line. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { PNG } from 'pngjs';
import { cli, root, Scratch, terrarium, until } from '../support.js';
import { noTmux, Terminal } from '../tui/terminal.js';

const TEXT = ['run', 'guests/vga-text', '--engine', 'soft'];
const golden = PNG.sync.read(readFileSync('test/devices/vga/vga-text.png'));

function picture(file: string): PNG {
  return PNG.sync.read(readFileSync(file));
}

describe('--screenshot', () => {
  test('takes a picture at the end, and the same one at HLT', () => {
    using scratch = new Scratch();
    for (const moment of ['', '@HLT', '@hlt']) {
      const file = scratch.file(`end${moment}.png`);
      const { status, stderr } = terrarium([...TEXT, '--screenshot', `${file}${moment}`]);
      assert.equal(status, 0, stderr);
      assert.deepEqual(picture(file).data, golden.data);
    }
  });

  test('takes it after an exit, or after a time', () => {
    using scratch = new Scratch();
    const plasma = ['run', 'guests/vga-plasma', '--engine', 'soft', '--screenshot'];
    const early = scratch.file('early.png');
    // The first exits set the mode: the screen still shows text.
    assert.equal(terrarium([...plasma, `${early}@exit:2`]).status, 0);
    assert.equal(picture(early).width, 720);
    const later = scratch.file('later.png');
    assert.equal(terrarium([...plasma, `${later}@1ms`]).status, 0);
    assert.ok([320, 720].includes(picture(later).width));
  });

  test('reports a moment that did not come, a file that cannot be written, and an invalid moment', () => {
    using scratch = new Scratch();
    const file = scratch.file('never.png');
    const never = terrarium([...TEXT, '--screenshot', `${file}@exit:100000`]);
    assert.match(never.stderr, /the moment of .*never\.png did not come/);
    assert.deepEqual(picture(file).data, golden.data);
    const refused = {
      [scratch.file('no/such/folder.png')]: /the folder .* does not exist/,
      'a.png@exit:0': /'0' is not a whole number from 1/,
      'a.png@HLTT': /'HLTT' is not a moment. Write HLT, 2s or 500ms, or exit:1000/,
      'a.jpg': /has to end in \.png/,
    };
    for (const [what, why] of Object.entries(refused)) {
      const { status, stderr } = terrarium([...TEXT, '--screenshot', what]);
      assert.equal(status, 2);
      assert.match(stderr, why);
    }
    const twice = terrarium([...TEXT, '--screenshot', file, '--screenshot', `${file}@HLT`]);
    assert.match(twice.stderr, /would be written twice/);
  });

  test('of a full disk are an error after all messages about the run', () => {
    using scratch = new Scratch();
    const full = scratch.file('full.png');
    symlinkSync('/dev/full', full);
    const { status, stderr } = terrarium([...TEXT, '--screenshot', full]);
    assert.equal(status, 2);
    assert.match(stderr, /halted after 3 exits[\s\S]*full\.png could not be written: ENOSPC/);
  });

  test('are taken by the machine’s clock, several in a run, and the same ones in each run', () => {
    using scratch = new Scratch();
    const names = ['2s', '100ms', 'HLT', 'exit:5'];
    const run = (turn: number) => {
      const files = names.map((name) => scratch.file(`${turn}-${name}.png`));
      const { status, stderr } = terrarium([
        'run',
        'guests/snake',
        '--engine',
        'soft',
        ...files.flatMap((file, i) => ['--screenshot', `${file}@${names[i]}`]),
        '--screenshot',
        scratch.file(`${turn}.png`),
      ]);
      assert.equal(status, 0, stderr);
      // The guest plays four seconds of its own time, which pass in a fraction of one of ours.
      assert.doesNotMatch(stderr, /did not come/);
      return [...files, scratch.file(`${turn}.png`)].map((file) => readFileSync(file).toString('base64'));
    };
    const first = run(1);
    assert.equal(new Set(first).size, 5);
    assert.deepEqual(run(2), first);
  });
});

/** Runs the command in a terminal of 100 by 30 with the given answers; `type` is typed once something is shown. */
async function inTerminal(
  args: readonly string[],
  type = '',
): Promise<{ out: string; status: number | null }> {
  const line = `stty cols 100 rows 30; exec '${process.execPath}' '${cli}' ${args.join(' ')}`;
  const child = spawn('script', ['-qec', line, '/dev/null'], {
    cwd: root,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let out = '';
  let [answered, typed] = [false, false];
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString('utf8');
    if (!answered && out.includes('\x1b[c')) {
      answered = true;
      child.stdin.write('\x1b[?62;22c');
    }
    if (!typed && type !== '' && out.includes('\x1b[1;1H')) {
      typed = true;
      child.stdin.write(type);
    }
  });
  const status = await new Promise<number | null>((resolve) => child.on('exit', resolve));
  return { out, status };
}

const noScript: string | false =
  spawnSync('script', ['--version']).status === 0
    ? false
    : 'SKIPPED: no script (util-linux) here to make a terminal';

describe('--screen', () => {
  test('wants a terminal', () => {
    const { status, stderr } = terrarium([...TEXT, '--screen']);
    assert.equal(status, 2);
    assert.match(stderr, /--screen draws in a terminal/);
  });

  test('shows text as text, restores the terminal and leaves the last picture in it', {
    skip: noScript,
  }, async () => {
    const { out, status } = await inTerminal([...TEXT, '--screen']);
    assert.equal(status, 0);
    const [live, after] = out.split('\x1b[?1049l');
    assert.match(live!, /\[\?1049h.\[\?25l/);
    assert.match(after!, /80 columns, 25 rows, no BIOS/);
    assert.match(after!, /╔═{70}╗/);
    assert.match(after!, /halted/);
  });

  test('Ctrl-C ends a guest that does not end', { skip: noScript }, async () => {
    const spin = [
      'run',
      'test/guests/spin-real.S',
      '--mode',
      'real',
      '--memory',
      '1M',
      '--engine',
      'soft',
      '--screen',
    ];
    const { out, status } = await inTerminal(spin, '\x03');
    assert.equal(status, 130);
    assert.equal(out.split('\x1b[?1049l').length, 2);
  });

  test('adapts to a terminal that becomes smaller and larger', { skip: noTmux }, async () => {
    using terminal = new Terminal(
      ['run', 'guests/snake', '--engine', 'soft', '--clock', 'wall', '--screen'],
      {
        columns: 82,
        rows: 27,
      },
    );
    const rows = (): number => terminal.screen().split('\n').length;
    await until('the whole screen', () => terminal.alternate && rows() > 25);
    terminal.resize(50, 18);
    // The part that does not fit is left out: text stays text.
    await until('the smaller screen', () =>
      terminal
        .screen()
        .split('\n')
        .every((line) => line.length <= 50),
    );
    assert.doesNotMatch(terminal.screen(), /▀/);
    terminal.resize(82, 27);
    await until('the whole screen again', () => rows() > 25);
    terminal.press('C-c');
    assert.deepEqual(await terminal.ended(), { status: 130, restored: true });
  });

  test('restores the terminal where a user’s device ends the run with an error', {
    skip: noTmux,
  }, async () => {
    using scratch = new Scratch();
    writeFileSync(
      scratch.file('bad.mjs'),
      `export default () => ({
        name: 'bad',
        ports: [{ first: 0x99, count: 1 }],
        readPort() { throw new Error('this device is broken'); },
      });`,
    );
    // mov $0, %cx; 1: loop 1b; in $0x99, %al; jmp back: the screen has been shown before the device is accessed.
    writeFileSync(scratch.file('k.bin'), Uint8Array.of(0xb9, 0, 0, 0xe2, 0xfe, 0xe4, 0x99, 0xeb, 0xf7));
    const device = scratch.file('bad.mjs');
    using terminal = new Terminal([
      'run',
      scratch.file('k.bin'),
      ...['--mode', 'real', '--engine', 'soft', '--screen', '--device', device],
    ]);
    const { status, restored } = await terminal.ended();
    assert.ok(restored, terminal.screen());
    assert.notEqual(status, 0);
    assert.match(terminal.screen(), /device 'bad' failed in a read of port 0x99/);
  });

  test('restores the terminal at a second Ctrl-C, which does not wait for the guest', {
    skip: noTmux,
  }, async () => {
    using scratch = new Scratch();
    const device = scratch.file('slow.mjs');
    // It neither answers nor reacts to a stop.
    writeFileSync(
      device,
      `export default () => ({
        name: 'slow',
        ports: [{ first: 0x99, count: 1 }],
        readPort() { for (;;); },
      });`,
    );
    writeFileSync(scratch.file('k.bin'), Uint8Array.of(0xe4, 0x99, 0xf4));
    using terminal = new Terminal([
      'run',
      scratch.file('k.bin'),
      ...['--mode', 'real', '--engine', 'soft', '--screen', '--device', device],
    ]);
    await until('the screen', () => terminal.alternate);
    await terminal.takesKeys();
    terminal.press('C-c');
    terminal.press('C-c');
    assert.deepEqual(await terminal.ended(), { status: 130, restored: true });
  });

  for (const [signal, status] of [
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    test(`restores the terminal at ${signal}`, { skip: noTmux }, async () => {
      using terminal = new Terminal(['run', 'guests/vga-typing', '--engine', 'soft', '--screen']);
      await until('the screen', () => terminal.alternate);
      process.kill(terminal.pid, signal);
      assert.deepEqual(await terminal.ended(), { status, restored: true });
    });
  }
});
