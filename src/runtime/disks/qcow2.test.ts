/** qcow2 images beside qemu-img and qemu-io: what either writes the other reads; and images that are wrong in every way. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { type Disk, DiskError, SECTOR } from '../../devices/index.js';
import { randomNumbers } from '../../random.js';
import { openDrives } from './open-drives.js';

const noQemu =
  spawnSync('qemu-img', ['--version']).status === 0 && spawnSync('qemu-io', ['--version']).status === 0
    ? false
    : 'NO QEMU: qemu-img and qemu-io are not installed';

const folder = mkdtempSync(path.join(tmpdir(), 'terrarium-qcow2-'));
after(() => rmSync(folder, { recursive: true }));
const file = (name: string) => path.join(folder, name);
const qemuImg = (...words: string[]) => execFileSync('qemu-img', words, { encoding: 'utf8' });

function withDisk<T>(name: string, write: boolean, act: (disk: Disk) => T): T {
  const drives = openDrives({ disks: [{ file: file(name), write }] })!;
  try {
    return act(drives.list[0]!.disk);
  } finally {
    drives.dispose();
  }
}

/** A disk's bytes, in pieces that do not end where clusters do. */
function bytesOf(disk: Disk): Buffer {
  const all = Buffer.alloc(disk.sectors * SECTOR);
  for (let at = 0; at < disk.sectors; at += 77)
    disk.read(at, all.subarray(at * SECTOR, Math.min(at + 77, disk.sectors) * SECTOR));
  return all;
}

/** An image of 8 MiB in which QEMU has written here and there. */
function written(name: string, ...options: string[]): void {
  qemuImg('create', '-q', '-f', 'qcow2', ...options, file(name), '8M');
  const commands = [
    'write -P 0x11 0 70k',
    'write -P 0x22 1M 512',
    'write -z 1M 64k',
    'write -P 0x33 8191k 1k',
  ];
  execFileSync('qemu-io', ['-f', 'qcow2', ...commands.flatMap((one) => ['-c', one]), file(name)], {
    stdio: 'ignore',
  });
}

const shapes: Record<string, string[]> = {
  'version 3': [],
  'version 2': ['-o', 'compat=0.10'],
  'clusters of 512 bytes': ['-o', 'cluster_size=512'],
  'clusters of 2 MiB': ['-o', 'cluster_size=2M'],
  'counts of 64 bits': ['-o', 'refcount_bits=64'],
};

describe('qcow2', { skip: noQemu }, () => {
  for (const [shape, options] of Object.entries(shapes)) {
    test(`${shape}: QEMU's writes are read, and ours pass its check`, () => {
      written('a.qcow2', ...options);
      qemuImg('convert', '-O', 'raw', file('a.qcow2'), file('a.raw'));
      const model = readFileSync(file('a.raw'));
      assert.equal(Buffer.compare(withDisk('a.qcow2', false, bytesOf), model), 0);
      withDisk('a.qcow2', true, (disk) => {
        for (let i = 0; i < 60; i++) {
          const [at, count] = [(i * 2711) % 16_000, 1 + (i % 40)];
          const bytes = Buffer.alloc(count * SECTOR, i + 1);
          disk.write(at, bytes);
          bytes.copy(model, at * SECTOR);
        }
        disk.flush();
        assert.equal(Buffer.compare(bytesOf(disk), model), 0);
      });
      qemuImg('check', '-q', file('a.qcow2'));
      qemuImg('convert', '-O', 'raw', file('a.qcow2'), file('b.raw'));
      assert.equal(Buffer.compare(readFileSync(file('b.raw')), model), 0);
      assert.equal(Buffer.compare(withDisk('a.qcow2', false, bytesOf), model), 0);
    });
  }

  test('compressed clusters are read, and written uncompressed', () => {
    written('c.qcow2');
    qemuImg('convert', '-c', '-O', 'qcow2', file('c.qcow2'), file('d.qcow2'));
    qemuImg('convert', '-O', 'raw', file('d.qcow2'), file('d.raw'));
    const model = readFileSync(file('d.raw'));
    assert.equal(Buffer.compare(withDisk('d.qcow2', false, bytesOf), model), 0);
    withDisk('d.qcow2', true, (disk) => disk.write(3, Buffer.alloc(SECTOR, 9)));
    model.fill(9, 3 * SECTOR, 4 * SECTOR);
    assert.equal(Buffer.compare(withDisk('d.qcow2', false, bytesOf), model), 0);
  });

  test('a disk of 2 TiB is small, and its end is read and written', () => {
    qemuImg('create', '-q', '-f', 'qcow2', file('large.qcow2'), '2T');
    withDisk('large.qcow2', true, (disk) => disk.write(2 ** 32 - 1, Buffer.alloc(SECTOR, 7)));
    qemuImg('check', '-q', file('large.qcow2'));
    const read = Buffer.alloc(SECTOR);
    withDisk('large.qcow2', false, (disk) => disk.read(2 ** 32 - 1, read));
    assert.ok(read.every((byte) => byte === 7));
  });

  test('an image with a backing file, an encrypted, corrupt or unknown one is refused with an error message', () => {
    written('good.qcow2');
    const wrong: [at: number, value: number[], words: RegExp][] = [
      [4, [0, 0, 0, 9], /version 9/],
      [8, [0, 0, 0, 0, 0, 0, 2, 0], /backing file/],
      [20, [0, 0, 0, 40], /clusters of 2\^40/],
      [24, [0x7f, 0, 0, 0, 0, 0, 0, 0], /its size is/],
      [24, [0, 0x10, 0, 0, 0, 0, 0, 0], /first table has/],
      [32, [0, 0, 0, 1], /encrypted/],
      [36, [0, 0, 0, 0], /first table has 0 entries/],
      [40, [0, 0, 0, 0, 0, 0, 0, 1], /begins within a cluster/],
      [40, [0, 0, 0x7f, 0, 0, 0, 0, 0], /outside of the file/],
      [40, [0, 0, 0, 0, 0, 0, 0, 0], /outside of the file/],
      [48, [0, 0, 0x7f, 0, 0, 0, 0, 0], /outside of the file/],
      [56, [0xff, 0xff, 0xff, 0xff], /reference counts/],
      [72, [0, 0, 0, 0, 0, 0, 0, 2], /corrupt/],
      [72, [0, 0, 0, 0, 0, 0, 0, 0x10], /unknown features/],
      [96, [0, 0, 0, 7], /2\^7 bits/],
    ];
    for (const [at, value, words] of wrong) {
      const bytes = readFileSync(file('good.qcow2'));
      bytes.set(value, at);
      writeFileSync(file('bad.qcow2'), bytes);
      assert.throws(() => withDisk('bad.qcow2', true, () => {}), words);
    }
    for (const length of [4, 71, 103, 65_536, 200_000]) {
      writeFileSync(file('cut.qcow2'), readFileSync(file('good.qcow2')).subarray(0, length));
      assert.throws(() => withDisk('cut.qcow2', false, bytesOf), DiskError);
    }
  });

  test('tables with any content cause only errors of the disk, and the file stays within bounds', () => {
    written('fuzz.qcow2', '-o', 'cluster_size=4k');
    const good = readFileSync(file('fuzz.qcow2'));
    const random = randomNumbers(12345);
    for (let round = 0; round < 150; round++) {
      const bytes = Buffer.from(good);
      for (let i = 0; i < 20; i++) bytes[random() % (8 * 4096)] = random() & 0xff;
      writeFileSync(file('fuzzed.qcow2'), bytes);
      try {
        withDisk('fuzzed.qcow2', true, (disk) => {
          const part = Buffer.alloc(64 * SECTOR);
          for (let i = 0; i < 20; i++) {
            try {
              const at = random() % Math.max(1, Math.min(disk.sectors, 16_384) - 64);
              if (i % 2 === 0) disk.write(at, part);
              else disk.read(at, part);
            } catch (error) {
              assert.ok(error instanceof DiskError, String(error));
            }
          }
        });
      } catch (error) {
        assert.ok(error instanceof DiskError, String(error));
      }
      assert.ok(readFileSync(file('fuzzed.qcow2')).length < 20 * good.length);
    }
    copyFileSync(file('fuzz.qcow2'), file('fuzzed.qcow2'));
  });
});
