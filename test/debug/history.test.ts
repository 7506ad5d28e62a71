/** Time travel: each moment of a guest's past is reached exactly, and its output is not printed again. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DebugSession, History } from '../../src/debug/index.js';
import type { InputEvent, Machine } from '../../src/machine/index.js';
import { createMachine } from '../../src/runtime/index.js';
import { allInputs, hashOf, somebody } from '../guests/all-inputs.js';
import { type GuestFile, noCompiler, readGuestImage, readGuests } from '../guests/catalogue.js';
import { optionsOf, readBy } from '../guests/running.js';
import { noKvm } from '../support.js';

/** The number of a guest's instructions that are visited. */
const LONGEST = 300_000;

/** The visible state of a machine at a moment; before the delivery of an interrupt that is due. */
interface Sight {
  at: number;
  hash: string;
}

/** Moments of an uninterrupted run, and its end. */
function straight(machine: Machine, moments: readonly number[]): Sight[] {
  return moments.map((at) => {
    const left = at - machine.cycleTime!.instructions;
    if (left > 0) machine.run({ maxInstructions: left, timeoutMs: 60_000 });
    assert.equal(machine.cycleTime!.instructions, at);
    return { at, hash: hashOf(machine) };
  });
}

const anywhere = (below: number) => Math.floor(Math.random() * below);

/** Visits random moments of the past, and compares each with the uninterrupted run's. */
function walk(history: History, machine: Machine, sights: readonly Sight[], steps: number): void {
  for (let step = 0; step < steps; step++) {
    const { at, hash } = sights[anywhere(sights.length)]!;
    // Sometimes another moment before.
    if (step % 3 === 0) history.goTo(Math.max(0, at - anywhere(50)));
    assert.ok(history.goTo(at));
    assert.deepEqual({ at: machine.cycleTime!.instructions, hash: hashOf(machine) }, { at, hash });
  }
}

function guestMachine(guest: GuestFile, output: (bytes: Uint8Array) => void = () => {}): Machine {
  return createMachine({
    ...optionsOf(guest, readGuestImage(guest)),
    ...readBy(guest),
    engine: 'soft',
    output,
  });
}

describe('the past of a teaching guest', { skip: noCompiler }, () => {
  for (const guest of readGuests())
    test(`${guest.name} is the same at each visited moment`, () => {
      let printed = '';
      using whole = guestMachine(guest);
      whole.run({ maxInstructions: LONGEST, timeoutMs: 60_000 });
      const length = whole.cycleTime!.instructions;
      const moments = [...new Set(Array.from({ length: 12 }, () => 1 + anywhere(length)))].sort(
        (a, b) => a - b,
      );
      using other = guestMachine(guest);
      const sights = straight(other, moments);
      using machine = guestMachine(guest, (bytes) => {
        printed += Buffer.from(bytes).toString('latin1');
      });
      const history = new History(machine);
      const outcome = history.run({ maxInstructions: LONGEST, timeoutMs: 60_000 });
      const said = printed;
      const end = { kind: outcome.kind, reason: outcome.reason, hash: hashOf(machine) };
      walk(history, machine, sights, 20);
      assert.equal(printed, said, 'nothing is printed a second time');
      if (history.range.now === length) history.goTo(0);
      const again = history.run({ maxInstructions: LONGEST - history.range.now, timeoutMs: 60_000 });
      assert.deepEqual({ kind: again.kind, hash: hashOf(machine) }, { kind: end.kind, hash: end.hash });
      assert.equal(printed, said);
    });
});

describe('a guest that takes in keys, bytes, the time of day and random numbers', {
  skip: noCompiler,
}, () => {
  test('gets the same inputs when it goes back, and new ones after the present', () => {
    for (let round = 0; round < 4; round++) {
      const way = 1 + anywhere(65_534);
      const events: InputEvent[] = [];
      using machine = allInputs(
        { ...somebody(Math.random), inputs: { listener: (event) => events.push(event) } },
        way,
      );
      const history = new History(machine);
      const sights: Sight[] = [];
      for (let piece = 0; piece < 30; piece++) {
        const { kind } = history.run({ maxInstructions: 1 + anywhere(20_000), timeoutMs: 60_000 });
        sights.push({ at: history.range.now, hash: hashOf(machine) });
        if (kind === 'halted') break;
        if (piece % 5 === 4) {
          const before = events.length;
          walk(history, machine, sights, 8);
          assert.equal(events.length, before, 'the past takes nothing in');
        }
      }
      history.goTo(0);
      assert.equal(history.run({ timeoutMs: 60_000 }).kind, 'halted');
      const record = { version: 1, events, until: machine.inputs.position } as const;
      const hash = hashOf(machine);
      using again = allInputs({ inputs: { replay: record } }, way);
      assert.equal(again.run({ timeoutMs: 60_000 }).kind, 'halted');
      assert.equal(hashOf(again), hash, 'an uninterrupted run with the same inputs');
    }
  });

  test('takes another path where the past was changed', () => {
    using machine = allInputs({ ...somebody(Math.random) }, 7);
    const session = new DebugSession(machine, { history: {} });
    const history = () => session.history()!;
    session.resume();
    const { last } = history();
    session.goTo(Math.floor(last / 2));
    const half = hashOf(machine);
    session.write(0x7000n, Uint8Array.of(0x5a));
    session.step();
    assert.ok(history().last < last, 'the later moments are dropped');
    session.goTo(Math.floor(last / 2));
    assert.deepEqual(session.read(0x7000n, 1), Uint8Array.of(0x5a));
    session.goTo(Math.floor(last / 2) - 1);
    assert.deepEqual(session.read(0x7000n, 1), Uint8Array.of(0));
    session.goTo(Math.floor(last / 2));
    assert.deepEqual(session.read(0x7000n, 1), Uint8Array.of(0x5a));
    session.write(0x7000n, Uint8Array.of(0));
    assert.equal(hashOf(machine), half);
  });
});

/** MOV CX, 100; again: MOV [500h], CX; MOV AL, '.'; OUT E9h, AL; LOOP again; HLT */
const program = Uint8Array.from([
  ...[0xb9, 100, 0],
  ...[0x89, 0x0e, 0x00, 0x05],
  ...[0xb0, 0x2e],
  ...[0xe6, 0xe9],
  ...[0xe2, 0xf6],
  0xf4,
]);

function loopSession(bytes = program) {
  const machine = createMachine({ image: bytes, mode: 'real', engine: 'soft', load: 0x1000, entry: 0x1000 });
  return { machine, session: new DebugSession(machine, { history: {} }) };
}

describe('a session', () => {
  test('steps back to each instruction, and stops where it began', () => {
    const { machine, session } = loopSession();
    using _ = machine;
    const seen: string[] = [];
    const look = () => [session.here().pc, session.view().registers.rcx, session.view().registers.rax].join();
    for (let n = 0; n < 200; n++) {
      seen.push(look());
      session.step();
    }
    for (const expected of seen.reverse()) {
      assert.equal(session.stepBack().why, 'step');
      assert.equal(look(), expected);
    }
    assert.equal(session.stepBack().why, 'begin');
  });

  test('runs back to breakpoints and to the writer of a watched byte', () => {
    const { machine, session } = loopSession();
    using _ = machine;
    assert.equal(session.resume().why, 'end');
    session.addBreakpoint(0x1007n);
    for (const left of [1n, 2n, 3n]) {
      const stop = session.resumeBack();
      assert.deepEqual([stop.why, stop.pc, session.view().registers.rcx], ['breakpoint', 0x1007n, left]);
    }
    session.clear();
    session.watch(0x500n, 2, 'write');
    for (const left of [3n, 4n, 5n]) {
      const stop = session.resumeBack();
      // Before the instruction that writes it.
      assert.deepEqual([stop.why, stop.pc, session.view().registers.rcx], ['watchpoint', 0x1003n, left]);
    }
    const forward = session.resume();
    assert.deepEqual([forward.why, session.view().registers.rcx], ['watchpoint', 5n]);
    session.clear();
    assert.equal(session.resumeBack().why, 'begin');
    assert.equal(session.history()!.now, 0);
    assert.equal(session.resume().why, 'end');
    assert.equal(session.goTo(session.history()!.last).why, 'end');
  });

  test('stops at a breakpoint even if few instructions of a run are left', () => {
    for (let left = 1; left <= 60; left++) {
      const { machine } = loopSession();
      using _ = machine;
      machine.run({ maxInstructions: 100 });
      machine.cpu.debug({ step: false, breakpoints: [0x1007n], watchpoints: [] });
      const { kind, registers } = machine.run({ maxInstructions: left });
      const expected = left > 2 ? 'debug' : 'limit';
      assert.deepEqual([left, kind, registers.rip === 0x1007n], [left, expected, left >= 2]);
    }
  });

  test('goes to an exit by its number', () => {
    const { machine, session } = loopSession();
    using _ = machine;
    session.resume();
    session.goToExit(40);
    assert.equal(machine.exits, 40);
    assert.equal(session.view().registers.rcx, 61n);
    assert.throws(() => session.goToExit(9999), /exit 9999 is not in this history, which has 1 to/);
    assert.throws(() => session.goTo(1e9), /instruction 1000000000 is not in this history/);
    assert.throws(() => session.goTo(-1), /is not in this history/);
    assert.throws(() => session.goTo(1.5), /is not in this history/);
  });

  test('lists the path to the present, instruction by instruction', () => {
    const { machine, session } = loopSession();
    using _ = machine;
    for (let n = 0; n < 6; n++) session.step();
    assert.deepEqual(
      session.trail(4).map(({ at, pc }) => [at, pc]),
      [
        [2, 0x1007n],
        [3, 0x1009n],
        [4, 0x100bn],
        [5, 0x1003n],
      ],
    );
    assert.equal(session.history()!.now, 6);
    assert.equal(session.trail(100).length, 6);
  });

  test('reports why it cannot go back', { skip: noKvm }, () => {
    using machine = createMachine({ image: program, mode: 'real', engine: 'kvm' });
    const session = new DebugSession(machine, { history: {} });
    assert.equal(session.history(), undefined);
    assert.match(session.noHistory() ?? '', /its instructions are not counted/);
    assert.throws(() => session.stepBack(), /its instructions are not counted/);
  });
});
