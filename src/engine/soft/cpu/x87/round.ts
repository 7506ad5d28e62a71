// Rounding (SDM 1 4.8.4, 8.1.5) and its exceptions: overflow, underflow, precision (SDM 1 8.5.4 to 8.5.6).
import { bit } from '../core/bits';
import { give, giveInfinity, giveZero, INTEGER_BIT, SIGN } from './numbers';
import { C1, CHOP, controlWord, DOWN, NEAREST, OE, PE, raise, roundingMode, UE, UP } from './registers';

/** The adjustment of the exponent where overflow or underflow is not masked (SDM 1 8.5.4). */
const WRAP: i32 = 24576;
const LAST_EXPONENT: i32 = 0x7ffe;

/** The width of the significand by the precision control (SDM 1 table 8-2). */
export function precision(): u32 {
  const field = (controlWord() >> 8) & 3;
  return field == 0 ? 24 : field == 2 ? 53 : 64;
}

/** The significand from `roundBits`. */
export let rounded: u64 = 0;
/** Rounding reached 2^64: `rounded` is 2^63, and the exponent is one more. */
export let carried: bool = false;
export let inexact: bool = false;
/** The number was rounded away from zero. */
export let wentUp: bool = false;

/** True if a number is rounded away from zero: `part` has the bits that are cut off, `odd` the lowest bit that stays. */
export function goesUp(sign: u32, part: u64, odd: bool): bool {
  const mode = roundingMode();
  if (mode == NEAREST) return part > INTEGER_BIT || (part == INTEGER_BIT && odd);
  if (mode == CHOP) return false;
  return part != 0 && (sign != 0) == (mode == DOWN);
}

/** Rounds high:low to the upper `keep` bits of `high`. */
export function roundBits(sign: u32, high: u64, low: u64, keep: u32): void {
  let part = low;
  let unit: u64 = 1;
  if (keep < 64) {
    const cut = <u64>(64 - keep);
    unit = (<u64>1) << cut;
    part = (high << (<u64>keep)) | (low != 0 ? 1 : 0);
    high &= ~(unit - 1);
  }
  inexact = part != 0;
  wentUp = goesUp(sign, part, (high & unit) != 0);
  rounded = wentUp ? high + unit : high;
  carried = wentUp && rounded < high;
  if (carried) rounded = INTEGER_BIT;
}

export let shiftedHigh: u64 = 0;
export let shiftedLow: u64 = 0;

/** Shifts high:low to the right; bits that are shifted out set the last bit. */
export function shiftRight(high: u64, low: u64, by: u64): void {
  if (by == 0) {
    shiftedHigh = high;
    shiftedLow = low;
  } else if (by < 64) {
    const lost = low << (64 - by) != 0;
    shiftedHigh = high >> by;
    shiftedLow = (high << (64 - by)) | (low >> by) | (lost ? 1 : 0);
  } else if (by < 128) {
    const lost = low != 0 || (by > 64 && high << (128 - by) != 0);
    shiftedHigh = 0;
    shiftedLow = (high >> (by - 64)) | (lost ? 1 : 0);
  } else {
    shiftedHigh = 0;
    shiftedLow = (high | low) != 0 ? 1 : 0;
  }
}

function raiseInexact(): void {
  if (inexact) raise(wentUp ? PE | C1 : PE);
}

function overflow(sign: u32, exponent: i32, keep: u32): void {
  raise(OE);
  if (!(controlWord() & OE)) {
    // Only FSCALE can exceed the range so far that this is not enough.
    if (exponent - WRAP > LAST_EXPONENT) {
      raise(PE | C1);
      return giveInfinity(sign);
    }
    raiseInexact();
    give(sign | (<u32>(exponent - WRAP) & 0x7fff), rounded);
    return;
  }
  const mode = roundingMode();
  const finite = mode == CHOP || (mode == DOWN && sign == 0) || (mode == UP && sign != 0);
  raise(finite ? PE : PE | C1);
  if (finite) give(sign | <u32>LAST_EXPONENT, ~(bit(<u64>(64 - keep)) - 1));
  else giveInfinity(sign);
}

function underflow(sign: u32, exponent: i32, high: u64, low: u64, keep: u32, tiny: bool): void {
  if (tiny && !(controlWord() & UE)) {
    raise(UE);
    if (exponent + WRAP <= 0) {
      raise(PE);
      return giveZero(sign);
    }
    roundBits(sign, high, low, keep);
    raiseInexact();
    give(sign | (<u32>(exponent + <i32>carried + WRAP) & 0x7fff), rounded);
    return;
  }
  shiftRight(high, low, <u64>(1 - exponent));
  roundBits(sign, shiftedHigh, shiftedLow, keep);
  if (inexact && tiny) raise(UE);
  raiseInexact();
  give(sign | <u32>(rounded >> 63), rounded);
}

/**
 * Gives high:low / 2^127 · 2^(exponent - bias), rounded to `keep` bits. The top bit of `high` is set; the exponent may be out
 * of range.
 */
export function roundTo(sign: u32, exponent: i32, high: u64, low: u64, keep: u32): void {
  sign &= SIGN;
  roundBits(sign, high, low, keep);
  // A number is tiny by its value after rounding with an unbounded exponent (SDM 1 4.9.1.5).
  if (exponent <= 0) return underflow(sign, exponent, high, low, keep, exponent < 0 || !carried);
  if (carried) exponent++;
  if (exponent > LAST_EXPONENT) return overflow(sign, exponent, keep);
  raiseInexact();
  give(sign | <u32>exponent, rounded);
}

/** The same with the control word's precision. */
export function round(sign: u32, exponent: i32, high: u64, low: u64): void {
  roundTo(sign, exponent, high, low, precision());
}
