/**
 * Text helpers of the explorer's tables.
 *
 * @module
 */
import type { SystemRegisters } from '../../x86/index.js';

/** Guest physical memory, as far as the explorer needs it: `GuestMemory` is that. */
export interface PhysicalMemory {
  contains(address: number, length: number): boolean;
  readBytes(address: number, length: number): Uint8Array;
}

/** The input of the explorer: a stopped CPU and its memory. */
export interface CpuSubject {
  readonly system: SystemRegisters;
  readonly memory: PhysicalMemory;
}

/** `0x` and hexadecimal digits. */
export function hex(value: bigint | number, digits = 1): string {
  return `0x${value.toString(16).padStart(digits, '0')}`;
}

/** `32 bytes`, `4 KiB`, `2 MiB`, `1 GiB`: the largest unit that needs no fraction. */
export function sizeText(bytes: bigint | number): string {
  const size = BigInt(bytes);
  const units: [string, bigint][] = [
    ['TiB', 1n << 40n],
    ['GiB', 1n << 30n],
    ['MiB', 1n << 20n],
    ['KiB', 1n << 10n],
  ];
  for (const [name, unit] of units) if (size >= unit && size % unit === 0n) return `${size / unit} ${name}`;
  return `${size} byte${size === 1n ? '' : 's'}`;
}

/** A little-endian number of physical memory; undefined where not all of it is RAM. */
export function readPhysical(memory: PhysicalMemory, at: bigint, bytes: 1 | 2 | 4 | 8): bigint | undefined {
  if (at < 0n || at > BigInt(Number.MAX_SAFE_INTEGER) - 8n) return undefined;
  const address = Number(at);
  if (!memory.contains(address, bytes)) return undefined;
  let value = 0n;
  for (const [n, byte] of memory.readBytes(address, bytes).entries()) value |= BigInt(byte) << BigInt(8 * n);
  return value;
}

/** Lines of columns, each as wide as its widest text, without trailing spaces. */
export function columns(rows: readonly (readonly string[])[], indent = ''): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    // The last text of a row is not padded.
    for (const [n, text] of row.entries()) {
      if (n < row.length - 1) widths[n] = Math.max(widths[n] ?? 0, text.length);
    }
  }
  return rows.map((row) =>
    `${indent}${row.map((text, n) => (n < row.length - 1 ? text.padEnd(widths[n]!) : text)).join('  ')}`.trimEnd(),
  );
}

/** Text wrapped at spaces into lines of at most `width`; its leading spaces stay, later lines begin with `indent`. */
export function wrap(text: string, width: number, indent = ''): string[] {
  const [front = ''] = /^ */.exec(text) ?? [];
  const lines: string[] = [];
  let line = front;
  let empty = true;
  for (const word of text.slice(front.length).split(' ')) {
    if (!empty && line.length + 1 + word.length > width) {
      lines.push(line.trimEnd());
      line = indent;
      empty = true;
    }
    line += empty ? word : ` ${word}`;
    empty = false;
  }
  return [...lines, line.trimEnd()];
}
