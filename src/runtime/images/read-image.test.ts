import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import type { TerrariumError } from '../../errors.js';
import { loadImage } from './image-file.js';

const folder = mkdtempSync(path.join(tmpdir(), 'terrarium-read-'));
after(() => rmSync(folder, { recursive: true }));

/** A sparse file: it takes no room on the disk, at any size. */
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

describe('a file that is no machine code', () => {
  const source = 'int main(void) {\n  return 0;\n}\n';
  const files: [name: string, bytes: Uint8Array | string, RegExp][] = [
    ['README.md', '# A kernel\n\nIt prints.\n', /a text/],
    ['kernel.txt', source, /a text/],
    ['one-line', 'mov ax, 1', /a text/],
    ['kernel.json', '{"image": "k.S"}', /a text/],
    ['kernel.py', '#!/usr/bin/env python3\nprint(1)\n', /a script for \/usr\/bin\/env/],
    ['utf8', 'Grüße – 你好\n', /a text/],
    ['latin1', Buffer.from('; ein Kern, der grüßt\nmov ax, 1\n', 'latin1'), /a text/],
    ['utf16', Buffer.from(`\ufeff${source}`, 'utf16le'), /a text/],
    ['utf16-big-endian', Buffer.from(`\ufeff${source}`, 'utf16le').swap16(), /a text/],
    ['utf16-without-mark', Buffer.from(source, 'utf16le'), /a text/],
    ['k.gz', gzipSync(source), /a file packed by gzip/],
    ['k.zip', Buffer.from('504b030414000000080021000000', 'hex'), /a ZIP archive/],
    ['k.tar', Buffer.concat([Buffer.alloc(257), Buffer.from('ustar\x0000')]), /a tar archive/],
    ['k.a', '!<arch>\n', /a library of object files/],
    ['k.png', Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), /a PNG picture/],
    ['k.pdf', Buffer.from('%PDF-1.4\n%\xe2\xe3\xcf\xd3\n', 'latin1'), /a PDF document/],
    ['k.exe', portableExecutable(), /a PE program of Windows or UEFI/],
  ];
  for (const [name, bytes, what] of files) {
    test(`${name} is not executed as such`, () => {
      const file = path.join(folder, name);
      writeFileSync(file, bytes);
      assert.throws(
        () => loadImage(file),
        (error: TerrariumError) => {
          assert.equal(error.code, 'EIMAGE');
          assert.match(error.message, what);
          assert.ok(error.message.startsWith(`${file}: this is `));
          assert.ok(error.hint);
          return true;
        },
      );
    });
  }

  test('but code is, even if it looks like text', () => {
    const letters = Buffer.from('all of these are letters, and a boot sector\n'.padEnd(512, 'x'));
    letters.set([0x55, 0xaa], 510);
    const code = {
      // ld --oformat binary of: mov $'A', %al; out %al, $0xe9; cli; hlt
      'hello.bin': Buffer.from('b041e6e9faf4', 'hex'),
      // push %ax; pop %ax; aaa: three letters
      'short.bin': Buffer.from('505837', 'hex'),
      'boot.bin': letters,
      // db 'MZ' is dec %bp, pop %dx
      'mz.bin': Buffer.from(`4d5a${'90'.repeat(80)}f4`, 'hex'),
    };
    for (const [name, bytes] of Object.entries(code)) {
      writeFileSync(path.join(folder, name), bytes);
      assert.equal(loadImage(path.join(folder, name)).image.format, 'flat', name);
    }
  });

  test('nor is any guest of the package', () => {
    const guests = fileURLToPath(new URL('guests/', import.meta.resolve('#package')));
    const images = readdirSync(guests, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.bin'),
    );
    assert.ok(images.length > 10);
    for (const name of images) loadImage(path.join(guests, name));
  });
});

/** `MZ`, and where the word at 3C says so `PE`. */
function portableExecutable(): Uint8Array {
  const bytes = Buffer.alloc(256);
  bytes.write('MZ');
  bytes.writeUInt32LE(0x80, 0x3c);
  bytes.write('PE', 0x80);
  return bytes;
}
