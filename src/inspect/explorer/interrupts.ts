/**
 * Describes the interrupt table: real mode's vectors, or the gates of protected and long mode (SDM 3A 7.10, 7.14, 3B 21.1.4).
 *
 * @module
 */
import { CR0, exceptions } from '../../x86/index.js';
import { isLongMode, systemTypeName } from './descriptors.js';
import { readLinear } from './linear.js';
import { type CpuSubject, columns, hex } from './words.js';

/** `#GP`; `interrupt 32` for a vector that is not an exception. */
export function vectorName(vector: number): string {
  const short = exceptions[vector]?.[0];
  return short ? short : `interrupt ${vector}`;
}

/** `general protection fault`; empty for a vector that is not an exception. */
export function vectorMeaning(vector: number): string {
  return exceptions[vector]?.[1] ?? '';
}

/** One entry of an interrupt table. */
export interface GateEntry {
  vector: number;
  /** Linear address of the entry. */
  at: bigint;
  raw: bigint;
  /** The upper half of an entry of long mode. */
  high: bigint;
  selector: number;
  offset: bigint;
  /** 0 to 15; undefined in real mode. */
  type?: number;
  dpl: number;
  present: boolean;
  /** Interrupt stack of long mode, 0 for none. */
  ist: number;
  meaning: string;
  problems: string[];
}

/** The interrupt table of a CPU. */
export interface InterruptTableView {
  base: bigint;
  limit: number;
  /** Bytes of an entry: 4 in real mode, 8, or 16 in long mode. */
  entryBytes: 4 | 8 | 16;
  entries: GateEntry[];
  problems: string[];
}

export function gateSize({ system }: CpuSubject): 4 | 8 | 16 {
  if (!(system.cr0 & CR0.PE)) return 4;
  return isLongMode(system) ? 16 : 8;
}

/** The entry of a vector, regardless of the limit; undefined where it is not in RAM. */
export function readGate(subject: CpuSubject, vector: number): GateEntry | undefined {
  const size = gateSize(subject);
  const at = subject.system.idt.base + BigInt(vector * size);
  const bytes = readLinear(subject, at, size);
  if (bytes.length < size) return undefined;
  return decodeGate(bytes, vector, at);
}

function decodeGate(bytes: Uint8Array, vector: number, at: bigint): GateEntry {
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length === 4) {
    const offset = BigInt(data.getUint16(0, true));
    const selector = data.getUint16(2, true);
    const raw = BigInt(data.getUint32(0, true));
    const meaning =
      raw === 0n ? 'never set' : `→ ${selector.toString(16).padStart(4, '0')}:${hexOf(offset, 4)}`;
    return {
      vector,
      at,
      raw,
      high: 0n,
      selector,
      offset,
      dpl: 0,
      present: true,
      ist: 0,
      meaning,
      problems: [],
    };
  }
  const raw = data.getBigUint64(0, true);
  const long = bytes.length === 16;
  const high = long ? data.getBigUint64(8, true) : 0n;
  const type = Number((raw >> 40n) & 0xfn);
  const isSystem = (raw & (1n << 44n)) === 0n;
  let offset = (raw & 0xffffn) | ((raw >> 32n) & 0xffff_0000n) | ((high & 0xffff_ffffn) << 32n);
  if (!(type & 8)) offset &= 0xffffn;
  const gate: GateEntry = {
    vector,
    at,
    raw,
    high,
    selector: Number((raw >> 16n) & 0xffffn),
    offset,
    type,
    dpl: Number((raw >> 45n) & 3n),
    present: (raw & (1n << 47n)) !== 0n,
    ist: long ? Number((raw >> 32n) & 7n) : 0,
    meaning: '',
    problems: [],
  };
  const name = isSystem ? systemTypeName(type, long) : undefined;
  const usable = isSystem && [...(long ? [14, 15] : [5, 6, 7, 14, 15])].includes(type);
  if (raw === 0n && high === 0n) gate.meaning = 'empty';
  else if (!usable) {
    gate.meaning = name ?? (isSystem ? `reserved type ${type}` : 'not a gate: S = 1, a segment');
    gate.problems.push(
      `an interrupt table can only hold ${long ? '64-bit interrupt and trap gates' : 'interrupt, trap and task gates'}`,
    );
  } else gate.meaning = `${name!} → ${hexOf(BigInt(gate.selector), 4)}:${hexOf(offset, 8)}`;
  if (usable && !gate.present) gate.problems.push('not present (P = 0)');
  if (usable && gate.selector < 4 && type !== 5) gate.problems.push('its code segment is the null selector');
  return gate;
}

/** The whole table, as far as it is in RAM. */
export function readInterruptTable(subject: CpuSubject): InterruptTableView {
  const { base, limit } = subject.system.idt;
  const entryBytes = gateSize(subject);
  const view: InterruptTableView = { base, limit, entryBytes, entries: [], problems: [] };
  const count = Math.min(256, Math.floor((limit + 1) / entryBytes));
  if (count === 0) {
    view.problems.push(
      'the limit is too small for a single entry: any interrupt or exception is a triple fault',
    );
    return view;
  }
  if ((limit + 1) % entryBytes !== 0)
    view.problems.push(`the limit is ${hex(limit)}; it should be ${entryBytes} × entries − 1`);
  const bytes = readLinear(subject, base, count * entryBytes);
  if (bytes.length < count * entryBytes) view.problems.push(`only ${bytes.length} of its bytes are in RAM`);
  for (let vector = 0; (vector + 1) * entryBytes <= bytes.length; vector++) {
    const at = vector * entryBytes;
    view.entries.push(decodeGate(bytes.slice(at, at + entryBytes), vector, base + BigInt(at)));
  }
  return view;
}

/** The table as text; empty entries are counted and left out; equal entries in a row become one line. */
export function formatInterruptTable({
  base,
  limit,
  entryBytes,
  entries,
  problems,
}: InterruptTableView): string {
  const name = entryBytes === 4 ? 'interrupt vectors (real mode)' : 'IDT';
  const lines = [
    `${name} at ${hex(base, 8)}, limit ${hex(limit, 4)}: ${entries.length} entries of ${entryBytes} bytes`,
  ];
  for (const problem of problems) lines.push(`  ! ${problem}`);
  const rows: string[][] = [];
  const used = entries.filter(({ raw, high }) => raw !== 0n || high !== 0n);
  for (let n = 0; n < used.length; ) {
    const first = used[n]!;
    let last = n;
    while (used[last + 1] !== undefined && alike(used[last + 1]!, first, last + 1 - n)) last++;
    const vectors = last === n ? String(first.vector) : `${first.vector}–${used[last]!.vector}`;
    const label =
      last === n && first.vector < 32 ? vectorName(first.vector).replace(/^interrupt .*/, '') : '';
    const about = entryBytes === 4 ? [] : [`dpl ${first.dpl}${first.ist ? ` ist ${first.ist}` : ''}`];
    rows.push([vectors.padStart(3), label, ...about, first.meaning]);
    for (const problem of first.problems) rows.push([`      ! ${problem}`]);
    n = last + 1;
  }
  lines.push(...columns(rows, '  '));
  const empty = entries.length - used.length;
  if (empty > 0) lines.push(`  ${used.length === 0 ? 'all' : 'the other'} ${empty} are empty`);
  return lines.join('\n');
}

function alike(a: GateEntry, first: GateEntry, distance: number): boolean {
  return a.raw === first.raw && a.high === first.high && a.vector === first.vector + distance;
}

const hexOf = (value: bigint, digits: number) => value.toString(16).padStart(digits, '0');
