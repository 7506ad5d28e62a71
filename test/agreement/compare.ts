/** Two engines' results of one case, and what is different in them. */
import type { Case } from './cases.js';
import { general, type Result } from './long-mode.js';

const flagBits: Record<string, bigint> = { C: 1n, P: 4n, A: 0x10n, Z: 0x40n, S: 0x80n, O: 0x800n };
/** RF is set in the frames of faults and of repeated instructions that are not done (SDM 3B 17.3.1.1). */
const RF = 0x10000n;

const shift = /^(rol|ror|rcl|rcr|shl|shr|sar|shld|shrd)$/;

/** The count of a shift, as the processor takes it. */
function countOf({ row, encoding, registers }: Case): number {
  const last = row.operands.at(-1);
  const count = last === '1' ? 1n : last === 'CL' ? registers.rcx : encoding.immediate;
  return Number(count & (encoding.operandSize === 64 && !row.operands[0]!.endsWith('b') ? 63n : 31n));
}

/** Flags of a case that are not compared: undefined by the table, for all counts or for this one. */
export function undefinedFlags(one: Case): bigint {
  let letters = one.row.meaning.undefined;
  if (shift.test(one.row.name)) {
    const count = countOf(one);
    const size = one.row.operands[0]!.endsWith('b') ? 8 : one.encoding.operandSize;
    // A count of 0 changes no flag at all; overflow is defined for a count of 1, carry up to the size.
    if (count === 0) letters = '';
    else if (count === 1) letters = letters.replace(/[OC]/g, '');
    else if (count <= size) letters = letters.replace('C', '');
  }
  let mask = 0n;
  for (const letter of letters) mask |= flagBits[letter] ?? 0n;
  return mask;
}

const hex = (value: bigint) => value.toString(16);

/** What differs, as text: nothing if the engines agree. */
export function differences(one: Case, real: Result, ours: Result | undefined): string[] {
  if (ours === undefined) return ['refused'];
  const found: string[] = [];
  const compare = (what: string, expected: bigint, got: bigint) => {
    if (expected !== got) found.push(`${what} ${hex(expected)} but ${hex(got)}`);
  };
  // KVM without VMX or SVM looks at what is #GP itself, with an emulator that finds other faults first, or knows less.
  if (ours.vector === 13 && real.vector !== 1) return [];
  compare('vector', BigInt(real.vector), BigInt(ours.vector));
  if (real.vector === ours.vector) {
    compare('error code', real.code, ours.code);
    compare('CR2', real.cr2, ours.cr2);
  }
  for (const name of [...general, 'rip'] as const) compare(name, real.registers[name], ours.registers[name]);
  const mask = ~(undefinedFlags(one) | RF);
  compare('flags', real.registers.rflags & mask, ours.registers.rflags & mask);
  return found;
}

/** The case in words, to find it again. */
export function describeCase({ row, bytes, registers }: Case): string {
  const code = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  const state = general.map((name) => `${name}=${hex(registers[name])}`).join(' ');
  return `${row.name} ${row.operands.join(',')} (${code}) rip=${hex(registers.rip)} flags=${hex(registers.rflags)} ${state}`;
}
