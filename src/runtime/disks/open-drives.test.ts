/** The host's files as disks: sizes, locks, error messages, and no descriptor left open. */
import assert from 'node:assert/strict';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { SECTOR } from '../../devices/index.js';
import { openDrives } from './open-drives.js';

const folder = mkdtempSync(path.join(tmpdir(), 'terrarium-disks-'));
after(() => rmSync(folder, { recursive: true }));

function image(name: string, size: number): string {
  const file = path.join(folder, name);
  writeFileSync(file, 'first');
  truncateSync(file, size);
  return file;
}

const openFiles = () => (process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0);

describe('disks of the host', () => {
  test('what is written is kept in memory, or in the file where that was asked for', () => {
    const file = image('both.img', 64 * SECTOR);
    const bytes = new Uint8Array(SECTOR).fill(0x41);
    for (const write of [false, true]) {
      const drives = openDrives({ disks: [{ file, write }] })!;
      const { disk, name } = drives.list[0]!;
      assert.equal(name, 'hd0');
      disk.write(9, bytes);
      disk.flush();
      const read = new Uint8Array(2 * SECTOR);
      disk.read(8, read);
      assert.deepEqual(read.subarray(SECTOR), bytes);
      drives.dispose();
      assert.equal(readFileSync(file)[9 * SECTOR], write ? 0x41 : 0);
    }
  });

  test('what is written goes to a copy where that was asked for, which is made once; holes stay holes', () => {
    const file = image('base.img', 64 << 20);
    const keep = path.join(folder, 'kept.img');
    const bytes = new Uint8Array(SECTOR).fill(0x42);
    const before = openFiles();
    for (const sector of [9, 70_000]) {
      const drives = openDrives({ disks: [{ file, keep }] })!;
      drives.list[0]!.disk.write(sector, bytes);
      drives.dispose();
    }
    const kept = readFileSync(keep);
    assert.equal(kept.subarray(0, 5).toString(), 'first');
    assert.deepEqual([kept.length, kept[9 * SECTOR], kept[70_000 * SECTOR]], [64 << 20, 0x42, 0x42]);
    assert.ok(statSync(keep).blocks * 512 < 8 << 20, `${statSync(keep).blocks} blocks`);
    assert.equal(readFileSync(file)[9 * SECTOR], 0);
    assert.throws(() => openDrives({ cdroms: [{ file, keep }] }), /a CD cannot be written/);
    const nowhere = path.join(folder, 'none', 'kept.img');
    assert.throws(
      () => openDrives({ disks: [{ file, keep: nowhere }] }),
      /kept\.img: the copy of .* failed with ENOENT/,
    );
    assert.equal(openFiles(), before);
  });

  test('a sparse disk of 2 TiB is read at its end', () => {
    const drives = openDrives({ disks: [{ file: image('large.img', 2 ** 41) }] })!;
    const read = new Uint8Array(SECTOR).fill(1);
    drives.list[0]!.disk.read(2 ** 32 - 1, read);
    assert.deepEqual(read, new Uint8Array(SECTOR));
    drives.dispose();
  });

  test('a short floppy is the beginning of one', () => {
    const drives = openDrives({ floppies: [{ file: image('short.img', 700) }] })!;
    assert.equal(drives.list[0]!.disk.sectors, 2880);
    drives.dispose();
  });

  test('errors name the file and what to do, and close all that was open', () => {
    const good = image('good.img', 64 * SECTOR);
    const before = openFiles();
    const wrong: [Parameters<typeof openDrives>[0], RegExp][] = [
      [{ disks: [{ file: good }, { file: path.join(folder, 'none.img') }] }, /none\.img: no such file/],
      [{ disks: [{ file: good }, { file: image('odd.img', 1000) }] }, /odd\.img: 1000 bytes/],
      [{ disks: [{ file: good }, { file: folder }] }, /not a regular file/],
      [{ floppies: [{ file: image('big.img', 4 << 20) }] }, /do not fit on a floppy/],
      [{ cdroms: [{ file: good, write: true }] }, /a CD cannot be written/],
      [{ floppies: [{ file: good }, { file: good }, { file: good }] }, /more than 2/],
    ];
    for (const [spec, message] of wrong) assert.throws(() => openDrives(spec), message);
    assert.equal(openFiles(), before);
  });

  test('a disk has one writer, and no readers beside it', {
    skip: process.platform !== 'linux' && 'flock is used only on Linux',
  }, () => {
    const file = image('locked.img', 64 * SECTOR);
    const readers = [1, 2].map(() => openDrives({ disks: [{ file }] })!);
    assert.throws(() => openDrives({ disks: [{ file, write: true }] }), /another machine has this disk open/);
    for (const one of readers) one.dispose();
    const writer = openDrives({ disks: [{ file, write: true }] })!;
    assert.throws(() => openDrives({ disks: [{ file }] }), /another machine is writing/);
    assert.throws(() => openDrives({ disks: [{ file, write: true }] }), /another machine has this disk open/);
    writer.dispose();
    openDrives({ disks: [{ file }] })!.dispose();
  });
});
