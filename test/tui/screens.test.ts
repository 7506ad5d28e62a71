/** `terrarium debug` as a person sees it: screens of a real terminal, stored as text in `screens/`. */
import { describe, test } from 'node:test';
import { noGcc } from '../support.js';
import { noTmux, Terminal } from './terminal.js';

const guest = (mode: string) => [`test/guests/debugged-${mode}.S`, '--mode', mode];
const soft = (...args: string[]) => ['debug', ...args, '--engine', 'soft'];
const wide = { columns: 120, rows: 36 };

describe('terrarium debug', { skip: noTmux || noGcc, concurrency: 2 }, () => {
  test('begins before the first instruction', async () => {
    using terminal = new Terminal(soft(...guest('long')), wide);
    await terminal.shows('start');
  });

  test('steps: changes are marked, and described', async () => {
    using terminal = new Terminal(soft(...guest('real')));
    await terminal.sees(/before its first instruction/);
    terminal.press('s');
    await terminal.sees(/xor ax,ax/);
    terminal.press('F7', 's', 's', 's', 's');
    await terminal.sees(/mov WORD PTR ds:0x102,cs: {2}/);
    terminal.press('s');
    await terminal.shows('step');
  });

  test('goes over a call, into it, and out of it', async () => {
    using terminal = new Terminal(soft(...guest('long')), { columns: 100, rows: 30 });
    await terminal.sees(/before its first instruction/);
    terminal.press('s', 's', 'n');
    await terminal.shows('next');
    terminal.press('s', 's', 's');
    await terminal.sees(/call count:/);
    terminal.press('s', 's');
    await terminal.shows('inside');
    terminal.press('f');
    await terminal.shows('finish');
  });

  test('runs to a breakpoint, and lists the breakpoints', async () => {
    using terminal = new Terminal(soft(...guest('long')), wide);
    await terminal.sees(/before its first instruction/);
    terminal.press('B');
    await terminal.sees(/breakpoint at/);
    terminal.type('count if ebx == 2');
    terminal.press('Enter');
    await terminal.sees(/breakpoint set at count/);
    terminal.press('w');
    terminal.type('counter:u32');
    terminal.press('Enter');
    await terminal.sees(/watchpoint set/);
    terminal.press('c');
    await terminal.sees(/watchpoint counter:u32: .* → 0x42/);
    terminal.press('c');
    await terminal.shows('breakpoint');
  });

  test('goes back in time: by steps, to a moment, to the writer of memory', async () => {
    using terminal = new Terminal(soft(...guest('long')), wide);
    await terminal.sees(/before its first instruction/);
    terminal.press('c');
    await terminal.sees(/has halted/);
    terminal.press('W');
    await terminal.sees(/who wrote/);
    terminal.type('counter:u32');
    terminal.press('Enter');
    await terminal.sees(/the next instruction accesses it, <count\+0x1>/);
    terminal.press('S');
    await terminal.sees(/now at <count>/);
    terminal.press('F');
    await terminal.sees(/now at <again>/);
    terminal.press('G');
    await terminal.sees(/go to/);
    terminal.type('5');
    terminal.press('Enter');
    await terminal.sees(/instruction 5 of \d+/);
    await terminal.shows('past');
    terminal.press('C');
    await terminal.sees(/the history begins here, at <_start>/);
  });

  test('shows the timeline of a guest, and moves along it', async () => {
    using terminal = new Terminal(soft('guests/paging-demand'), { columns: 80, rows: 30 });
    await terminal.sees(/before its first instruction/);
    terminal.press('c');
    await terminal.sees(/has (halted|exited)/);
    terminal.press('T');
    await terminal.sees(/exceptions +[^·]*\n/);
    terminal.press('<', '<');
    await terminal.shows('timeline');
    terminal.resize(60, 18);
    await terminal.shows('timeline-low');
  });

  test('shows memory, with the bytes that changed', async () => {
    using terminal = new Terminal(soft(...guest('protected')), { columns: 110, rows: 30 });
    await terminal.sees(/before its first instruction/);
    terminal.press('g');
    terminal.type('counter');
    terminal.press('Enter');
    await terminal.sees(/memory from 0x/);
    terminal.press('n', 'n', 'n', '4');
    await terminal.shows('memory');
  });

  test('shows the guest’s output, its exits with descriptions, and its end', async () => {
    using terminal = new Terminal(soft(...guest('real')), wide);
    await terminal.sees(/before its first instruction/);
    terminal.press('F5');
    await terminal.shows('console');
  });

  test('shows only the screen of a guest with a VGA', async () => {
    using terminal = new Terminal(soft('guests/vga-text'), { columns: 82, rows: 29 });
    await terminal.sees(/before its first instruction/);
    terminal.press('c');
    await terminal.sees(/has halted/);
    terminal.press('6', 'z');
    await terminal.shows('screen');
  });

  test('draws graphics as half blocks', async () => {
    using terminal = new Terminal(soft('guests/vga-400x300'), { columns: 120, rows: 40 });
    await terminal.sees(/before its first instruction/);
    terminal.press('c');
    await terminal.sees(/has halted/);
    await terminal.sees(/▀{30}/);
  });

  test('explains why a guest died', async () => {
    using terminal = new Terminal(soft('guests/mistakes/no-idt/no-idt.S'), { columns: 100, rows: 32 });
    await terminal.sees(/before its first instruction/);
    terminal.press('c');
    await terminal.shows('why');
    terminal.press('Escape');
    await terminal.sees(/shut down, by a triple fault/);
    terminal.press('r');
    await terminal.sees(/at its start again/);
  });

  test('explains why a guest waits forever, and reports a guest that has not died', async () => {
    using terminal = new Terminal(soft('guests/mistakes/missing-eoi/missing-eoi.S'), {
      columns: 100,
      rows: 32,
    });
    await terminal.sees(/before its first instruction/);
    terminal.press('y');
    await terminal.sees(/the guest has not died/);
    terminal.press('Escape', 'c');
    await terminal.sees(/its handler sent no EOI/);
    await terminal.sees(/waits for an interrupt that cannot come/);
  });

  test('helps', async () => {
    using terminal = new Terminal(soft(...guest('long')), { columns: 80, rows: 62 });
    await terminal.sees(/before its first instruction/);
    terminal.press('?');
    await terminal.shows('help');
  });

  test('adapts to a terminal that becomes small, and large again', async () => {
    using terminal = new Terminal(soft(...guest('long')), wide);
    await terminal.shows('start');
    terminal.resize(60, 20);
    await terminal.shows('narrow');
    terminal.resize(40, 10);
    await terminal.shows('smallest');
    terminal.resize(34, 8);
    await terminal.shows('too-small');
    terminal.resize(120, 36);
    await terminal.shows('start');
  });
});
