/** The lab as a person uses it: writes, runs, errs, fixes, steps, goes back, shares, learns. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { buildSubmission, judge, readExercise } from '../../src/exercises/index.js';
import { noChromium } from '../support/chromium.js';
import { noGcc, root, Scratch } from '../support.js';
import { LabBrowser } from './lab-page.js';
import { testLinux, testPanes } from './panes.js';

const COUNTS = `.code16
.globl _start
_start: mov $1, %ax
        mov $2, %bx
        add %bx, %ax
        out %al, $0xe9
        hlt
`;

describe('the lab', { skip: noChromium }, () => {
  let lab: LabBrowser;

  before(async () => {
    lab = await LabBrowser.start();
  });

  after(async () => {
    await lab?.[Symbol.asyncDispose]();
  });

  test('runs an example and shows its output, its exits and its registers', async () => {
    const it = await lab.open('#hello');
    await it.run();
    await it.prints('Hello from inside the terrarium!');
    assert.equal(await it.status(), 'halted');
    // guest.json of guests/hello: 339 exits.
    assert.equal(await it.page.textContent('#tab-exits small'), '339');
    await it.tab('exits');
    await it.page.waitForSelector('.exits tbody tr');
    assert.match(
      (await it.page.textContent('.exits tbody tr:first-child')) ?? '',
      /io write.*00e9.*'H'.*debug-console/,
    );
  });

  test('shows errors in their lines, and runs once they are fixed', async () => {
    const it = await lab.open();
    await it.write('.code16\n_start: mvo %ax, %bx\n hlt\n');
    await it.page.waitForSelector('.cm-lintRange-error');
    await it.page.keyboard.press('F8');
    await it.page.waitForSelector('.problems li');
    assert.match((await it.page.textContent('.problems li')) ?? '', /kernel\.S:2.*mvo/);
    assert.equal(await it.status(), 'the source has errors');
    await it.write('.code16\n_start: mov %ax, %bx\n hlt\n');
    await it.page.waitForFunction(() => document.querySelector('.cm-lintRange-error') === null);
    await it.run();
    assert.equal(await it.status(), 'halted');
  });

  test('steps by line, marks changes, and steps back', async () => {
    const it = await lab.open();
    await it.write(COUNTS);
    await it.page.keyboard.press('F10');
    await it.reaches('stopped');
    await it.page.waitForSelector('.cm-current');
    assert.match(String(await it.line()), /mov\s+\$1, %ax/);
    await it.moves(() => it.page.keyboard.press('F10'));
    assert.equal(await it.register('rax'), '00000001');
    await it.moves(() => it.page.keyboard.press('F7'));
    await it.page.waitForSelector('[data-register="rbx"].changed');
    assert.match(String(await it.line()), /add %bx, %ax/);
    await it.page.keyboard.press('Shift+F7');
    await it.page.waitForFunction(() =>
      /mov \$2/.test(document.querySelector('.cm-current')?.textContent ?? ''),
    );
    assert.equal(await it.register('rbx'), '00000000');
  });

  test('stops at a breakpoint in the margin, and runs back to it', async () => {
    const it = await lab.open();
    await it.write(COUNTS);
    await it.clickMargin(5);
    await it.page.waitForSelector('.breakpoint');
    await it.run();
    assert.equal(await it.status(), 'at a breakpoint');
    assert.match(String(await it.line()), /add %bx, %ax/);
    await it.run();
    assert.equal(await it.status(), 'halted');
    assert.equal(await it.register('rax'), '00000003');
    await it.moves(() => it.page.keyboard.press('Shift+F8'));
    await it.page.waitForFunction(
      () => document.querySelector('.status b')?.textContent === 'at a breakpoint',
    );
    assert.equal(await it.register('rax'), '00000001');
  });

  test('goes to the moment of a selected exit', async () => {
    const it = await lab.open();
    await it.run();
    await it.tab('exits');
    await it.moves(() => it.press('3'));
    await it.page.waitForSelector('.exits tr.here');
    // The third letter of "Hello".
    assert.match(await it.register('rax'), /6c$/);
  });

  test('stops a guest that never ends, and one that floods the console', async () => {
    const it = await lab.open();
    for (const source of [
      '.code16\n_start: jmp _start\n',
      '.code16\n_start: mov $0x41, %al\n1: out %al, $0xe9\n jmp 1b\n',
    ]) {
      await it.write(source);
      await it.page.keyboard.press('F8');
      await it.reaches('running');
      await it.page.waitForFunction(
        () => !/^0 /.test(document.querySelector('.status small')?.textContent ?? '0 '),
      );
      // The page answers while the guest runs.
      await it.tab('memory');
      await it.page.waitForSelector('.memory');
      await it.page.keyboard.press('F6');
      await it.reaches('stopped');
      assert.equal(await it.status(), 'paused');
    }
  });

  test('explains why a guest died, beside its line', async () => {
    const it = await lab.open('#mistakes/divide-by-zero');
    await it.run();
    await it.page.waitForSelector('.death');
    assert.match((await it.page.textContent('.cm-dead')) ?? '', /div\s+%ecx/);
    assert.match((await it.page.textContent('.death')) ?? '', /divide error/);
    // guests/mistakes/divide-by-zero/explanation.txt
    assert.match(
      (await it.page.textContent('.why')) ?? '',
      /Check the divisor before the division: ecx was 0/,
    );
  });

  test('shares a moment in a link, which shows exactly that moment', async () => {
    const it = await lab.open();
    await it.write(COUNTS);
    await it.clickMargin(4);
    await it.run();
    const [rip, rax] = [await it.register('rip'), await it.register('rax')];
    await it.press('Share');
    await it.page.waitForFunction(() => location.hash.startsWith('#k='));
    const hash = await it.page.evaluate(() => location.hash);
    const other = await lab.open(hash);
    await other.reaches('stopped');
    await other.page.waitForSelector('.breakpoint');
    await other.page.waitForSelector('.cm-current');
    assert.deepEqual([await other.register('rip'), await other.register('rax')], [rip, rax]);
    assert.equal(rax, '00000001');
    assert.match((await other.page.textContent('.cm-content')) ?? '', /mov \$2, %bx/);
  });

  test('opens the run of a submission from its grade, at its end', async () => {
    using scratch = new Scratch();
    // Adds the bytes from the serial port, up to a zero.
    const source = `.code16
.globl _start
_start: xor %bx, %bx
1:      mov $0x3fd, %dx
        in %dx, %al
        test $1, %al
        jz 1b
        mov $0x3f8, %dx
        in %dx, %al
        movzx %al, %ax
        add %ax, %bx
        test %ax, %ax
        jnz 1b
        hlt
`;
    writeFileSync(
      scratch.file('exercise.json'),
      JSON.stringify({
        guest: { image: 'kernel.S', mode: 'real' },
        input: 'ab\0',
        checks: [{ expect: 'bx=1', missing: 'BX is the sum.' }],
      }),
    );
    const exercise = readExercise(scratch.path);
    const built = buildSubmission(exercise, new Map([['kernel.S', Buffer.from(source)]]));
    const { runs } = await judge(exercise, built, 'seed');
    const [{ link = '', instructions } = { instructions: 0 }] = runs;
    const it = await lab.open(`#${link}`);
    await it.reaches('ended');
    assert.equal(await it.register('rbx'), (0x61 + 0x62).toString(16).padStart(8, '0'));
    assert.ok(instructions > 0);
    assert.equal(await it.status(), 'halted');
  });

  test('keeps the source over a reload, also in the middle of a run', async () => {
    const it = await lab.open();
    await it.write('.code16\n_start: jmp _start // mine\n');
    await it.page.waitForFunction(() => (localStorage.getItem('lab.files.own') ?? '').includes('mine'));
    await it.page.keyboard.press('F8');
    await it.reaches('running');
    await it.page.reload();
    await it.reaches('ready');
    assert.match((await it.page.textContent('.cm-content')) ?? '', /jmp _start \/\/ mine/);
  });

  test('checks a lesson first wrong, then right, and stores that it was passed', async () => {
    const it = await lab.open('#lesson/01-hlt');
    await it.press('Check');
    await it.page.waitForSelector('.results .not');
    assert.match((await it.page.textContent('.results')) ?? '', /Not yet.*The answer belongs in AX/s);
    // docs/course/01-hlt/solution
    await it.write('.code16\n.globl _start\n_start: mov $42, %ax\n mov %ax, %bx\n add %ax, %bx\n hlt\n');
    await it.press('Check');
    await it.page.waitForSelector('.verdict.good');
    await it.page.reload();
    await it.reaches('ready');
    assert.match((await it.page.textContent('.picker option[value="lesson/01-hlt"]')) ?? '', /^✓/);
  });

  test('checks a lesson in C first wrong, then right, with the server’s compiler', {
    skip: noGcc,
  }, async () => {
    const it = await lab.open(`?token=${lab.server.token}#lesson/07-paging`);
    assert.doesNotMatch(
      await it.page.evaluate(() => location.href),
      /token/,
      'it does not stay in the address',
    );
    await it.press('Check');
    await it.page.waitForSelector('.results .not');
    await it.write(readFileSync(path.join(root, 'docs/course/07-paging/solution/kernel.c'), 'utf8'));
    await it.press('Check');
    await it.page.waitForSelector('.verdict.good');
  });

  test('edits and runs a source of 4,000 lines', async () => {
    const it = await lab.open();
    const lines = Array.from({ length: 4000 }, (_, i) => `l${i}: add $${i % 100}, %bx`);
    const source = `.code16\n_start: xor %bx, %bx\n${lines.join('\n')}\nhlt\n`;
    await it.page.locator('input[type=file]').setInputFiles({
      name: 'long.S',
      mimeType: 'text/plain',
      buffer: Buffer.from(source),
    });
    await it.page.waitForFunction(() =>
      /xor %bx/.test(document.querySelector('.cm-content')?.textContent ?? ''),
    );
    await it.page.click('.cm-line');
    await it.page.keyboard.type('// edited');
    await it.run();
    assert.equal(await it.status(), 'halted');
    // Forty times the sum from 0 to 99, in 16 bits.
    assert.equal(await it.register('rbx'), ((40 * 4950) % 65536).toString(16).padStart(8, '0'));
  });

  test('runs in two tabs, each with its own guest', async () => {
    const one = await lab.open();
    const other = await lab.open('#hello', { fresh: false });
    await Promise.all([one.run(), other.run()]);
    await one.prints('Hello from 16 bits!');
    await other.prints('Hello from inside the terrarium!');
  });

  test('draws the guest’s screen, and sends it the keyboard', async () => {
    const it = await lab.open('#vga-typing');
    await it.page.keyboard.press('F8');
    await it.reaches('running');
    await it.page.click('#pane-screen canvas');
    await it.page.keyboard.type('hi');
    await it.page.waitForFunction(() =>
      /hi/i.test(document.querySelector('#pane-screen canvas')?.getAttribute('aria-label') ?? ''),
    );
    await it.page.keyboard.press('Control+Escape');
    await it.page.keyboard.press('F6');
  });

  test('opens dropped files: a source, and a snapshot that it saved itself', async () => {
    const it = await lab.open();
    const input = it.page.locator('input[type=file]');
    await input.setInputFiles({ name: 'mine.S', mimeType: 'text/plain', buffer: Buffer.from(COUNTS) });
    await it.page.waitForFunction(() =>
      /mov \$2/.test(document.querySelector('.cm-content')?.textContent ?? ''),
    );
    await it.run();
    await it.page.click('.more summary');
    const download = it.page.waitForEvent('download');
    await it.press('Save the moment (.terra)');
    const file = readFileSync(await (await download).path());
    await it.page.keyboard.press('Escape');
    const other = await lab.open();
    await other.page.locator('input[type=file]').setInputFiles({
      name: 'it.terra',
      mimeType: 'application/octet-stream',
      buffer: file,
    });
    await other.reaches('stopped');
    await other.page.waitForSelector('[data-register="rax"]');
    assert.equal(await other.register('rax'), '00000003');
  });

  testPanes(() => lab);
  testLinux(() => lab);

  test('has no serious fault of accessibility, dark and light', async () => {
    const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
    const it = await lab.open('#lesson/01-hlt');
    await it.run();
    await it.tab('exits');
    await it.tab('tables');
    await it.press('IDT');
    await it.page.click('.more summary');
    await it.page.click('.panel-menu summary');
    for (const theme of ['dark', 'light']) {
      await it.page.evaluate((name) => {
        document.documentElement.dataset.theme = name;
      }, theme);
      const source = readFileSync(axe, 'utf8');
      // By the debugger's protocol: the page's own policy refuses foreign scripts.
      const session = await it.page.context().newCDPSession(it.page);
      await session.send('Runtime.evaluate', { expression: source });
      const faults = await it.page.evaluate(async () => {
        const { axe } = globalThis as unknown as {
          axe: {
            run(): Promise<{ violations: { id: string; impact: string; nodes: { target: string[] }[] }[] }>;
          };
        };
        const { violations } = await axe.run();
        return violations
          .filter(({ impact }) => impact === 'serious' || impact === 'critical')
          .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
      });
      assert.deepEqual(faults, [], theme);
    }
  });

  test('fits on 1280 by 720, and has landmarks', async () => {
    const it = await lab.open('#lesson/01-hlt');
    const size = await it.page.evaluate(() => [
      document.documentElement.scrollWidth,
      document.documentElement.scrollHeight,
    ]);
    assert.deepEqual(size, [1280, 720]);
    for (const role of ['banner', 'main', 'contentinfo'] as const)
      assert.equal(await it.page.getByRole(role).count(), 1, role);
    assert.equal(await it.page.getByRole('complementary').count(), 2);
  });

  test('no page had an error of its own', () => {
    assert.deepEqual(lab.errors, []);
  });
});
