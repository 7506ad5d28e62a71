/**
 * Describes the entries of GDT and LDT, with their errors (SDM 3A 3.4.5, 3.5).
 *
 * @module
 */

import type { Segment, SystemRegisters } from '../../x86/index.js';
import { decodeDescriptor, EFER } from '../../x86/index.js';
import { readLinear } from './linear.js';
import { type CpuSubject, columns, hex, sizeText } from './words.js';

export type DescriptorKind = 'null' | 'code' | 'data' | 'system' | 'gate' | 'reserved';

/** One entry of a descriptor table. */
export interface DescriptorEntry {
  /** Offset of the first byte from the table's start; the selector with RPL 0. */
  selector: number;
  raw: bigint;
  kind: DescriptorKind;
  segment: Segment;
  /** `code, execute and read, 32-bit`. */
  meaning: string;
  /** Its errors and unusual properties; empty where there are none. */
  problems: string[];
  /** 16 for the system descriptors of long mode. */
  size: 8 | 16;
}

/** A descriptor table. */
export interface DescriptorTableView {
  name: 'GDT' | 'LDT';
  base: bigint;
  limit: number;
  entries: DescriptorEntry[];
  problems: string[];
}

const systemNames: Readonly<Record<number, string>> = {
  1: '16-bit TSS, available',
  2: 'LDT',
  3: '16-bit TSS, busy',
  4: '16-bit call gate',
  5: 'task gate',
  6: '16-bit interrupt gate',
  7: '16-bit trap gate',
  9: '32-bit TSS, available',
  11: '32-bit TSS, busy',
  12: '32-bit call gate',
  14: '32-bit interrupt gate',
  15: '32-bit trap gate',
};
const longSystemNames: Readonly<Record<number, string>> = {
  2: 'LDT',
  9: '64-bit TSS, available',
  11: '64-bit TSS, busy',
  12: '64-bit call gate',
  14: '64-bit interrupt gate',
  15: '64-bit trap gate',
};

/** The name of a system descriptor's type; undefined for a reserved one. */
export function systemTypeName(type: number, long: boolean): string | undefined {
  return (long ? longSystemNames : systemNames)[type];
}

/** True for call, task, interrupt and trap gates. */
export function isGate(type: number): boolean {
  return (type >= 4 && type <= 7) || type >= 12;
}

export function isLongMode(system: SystemRegisters): boolean {
  return (system.efer & EFER.LMA) !== 0n;
}

/** Reads one descriptor. `high`: the second half of a system descriptor of long mode. */
export function describeDescriptor(raw: bigint, selector: number, long: boolean, high = 0n): DescriptorEntry {
  const segment = decodeDescriptor(raw, selector, high);
  const entry: DescriptorEntry = {
    selector,
    raw,
    kind: 'null',
    segment,
    meaning: 'null',
    problems: [],
    size: 8,
  };
  if (raw === 0n) return entry;
  const { type, s, db, l, present } = segment;
  const problems = entry.problems;
  if (!present) problems.push('not present (P = 0): loading it is #NP');
  if (!s) return systemEntry(entry, long);
  if (type & 8) {
    entry.kind = 'code';
    const bits = l ? (db ? 'L and D both set' : '64-bit') : db ? '32-bit' : '16-bit';
    entry.meaning = `code, ${type & 2 ? 'execute and read' : 'execute only'}${type & 4 ? ', conforming' : ''}, ${bits}`;
    if (l && db) problems.push('L and D must not both be 1: loading it into CS in long mode is #GP');
    if (l && !long)
      problems.push('L = 1 has no meaning outside long mode: this is a 16-bit code segment now');
  } else {
    entry.kind = 'data';
    entry.meaning = `data, ${type & 2 ? 'read and write' : 'read only'}${type & 4 ? ', expand-down' : ''}, ${db ? '32-bit' : '16-bit'}`;
  }
  if (segment.limit === 0 && !(long && (l || entry.kind === 'data')) && !(type & 4 && entry.kind === 'data'))
    problems.push('limit 0: one byte long; every other offset is outside');
  return entry;
}

function systemEntry(entry: DescriptorEntry, long: boolean): DescriptorEntry {
  const { type } = entry.segment;
  const name = systemTypeName(type, long);
  entry.kind = name === undefined ? 'reserved' : isGate(type) ? 'gate' : 'system';
  entry.meaning = name ?? `system descriptor of reserved type ${type}`;
  if (name === undefined) {
    const hint = type === 0 ? ': is S (bit 4 of the access byte) missing?' : '';
    entry.problems.push(`S = 0 makes it a system descriptor, and type ${type} is reserved${hint}`);
  }
  if (long) entry.size = 16;
  return entry;
}

/** GDT or LDT of a CPU. Of a table that is only partly in RAM, the part in RAM. */
export function readDescriptorTable(subject: CpuSubject, name: 'GDT' | 'LDT'): DescriptorTableView {
  const { system } = subject;
  const { ldt } = system;
  const { base, limit } = name === 'GDT' ? system.gdt : ldt;
  const view: DescriptorTableView = { name, base, limit, entries: [], problems: [] };
  if (name === 'LDT' && (ldt.unusable || !ldt.present)) {
    view.problems.push('there is no LDT (LDTR is null)');
    return { ...view, limit: 0 };
  }
  // A selector reaches 64 KiB.
  const size = Math.min(limit, 0xffff) + 1;
  if (size % 8 !== 0) view.problems.push(`the limit is ${hex(limit)}; it should be 8 × entries − 1`);
  const bytes = readLinear(subject, base, size);
  if (bytes.length < size)
    view.problems.push(
      `only ${bytes.length} of its ${size} bytes are in RAM: the others fault when they are used`,
    );
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const long = isLongMode(system);
  for (let at = 0; at + 8 <= bytes.length; ) {
    const raw = data.getBigUint64(at, true);
    const whole = long && (raw & SYSTEM) === 0n && raw !== 0n && at + 16 <= bytes.length;
    const high = whole ? data.getBigUint64(at + 8, true) : 0n;
    const entry = describeDescriptor(raw, at, long, high);
    view.entries.push(entry);
    at += entry.size;
  }
  if (name === 'GDT' && view.entries[0] !== undefined && view.entries[0].raw !== 0n)
    view.problems.push('entry 0 is not used by the CPU: selector 0 is always the null selector');
  return view;
}

/** S: clear in the descriptors of system segments and gates. */
const SYSTEM = 1n << 44n;

/** How many entries of a table are shown, without blank ones. */
const SHOWN = 48;

/** A table as text: each entry with its base, limit, meaning and errors. */
export function formatDescriptorTable({ name, base, limit, entries, problems }: DescriptorTableView): string {
  const lines = [`${name} at ${hex(base, 8)}, limit ${hex(limit, 4)}: ${entries.length} entries`];
  for (const problem of problems) lines.push(`  ! ${problem}`);
  const used = entries.filter(({ raw }, n) => raw !== 0n || n === 0);
  const rows: string[][] = [];
  for (const { selector, raw, kind, segment, meaning, problems: wrong } of used.slice(0, SHOWN)) {
    const place =
      kind === 'null' || kind === 'gate'
        ? ''
        : `${hex(segment.base)} ${sizeText(BigInt(segment.limit) + 1n)}`;
    const dpl = kind === 'null' ? '' : `dpl ${segment.dpl}`;
    rows.push([hex(selector, 4), raw.toString(16).padStart(16, '0'), place, dpl, meaning]);
    for (const problem of wrong) rows.push([`       ! ${problem}`]);
  }
  lines.push(...columns(rows, '  '));
  if (used.length > SHOWN) lines.push(`  … and ${used.length - SHOWN} more`);
  return lines.join('\n');
}
