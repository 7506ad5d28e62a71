// Partial remainders, scaling, and a number's two parts (SDM 2A FPREM, FPREM1, FSCALE, FXTRACT).
import { divWide, remainder as rest } from '../integer/wide';
import { normalBits, normalExponent } from './arithmetic';
import { magnitudeOf, tooLarge } from './convert';
import {
  BIAS,
  binary,
  bits,
  classOf,
  denormals,
  exponent,
  give,
  giveInfinity,
  giveZero,
  INFINITY,
  INTEGER_BIT,
  invalid,
  MAX_EXPONENT,
  NORMAL,
  SIGN,
  unary,
  ZERO,
} from './numbers';
import { C0, C1, C2, C3, raise, ZE } from './registers';
import { roundTo } from './round';

/** C0, C1, C2 and C3 after the last remainder: the quotient's low bits, and C2 while the reduction is incomplete. */
export let conditions: u32 = 0;
/** False where there is no quotient: C0 and C3 do not change then. */
export let hasQuotient: bool = false;

function setQuotient(low: u64): void {
  const quotient = <u32>low;
  conditions = (quotient & 4 ? C0 : 0) | (quotient & 2 ? C3 : 0) | (quotient & 1 ? C1 : 0);
}

function giveRest(sign: u32, scale: i32, value: u64): void {
  if (value == 0) giveZero(sign);
  else roundTo(sign, scale - <i32>clz<u64>(value), normalBits(value), 0, 64);
}

/** ST(0) minus a multiple of ST(1); the quotient is truncated, or with `nearest` rounded to the nearest integer. */
export function partialRemainder(ae: u32, ab: u64, be: u32, bb: u64, nearest: bool): void {
  conditions = 0;
  hasQuotient = false;
  const a = classOf(ae, ab);
  const b = classOf(be, bb);
  if (binary(a, ae, ab, b, be, bb)) return;
  if (a == INFINITY || b == ZERO) return invalid();
  denormals(a, b);
  hasQuotient = true;
  const sign = ae & SIGN;
  if (a == ZERO) return giveZero(sign);
  const x = normalBits(ab);
  const scale = normalExponent(ae, ab);
  const y = normalBits(bb);
  const divisorScale = normalExponent(be, bb);
  const difference = b == INFINITY ? -2 : scale - divisorScale;
  if (difference >= 64) {
    // At most 63 bits of the quotient at once, as on processors, so that partial remainders are equal.
    const step = (difference & 31) | 32;
    divWide(x >> <u64>(64 - step), x << (<u64>step), y);
    giveRest(sign, scale - step, rest);
    conditions = C2;
    return;
  }
  if (difference < 0) {
    // Less than the divisor, but more than half of it?
    if (nearest && difference == -1 && x > y) {
      giveRest(sign ^ SIGN, scale, y - (x - y));
      setQuotient(1);
    } else roundTo(sign, scale, x, 0, 64);
    return;
  }
  const above: u64 = (x >> 1) >> <u64>(63 - difference);
  const quotient = divWide(above, x << (<u64>difference), y);
  const left = rest;
  if (nearest && (left > y - left || (left == y - left && quotient & 1))) {
    giveRest(sign ^ SIGN, divisorScale, y - left);
    setQuotient(quotient + 1);
  } else {
    giveRest(sign, divisorScale, left);
    setQuotient(quotient);
  }
}

/** a · 2^b, with b truncated to an integer. */
export function scale(ae: u32, ab: u64, be: u32, bb: u64): void {
  const a = classOf(ae, ab);
  const b = classOf(be, bb);
  if (binary(a, ae, ab, b, be, bb)) return;
  const sign = ae & SIGN;
  if (b == INFINITY && a == (be & SIGN ? INFINITY : ZERO)) return invalid();
  denormals(a, b);
  if (b == INFINITY) return be & SIGN ? giveZero(sign) : giveInfinity(sign);
  if (a == ZERO || a == INFINITY) return give(ae, ab);
  // A number beyond the whole range of exponents has the same effect.
  let by = <i32>min<u64>(magnitudeOf(be, bb, true), 0x20000);
  if (tooLarge) by = 0x20000;
  roundTo(sign, normalExponent(ae, ab) + (be & SIGN ? -by : by), normalBits(ab), 0, 64);
}

export let partExponent: u32 = 0;
export let partBits: u64 = 0;

/** The exponent as a number, in partExponent and partBits, and the significand. */
export function extract(e: u32, b: u64): void {
  const kind = classOf(e, b);
  if (unary(kind, e, b)) setPart(exponent, bits);
  else if (kind == INFINITY) {
    setPart(MAX_EXPONENT, INTEGER_BIT);
    give(e, b);
  } else if (kind == ZERO) {
    raise(ZE);
    setPart(SIGN | MAX_EXPONENT, INTEGER_BIT);
    give(e, b);
  } else {
    denormals(kind, NORMAL);
    const value = normalExponent(e, b) - BIAS;
    const magnitude = <u64>abs<i32>(value);
    const zeros = <u32>clz<u64>(magnitude);
    if (value == 0) setPart(0, 0);
    else setPart((value < 0 ? SIGN : 0) | (<u32>BIAS + 63 - zeros), magnitude << (<u64>zeros));
    give((e & SIGN) | <u32>BIAS, normalBits(b));
  }
}

function setPart(e: u32, b: u64): void {
  partExponent = e;
  partBits = b;
}
