/** A machine that is saved at any moment and continues as another one: no guest can notice it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Claim, Device } from '../../src/devices/contract/index.js';
import { Serial16550 } from '../../src/devices/index.js';
import type { InputEvent, InputRecord, Machine, MachineState } from '../../src/machine/index.js';
import { createMachine, type MachineOptions } from '../../src/runtime/index.js';
import { allInputs, hashOf, notesOf, somebody } from '../guests/all-inputs.js';
import { noCompiler, readGuestImage, readGuests } from '../guests/catalogue.js';
import { optionsOf, readBy } from '../guests/running.js';
import { noKvm } from '../support.js';

/** A run of the guest with all inputs, in one piece: its inputs and its end. */
function whole(way: number, options: Partial<MachineOptions> = {}) {
  const events: InputEvent[] = [];
  const listener = (event: InputEvent) => events.push(event);
  using machine = allInputs({ ...options, ...somebody(Math.random), inputs: { listener } }, way);
  assert.equal(machine.run({ timeoutMs: 60_000 }).kind, 'halted');
  const record: InputRecord = { version: 1, events, until: machine.inputs.position };
  return { record, hash: hashOf(machine), notes: notesOf(machine), ended: machine.clock.now() };
}

/** Runs a machine up to a moment of its clock, or to its end; true where that was the end. */
function runTo(machine: Machine, moment: number): boolean {
  const cut = machine.clock.alarm(`cut at ${moment}`, () => machine.stop());
  if (moment > machine.clock.now()) cut.at(moment);
  const { kind, reason } = machine.run({ timeoutMs: 60_000 });
  cut.cancel();
  assert.ok(kind === 'halted' || kind === 'stopped', reason);
  return kind === 'halted';
}

describe('a machine that is saved and restored', { skip: noCompiler }, () => {
  test('at random instructions, each time to a new machine, ends like the one that ran in one piece', () => {
    for (let round = 0; round < 6; round++) {
      const way = 1 + Math.floor(Math.random() * 65_535);
      const { record, hash, ended } = whole(way);
      const cuts = Array.from({ length: 8 }, () => Math.floor(Math.random() * ended)).sort((a, b) => a - b);
      const fresh = () => allInputs({ inputs: { replay: record } }, way);
      let machine = fresh();
      for (const moment of cuts) {
        if (runTo(machine, moment)) break;
        const state: MachineState = structuredClone(machine.save());
        machine[Symbol.dispose]();
        machine = fresh();
        machine.load(state);
        assert.deepEqual(machine.save(), state);
      }
      runTo(machine, Number.POSITIVE_INFINITY);
      assert.equal(hashOf(machine), hash, `guest ${way}, cut at ${cuts.join(', ')}`);
      machine[Symbol.dispose]();
    }
  });

  test('continues as if it had not been saved, and a used machine can also load the state', () => {
    const { record, hash, ended } = whole(1);
    using first = allInputs({ inputs: { replay: record } }, 1);
    runTo(first, Math.floor(ended / 3));
    const state = first.save();
    runTo(first, Number.POSITIVE_INFINITY);
    assert.equal(hashOf(first), hash);
    // Another run had ended here: all of its state is replaced.
    using second = allInputs({ inputs: { replay: record } }, 1);
    runTo(second, Math.floor(ended / 2));
    second.load(state);
    runTo(second, Number.POSITIVE_INFINITY);
    assert.equal(hashOf(second), hash);
  });

  test('between two exits, in pieces of a few, ends the same', () => {
    const { record, hash } = whole(77);
    const fresh = () => allInputs({ inputs: { replay: record } }, 77);
    let machine = fresh();
    for (let hops = 0; ; hops++) {
      const { kind } = machine.run({ maxExits: 1 + Math.floor(Math.random() * 2000), timeoutMs: 60_000 });
      if (kind === 'halted') break;
      const state = machine.save();
      machine[Symbol.dispose]();
      machine = fresh();
      machine.load(state);
      assert.ok(hops < 1000);
    }
    assert.equal(hashOf(machine), hash);
    machine[Symbol.dispose]();
  });

  test('at another rate of instructions uses that rate', () => {
    const { record, hash, ended } = whole(5, { ips: 33_333_000 });
    using first = allInputs({ ips: 33_333_000, inputs: { replay: record } }, 5);
    runTo(first, Math.floor(ended / 2));
    using second = allInputs({ ips: 33_333_000, inputs: { replay: record } }, 5);
    second.load(first.save());
    runTo(second, Number.POSITIVE_INFINITY);
    assert.equal(hashOf(second), hash);
  });
});

/** Guest time after which a guest that never ends is compared, in nanoseconds. */
const ENDLESS_NS = 40e6;

describe('a teaching guest', () => {
  for (const guest of readGuests()) {
    test(`${guest.name} does the same when it moves between machines`, () => {
      const options = optionsOf(guest, readGuestImage(guest));
      const endless = guest.expect.outcome === 'timeout';
      /** A run with this many exits, or this much time, between two machines: its output, and all of RAM. */
      const run = (pieces: () => number) => {
        let console = '';
        const reads = readBy(guest);
        const make = () =>
          createMachine({
            ...options,
            ...reads,
            engine: 'soft',
            output: (bytes) => {
              console += Buffer.from(bytes).toString('latin1');
            },
          });
        const piece = (machine: Machine) => {
          if (!endless) return machine.run({ maxExits: pieces(), timeoutMs: 60_000 });
          const moment = Math.min(ENDLESS_NS, machine.clock.now() + pieces());
          const cut = machine.clock.alarm('the end of this piece', () => machine.stop());
          cut.at(moment);
          const outcome = machine.run({ timeoutMs: 60_000 });
          cut.cancel();
          assert.equal(outcome.kind, 'stopped');
          return moment < ENDLESS_NS ? { ...outcome, kind: 'limit' } : outcome;
        };
        let machine = make();
        for (let hops = 0; ; hops++) {
          const { kind, registers, reason } = piece(machine);
          if (kind !== 'limit') {
            assert.notEqual(kind, 'timeout', reason);
            const ram = hashOf(machine);
            const length = endless ? ENDLESS_NS : machine.exits;
            machine[Symbol.dispose]();
            return { length, hops, end: { kind, reason, registers, console, ram } };
          }
          const state = structuredClone(machine.save());
          machine[Symbol.dispose]();
          machine = make();
          machine.load(state);
        }
      };
      const { length, end } = run(() => 1e9);
      const third = Math.ceil(length / 3);
      const hopping = run(() => 1 + Math.floor(Math.random() * third));
      assert.deepEqual(hopping.end, end);
      assert.equal(hopping.length, length);
      assert.ok(length < 4 || hopping.hops > 0);
    });
  }
});

describe('claims that a guest has moved', () => {
  /** A device whose port 200h moves to 300h when port 100h is written, and which saves nothing itself. */
  const mover = (): Device => {
    const [fixed, moves] = [
      { first: 0x100, count: 1 },
      { first: 0x200, count: 1 },
    ];
    let claim: Claim;
    return {
      name: 'mover',
      ports: [fixed, moves],
      attach: (host) => {
        claim = host.claim(moves);
      },
      readPort: () => 0x5a,
      writePort: () => claim.move(0x300),
      save: () => ({}),
      load: () => {},
    };
  };
  // MOV DX, 100h; OUT DX, AL; MOV DX, 300h; IN AL, DX; OUT E9h, AL; HLT
  const image = Uint8Array.of(0xba, 0, 1, 0xee, 0xba, 0, 3, 0xec, 0xe6, 0xe9, 0xf4);
  const machine = (output: (bytes: Uint8Array) => void) =>
    createMachine({ engine: 'soft', image, mode: 'real', devices: [mover()], output });

  test('keep their addresses', () => {
    using first = machine(() => {});
    assert.equal(first.run({ maxExits: 1 }).kind, 'limit');
    let console = '';
    using second = machine((bytes) => {
      console += Buffer.from(bytes).toString('latin1');
    });
    const state = structuredClone(first.save());
    second.load(state);
    assert.deepEqual(second.save(), state);
    assert.equal(second.run().kind, 'halted');
    assert.equal(console, 'Z');
  });

  test('of other devices, or at impossible addresses, are refused', () => {
    using first = machine(() => {});
    const state = first.save();
    const { claims } = state;
    assert.throws(() => first.load({ ...state, claims: claims.slice(1) }), { code: 'ESTATE' });
    const beyond = claims.map((claim) => ({ ...claim, address: 0x1_0000 }));
    assert.throws(() => first.load({ ...state, claims: beyond }), { code: 'ESTATE', message: /claims/ });
  });
});

describe('a guest that moves', () => {
  const guest = readGuests().find(({ name }) => name === 'tick-real')!;

  for (const [from, to] of [
    ['soft', 'soft'],
    ['kvm', 'kvm'],
    ['soft', 'kvm'],
    ['kvm', 'soft'],
  ] as const) {
    test(`from ${from} to ${to} has the same output`, {
      skip: (from === 'kvm' || to === 'kvm') && noKvm,
    }, () => {
      let console = '';
      const make = (engine: 'soft' | 'kvm') =>
        createMachine({
          engine,
          image: readGuestImage(guest),
          mode: guest.mode === 'auto' ? 'real' : guest.mode,
          memory: guest.memory,
          output: (bytes) => {
            console += Buffer.from(bytes).toString('latin1');
          },
        });
      using first = make(from);
      assert.equal(first.run({ maxExits: 40, timeoutMs: 60_000 }).kind, 'limit');
      const before = console.length;
      using second = make(to);
      second.load(structuredClone(first.save()));
      assert.equal(second.run({ timeoutMs: 60_000 }).kind, 'halted');
      assert.equal(console, guest.expect.console);
      assert.ok(before < console.length);
    });
  }
});

describe('a state', { skip: noCompiler }, () => {
  test('of another machine is refused: its devices, its memory, its version', () => {
    using machine = allInputs();
    const state = machine.save();
    const other = { name: 'other', save: () => ({}), load: () => {} };
    using more = allInputs({ devices: [other] });
    assert.throws(() => more.load(state), { code: 'ESTATE', message: /its devices are debug-console/ });
    using larger = allInputs({ memory: 0x20000 });
    assert.throws(() => larger.load(state), { code: 'EMEMORY' });
    assert.throws(() => machine.load({ ...state, version: 2 as 1 }), /version 2/);
    assert.throws(() => machine.load({ ...state, cpus: [] }), /0 CPUs/);
    assert.throws(() => machine.load({ ...state, exits: Number.NaN }), /`exits` is NaN/);
    const alarms = { ...state.clock.alarms, 'nobody: nothing': 1 };
    assert.throws(() => machine.load({ ...state, clock: { ...state.clock, alarms } }), /nobody: nothing/);
  });

  test('is refused where a device cannot save its own, or while the machine runs', () => {
    using machine = allInputs({ devices: [{ name: 'closed' }] });
    assert.throws(() => machine.save(), { code: 'ESTATE', message: /'closed' has no methods/ });
    let refused: unknown;
    const asks = new Serial16550({
      output: () => {},
      input: {
        get available() {
          try {
            running.save();
          } catch (error) {
            refused = error;
          }
          return false;
        },
        read: () => -1,
      },
    });
    using running = allInputs({ devices: [asks] });
    running.run({ maxExits: 3000 });
    assert.match(String(refused), /the machine runs/);
  });
});
