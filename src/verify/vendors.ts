/**
 * Allowed differences between Intel's and AMD's processors. Measured in ring 3 on both; the table is in docs/verify.md.
 *
 * @module
 */
import type { CpuVendor } from '../x86/index.js';
import type { Difference } from './compare.js';

/** The vendors of the two compared processors: the engine's and the oracle's. */
export interface Vendors {
  engine: CpuVendor;
  oracle: CpuVendor;
}

interface VendorDifference {
  names: RegExp;
  when(difference: Difference): boolean;
  because: string;
}

const LOOPNE = 0xe0;
const LOOPE = 0xe1;

/** True if two 64-bit registers have equal lower halves, or where a side lacks them. */
const sameLowHalf = (one: bigint | undefined, other: bigint | undefined) =>
  BigInt.asUintN(32, one ?? 0n) === BigInt.asUintN(32, other ?? 0n);

/** True if a single-precision number is a NaN: its exponent is all ones, its fraction is not 0 (SDM 1 table 4-3). */
const isNan = (bits: bigint) => (bits & 0x7fffffffn) > 0x7f800000n;

/** The four elements of a vector. */
const singles = (vector: bigint) => [0n, 32n, 64n, 96n].map((at) => BigInt.asUintN(32, vector >> at));

/** True if the vectors that differ do so in elements that are NaNs on both sides. */
function differInNans({ left: [ours, theirs] }: Difference): boolean {
  return (ours.vectors ?? []).every((vector, n) => {
    const other = singles(theirs.vectors?.[n] ?? 0n);
    return singles(vector).every((bits, place) => {
      const its = other[place]!;
      return bits === its || (isNan(bits) && isNan(its));
    });
  });
}

/** The differences by vendor, in order. */
export const vendorDifferences: readonly VendorDifference[] = [
  {
    names: /^pause$/,
    when: ({ test: { encoding } }) => (encoding.rex & 1) === 1,
    because: 'F3 90 with REX.B is PAUSE for Intel, and XCHG with R8 for AMD',
  },
  {
    names: /^loopn?e$/,
    when: ({ test: { encoding } }) =>
      (encoding.opcode === LOOPE && encoding.repeat === 0xf2) ||
      (encoding.opcode === LOOPNE && encoding.repeat === 0xf3),
    because:
      'LOOPE with F2 and LOOPNE with F3 do what the opcode says for Intel, what the prefix says for AMD',
  },
  {
    names: /^(movs|stos|lods|cmps|scas|ins|outs)$/,
    when: ({ test: { encoding }, fields, left: [ours, theirs] }) =>
      encoding.code === 64 &&
      encoding.addressSize === 32 &&
      encoding.repeat !== 0 &&
      fields.every((field) => /^r(cx|si|di)$/.test(field)) &&
      ours.registers.every((value, n) => sameLowHalf(value, theirs.registers[n])),
    because:
      'REP with 32-bit addresses clears the upper halves of its registers before the first iteration on Intel, with it on AMD',
  },
  {
    names: /^dpps$/,
    when: (difference) => difference.fields.every((field) => /^xmm/.test(field)) && differInNans(difference),
    because: 'which of several NaNs DPPS returns differs between processors',
  },
];

/** Why a difference follows from the vendors; undefined where they are equal, or where it is not in the table. */
export function whyByVendor(
  difference: Difference,
  { engine, oracle }: Vendors = { engine: 'intel', oracle: 'intel' },
): string | undefined {
  if (engine === oracle) return undefined;
  const { name } = difference.test.row;
  return vendorDifferences.find(({ names, when }) => names.test(name) && when(difference))?.because;
}
