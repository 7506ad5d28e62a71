/** The debugger's keys on a real guest, without a terminal: their results, refusals, and the amount of output. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CellPainter } from '../../src/apps/frontend/screen/painter.js';
import { Controller } from '../../src/apps/tui/controller.js';
import { ExitFeed } from '../../src/apps/tui/exit-feed.js';
import { GuestConsole } from '../../src/apps/tui/guest-console.js';
import { type Model, newModel } from '../../src/apps/tui/model.js';
import { draw, placesOf } from '../../src/apps/tui/view.js';
import { Debugger } from '../../src/debug/index.js';
import { type HostedMachine, hostMachine, loadImage } from '../../src/runtime/index.js';
import { SymbolTable } from '../../src/symbols/index.js';
import { noGcc } from '../support.js';

const SIZE = { columns: 120, rows: 36, coloured: true };

/** A debugger as in the terminal. */
class Bench implements AsyncDisposable {
  readonly model: Model;
  readonly controller: Controller;
  quits = 0;
  readonly #machine: HostedMachine;
  readonly #painter = new CellPainter();

  private constructor(machine: HostedMachine, symbols: SymbolTable, folder: string) {
    this.#machine = machine;
    const exits = new ExitFeed();
    const console = new GuestConsole();
    machine.onOutput((bytes) => console.print(bytes));
    machine.onTrace((bytes) => exits.take(bytes));
    this.model = newModel({
      image: 'guest',
      engine: machine.engine,
      hasScreen: false,
      console,
      memoryAt: 0n,
    });
    this.controller = new Controller({
      model: this.model,
      debugger: new Debugger(machine.debugTarget(), symbols),
      exits,
      folder,
      guest: { memory: machine.memory, screen: () => machine.screen(), typeAgain: () => {} },
      places: () => placesOf(this.model, SIZE.columns, SIZE.rows)!,
      onChange: () => {},
      onQuit: () => {
        this.quits++;
      },
      onRedraw: () => {},
    });
  }

  static async open(file: string, mode: 'real' | 'protected' | 'long'): Promise<Bench> {
    const { image, spec, symbols } = loadImage(file, { mode });
    const named = symbols?.() ?? image;
    const machine = await hostMachine({
      image,
      engine: 'soft',
      ...spec,
      symbols: named,
      debug: true,
      coalesce: false,
      trace: { format: 'ndjson' },
    });
    const bench = new Bench(machine, new SymbolTable(named), '.');
    await bench.controller.start();
    return bench;
  }

  /** Presses keys, each when the previous one is done. */
  async press(...keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.controller.press(key);
  }

  /** Types into the line at the bottom, and Enter. */
  async enter(key: string, text: string): Promise<void> {
    await this.press(key, ...text, 'Enter');
  }

  get message(): string {
    return this.model.message.text;
  }

  get screen(): string {
    return draw(this.model, SIZE).text();
  }

  /** The output for a terminal now. */
  paint(): string {
    return this.#painter.paint(draw(this.model, SIZE));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#machine[Symbol.asyncDispose]();
  }
}

const long = () => Bench.open('test/guests/debugged-long.S', 'long');

describe('the keys of the debugger', { skip: noGcc }, () => {
  test('send little: only a step’s changes, and nothing where nothing changes', async () => {
    await using bench = await long();
    const whole = bench.paint().length;
    assert.equal(bench.paint(), '');
    const sent: number[] = [];
    for (let i = 0; i < 15; i++) {
      await bench.press('s');
      sent.push(Buffer.byteLength(bench.paint()));
    }
    const mean = sent.reduce((a, b) => a + b) / sent.length;
    assert.ok(mean < 500, `${mean} bytes a step`);
    assert.ok(Math.max(...sent) < whole / 2, `${sent} of ${whole}`);
  });

  test('refuse with a message, and continue', async () => {
    await using bench = await long();
    await bench.enter('g', '0xffff800000000000');
    assert.match(bench.screen, /nothing is mapped at 0xffff800000000000/);
    await bench.enter('w', 'rax');
    assert.match(bench.message, /rax is a register, not memory to watch/);
    await bench.enter('e', 'countre');
    assert.match(bench.message, /'countre' is neither.*count/);
    await bench.enter('e', '1 +');
    assert.notEqual(bench.message, '');
    await bench.enter('B', 'nowhere.c:12');
    assert.match(bench.message, /nowhere\.c/);
    await bench.enter('B', 'count if +');
    assert.equal(bench.model.points.length, 0);
    await bench.enter('B', 'count if byte [0xffff800000000000]');
    await bench.press('c');
    assert.match(bench.message, /count if .* reached.*there is no memory at/);
    await bench.press('s');
    assert.match(bench.message, /push rbx/);
  });

  test('undo typed text, and find it again', async () => {
    await using bench = await long();
    await bench.press('e', '1', '2', 'Backspace', 'Backspace', '7', 'Escape');
    assert.equal(bench.model.prompt, undefined);
    await bench.enter('e', 'ebx + 0x10');
    assert.match(bench.message, /^ebx \+ 0x10 is 0x10/);
    await bench.press('e', 'ArrowUp');
    assert.match(bench.screen, /evaluate ebx \+ 0x10/);
    await bench.press('Ctrl-U', 'Enter');
    await bench.enter('e', 'ebx = 0x77');
    assert.match(bench.screen, /•rbx 0000000000000077/);
  });

  test('set, switch off and remove breakpoints', async () => {
    await using bench = await long();
    await bench.press('ArrowDown', 'ArrowDown', 'b');
    assert.match(bench.message, /breakpoint set at again/);
    await bench.enter('B', 'count');
    assert.match(bench.screen, /● again.*\n.*● count/);
    await bench.press('8', 'ArrowDown', 'Enter');
    assert.match(bench.screen, /›○ count/);
    await bench.press('c');
    assert.match(bench.message, /breakpoint again reached/);
    await bench.press('c');
    assert.match(bench.message, /breakpoint again reached, for the 2nd time/);
    await bench.press('ArrowUp', 'Delete', '2');
    await bench.enter('B', 'count');
    await bench.press('c');
    assert.match(bench.message, /the guest has halted/);
  });

  test('run to the cursor, and show code elsewhere', async () => {
    await using bench = await long();
    await bench.enter('d', 'print');
    await bench.press('ArrowDown', 't');
    assert.match(bench.message, /now at <print\+0x7>/);
    await bench.press('PageUp', 'PageDown', 'Home');
    assert.equal(bench.model.cursor, bench.model.pc);
  });

  test('stay at a guest that has ended, and restart it with its breakpoints', async () => {
    await using bench = await long();
    await bench.enter('B', 'print');
    await bench.press('c', 'c');
    assert.equal(bench.model.phase, 'ended');
    assert.match(bench.screen, /5 Console ─+\n.*counted/);
    await bench.press('s', 'n', 'f', 'c', 'l', 't');
    assert.match(bench.message, /the guest has halted; r restarts it/);
    await bench.press('r');
    assert.equal(bench.model.phase, 'stopped');
    assert.match(bench.screen, /nothing printed yet/);
    assert.match(bench.screen, / 0 exits/);
    await bench.press('c');
    assert.match(bench.message, /breakpoint print reached/);
  });

  test('move and zoom through every pane', async () => {
    await using bench = await long();
    for (const digit of '12345678') {
      await bench.press(digit, 'ArrowDown', 'PageDown', 'End', 'ArrowUp', 'PageUp', 'Home', 'z', 'z');
      assert.equal(bench.model.zoomed, false);
    }
    const seen = new Set<string>();
    for (let i = 0; i < 8; i++) {
      await bench.press('Tab');
      seen.add(bench.model.focus);
    }
    assert.ok(seen.size >= 6, [...seen].join());
    await bench.press('Shift-Tab');
  });

  test('show the call stack', async () => {
    await using bench = await long();
    await bench.enter('B', 'count');
    await bench.press('c', 'a');
    assert.match(bench.screen, /╭─ Callers ─/);
    assert.match(
      bench.screen,
      /│ {2}0 {2}count +debugged-long\.S:12 .*\n.*│ {2}1 {2}again\+0x5 +debugged-long\.S:5/,
    );
    await bench.press('Escape');
    assert.doesNotMatch(bench.screen, /Callers/);
  });

  test('scroll the stack', async () => {
    await using bench = await long();
    await bench.press('s', '3', 'ArrowDown', 'PageDown');
    assert.match(bench.screen, /\+60 {2}0{16}/);
    await bench.press('Home');
    assert.match(bench.screen, /\+00 {2}0{16}/);
  });

  test('go to writes, changes and conditions, and say what was not found', async () => {
    await using bench = await long();
    await bench.press('c');
    await bench.enter('R', 'ebx');
    assert.match(bench.message, /now at <again\+0x5>/);
    await bench.enter('H', 'first ebx == 2');
    assert.match(bench.message, /now at <again\+0x7>/);
    await bench.enter('X', 'counter:u32');
    assert.match(bench.message, /memory at 0x\w+ was accessed, by the instruction at <count\+0x1>/);
    await bench.enter('H', 'last ebx == 77');
    assert.match(bench.message, /ebx == 77 holds at no moment before this moment/);
    await bench.enter('H', 'ebx == 2');
    assert.match(bench.message, /first or last\? Write it as in: last ebx == 2/);
    await bench.enter('v', 'count');
    assert.match(bench.screen, /╭─ Source of count ─[\s\S]*│ {8}7 +jnz +again/);
    await bench.press('Escape', 'v', 'Enter');
    assert.match(bench.screen, /=> {4}14 +pop/);
    await bench.press('Escape');
  });

  test('move along the timeline, which follows the guest', async () => {
    await using bench = await long();
    await bench.press('T');
    assert.match(bench.message, /nothing has happened yet/);
    await bench.press('c');
    const { last } = bench.model.history!;
    const timeline = () => bench.model.timeline!;
    assert.equal(timeline().size, 1);
    assert.equal(timeline().pieces.size, last);
    // REP OUTSB of eight characters, which an exit a column divides, and the HLT.
    const exits = [...timeline().pieces.values()].reduce((sum, piece) => sum + piece.exits, 0);
    assert.equal(exits, 8 + 1);
    await bench.press('ArrowLeft', 'ArrowLeft', 'ArrowLeft');
    assert.equal(bench.model.history!.now, last - 3);
    await bench.press('<');
    assert.ok(timeline().pieces.get(bench.model.history!.now)!.exits > 0);
    await bench.press('-', '+', '=', 'ArrowRight', '>');
    // Keys that come while the guest moves are taken together.
    const moves = [...Array(5)].map(() => bench.controller.press('ArrowLeft'));
    const { now } = bench.model.history!;
    await Promise.all(moves);
    assert.ok(bench.model.history!.now <= now - 5);
    // Another future: nothing of the old one is shown.
    await bench.enter('G', '2');
    await bench.enter('e', 'ebx = 1');
    await bench.press('c');
    assert.ok(bench.model.history!.last < last);
    assert.equal(timeline().pieces.size, bench.model.history!.last);
    await bench.press('r');
    assert.equal(timeline().pieces.size, 0);
    await bench.press('T');
    assert.equal(bench.model.timeline, undefined);
  });

  test('quit by q and Ctrl-C', async () => {
    await using bench = await long();
    await bench.press('q', 'Ctrl-C', 'Shift-F10');
    assert.equal(bench.quits, 3);
  });
});

test('a guest’s control sequences do not reach the terminal', async () => {
  await using bench = await long();
  bench.model.console.print(Buffer.from('\x1b[2J\x1b]0;title\x07\x9b5n\u202e\u{1f600}\x00'));
  const sent = bench.paint();
  for (const bad of ['\x1b]0', '\x07', '\x9b', '\u202e', '\x00']) assert.ok(!sent.includes(bad));
  assert.match(bench.screen, /·\[2J·\]0;title··5n|·\[2J/);
});
