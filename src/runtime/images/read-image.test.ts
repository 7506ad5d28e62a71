import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { loadImage } from './image-file.js';

const folder = mkdtempSync(path.join(tmpdir(), 'terrarium-read-'));
after(() => rmSync(folder, { recursive: true }));

/** A sparse file: it takes no room on the disk, whatever its size. */
function sparse(name: string, size: number, head: readonly number[] = []): string {
  const file = path.join(folder, name);
  writeFileSync(file, Uint8Array.from(head));
  truncateSync(file, size);
  return file;
}

const GIB = 1024 ** 3;

describe('an image that is too large', () => {
  test('is refused by its size, before it is read into memory', () => {
    const before = process.memoryUsage().rss;
    const tooLarge: [string, RegExp][] = [
      [sparse('flat.bin', 2 * GIB), /flat\.bin: 2147483648 bytes are more than the guest’s memory, 16777216/],
      [
        sparse('kernel.elf', 5 * GIB, [0x7f, 0x45, 0x4c, 0x46]),
        /kernel\.elf: 5368709120 bytes are more than an ELF file/,
      ],
      [sparse('kernel.c', 5 * GIB), /kernel\.c: a source of 5368709120 bytes is too large/],
    ];
    for (const [file, message] of tooLarge) assert.throws(() => loadImage(file), { code: 'EIMAGE', message });
    assert.ok(process.memoryUsage().rss - before < 256 * 1024 * 1024);
  });

  test('is a disk where it begins with a boot sector, which is all that firmware loads', () => {
    const sector = new Array<number>(512).fill(0xf4);
    sector.splice(510, 2, 0x55, 0xaa);
    const { image } = loadImage(sparse('disk.img', 8 * GIB, sector));
    assert.ok(image.segments[0]!.memorySize <= 1024 * 1024);
  });

  test('may be as large as the memory that the guest is given', () => {
    const { image } = loadImage(sparse('big.bin', 32 * 1024 * 1024), { memory: 64 * 1024 * 1024 });
    assert.equal(image.segments[0]!.memorySize, 32 * 1024 * 1024);
  });
});
