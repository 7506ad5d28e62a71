import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ENGINE_AREA, GuestMemory, MAX_GUEST_MEMORY } from './index.js';

const MiB = 1024 * 1024;

describe('guest memory', () => {
  test('keeps numbers little-endian, as x86 does', () => {
    using memory = GuestMemory.create([{ address: 0, size: 4096 }]);
    memory.write64(8, 0x1122334455667788n);
    assert.equal(memory.read8(8), 0x88);
    assert.equal(memory.read16(8), 0x7788);
    assert.equal(memory.read32(12), 0x11223344);
    assert.equal(memory.read64(8), 0x1122334455667788n);
    assert.deepEqual([...memory.readBytes(8, 3)], [0x88, 0x77, 0x66]);
  });

  test('lies after the engine area of one WebAssembly memory, region after region', () => {
    using memory = GuestMemory.create([
      { address: 0, size: MiB },
      { address: 32 * MiB, size: 8192, readOnly: true },
    ]);
    memory.write8(0, 0xaa);
    memory.write8(32 * MiB + 8191, 0xbb);
    const bytes = new Uint8Array(memory.wasm.buffer);
    assert.equal(bytes[ENGINE_AREA], 0xaa);
    assert.equal(bytes[ENGINE_AREA + MiB + 8191], 0xbb);
    assert.deepEqual(
      memory.regions.map(({ slot, address, readOnly }) => [slot, address, readOnly]),
      [
        [0, 0, false],
        [1, 32 * MiB, true],
      ],
    );
  });

  test('refuses every access that is not wholly inside one region', () => {
    using memory = GuestMemory.create([
      { address: 0, size: 4096 },
      { address: 8192, size: 4096 },
    ]);
    const wrong = [-1, 4096, 4093, 8191, 12285, 2 ** 40, 2 ** 53, Number.NaN, 0.5];
    for (const address of wrong) {
      assert.throws(() => memory.read32(address), { code: 'EMEMORY' }, `read at ${address}`);
      assert.throws(() => memory.write32(address, 0), { code: 'EMEMORY' }, `write at ${address}`);
    }
    assert.throws(() => memory.readBytes(0, 5000), /5000 bytes at 0x0 are not in guest memory/);
    assert.throws(() => memory.readBytes(0, -1), { code: 'EMEMORY' });
    assert.throws(() => memory.writeBytes(4000, new Uint8Array(97)), { code: 'EMEMORY' });
  });

  test('agrees with a plain model for any accesses', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(9000), fc.constantFrom(1, 2, 4, 8), fc.bigInt(0n, 2n ** 64n - 1n))),
        (writes) => {
          using memory = GuestMemory.create([{ address: 0, size: 8192 }]);
          const model = new Uint8Array(8192);
          for (const [address, size, value] of writes) {
            const write = () => {
              if (size === 1) memory.write8(address, Number(value & 0xffn));
              else if (size === 2) memory.write16(address, Number(value & 0xffffn));
              else if (size === 4) memory.write32(address, Number(value & 0xffffffffn));
              else memory.write64(address, value);
            };
            if (address + size > 8192) assert.throws(write, { code: 'EMEMORY' });
            else {
              write();
              for (let i = 0; i < size; i++) model[address + i] = Number((value >> BigInt(8 * i)) & 0xffn);
            }
          }
          assert.deepEqual(memory.readBytes(0, 8192), model);
        },
      ),
      { numRuns: 50 },
    );
  });

  test('names what is wrong with a region', () => {
    const create = (address: number, size: number) => () => GuestMemory.create([{ address, size }]);
    assert.throws(create(0, 0), /size of 0 bytes/);
    assert.throws(create(0, -4096), /size of -4096 bytes/);
    assert.throws(create(0, 5000), /5000 bytes does not start and end on a page/);
    assert.throws(create(100, 4096), /at 0x64 of 4096 bytes does not start and end on a page/);
    assert.throws(create(0, MAX_GUEST_MEMORY + 4096), /more than a machine can have/);
    assert.throws(create(0, Number.NaN), { code: 'EMEMORY' });
    assert.throws(() => GuestMemory.create([]), /at least one region/);
    const overlapping = [
      { address: 0, size: 8192 },
      { address: 4096, size: 4096 },
    ];
    assert.throws(() => GuestMemory.create(overlapping), /at 0x1000 overlaps the one at 0x0/);
  });

  test('can be as large as promised, and costs nothing until it is touched', () => {
    const before = process.memoryUsage.rss();
    using memory = GuestMemory.create([{ address: 0, size: MAX_GUEST_MEMORY }]);
    memory.write8(MAX_GUEST_MEMORY - 1, 1);
    assert.equal(memory.read8(MAX_GUEST_MEMORY - 1), 1);
    assert.ok(process.memoryUsage.rss() - before < 20e6);
  });

  test('throws once it is disposed, and serves the next machine only when it reads as zero', () => {
    const first = GuestMemory.create([{ address: 0, size: 3 * MiB }]);
    const { wasm } = first;
    first.release(true);
    assert.throws(() => first.read8(0), /used after its machine was disposed/);
    const second = GuestMemory.create([{ address: 0, size: 3 * MiB }]);
    assert.equal(second.wasm, wasm);
    second.release(false);
    using third = GuestMemory.create([{ address: 0, size: 3 * MiB }]);
    assert.notEqual(third.wasm, wasm);
  });
});

describe('regions that are hidden and placed', () => {
  const make = () =>
    GuestMemory.create([
      { address: 0, size: 0x2000 },
      { address: 0x8000, size: 0x2000, hidden: true },
    ]);

  test('a hidden region is no guest memory, but its bytes are there and stay where they are', () => {
    using memory = make();
    const [, window] = memory.regions;
    assert.equal(memory.contains(0x8000, 1), false);
    memory.bytesOf(window!)[0x1004] = 0x55;
    memory.place(1, 0xa000, 0x2000);
    assert.equal(memory.read8(0xb004), 0x55);
    memory.place(1, 0xa000, 0x1000);
    assert.throws(() => memory.read8(0xb004), { code: 'EMEMORY' });
    memory.place(1, 0, 0);
    assert.equal(memory.contains(0xa000, 1), false);
    assert.equal(memory.size, 0x2000);
  });

  test('no region is placed over another, off a page, or with more than it has', () => {
    using memory = make();
    for (const [address, size] of [
      [0x1000, 0x1000],
      [0x8001, 0x1000],
      [0x8000, 0x800],
      [0x8000, 0x3000],
      [-0x1000, 0x1000],
      [Number.NaN, 0x1000],
    ] as const)
      assert.throws(() => memory.place(1, address, size), { code: 'EMEMORY' }, `${address} ${size}`);
    assert.throws(() => memory.place(2, 0x8000, 0x1000), { code: 'EMEMORY' });
  });
});
