/** Guests with a person at the terminal: their keys, their time, and the terminal. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { noGcc, Scratch } from '../support.js';
import { noTmux, pause, Terminal } from '../tui/terminal.js';

const skip = noTmux || noGcc;

/** Prints the scan code of each pressed key to the console as a letter, A for 01; Escape, which is A, ends it. */
const scanCodes = `.code16
1:      in      $0x64, %al
        test    $1, %al
        jz      1b
        in      $0x60, %al
        test    $0x80, %al
        jnz     1b
        add     $0x40, %al
        out     %al, $0xe9
        cmp     $0x41, %al
        jne     1b
        cli
        hlt
`;

/** Prints bytes of the serial port unchanged, and keys as their scan code's letter; 1 or its key, B, end it. */
const bothInputs = `.code16
1:      mov     $0x3fd, %dx
        in      %dx, %al
        test    $1, %al
        jz      2f
        mov     $0x3f8, %dx
        in      %dx, %al
        out     %al, $0xe9
        cmp     $'1', %al
        je      3f
2:      in      $0x64, %al
        test    $1, %al
        jz      1b
        in      $0x60, %al
        test    $0x80, %al
        jnz     1b
        add     $0x40, %al
        out     %al, $0xe9
        cmp     $'B', %al
        jne     1b
3:      cli
        hlt
`;

describe('a guest at a terminal', { skip, concurrency: 2 }, () => {
  test('--screen on the software CPU runs in real time: the game is still running after a second', async () => {
    const began = performance.now();
    using terminal = new Terminal(['run', 'guests/snake', '--engine', 'soft', '--screen'], {
      columns: 82,
      rows: 27,
    });
    await terminal.sees(/Length|snake|█/);
    await pause(1000);
    terminal.press('C-c');
    const { status, restored } = await terminal.ended();
    // The game takes four seconds, which may have passed by now on a busy host.
    assert.ok(status === 130 || performance.now() - began > 4000, `it ended by itself, with ${status}`);
    assert.ok(restored);
    const left = terminal.screen();
    assert.match(left, /terrarium: soft: /);
    assert.doesNotMatch(left, /rax|cr0/i, 'no registers after a game');
  });

  test('80 by 25 characters on a terminal of 80 by 24 are shown as text, and the omitted part is reported', async () => {
    using terminal = new Terminal(['run', 'guests/vga-text', '--engine', 'soft', '--screen']);
    const seen = await terminal.sees(/this line blinks on a real screen/);
    assert.doesNotMatch(seen, /▀▀/);
    await terminal.sees(/80 × 25 characters and this terminal had 80/);
    assert.deepEqual(await terminal.ended(), { status: 0, restored: true });
  });

  test('serial input comes key by key and is not echoed by the terminal', async () => {
    using terminal = new Terminal(['run', 'test/guests/serial-echo.S', '--engine', 'soft']);
    await terminal.takesKeys();
    terminal.type('ab');
    await terminal.sees(/ab/);
    assert.doesNotMatch(terminal.screen(), /abab/);
    terminal.type('q');
    const { status, restored } = await terminal.ended();
    assert.deepEqual({ status, restored }, { status: 7, restored: true });
  });

  test('keys also reach the keyboard, and the guest’s output is visible at once', async () => {
    using scratch = new Scratch();
    writeFileSync(scratch.file('keys.S'), scanCodes);
    using terminal = new Terminal(['run', scratch.file('keys.S'), '--engine', 'soft']);
    await terminal.takesKeys();
    // Scan code set 1: w 11, a 1E, s 1F.
    terminal.type('was');
    await terminal.sees(/Q\^_/);
    terminal.press('Escape');
    assert.deepEqual(await terminal.ended(), { status: 0, restored: true });
  });

  // Scan code set 1: w 11, a 1E.
  for (const [where, seen] of [
    ['serial', /^wa1\n/m],
    ['keyboard', /^Q\^B\n/m],
    ['both', /^(?=.*w)(?=.*Q)(?=.*a)(?=.*\^)/m],
  ] as const) {
    test(`--keys ${where} sends them there`, async () => {
      using scratch = new Scratch();
      writeFileSync(scratch.file('keys.S'), bothInputs);
      using terminal = new Terminal(['run', scratch.file('keys.S'), '--engine', 'soft', '--keys', where]);
      await terminal.takesKeys();
      terminal.type('wa');
      await terminal.sees(where === 'serial' ? /wa/ : where === 'keyboard' ? /Q\^/ : seen);
      terminal.type('1');
      assert.equal((await terminal.ended()).status, 0);
      assert.match(terminal.screen(), seen);
    });
  }

  test('--trace fits 80 columns, and leaves out neither data nor descriptions', async () => {
    using terminal = new Terminal([
      'run',
      'guests/tick-protected',
      '--engine',
      'soft',
      '--trace',
      '--trace-filter',
      'port=0x43',
    ]);
    assert.equal((await terminal.ended()).status, 0);
    assert.match(
      terminal.screen(),
      /out 0x0043 {7}34 '4' {5}pit\n {20}out 0x43,al\n {20}control word ← 0x34: counter 0: .*mode 2,\n {22}rate generator\n/,
    );
  });

  test('Ctrl-Z suspends a run, which takes the terminal again when it continues', async () => {
    using terminal = new Terminal(['run', 'test/guests/serial-echo.S', '--engine', 'soft']);
    await terminal.takesKeys();
    terminal.type('a');
    await terminal.sees(/a/);
    terminal.press('C-z');
    await terminal.sees(/put aside/);
    terminal.press('Enter');
    await terminal.takesKeys();
    terminal.type('bq');
    assert.equal((await terminal.ended()).status, 7);
  });

  test('Terrarium’s messages begin on a new line, after any output of the guest', async () => {
    using scratch = new Scratch();
    writeFileSync(scratch.file('a.S'), ".code16\n mov $'A', %al\n out %al, $0xe9\n cli\n hlt\n");
    using terminal = new Terminal(['run', scratch.file('a.S'), '--engine', 'soft']);
    assert.equal((await terminal.ended()).status, 0);
    assert.match(terminal.screen(), /^A\nterrarium: soft: halted/m);
  });
});
