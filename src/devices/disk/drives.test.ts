/** Disks in memory: writes are read back, the base is not changed, and a saved state continues as before. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { randomNumbers } from '../../random.js';
import {
  ataGeometry,
  type ByteFile,
  biosGeometry,
  DiskError,
  Drives,
  floppyFor,
  lbaOf,
  MemoryDisk,
  OverlayDisk,
  RawDisk,
  SECTOR,
  USUAL_FLOPPY,
} from './index.js';

const SECTORS = 100;

/** A base of random bytes, a disk over it, and a plain array with its expected contents. */
function bench(seed: number) {
  const random = randomNumbers(seed);
  const model = Uint8Array.from({ length: SECTORS * SECTOR }, () => random());
  const base = model.slice();
  const disk = new OverlayDisk(new MemoryDisk(base, { readOnly: true }));
  return { model, base, disk, random };
}

/** Reads or writes somewhere, mostly within the disk; returns a sum of the bytes read. */
function step(disk: OverlayDisk, random: () => number, model?: Uint8Array): number {
  const [sector, count, write] = [random() % SECTORS, random() % 20, random() % 2 === 0];
  const bytes = new Uint8Array(count * SECTOR);
  if (write) for (let n = 0; n < bytes.length; n++) bytes[n] = random();
  if (sector + count > SECTORS) {
    assert.throws(() => (write ? disk.write(sector, bytes) : disk.read(sector, bytes)), DiskError);
    return 0;
  }
  if (write) {
    disk.write(sector, bytes);
    model?.set(bytes, sector * SECTOR);
    return 0;
  }
  disk.read(sector, bytes);
  if (model !== undefined)
    assert.equal(Buffer.compare(bytes, model.subarray(sector * SECTOR, (sector + count) * SECTOR)), 0);
  return bytes.reduce((sum, byte) => (Math.imul(sum, 31) + byte) | 0, 0);
}

describe('a disk over another', () => {
  test('survives 100,000 random accesses, and reads back the written data', () => {
    const { model, base, disk, random } = bench(7);
    const before = base.slice();
    for (let i = 0; i < 4000; i++) step(disk, random, model);
    // The rest are single sectors, which cost less.
    const sector = new Uint8Array(SECTOR);
    for (let i = 0; i < 96_000; i++) {
      const at = random() % SECTORS;
      if (i % 2 === 0) {
        sector.fill(i);
        disk.write(at, sector);
        model.set(sector, at * SECTOR);
      } else {
        disk.read(at, sector);
        assert.equal(Buffer.compare(sector, model.subarray(at * SECTOR, (at + 1) * SECTOR)), 0);
      }
    }
    assert.deepEqual(base, before, 'the base is unchanged');
  });

  test('continues as before, after any writes', () => {
    for (let seed = 1; seed < 30; seed++) {
      const { disk, random } = bench(seed);
      for (let i = 0; i < seed; i++) step(disk, random);
      const one = new Drives([{ name: 'hd0', kind: 'disk', file: 'a', disk }]);
      const copy = bench(seed).disk;
      const other = new Drives([{ name: 'hd0', kind: 'disk', file: 'a', disk: copy }]);
      other.load(JSON.parse(JSON.stringify(one.save())));
      const further = random();
      const [a, b] = [randomNumbers(further), randomNumbers(further)];
      for (let i = 0; i < 50; i++) assert.equal(step(disk, a), step(copy, b));
    }
  });

  test('refuses an invalid state', () => {
    const { disk } = bench(1);
    const drives = new Drives([{ name: 'hd0', kind: 'disk', file: 'a', disk }]);
    const full = Buffer.alloc(4096).toString('base64');
    const wrong = [
      null,
      5,
      {},
      { hd0: {}, hd1: {} },
      { hd0: { chunks: 5 } },
      { hd0: { chunks: [[0]] } },
      { hd0: { chunks: [[-1, full]] } },
      { hd0: { chunks: [[13, full]] } },
      { hd0: { chunks: [[0, 'AAAA']] } },
    ];
    for (const state of wrong) assert.throws(() => drives.load(state), { code: 'ESTATE' });
    drives.load({ hd0: { chunks: [[12, full]] } });
  });

  test('a guest that writes without end is stopped at a bound', () => {
    const disk = new OverlayDisk(new MemoryDisk(new Uint8Array(), { sectors: 1000 }), 5 * 4096);
    for (let i = 0; i < 5; i++) disk.write(i * 8, new Uint8Array(SECTOR));
    assert.throws(() => disk.write(40, new Uint8Array(SECTOR)), /kept in memory/);
    disk.write(0, new Uint8Array(SECTOR));
    assert.equal(disk.written, 5 * 4096);
  });

  test('a disk that writes to its file refuses to save a state, which would be only a part of it', () => {
    const disk = new MemoryDisk(new Uint8Array(SECTOR));
    assert.throws(() => new Drives([{ name: 'hd0', kind: 'disk', file: 'a.img', disk }]).save(), /a\.img/);
  });
});

/** A file of this many bytes that reads as zeros and ignores writes. */
const file = (size: number, readOnly = true): ByteFile => ({
  name: 'a.img',
  size,
  readOnly,
  read: (_, into) => void into.fill(0),
  write() {},
  flush() {},
  close() {},
});

describe('a raw image', () => {
  test('is refused with a message where no disk has its size', () => {
    assert.throws(() => new RawDisk(file(1000)), /a\.img: 1000 bytes .* not a multiple of 512/);
    assert.throws(() => new RawDisk(file(0)), /an empty file/);
    assert.throws(() => new RawDisk(file(2 ** 41 + SECTOR)), /too large/);
    assert.equal(new RawDisk(file(2 ** 41)).sectors, 2 ** 32);
  });

  test('that is shorter than its medium reads as zeros past its end', () => {
    const disk = new RawDisk(file(700), 2880);
    assert.equal(disk.sectors, 2880);
    disk.read(0, new Uint8Array(2880 * SECTOR));
  });
});

describe('geometry', () => {
  test('an image has the format of its size, a shorter one goes on the usual floppy', () => {
    assert.deepEqual(floppyFor(2880), USUAL_FLOPPY);
    assert.deepEqual(floppyFor(1), USUAL_FLOPPY);
    assert.equal(floppyFor(720)?.drive, 1);
    assert.equal(floppyFor(5760)?.sectors, 36);
    assert.equal(floppyFor(5761), undefined);
  });

  test('hard disks: 16 heads for ATA, and as few as possible for the BIOS', () => {
    // 64 MiB fit into 1,024 cylinders as they are; 2 TiB are more than INT 13h can number by any translation.
    assert.deepEqual(biosGeometry(131_072), { cylinders: 130, heads: 16, sectors: 63 });
    assert.deepEqual(biosGeometry(2 ** 32), { cylinders: 1024, heads: 255, sectors: 63 });
    assert.equal(ataGeometry(2 ** 32).cylinders, 16_383);
  });

  test('a partition shows the geometry of its disk', () => {
    const mbr = new Uint8Array(512);
    mbr.set([0x55, 0xaa], 510);
    // One partition from sector 63 to the end of cylinder 9, of 4 heads and 17 sectors.
    mbr.set([0x80, 3, 12, 0, 6, 3, 17, 9, 63, 0, 0, 0, (680 - 63) & 0xff, (680 - 63) >> 8, 0, 0], 0x1be);
    assert.deepEqual(biosGeometry(680, mbr), { cylinders: 10, heads: 4, sectors: 17 });
    mbr[0x1be + 6] = 0;
    assert.equal(biosGeometry(680, mbr).sectors, 63);
  });

  test('cylinder, head and sector number a sector, or none', () => {
    assert.equal(lbaOf(USUAL_FLOPPY, 0, 0, 1), 0);
    assert.equal(lbaOf(USUAL_FLOPPY, 79, 1, 18), 2879);
    for (const [c, h, s] of [
      [80, 0, 1],
      [0, 2, 1],
      [0, 0, 0],
      [0, 0, 19],
    ] as const)
      assert.equal(lbaOf(USUAL_FLOPPY, c, h, s), -1);
  });
});
