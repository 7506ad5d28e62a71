/**
 * Compares the results of two engines for the same test.
 *
 * @module
 */
import { disassemble, registerName } from '../isa/index.js';
import { RFLAGS } from '../x86/index.js';
import { instructionOf, type Left, recordWords } from './blocks.js';
import { DATA, type Mode } from './modes.js';
import type { Ended, Side } from './side.js';
import { shiftCount, type Test } from './tests.js';
import { vectorNames, vectorsBefore } from './vectors.js';

/** The flags of a program, with their masks. */
const flagNames = (['CF', 'PF', 'AF', 'ZF', 'SF', 'TF', 'IF', 'DF', 'OF'] as const).map(
  (name) => [Number(RFLAGS[name]), name] as const,
);
/** A flag by its letter in the opcode table. */
const flagOf = (letter: string) => flagNames.find(([, name]) => name === `${letter}F`)![0];

/** The flags that a test sets: without IF, which is the same in all tests. */
const ALL_FLAGS = 0xfdff;

const shift = /^(rol|ror|rcl|rcr|shl|shr|sar|shld|shrd)$/;

/** Flags that a shift leaves undefined: none where it shifts by 0, not OF by 1, CF only by more than the operand's size. */
function undefinedByShift(test: Test): string {
  const { row, encoding } = test;
  const size = row.operands[0]!.endsWith('b') ? 8 : encoding.operandSize;
  const count = shiftCount(test, size);
  if (count === 0) return '';
  const always = row.meaning.undefined;
  if (count === 1) return always.replace(/[OC]/g, '');
  return count <= size ? always.replace('C', '') : always;
}

/** The flags that are compared. */
export function definedFlags(test: Test): number {
  const { row } = test;
  let mask = ALL_FLAGS;
  const letters = shift.test(row.name) ? undefinedByShift(test) : row.meaning.undefined;
  for (const letter of letters) mask &= ~flagOf(letter);
  return mask;
}

/** A word of the data window that differs. */
export interface DataWord {
  address: number;
  before: number;
  after: [number, number];
}

/** The results of both engines for one test, and their differences. */
export interface Difference {
  test: Test;
  text: string;
  /** The names of the differences: registers, `flags`, `memory`, `end`. */
  fields: string[];
  /** For each side: how it ended, and its result. */
  left: [Left & Partial<Ended>, Left & Partial<Ended>];
  data: DataWord[];
  /** How many tests must run before this one to reproduce the difference; 0: none. */
  after: number;
}

/** True if both sides have the same result of test `n`, as far as it is defined. */
export function agree(mode: Mode, test: Test, n: number, one: Side, other: Side): boolean {
  if (one.ended.has(n) || other.ended.has(n)) return fieldsOf(mode, test, n, one, other).length === 0;
  const start = (n * mode.recordBytes) / 4;
  const [a, b] = [one.records, other.records];
  if (((a[start]! ^ b[start]!) & definedFlags(test)) !== 0) return false;
  const end = start + recordWords(mode);
  for (let word = start + 1; word < end; word++) if (a[word] !== b[word]) return false;
  return true;
}

/** Names the differences. */
export function fieldsOf(mode: Mode, test: Test, n: number, one: Side, other: Side): string[] {
  const [a, b] = [one.left(n), other.left(n)];
  const [x, y] = [one.ended.get(n), other.ended.get(n)];
  const fields: string[] = [];
  if (x?.what !== y?.what) fields.push('end');
  if (x?.rip !== y?.rip) fields.push('rip');
  for (const [number, value] of a.registers.entries()) {
    if (value !== b.registers[number]) fields.push(registerName(number, mode.registers / 2, true));
  }
  for (const [place, name] of namesOf(test).entries()) {
    if (a.vectors?.[place] !== b.vectors?.[place]) fields.push(name);
  }
  if (((a.flags ^ b.flags) & definedFlags(test)) !== 0) fields.push('flags');
  return fields;
}

const namesOf = ({ vectors }: Test) => (vectors === undefined ? [] : vectorNames(vectors));

/** The words of the data window that differ. */
export function dataOf(before: Uint32Array, one: Side, other: Side): DataWord[] {
  const words: DataWord[] = [];
  for (let word = 0; word < before.length; word++) {
    const after: [number, number] = [one.data[word]!, other.data[word]!];
    if (after[0] !== after[1]) words.push({ address: DATA + 4 * word, before: before[word]!, after });
  }
  return words;
}

const hex = (value: bigint, digits: number) => value.toString(16).padStart(digits, '0');
const flagText = (flags: number) =>
  flagNames
    .filter(([bit]) => (flags & bit) !== 0)
    .map(([, name]) => name)
    .join(' ') || '-';

/** A test's instruction as text, at the address where it ran. */
export function textOf(mode: Mode, test: Test, n = 0): string {
  const { bytes, ripTarget, encoding } = test;
  const code = Uint8Array.from(bytes);
  const address = instructionOf(mode, n);
  if (ripTarget !== undefined) {
    new DataView(code.buffer).setInt32(encoding.displacementAt, ripTarget - address - code.length, true);
  }
  return disassemble(code, { code: mode.code, address: BigInt(address) }).text;
}

/** Both states side by side, as text. */
export function describe(
  mode: Mode,
  { test, text, fields, left, data, after }: Difference,
  names: [string, string],
): string {
  const digits = mode.registers;
  const size = mode.registers / 2;
  const bytes = [...test.bytes].map((byte) => hex(BigInt(byte), 2)).join(' ');
  const lines = [`${text}    [${bytes}]`];
  const width = test.vectors === undefined ? 22 : 34;
  const row = (name: string, before: string, [one, other]: [string, string]) => {
    const mark = one === other ? ' ' : '≠';
    lines.push(`  ${mark} ${name.padEnd(6)} ${before.padEnd(width)} ${one.padEnd(width)} ${other}`);
  };
  row('', 'before', names);
  for (const [number, value] of test.registers.entries()) {
    const name = registerName(number, size, true);
    const values = left.map(({ registers }) => hex(registers[number]!, digits)) as [string, string];
    const before = hex(value, digits);
    if (fields.includes(name) || values[0] !== before || isRead(test, name, size)) row(name, before, values);
  }
  if (test.vectors !== undefined) {
    const starts = vectorsBefore(test.vectors);
    for (const [place, name] of namesOf(test).entries()) {
      const digits = place === 0 ? 4 : 32;
      const values = left.map(({ vectors }) => (vectors ? hex(vectors[place]!, digits) : '-'));
      row(name, hex(starts[place]!, digits), values as [string, string]);
    }
  }
  const mask = definedFlags(test);
  const flags = left.map((one) => flagText(one.flags & mask)) as [string, string];
  row('flags', flagText(test.flags & mask), flags);
  row('end', '', left.map(({ what }) => what ?? 'done') as [string, string]);
  for (const word of data.slice(0, 8)) {
    const values = word.after.map((value) => hex(BigInt(value), 8)) as [string, string];
    row(`[${word.address.toString(16)}]`, hex(BigInt(word.before), 8), values);
  }
  if (mask !== ALL_FLAGS) lines.push(`    undefined flags are left out (${test.row.meaning.source})`);
  if (after > 0) lines.push(`    it appears only after the ${after} instructions before this one`);
  return lines.join('\n');
}

function isRead({ bytes, encoding }: Test, name: string, size: number): boolean {
  const { operands } = disassemble(bytes, { code: encoding.code });
  const same = (other: string | undefined) =>
    other !== undefined &&
    Array.from({ length: 16 }, (_, number) => number).some(
      (number) =>
        registerName(number, size, true) === name &&
        [1, 2, 4, 8].some((width) => [true, false].some((rex) => registerName(number, width, rex) === other)),
    );
  return operands.some(
    (one) =>
      (one.kind === 'register' && same(one.name)) ||
      (one.kind === 'memory' && (same(one.base) || same(one.index))),
  );
}
