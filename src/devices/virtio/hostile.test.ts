/** Properties of every device for every driver: it survives, accesses only RAM, and can be reset. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { GuestMemory } from '../../memory/index.js';
import { randomNumbers } from '../../random.js';
import { TestLine, testHost } from '../test-host.js';
import { Status } from './constants.js';
import type { VirtioDevice } from './device.js';
import { MMIO_SIZE, VirtioMmio } from './index.js';
import { kinds } from './kinds-testing.js';
import { recover, storm } from './storm-testing.js';
import { Bench, RAM, ROM } from './testing.js';

const seeds = fc.integer({ min: 1, max: 0xffff_ffff });
/** No device has more state than this, as JSON. */
const MOST_STATE = 128 * 1024;

for (const [name, { make, works }] of Object.entries(kinds)) {
  describe(`a virtio device: ${name}`, () => {
    test('survives 100,000 random accesses', () => {
      const bench = new Bench(make());
      const random = randomNumbers(name.length * 7919);
      for (let n = 0; n < 100_000; n++) storm(bench, random);
      assert.ok(JSON.stringify(bench.pci.save()).length < MOST_STATE);
      assert.ok(
        bench.memory.peek(ROM, 4096).every((byte) => byte === 0),
        'it wrote to ROM',
      );
      works(recover(bench));
    });

    test('continues as before, after any writes, in a device that took its state', () => {
      fc.assert(
        fc.property(seeds, fc.nat(300), (seed, before) => compare(make, seed, before)),
        { numRuns: 20 },
      );
    });
  });
}

/** Moves a device's state to another, and does the same actions on both. */
function compare(make: () => VirtioDevice, seed: number, before: number): void {
  const random = randomNumbers(seed);
  const [one, other] = [new Bench(make()), new Bench(make())];
  for (let n = 0; n < before; n++) storm(one, random);
  other.memory.writeBytes(0, one.memory.peek(0, RAM));
  other.clock.moment = one.clock.moment;
  const state = JSON.parse(JSON.stringify({ bus: one.bus.save(), device: one.pci.save() }));
  other.bus.load(state.bus);
  other.pci.load(state.device);
  other.clock.load(one.clock.save());
  one.messages.length = 0;
  const further = random();
  const [first, second] = [randomNumbers(further), randomNumbers(further)];
  for (let n = 0; n < 100; n++) assert.equal(storm(other, second), storm(one, first), `step ${n}`);
  assert.deepEqual(other.messages, one.messages);
  assert.ok(Buffer.from(one.memory.peek(0, RAM)).equals(other.memory.peek(0, RAM)), 'memory differs');
}

describe('registers in memory', () => {
  const [BASE, ENTRY] = [0xfef0_0000, 0x1000];
  const offsets = [0x14, 0x20, 0x24, 0x30, 0x38, 0x44, 0x50, 0x64, 0x70, 0x80, 0x90, 0xa0, 0xa4, 0xc0, 0x100];
  const values = [0, 1, 2, 3, 8, 11, 15, 0x101, ENTRY, 0x2000, 0x3000, RAM, 0xffff_ffff];

  /** A machine's memory with a block device, and random accesses to it. */
  function rig() {
    const memory = GuestMemory.create([{ address: 0, size: RAM }]);
    const mmio = new VirtioMmio(kinds.block!.make(), BASE, 5);
    const lines = { 5: new TestLine() };
    mmio.attach(testHost({ memory }, lines));
    const step = (random: () => number): number => {
      const size = ([1, 2, 4, 4] as const)[random() & 3]!;
      const offset = random() % 8 ? offsets[random() % offsets.length]! : random() % MMIO_SIZE;
      if (random() % 4 === 0)
        memory.write32(ENTRY + ((random() % 0x3000) & ~3), random() % 2 ? random() : random() % 64);
      if (random() % 3 === 0) return mmio.readMemory(BASE + offset, size);
      const value = random() % 8 ? values[random() % values.length]! : random();
      mmio.writeMemory(BASE + offset, size, value % 2 ** (8 * size));
      return lines[5].edges;
    };
    return { memory, mmio, step };
  }

  test('survives 100,000 random accesses, and a write resets it', () => {
    const { mmio, step } = rig();
    const random = randomNumbers(11);
    for (let n = 0; n < 100_000; n++) {
      const seen = step(random);
      assert.ok(Number.isInteger(seen) && seen >= 0, `${seen}`);
    }
    mmio.writeMemory(BASE + 0x70, 4, 0);
    assert.equal(mmio.readMemory(BASE + 0x70, 4), 0);
    assert.equal(mmio.device.problem, '');
  });

  test('continues as before, after any writes, in a device that took its state', () => {
    fc.assert(
      fc.property(seeds, fc.nat(500), (seed, before) => {
        const [one, other] = [rig(), rig()];
        const random = randomNumbers(seed);
        for (let n = 0; n < before; n++) one.step(random);
        other.memory.writeBytes(0, one.memory.peek(0, RAM));
        other.mmio.load(JSON.parse(JSON.stringify(one.mmio.save())));
        const [first, second] = [randomNumbers(seed + 1), randomNumbers(seed + 1)];
        for (let n = 0; n < 200; n++) {
          one.step(first);
          other.step(second);
        }
        assert.deepEqual(other.mmio.save(), one.mmio.save());
      }),
      { numRuns: 20 },
    );
  });
});

describe('a ring that no driver makes', () => {
  const request = () => {
    const bench = new Bench(kinds.block!.make());
    const driver = recover(bench, [28]);
    const [queue] = driver.start(0);
    return { bench, driver, queue: queue! };
  };

  /** Descriptors as in the table: address, length, flags, next. */
  type Descriptor = [address: number | bigint, length: number, flags: number, next: number];
  const wrong: Record<
    string,
    { table: Descriptor[]; head?: number; index?: number; at?: [number, Descriptor[]] }
  > = {
    'a chain that loops': {
      table: [
        [0x8000, 16, 1, 1],
        [0x9000, 16, 1, 0],
      ],
    },
    'a descriptor that follows itself': { table: [[0x8000, 16, 1, 0]] },
    'a next that is out of range': { table: [[0x8000, 16, 1, 8]] },
    'a head that is out of range': { table: [[0x8000, 16, 0, 0]], head: 8 },
    'an index that jumps': { table: [[0x8000, 16, 0, 0]], index: 9 },
    'an address and a length that wrap': { table: [[0xffff_ffff_ffff_fff0n, 0x20, 0, 0]] },
    'a buffer that reaches over the end of RAM': { table: [[RAM - 8, 16, 0, 0]] },
    'a buffer beyond RAM': { table: [[0x8000_0000, 16, 0, 0]] },
    'a buffer in the device’s own registers': { table: [[0xe000_0000, 16, 0, 0]] },
    'a buffer to write in ROM': {
      table: [
        [0x8000, 16, 1, 1],
        [ROM, 513, 2, 0],
      ],
    },
    'a buffer without bytes': { table: [[0x8000, 0, 0, 0]] },
    'a buffer to read after one to write': {
      table: [
        [0x8000, 16, 3, 1],
        [0x9000, 16, 0, 0],
      ],
    },
    'an indirect table whose chain continues': { table: [[0xa000, 32, 5, 1]] },
    'an indirect table of an odd length': { table: [[0xa000, 33, 4, 0]] },
    'an indirect table of no length': { table: [[0xa000, 0, 4, 0]] },
    'an indirect table that is too long': { table: [[0, 16 * 1025, 4, 0]] },
    'an indirect table beyond RAM': { table: [[RAM - 16, 32, 4, 0]] },
    'an indirect table in an indirect table': {
      table: [[0xa000, 16, 4, 0]],
      at: [0xa000, [[0xb000, 16, 4, 0]]],
    },
    'an indirect table that loops': {
      table: [[0xa000, 32, 4, 0]],
      at: [
        0xa000,
        [
          [0x8000, 16, 1, 1],
          [0x8000, 16, 1, 0],
        ],
      ],
    },
    'a chain of more than 4 GiB': {
      table: Array.from({ length: 8 }, (_, n): Descriptor => [0, RAM, n < 7 ? 3 : 6, n + 1]).concat(),
      at: [0, Array.from({ length: 1024 }, (_, n): Descriptor => [0, RAM, n < 1023 ? 3 : 2, (n + 1) % 1024])],
    },
  };

  for (const [what, { table, head = 0, index = 1, at }] of Object.entries(wrong)) {
    test(`${what}: the device requests a reset, and works again after it`, () => {
      const { bench, driver, queue } = request();
      const put = (base: number, list: readonly Descriptor[]) => {
        for (const [n, [address, length, flags, next]] of list.entries()) {
          bench.memory.write64(base + 16 * n, BigInt(address));
          bench.memory.write32(base + 16 * n + 8, length);
          bench.memory.write16(base + 16 * n + 12, flags);
          bench.memory.write16(base + 16 * n + 14, next);
        }
      };
      if (at) put(...at);
      put(queue.at.descriptors, table);
      bench.memory.write16(queue.at.driver + 4, head);
      bench.memory.write16(queue.at.driver + 2, index);
      driver.kick(0);
      assert.notEqual(driver.status & Status.needsReset, 0);
      assert.match(bench.pci.remark() ?? '', /^vd0 waits for a reset: .{10}/);
      assert.equal(bench.memory.read16(queue.at.device + 2), 0);
      // It reports that by a configuration change, and does nothing else.
      assert.equal(bench.read(0x1000, 1), 2);
      driver.kick(0);
      assert.equal(bench.read(0x1000, 1), 0);
      kinds.block!.works(recover(bench));
    });
  }

  test('a head that is available twice is used twice, and nothing else happens', () => {
    const { bench, driver, queue } = request();
    queue.add([new Uint8Array(16), 512, 1]);
    bench.memory.write16(queue.at.driver + 6, 0);
    bench.memory.write16(queue.at.driver + 2, 2);
    driver.kick(0);
    assert.equal(bench.memory.read16(queue.at.device + 2), 2);
    assert.equal(driver.status & Status.needsReset, 0);
  });

  test('a buffer in the ring itself is written as requested: the effects are the driver’s', () => {
    const { bench, driver, queue } = request();
    const [header, room] = [0x8000, 0x9000];
    const descriptors = [
      [header, 16, 1],
      [queue.at.descriptors, 512, 3],
      [room, 1, 2],
    ] as const;
    for (const [n, [address, length, flags]] of descriptors.entries()) {
      bench.memory.write64(queue.at.descriptors + 16 * n, BigInt(address));
      bench.memory.write32(queue.at.descriptors + 16 * n + 8, length);
      bench.memory.write16(queue.at.descriptors + 16 * n + 12, flags);
      bench.memory.write16(queue.at.descriptors + 16 * n + 14, n + 1);
    }
    bench.memory.write16(queue.at.driver + 2, 1);
    driver.kick(0);
    assert.equal(bench.memory.read16(queue.at.descriptors + 12), 0);
    kinds.block!.works(recover(bench));
  });
});
