/** Debug sections that are made to cost time and memory: a process with little of both gets through them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';

const u16 = (value: number) => [value & 0xff, value >> 8];
const u32 = (value: number) => [...u16(value & 0xffff), ...u16(value >>> 16)];
const u64 = (value: number) => [...u32(value), ...u32(0)];
const uleb = (value: number): number[] =>
  value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...uleb(value >>> 7)];

/** `head`, then as many whole `unit`s as `size` bytes have room for, then zeros. */
function filled(head: readonly number[], unit: readonly number[], size: number): Buffer {
  const bytes = Buffer.alloc(size);
  bytes.set(head);
  const whole = size - ((size - head.length) % unit.length);
  return bytes.fill(Buffer.from(unit), head.length, whole);
}

/** Instruction length, is_stmt, line base and range, opcode base. */
const LINE_HEADER = [1, 1, 0, 1, 1];

/** A line table of DWARF 2 without folders and files, whose program is `unit` over and over. */
function lineTable(unit: readonly number[], size: number): Buffer {
  const header = [...LINE_HEADER, 0, 0];
  return filled([...u32(size - 4), ...u16(2), ...u32(header.length), ...header], unit, size);
}

/** A line table of DWARF 2 whose header goes on with `head` and then `unit` over and over. */
function lineHeader(head: readonly number[], unit: readonly number[], size: number): Buffer {
  return filled([...u32(size - 4), ...u16(2), ...u32(size - 10), ...LINE_HEADER, ...head], unit, size);
}

/** A common entry of version 1: no augmentation, code factor 1, data factor -8, return address in register 16. */
const common = [0xff, 0xff, 0xff, 0xff, 1, 0, 1, 0x78, 16];

/** A function from 1 MiB on whose table is `head` and then `unit` over and over. */
function frameTable(head: readonly number[], unit: readonly number[], size: number): Buffer {
  const first = [...u32(common.length), ...common];
  const function_ = [...u32(size - first.length - 4), ...u32(0), ...u64(0x10_0000), ...u64(0x1000)];
  return filled([...first, ...function_, ...head], unit, size);
}

const MiB = 1 << 20;
const registers = Array.from({ length: 4000 }, (_, n) => [0x05, ...uleb(1000 + n), 1]).flat();

const sections: Record<string, [name: string, bytes: () => Buffer]> = {
  'sequences that end without end': ['.debug_line', () => lineTable([0, 1, 1], 8 * MiB)],
  'rows without end': ['.debug_line', () => lineTable([200], 16 * MiB)],
  'units without end': ['.debug_line', () => filled([], [2, 0, 0, 0, 2, 0], 8 * MiB)],
  'states that are kept and taken back': ['.debug_frame', () => frameTable(registers, [0x0a, 0x0b], MiB)],
  'registers without end': ['.debug_frame', () => frameTable([], [0x05, 0xff, 0xff, 0x7f, 1], 96 * MiB)],
  'common entries without end': [
    '.debug_frame',
    () => filled([], [...u32(common.length), ...common], 64 * MiB),
  ],
  'functions without end': [
    '.debug_frame',
    () =>
      filled(
        [...u32(common.length), ...common],
        [...u32(20), ...u32(0), ...u64(0x10_0000), ...u64(0x1000)],
        64 * MiB,
      ),
  ],
  // The name a, and for a file its folder, time and size.
  'files without end': ['.debug_line', () => lineHeader([0], [97, 0, 0, 0, 0], 32 * MiB)],
  'folders without end': ['.debug_line', () => lineHeader([], [97, 0], 96 * MiB)],
  'symbols without end': [
    '.symtab',
    () => filled([], [...u32(1), 0x12, 0, ...u16(1), ...u64(1), ...u64(2)], 96 * MiB),
  ],
};

const program = `
  import { readFileSync } from 'node:fs';
  const { SymbolTable } = await import(process.argv[1]);
  const [name, file] = process.argv.slice(2);
  const sections = [{ name, bytes: new Uint8Array(readFileSync(file)) }, { name: '.strtab', bytes: new Uint8Array([0, 65, 0]) }];
  const table = new SymbolTable({ format: 'elf64', sections });
  for (let n = 0n; n < 64n; n++) {
    table.locate(0x100000n + n);
    table.callFrames?.ruleAt(0x100000n + n);
    table.lines.rangeAt(0x100000n + n);
  }
`;

describe('a debug section with', () => {
  for (const [title, [name, bytes]] of Object.entries(sections)) {
    test(title, () => {
      const folder = mkdtempSync(path.join(tmpdir(), 'terrarium-hostile-'));
      try {
        const file = path.join(folder, 'section');
        writeFileSync(file, bytes());
        const module = new URL('./index.js', import.meta.url).href;
        // Hundreds of times what an honest file needs, and a tenth of what these took without limits.
        const limits = { timeout: 60_000, encoding: 'utf8' } as const;
        const args = ['--max-old-space-size=256', '--input-type=module', '-e', program, module, name, file];
        const { status, signal, stderr } = spawnSync(process.execPath, args, limits);
        assert.deepEqual({ status, signal, stderr }, { status: 0, signal: null, stderr: '' });
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  }
});
