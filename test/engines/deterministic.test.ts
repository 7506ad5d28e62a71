/** On the software CPU time is the count of instructions: a run repeats to the bit, for any load of the host. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { type Image, parseImage } from '../../src/boot/index.js';
import type { Exit } from '../../src/engine/contract/index.js';
import type { SoftCpu } from '../../src/engine/soft/index.js';
import type { Machine, Outcome, RunOptions } from '../../src/machine/index.js';
import type { GuestMemory } from '../../src/memory/index.js';
import { createMachine, hostMachine, type MachineOptions } from '../../src/runtime/index.js';
import { MILLISECOND } from '../../src/time/index.js';
import { compileTestGuest, noCompiler } from '../guests/catalogue.js';

const LOG = 0x8000;
const MEMORY = 0x10000;

const hash = (memory: GuestMemory) => createHash('sha256').update(memory.readBytes(0, MEMORY)).digest('hex');

/** The observations of a run: its exits with their instructions, its end, and its memory. */
function record(image: Image, runs: (machine: Machine) => Outcome, config: Partial<MachineOptions> = {}) {
  const exits: string[] = [];
  const observer = {
    begin() {},
    record({ kind, address, count, ripLow }: Exit) {
      exits.push([kind, address, count, ripLow, machine.clock.now()].join(' '));
    },
    flush() {},
  };
  const machine: Machine = createMachine({
    engine: 'soft',
    image,
    mode: 'real',
    memory: MEMORY,
    observer,
    ...config,
  });
  using _ = machine;
  const { registers, kind } = runs(machine);
  const { instructions } = machine.cpu as SoftCpu;
  return {
    kind,
    registers,
    exits,
    instructions,
    now: machine.clock.now() / MILLISECOND,
    ram: hash(machine.memory),
  };
}

/** Runs to the end, in pieces as small as the options say. */
const inPieces = (options: RunOptions) => (machine: Machine) => {
  for (let pieces = 0; ; pieces++) {
    const outcome = machine.run(options);
    if (outcome.kind === 'halted') {
      assert.ok(pieces > 20, `only ${pieces} pieces`);
      return outcome;
    }
    assert.ok(outcome.kind === 'timeout' || outcome.kind === 'limit', outcome.reason);
  }
};

describe('a guest that depends on the clock', { skip: noCompiler }, () => {
  let image: Image;
  let first: ReturnType<typeof record>;
  before(() => {
    image = parseImage(compileTestGuest('clock-mix', 'real'), 'clock-mix');
    first = record(image, (machine) => machine.run({ timeoutMs: 60_000 }));
  });

  test('is interrupted at various places, some of them iterations of a string instruction', () => {
    assert.equal(first.kind, 'halted');
    using machine = createMachine({ engine: 'soft', image, mode: 'real', memory: MEMORY });
    machine.run({ timeoutMs: 60_000 });
    const places = new Map<number, Set<number>>();
    for (let entry = 0; entry < 300; entry++) {
      const at = LOG + entry * 8;
      const ip = machine.memory.read16(at);
      places.set(ip, (places.get(ip) ?? new Set()).add(machine.memory.read16(at + 2)));
    }
    assert.ok(places.size > 5, `${places.size} places`);
    assert.ok(Math.max(...[...places.values()].map(({ size }) => size)) > 50);
  });

  test('repeats exactly: every exit at the same instruction, the same registers, the same memory', () => {
    assert.deepEqual(
      record(image, (machine) => machine.run({ timeoutMs: 60_000 })),
      first,
    );
  });

  test('does the same in pieces of a few exits, and in pieces of a few instructions', () => {
    assert.deepEqual(record(image, inPieces({ maxExits: 3 })), first);
    assert.deepEqual(record(image, inPieces({ timeoutMs: 0.1 })), first);
  });

  test('does the same on a separate thread', async () => {
    for (let time = 0; time < 2; time++) {
      await using machine = await hostMachine({ engine: 'soft', image, mode: 'real', memory: MEMORY });
      const outcome = await machine.run({ timeoutMs: 60_000 });
      assert.deepEqual(
        { kind: outcome.kind, registers: outcome.registers, exits: outcome.exits, ram: hash(machine.memory) },
        { kind: first.kind, registers: first.registers, exits: first.exits.length, ram: first.ram },
      );
    }
  });

  test('gets its time from the instructions and from its sleep', () => {
    // 300 ticks of 238 pulses each, and the time before the first.
    const expected = (300 * 238) / 1193.182;
    assert.ok(first.now > expected && first.now < expected + 1, `${first.now} ms for ${expected}`);
    assert.ok(Number(first.instructions) < first.now * 100_000);
  });
});

describe('machine time', { skip: noCompiler }, () => {
  const tick = () => parseImage(compileTestGuest('ticks-halt', 'real'), 'ticks-halt');

  test('a guest that sleeps from tick to tick is not waited for', () => {
    const { now, kind } = record(tick(), (machine) => machine.run({ maxExits: 4000, timeoutMs: 60_000 }));
    assert.equal(kind, 'limit');
    assert.ok(now > 1000, `${now} ms of the guest's time`);
  });

  test('is wall-clock time on request', () => {
    using machine = createMachine({ engine: 'soft', image: tick(), mode: 'real', clock: 'wall' });
    const ticks = () => machine.memory.read32(0x500);
    let elapsed = 0;
    do {
      const outcome = machine.run({ timeoutMs: 100 });
      assert.equal(outcome.kind, 'timeout');
      elapsed += outcome.elapsedMs;
    } while (ticks() <= 20);
    assert.ok(ticks() <= elapsed + 1, `${ticks()} ticks in ${elapsed} ms`);
  });

  test('an engine that does not count instructions refuses to', () => {
    const config = { image: tick(), mode: 'real', clock: 'instructions' } as const;
    assert.throws(() => createMachine({ ...config, engine: 'kvm' }), {
      name: 'ConfigError',
      message: /the engine kvm does not count instructions/,
    });
    using machine = createMachine(config);
    assert.equal(machine.engine.name, 'soft');
  });
});
