// Conversions between 80-bit numbers and memory formats: shorter numbers, integers, decimal digits (SDM 1 4.2, 4.7, 8.4.1).
import { bit, shiftLeft } from '../core/bits';
import { normalBits, normalExponent } from './arithmetic';
import {
  BIAS,
  classOf,
  DENORMAL,
  give,
  INFINITY,
  INTEGER_BIT,
  isNan,
  MAX_EXPONENT,
  noteDenormal,
  SIGN,
  UNSUPPORTED,
  ZERO,
} from './numbers';
import { C1, CHOP, controlWord, DE, DOWN, IE, OE, PE, raise, roundingMode, UE, UP } from './registers';
import { goesUp, inexact, roundBits, rounded, shiftedHigh, shiftedLow, shiftRight, wentUp } from './round';

/** A 32- or 64-bit number with `fraction` fraction bits, as 80 bits. Raises nothing yet. */
function widen(value: u64, fraction: u64, exponentBits: u64): void {
  const sign = (<u32>(value >> (fraction + exponentBits))) << 15;
  const most = ((<u32>1) << (<u32>exponentBits)) - 1;
  const e = <u32>(value >> fraction) & most;
  const bits = (value & (((<u64>1) << fraction) - 1)) << (63 - fraction);
  noteDenormal(e == 0 && bits != 0);
  if (e == most) give(sign | MAX_EXPONENT, INTEGER_BIT | bits);
  else if (e != 0) give(sign | (e + <u32>BIAS - (most >> 1)), INTEGER_BIT | bits);
  else if (bits == 0) give(sign, 0);
  else {
    const zeros = clz<u64>(bits);
    give(sign | (1 + <u32>BIAS - (most >> 1) - <u32>zeros), bits << zeros);
  }
}

export function widenSingle(value: u32): void {
  widen(<u64>value, 23, 8);
}

export function widenDouble(value: u64): void {
  widen(value, 52, 11);
}

export function widenInteger(value: i64): void {
  noteDenormal(false);
  if (value == 0) return give(0, 0);
  const magnitude = <u64>(value < 0 ? -value : value);
  const zeros = clz<u64>(magnitude);
  give((value < 0 ? SIGN : 0) | (<u32>BIAS + 63 - <u32>zeros), magnitude << zeros);
}

/** The short form of a finite number or infinity: `keep` bits, lowest normal exponent 1, exponent `most` for infinity. */
function roundShort(sign: u64, exponent: i32, bits: u64, keep: u32, most: i32): u64 {
  const fraction = <u64>keep - 1;
  const infinity = (<u64>most) << fraction;
  const negative: u32 = sign != 0 ? SIGN : 0;
  roundBits(negative, bits, 0, keep);
  const tiny = exponent < 0 || (exponent == 0 && !(wentUp && rounded == INTEGER_BIT));
  if (exponent <= 0) {
    if (tiny && !(controlWord() & UE)) {
      raise(UE);
      return 0;
    }
    shiftRight(bits, 0, <u64>(1 - exponent));
    roundBits(negative, shiftedHigh, shiftedLow, keep);
    if (inexact) raise((tiny ? UE : 0) | PE | (wentUp ? C1 : 0));
    // If rounding carried into the integer bit, that is the exponent's lowest bit.
    return rounded >> (64 - keep);
  }
  if (wentUp && rounded == INTEGER_BIT) exponent++;
  if (exponent >= most) {
    raise(OE);
    if (!(controlWord() & OE)) return 0;
    const mode = roundingMode();
    const finite = mode == CHOP || (mode == DOWN && sign == 0) || (mode == UP && sign != 0);
    raise(finite ? PE : PE | C1);
    return finite ? infinity - 1 : infinity;
  }
  if (inexact) raise(PE | (wentUp ? C1 : 0));
  return ((<u64>exponent) << fraction) | ((rounded & ~INTEGER_BIT) >> (64 - keep));
}

/** Rounds a number to `keep` bits and an exponent with bias `bias`. */
function narrow(e: u32, b: u64, keep: u32, bias: i32): u64 {
  const sign = (<u64>(e >> 15)) << (keep == 24 ? 31 : 63);
  const most = 2 * bias + 1;
  const infinity = shiftLeft(<u64>most, <u64>(keep - 1));
  const kind = classOf(e, b);
  if (kind == ZERO) return sign;
  if (kind == INFINITY) return sign | infinity;
  if (kind == UNSUPPORTED) {
    raise(IE);
    return bit(keep == 24 ? 31 : 63) | infinity | bit(<u64>(keep - 2));
  }
  if (isNan(kind)) {
    if (!(b & 0x4000000000000000)) raise(IE);
    return sign | infinity | bit(<u64>(keep - 2)) | ((b & ~INTEGER_BIT) >> <u64>(64 - keep));
  }
  return sign | roundShort(sign, normalExponent(e, b) - BIAS + bias, normalBits(b), keep, most);
}

export function narrowSingle(e: u32, b: u64): u32 {
  return <u32>narrow(e, b, 24, 127);
}

export function narrowDouble(e: u32, b: u64): u64 {
  return narrow(e, b, 53, 1023);
}

/** The integer that a finite number is rounded to; `tooLarge` where its magnitude does not fit into 64 bits. */
export let tooLarge: bool = false;

export function magnitudeOf(e: u32, b: u64, chop: bool): u64 {
  const shift = BIAS + 63 - <i32>(e & MAX_EXPONENT);
  tooLarge = shift < 0;
  if (tooLarge) return 0;
  shiftRight(b, 0, <u64>shift);
  cutOff = shiftedLow != 0;
  cutUp = !chop && goesUp(e & SIGN, shiftedLow, (shiftedHigh & 1) != 0);
  const result = shiftedHigh + <u64>cutUp;
  if (cutUp && result == 0) tooLarge = true;
  return result;
}
let cutOff: bool = false;
let cutUp: bool = false;

/** The inexact exception of `magnitudeOf` is raised once it is known that the result can be stored. */
export function raiseCut(): void {
  if (cutOff) raise(cutUp ? PE | C1 : PE);
}

/** An integer of `size` bits; the lowest one, the integer indefinite, where the number does not fit. */
export function toInteger(e: u32, b: u64, size: u32, chop: bool): i64 {
  const lowest = bit(<u64>(size - 1));
  const kind = classOf(e, b);
  if (kind < INFINITY) {
    const magnitude = magnitudeOf(e, b, chop);
    const negative = (e & SIGN) != 0;
    if (!tooLarge && magnitude <= (negative ? lowest : lowest - 1)) {
      raiseCut();
      return negative ? -(<i64>magnitude) : <i64>magnitude;
    }
  }
  raise(IE);
  return -(<i64>lowest);
}

/** FRNDINT. */
export function toIntegral(e: u32, b: u64): void {
  const kind = classOf(e, b);
  if (kind == DENORMAL) raise(DE);
  // Every number from 2^63 on is an integer.
  if (kind == ZERO || (e & MAX_EXPONENT) >= <u32>BIAS + 63) return give(e, b);
  const magnitude = magnitudeOf(e, b, false);
  raiseCut();
  if (magnitude == 0) return give(e & SIGN, 0);
  const zeros = clz<u64>(magnitude);
  give((e & SIGN) | (<u32>BIAS + 63 - <u32>zeros), magnitude << zeros);
}

const DECIMAL_END: u64 = 1000000000000000000;

export let decimalLow: u64 = 0;
export let decimalHigh: u32 = 0;

/** Eighteen digits and a sign, 80 bits in `decimalHigh` and `decimalLow` (SDM 2A FBSTP). */
export function toDecimal(e: u32, b: u64): void {
  if (classOf(e, b) < INFINITY) {
    let magnitude = magnitudeOf(e, b, false);
    if (!tooLarge && magnitude < DECIMAL_END) {
      raiseCut();
      decimalHigh = e & SIGN;
      decimalLow = 0;
      for (let at: u64 = 0; at < 72; at += 4) {
        const digit = magnitude % 10;
        magnitude /= 10;
        if (at < 64) decimalLow |= digit << at;
        else decimalHigh |= <u32>shiftLeft(digit, at - 64);
      }
      return;
    }
  }
  raise(IE);
  decimalHigh = 0xffff;
  decimalLow = 0xc000000000000000;
}

export function fromDecimal(high: u32, low: u64): void {
  let value: u64 = 0;
  for (let at: i32 = 4; at >= 0; at -= 4) value = value * 10 + <u64>((high >> <u32>at) & 15);
  for (let at: i32 = 60; at >= 0; at -= 4) value = value * 10 + ((low >> <u64>at) & 15);
  if (value == 0) return give(high & SIGN, 0);
  const zeros = clz<u64>(value);
  give((high & SIGN) | (<u32>BIAS + 63 - <u32>zeros), value << zeros);
}
