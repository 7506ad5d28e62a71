/**
 * Where Intel's processors and AMD's give different answers, and both are right. Measured in ring 3 on both; the table is
 * in docs/verify.md.
 *
 * @module
 */
import type { CpuVendor } from '../x86/index.js';
import type { Difference } from './compare.js';

/** The makers of the two processors that are compared: that which the engine stands for, and the oracle's. */
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

/** True if two registers of 64 bits are the same in their lower halves, or as numbers where a side lacks them. */
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

/** In order: what differs by the maker alone. */
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
      'REP with addresses of 32 bits clears the upper halves of its registers before the first round for Intel, with it for AMD',
  },
  {
    names: /^dpps$/,
    when: (difference) => difference.fields.every((field) => /^xmm/.test(field)) && differInNans(difference),
    because: 'which of several NaNs DPPS gives is the processor’s own',
  },
];

/** Why a difference is that of two makers; undefined where both are the same, or where it is none of those. */
export function whyByVendor(
  difference: Difference,
  { engine, oracle }: Vendors = { engine: 'intel', oracle: 'intel' },
): string | undefined {
  if (engine === oracle) return undefined;
  const { name } = difference.test.row;
  return vendorDifferences.find(({ names, when }) => names.test(name) && when(difference))?.because;
}
