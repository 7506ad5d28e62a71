/** What a file is taken for, by bytes that each format's own document names, and by files that other tools made. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { randomNumbers } from '../../random.js';
import { type ImageBytes, imageBytes, type Recognised } from './kinds.js';
import { recognise } from './recognise.js';

const KIB = 1024;
const MIB = 1024 * KIB;

/** A file of HLT with bytes at some offsets. */
function file(size: number, ...pieces: [offset: number, bytes: string | readonly number[]][]): Uint8Array {
  const bytes = new Uint8Array(size).fill(0xf4);
  for (const [offset, piece] of pieces)
    bytes.set(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece, offset);
  return bytes;
}

const kindOf = (bytes: Uint8Array): Recognised['kind'] => recognise(imageBytes(bytes)).kind;
const word = (value: number) => [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);
const signature: [number, readonly number[]] = [510, [0x55, 0xaa]];
const empty: [number, readonly number[]] = [0x1be, new Array<number>(64).fill(0)];
const partition = (flags: number, type: number, start: number, length: number): number[] => [
  ...[flags, 0, 0, 0, type, 0, 0, 0],
  ...word(start),
  ...word(length),
];
const multiboot = (flags: number) => [0x1badb002, flags, -(0x1badb002 + flags)].flatMap(word);
const multiboot2 = (length: number, architecture = 0) =>
  [0xe85250d6, architecture, length, -(0xe85250d6 + architecture + length)].flatMap(word);

describe('a file is taken for', () => {
  const cases: [what: string, bytes: Uint8Array, kind: Recognised['kind'], evidence?: RegExp][] = [
    ['nothing but code', file(100), 'flat'],
    ['one byte', file(1), 'flat'],
    ['a boot sector', file(512, signature), 'boot-sector', /55 AA/],
    ['a boot sector with code after it', file(4096, signature), 'boot-sector'],
    [
      'a boot sector of a stick, which has a partition of its own',
      file(512, signature, empty, [0x1be, partition(0x80, 12, 1, 99)]),
      'boot-sector',
    ],
    ['a floppy disk', file(1440 * KIB, signature), 'floppy', /1440 KiB/],
    ['a small floppy disk', file(160 * KIB, signature), 'floppy'],
    ['code of a floppy disk’s size', file(1440 * KIB), 'flat'],
    [
      'a disk with a partition',
      file(2 * MIB, signature, empty, [0x1ce, partition(0, 0x83, 63, 1000)]),
      'disk',
      /1 partition$/,
    ],
    [
      'a disk with two',
      file(2 * MIB, signature, empty, [0x1be, [...partition(0x80, 1, 63, 9), ...partition(0, 5, 72, 9)]]),
      'disk',
      /2 partitions/,
    ],
    ['a disk without a table', file(2 * MIB, signature), 'disk', /larger/],
    ['a GPT disk', file(64 * KIB, signature, [512, 'EFI PART']), 'disk', /GPT/],
    ['a qcow2 disk', file(200 * KIB, [0, 'QFI\xfb\0\0\0\x03']), 'disk', /qcow2/],
    [
      'a CD',
      file(40 * KIB, [0x8000, '\x01CD001\x01'], [0x8028, 'A NAME'.padEnd(32)]),
      'cdrom',
      /'A NAME', without/,
    ],
    [
      'a CD that boots, and is a disk too',
      file(
        64 * KIB,
        signature,
        empty,
        [0x1be, partition(0x80, 0x17, 1, 9)],
        [0x8000, '\x01CD001\x01'],
        [0x8800, '\0CD001\x01EL TORITO SPECIFICATION'],
        [0x9000, '\xffCD001'],
      ),
      'cdrom',
      /, with an El Torito/,
    ],
    ['a BIOS of 64 KiB', file(64 * KIB), 'rom'],
    ['a BIOS that its linker ended early', file(64 * KIB - 11), 'rom'],
    ['a BIOS of 256 KiB', file(256 * KIB, [256 * KIB - 16, [0xea, 0x5b, 0xe0, 0, 0xf0]]), 'rom', /a jump/],
    ['a firmware of 2 MiB', file(2 * MIB, [2 * MIB - 16, [0x90, 0x90, 0xe9, 0x10, 0]]), 'rom'],
    ['256 KiB that jump nowhere', file(256 * KIB), 'flat'],
    ['a bzImage', file(32 * KIB, signature, [0x202, 'HdrS\x0f\x02']), 'linux', /protocol 2\.15/],
    ['a multiboot kernel with addresses', file(8192, [4096, multiboot(0x1_0003)]), 'multiboot', /0x1000/],
    ['a multiboot header without addresses in a flat file', file(8192, [64, multiboot(3)]), 'flat'],
    [
      'a multiboot 2 kernel with addresses',
      file(32768, [0x6000, [...multiboot2(0x28), 2, 0, 0, 0, 24, 0, 0, 0]]),
      'multiboot2',
      /0x6000/,
    ],
    [
      'a multiboot 2 kernel for MIPS',
      file(8192, [64, [...multiboot2(0x28, 4), 2, 0, 0, 0, 24, 0, 0, 0]]),
      'flat',
    ],
    [
      'GRUB’s boot disk, whose core has a multiboot header',
      file(2 * MIB, signature, empty, [0x1be, partition(0x80, 0x83, 2048, 99)], [1024, multiboot(0x1_0000)]),
      'disk',
    ],
    ['a text', Buffer.from('int main(void) { return 0; }\n'), 'text'],
    ['a script', Buffer.from('#!/bin/sh\necho hi\n'), 'text', /a script for \/bin\/sh/],
    ['a snapshot', file(1024, [0, '\x89TERRA\r\n'], [510, [0x55, 0xaa]]), 'foreign', /run --from/],
    ['gzip', file(100, [0, '\x1f\x8b\x08\0']), 'foreign', /gunzip/],
    ['an initial file system', file(1024, [0, '070701']), 'foreign', /--initrd/],
    ['a UEFI program', file(1024, [0, 'MZ'], [0x3c, [0x80, 0, 0, 0]], [0x80, 'PE\0\0']), 'foreign', /UEFI/],
  ];
  for (const [what, bytes, kind, evidence = /./] of cases)
    test(`${kind}: ${what}`, () => {
      const found = recognise(imageBytes(bytes));
      assert.equal(found.kind, kind);
      assert.match(found.evidence, evidence);
    });

  test('what it is for every truncation and all bytes', () => {
    const random = randomNumbers(1);
    for (const [, bytes] of cases) {
      for (let n = 0; n < 40; n++) {
        const cut = bytes.slice(0, 1 + random(Math.min(bytes.length, 40 * KIB)));
        for (let k = 0; k < 8; k++) cut[random(cut.length)] = random(256);
        assert.ok(recognise(imageBytes(cut)).kind);
      }
    }
  });
});

test('a large file is read in small pieces', () => {
  let read = 0;
  const sector = file(512, signature, empty, [0x1be, partition(0x80, 0x83, 2048, 1 << 30)]);
  const disk: ImageBytes = {
    size: 2 ** 41,
    read(offset, length) {
      read += length;
      const piece = new Uint8Array(length);
      if (offset < 512) piece.set(sector.subarray(offset, offset + length));
      return piece;
    },
  };
  assert.equal(recognise(disk).kind, 'disk');
  assert.ok(read <= 64 * KIB);
});

describe('files of other tools', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'terrarium-kinds-'));
  after(() => rmSync(folder, { recursive: true }));
  const note = (name: string, type: number) =>
    `.section .note.Xen, "a", @note\n.long 4, 4, ${type}\n.asciz "${name}"\n.long 0x100000\n`;
  const start = '.section .text\n.globl _start\n_start: hlt\n';
  const header = (words: string) => `.section .text\n.align 8\n.long ${words}\n`;

  function linked(bits: 32 | 64, source: string): Uint8Array {
    const [asm, elf] = ['k.S', 'k.elf'].map((name) => path.join(folder, name)) as [string, string];
    writeFileSync(asm, source);
    execFileSync('gcc', [
      `-m${bits}`,
      '-nostdlib',
      '-static',
      '-Wl,-Ttext=0x100000',
      '-Wl,--build-id=none',
      '-o',
      elf,
      asm,
    ]);
    return readFileSync(elf);
  }

  test('ELF by its headers and notes', () => {
    for (const bits of [32, 64] as const) {
      assert.equal(kindOf(linked(bits, start)), 'elf');
      assert.equal(kindOf(linked(bits, note('Xen', 18) + start)), 'pvh');
      assert.equal(kindOf(linked(bits, note('Yen', 18) + start)), 'elf');
      assert.equal(kindOf(linked(bits, note('Xen', 17) + start)), 'elf');
      assert.equal(kindOf(linked(bits, start + header('0x1badb002, 0, -0x1badb002'))), 'multiboot');
      assert.equal(
        kindOf(linked(bits, start + header('0xe85250d6, 0, 24, -(0xe85250d6 + 24), 0, 8'))),
        'multiboot2',
      );
    }
  });
});
