/**
 * The BIOS reads its requests from guest memory: with any content it neither throws nor hangs, and its state can be
 * saved.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BIOS_PORT, Bios, Drives, MemoryDisk, readElTorito } from '../../../src/devices/index.js';
import { BiosBench, bootSector, drive } from './bench.js';

/** Numbers from 0 to 2^32-1, the same ones for the same seed (xorshift32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

const vectors = [
  0x05, 0x09, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x1a, 0x40, 0x70, 0x74, 0x100, 0x221,
];
const functions: Readonly<Record<number, readonly number[]>> = {
  16: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 0x1a, 0x1b, 0x1c],
  19: [0, 1, 2, 3, 4, 5, 8, 12, 13, 16, 21, 22, 23, 24, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x4b],
  21: [0x24, 0x41, 0x4f, 0x52, 0x53, 0x83, 0x86, 0x87, 0x88, 0x89, 0xc0, 0xc1, 0xc2, 0xe8],
  26: [0, 1, 2, 3, 4, 5, 6, 7, 0xb1],
};

describe('the BIOS', () => {
  test('survives 100,000 random accesses: calls with random registers, and random contents of the memory that it reads', () => {
    using bench = new BiosBench([drive('hd0', 'disk', new Uint8Array(2016 * 512))]);
    const { memory } = bench;
    const random = randomNumbers(42);
    const slow = (vector: number, ah: number) => vector === 0x10 && (ah === 0 || ah === 0x11);
    for (let i = 0; i < 20_000; i++) {
      const vector = vectors[random() % vectors.length]!;
      const known = functions[vector] ?? [random() & 0xff];
      const ah = known[random() % known.length]!;
      // Setting a mode costs thousands of accesses to the VGA: sometimes is enough.
      if (slow(vector, ah) && random() % 20 !== 0) continue;
      const frame = bench.frame(vector, {
        eax: ((random() & 0xffff00ff) | (ah << 8)) >>> 0,
        ebx: random(),
        ecx: random() % 4 === 0 ? random() : random() % 64,
        edx: random() % 2 === 0 ? random() : [0, 1, 0x80, 0xe0, 0x534d_4150][random() % 5]!,
        si: random() & 0xffff,
        di: random() & 0xffff,
        bp: random() & 0xffff,
        es: random() & 0xffff,
        ds: random() & 0xffff,
      });
      assert.ok(frame);
      bench.bios.writePort(BIOS_PORT, 4, 0x9000);
      if (random() % 8 === 0) memory.write8(0x400 + (random() % 0x100), random() & 0xff);
      if (random() % 64 === 0) memory.write32(4 * (random() % 256), random());
    }
    for (let i = 0; i < 80_000; i++) bench.bios.writePort(BIOS_PORT, ([1, 2, 4] as const)[i % 3]!, random());
  });

  test('ignores a call whose frame is not in RAM', () => {
    using bench = new BiosBench();
    for (const place of [0xffff_ffff, 0xf000_0000, 0xa000_0000, 0xffff_fff0])
      bench.bios.writePort(BIOS_PORT, 4, place);
  });

  test('continues as before, after any writes: its state is the CD that was booted', () => {
    const cd = bootableCd({ media: 2 });
    const bios = () => new Bios({ memory: 1 << 20, drives: new Drives([drive('cd0', 'cdrom', cd, true)]) });
    using bench = new BiosBench([drive('cd0', 'cdrom', cd, true)], { boot: 'd,a' });
    assert.deepEqual(bench.bios.save(), { emulator: 0xe0, typedAhead: [] });
    const other = bios();
    other.load(JSON.parse(JSON.stringify(bench.bios.save())));
    assert.deepEqual(other.save(), bench.bios.save());
    for (const state of [
      null,
      {},
      { emulator: 5 },
      { emulator: 'x' },
      { emulator: 0x1e0 },
      { emulator: null, a: 1 },
      { emulator: null, typedAhead: 'x' },
      { emulator: null, typedAhead: [0x1_0000] },
      { emulator: null, typedAhead: new Array(4097).fill(1) },
    ])
      assert.throws(() => bios().load(state), { code: 'ESTATE' });
  });
});

/** An ISO's system area, descriptors and boot catalogue, with the mistakes of a test. */
function bootableCd({
  media = 0,
  record = 19,
  image = 20,
  blocks = 30,
  sum = 0,
  bootable = 0x88,
}: Partial<Record<'media' | 'record' | 'image' | 'blocks' | 'sum' | 'bootable', number>> = {}): Uint8Array {
  const cd = new Uint8Array(blocks * 2048);
  const view = new DataView(cd.buffer);
  const text = (at: number, value: string) => cd.set(new TextEncoder().encode(value), at);
  cd[16 * 2048] = 1;
  text(16 * 2048 + 1, 'CD001\x01');
  text(17 * 2048 + 1, 'CD001\x01EL TORITO SPECIFICATION');
  view.setUint32(17 * 2048 + 0x47, record, true);
  const at = 19 * 2048;
  cd[at] = 1;
  view.setUint16(at + 30, 0xaa55, true);
  view.setUint16(at + 28, (0x1_0000 - 0x01 - 0xaa55 + sum) & 0xffff, true);
  cd[at + 32] = bootable;
  cd[at + 33] = media;
  view.setUint16(at + 38, 4, true);
  view.setUint32(at + 40, image, true);
  if (image * 2048 + 512 <= cd.length) cd.set(bootSector(0xf4), image * 2048);
  return cd;
}

describe('a CD’s boot catalogue', () => {
  const read = (options: Parameters<typeof bootableCd>[0]) =>
    readElTorito(new MemoryDisk(bootableCd(options)));

  test('returns the boot image', () => {
    assert.deepEqual(read({}), { kind: 'none', media: 0, block: 20, segment: 0x7c0, bytes: 2048 });
    const floppy = read({ media: 2 });
    assert.ok(typeof floppy !== 'string' && floppy.image?.sectors === 2880);
  });

  test('that points outside of the CD is refused', () => {
    for (const [options, words] of [
      [{ record: 0x7fff_ffff }, /catalogue at block 2147483647 is past its end/],
      [{ record: 0xffff_ffff }, /past its end/],
      [{ record: 18 }, /is invalid/],
      [{ sum: 1 }, /is invalid/],
      [{ image: 4_000_000_000 }, /boot image at block 4000000000 is past its end/],
      [{ media: 9 }, /media type 9/],
      [{ bootable: 0 }, /not bootable/],
    ] as const)
      assert.match(String(read(options)), words);
    assert.match(String(readElTorito(new MemoryDisk(new Uint8Array(512)))), /no El Torito/);
  });

  test('a machine without a system to start reports the reason for each drive', () => {
    const drives = [
      drive('hd0', 'disk', new Uint8Array(2016 * 512)),
      drive('cd0', 'cdrom', bootableCd({ bootable: 0 }), true),
    ];
    assert.throws(
      () => new BiosBench(drives, { boot: 'c,d' }),
      /disk 80h: its first sector .* 55 AA.*CD e0h: .* not bootable/,
    );
  });
});
