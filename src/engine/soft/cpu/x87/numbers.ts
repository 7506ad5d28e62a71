// The 80-bit numbers (SDM 1 4.2.2, 4.8.3): sign and exponent in 16 bits, and a significand whose integer bit is explicit.
// An operation takes its operands as such pairs and leaves its result in `exponent` and `bits`.
import { DE, IE, raise } from './registers';

export const SIGN: u32 = 0x8000;
export const MAX_EXPONENT: u32 = 0x7fff;
export const BIAS: i32 = 0x3fff;
export const INTEGER_BIT: u64 = 0x8000000000000000;
const QUIET_BIT: u64 = 0x4000000000000000;

// The class of a number. Classes from INFINITY on have no finite value.
export const ZERO: u32 = 0;
export const NORMAL: u32 = 1;
/** Includes pseudo-denormals, whose integer bit is set. */
export const DENORMAL: u32 = 2;
export const INFINITY: u32 = 3;
export const QUIET_NAN: u32 = 4;
export const SIGNALING_NAN: u32 = 5;
/** Unnormals, pseudo-infinities, pseudo-NaNs (SDM 1 8.2.2). */
export const UNSUPPORTED: u32 = 6;

export let exponent: u32 = 0;
export let bits: u64 = 0;

/** Sets the result. */
export function give(newExponent: u32, newBits: u64): void {
  exponent = newExponent;
  bits = newBits;
}

export function classOf(e: u32, b: u64): u32 {
  const magnitude = e & MAX_EXPONENT;
  if (magnitude == 0) return b == 0 ? ZERO : DENORMAL;
  if (!(b & INTEGER_BIT)) return UNSUPPORTED;
  if (magnitude != MAX_EXPONENT) return NORMAL;
  if (b == INTEGER_BIT) return INFINITY;
  return b & QUIET_BIT ? QUIET_NAN : SIGNALING_NAN;
}

export function isNan(kind: u32): bool {
  return kind == QUIET_NAN || kind == SIGNALING_NAN;
}

export function giveZero(sign: u32): void {
  give(sign, 0);
}

export function giveInfinity(sign: u32): void {
  give(sign | MAX_EXPONENT, INTEGER_BIT);
}

/** The real indefinite (SDM 1 4.8.3.7). */
export function giveIndefinite(): void {
  give(SIGN | MAX_EXPONENT, INTEGER_BIT | QUIET_BIT);
}

export function invalid(): void {
  raise(IE);
  giveIndefinite();
}

/** A memory operand of 32 or 64 bits was a denormal; in 80 bits it is normal. */
let wasDenormal: bool = false;

export function noteDenormal(yes: bool): void {
  wasDenormal = yes;
}

/** Raises DE for an operation on numbers of these kinds. */
export function denormals(a: u32, b: u32): void {
  if (a == DENORMAL || b == DENORMAL || wasDenormal) raise(DE);
}

/** Handles one operand without a finite value: true if it was one, and the result is set. */
export function unary(kind: u32, e: u32, b: u64): bool {
  if (kind == UNSUPPORTED) invalid();
  else if (kind == SIGNALING_NAN) {
    raise(IE);
    give(e, b | QUIET_BIT);
  } else if (kind == QUIET_NAN) give(e, b);
  else return false;
  return true;
}

/** The same for two operands: SDM 1 table 4-7 defines which NaN is the result. */
export function binary(aKind: u32, aExponent: u32, aBits: u64, bKind: u32, bExponent: u32, bBits: u64): bool {
  if (aKind < QUIET_NAN && bKind < QUIET_NAN) return false;
  if (aKind == UNSUPPORTED || bKind == UNSUPPORTED) {
    invalid();
    return true;
  }
  if (aKind == SIGNALING_NAN || bKind == SIGNALING_NAN) raise(IE);
  let first = !isNan(bKind);
  if (isNan(aKind) && isNan(bKind)) {
    if (aKind != bKind) first = aKind == QUIET_NAN;
    // Of two of the same kind, the one with the larger significand; of equal ones the positive.
    else if (aBits != bBits) first = aBits > bBits;
    else first = aExponent < bExponent;
  }
  give(first ? aExponent : bExponent, (first ? aBits : bBits) | QUIET_BIT);
  return true;
}
