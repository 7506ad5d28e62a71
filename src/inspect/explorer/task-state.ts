/**
 * Describes the task state segment (SDM 3A 8.2.1, 8.7).
 *
 * @module
 */
import { isLongMode } from './descriptors.js';
import { readLinear } from './linear.js';
import { type CpuSubject, columns, hex } from './words.js';

/** A field of a TSS. */
export interface TaskField {
  name: string;
  offset: number;
  value: bigint;
  meaning: string;
}

/** The TSS that TR points to. */
export interface TaskStateView {
  selector: number;
  base: bigint;
  limit: number;
  kind: '16-bit' | '32-bit' | '64-bit';
  fields: TaskField[];
  problems: string[];
}

type Row = readonly [name: string, offset: number, size: 2 | 4 | 8, meaning: string];

const fields64: readonly Row[] = [
  ['RSP0', 4, 8, 'stack of handlers in ring 0, for interrupts in rings 1 to 3'],
  ['RSP1', 12, 8, 'the same for ring 1'],
  ['RSP2', 20, 8, 'the same for ring 2'],
  ...[1, 2, 3, 4, 5, 6, 7].map((n): Row => [`IST${n}`, 28 + 8 * n, 8, `stack of gates with ist ${n}`]),
  ['I/O map', 102, 2, 'offset of the permission map'],
];
const registers32 = ['EAX', 'ECX', 'EDX', 'EBX', 'ESP', 'EBP', 'ESI', 'EDI'];
const segments = ['ES', 'CS', 'SS', 'DS', 'FS', 'GS'];
const fields32: readonly Row[] = [
  ['link', 0, 2, 'the task that was interrupted'],
  ['ESP0', 4, 4, 'stack of handlers in ring 0, for interrupts in rings 1 to 3'],
  ['SS0', 8, 2, 'its segment'],
  ['ESP1', 12, 4, 'the same for ring 1'],
  ['SS1', 16, 2, ''],
  ['ESP2', 20, 4, 'the same for ring 2'],
  ['SS2', 24, 2, ''],
  ['CR3', 28, 4, 'page tables of this task'],
  ['EIP', 32, 4, 'where this task continues'],
  ['EFLAGS', 36, 4, ''],
  ...registers32.map((name, n): Row => [name, 40 + 4 * n, 4, '']),
  ...segments.map((name, n): Row => [name, 72 + 4 * n, 2, '']),
  ['LDT', 96, 2, ''],
  ['I/O map', 102, 2, 'offset of the permission map'],
];
const fields16: readonly Row[] = [
  ['link', 0, 2, 'the task that was interrupted'],
  ['SP0', 2, 2, 'stack of handlers in ring 0, for interrupts in rings 1 to 3'],
  ['SS0', 4, 2, 'its segment'],
  ['IP', 14, 2, 'where this task continues'],
  ['FLAGS', 16, 2, ''],
];

/** The TSS of a CPU, as far as it is in RAM. */
export function readTaskState(subject: CpuSubject): TaskStateView {
  const { tr } = subject.system;
  const long = isLongMode(subject.system);
  const kind = long ? '64-bit' : tr.type & 8 ? '32-bit' : '16-bit';
  const { selector, base, limit } = tr;
  const view: TaskStateView = { selector, base, limit, kind, fields: [], problems: [] };
  if ((selector & 0xfffc) === 0) {
    view.problems.push('TR still has its value from reset: LTR has loaded no TSS');
    return view;
  }
  if (tr.unusable || !tr.present || (tr.type & 5) !== 1) {
    view.problems.push('TR holds no TSS: load one with LTR before anything leaves ring 3');
    return view;
  }
  const wanted = kind === '16-bit' ? 44 : 104;
  if (limit < wanted - 1)
    view.problems.push(`the limit is ${hex(limit)}; a ${kind} TSS needs ${hex(wanted - 1)} at least`);
  const size = Math.min(limit + 1, wanted);
  const bytes = readLinear(subject, base, size);
  if (bytes.length < size) view.problems.push(`only ${bytes.length} of its ${size} bytes are in RAM`);
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const rows = kind === '64-bit' ? fields64 : kind === '32-bit' ? fields32 : fields16;
  for (const [name, offset, bits, meaning] of rows) {
    if (offset + bits > bytes.length) continue;
    const value =
      bits === 8
        ? data.getBigUint64(offset, true)
        : BigInt(bits === 4 ? data.getUint32(offset, true) : data.getUint16(offset, true));
    view.fields.push({ name, offset, value, meaning });
  }
  const map = view.fields.find(({ name }) => name === 'I/O map');
  if (map !== undefined && map.value > BigInt(limit))
    map.meaning = 'beyond the limit: ring 3 may use no port';
  const stack = view.fields.find(({ name }) => name.endsWith('SP0'));
  if (stack?.value === 0n)
    view.problems.push(`${stack.name} is 0: an interrupt in ring 3 would push below address 0`);
  return view;
}

/** A TSS as text; fields that are 0 are left out, unless they matter. */
export function formatTaskState({ selector, base, limit, kind, fields, problems }: TaskStateView): string {
  const lines = [`TSS (${kind}) of selector ${hex(selector, 4)} at ${hex(base, 8)}, limit ${hex(limit, 4)}`];
  for (const problem of problems) lines.push(`  ! ${problem}`);
  const width = kind === '64-bit' ? 16 : 8;
  const shown = fields.filter(({ name, value }) => value !== 0n || /SP0|SS0|I\/O/.test(name));
  const rows = shown.map(({ name, offset, value, meaning }) => [
    `+${offset}`,
    name,
    value.toString(16).padStart(width, '0'),
    meaning,
  ]);
  lines.push(...columns(rows, '  '));
  return lines.join('\n');
}
