// Logarithms and powers of two (SDM 1 8.3.11).
import { normalBits, normalExponent } from './arithmetic';
import { BIAS, INTEGER_BIT, SIGN } from './numbers';
import {
  factorialSeries,
  fixedHigh,
  fixedLow,
  giveInexact,
  giveRounded,
  high,
  low,
  multiplyBits,
  oddSeries,
  quotient,
  scale,
  set,
  times,
  toFixed,
} from './precise';
import { shiftedHigh, shiftedLow, shiftRight } from './round';

const LN2_HIGH: u64 = 0xb17217f7d1cf79ab;
const LN2_LOW: u64 = 0xc9e3b39803f2f6af;
/** A quarter of 2 / ln 2. */
const TWO_LOG2E_HIGH: u64 = 0xb8aa3b295c17f0bb;
const TWO_LOG2E_LOW: u64 = 0xbe87fed0691d3e88;
/** Half of the square root of 2. */
const ROOT: u64 = 0xb504f333f9de6484;

/** The result z, at most 0.172, becomes log2((1 + z) / (1 - z)) = 2 / ln 2 · (z + z³/3 + z⁵/5 …). */
function logarithmOfRatio(): void {
  const h = high;
  const l = low;
  const s = scale;
  toFixed(h, l, s);
  multiplyBits(fixedHigh, fixedLow, fixedHigh, fixedLow);
  oddSeries(high, low, 24, false);
  times(h, l, s);
  times(TWO_LOG2E_HIGH, TWO_LOG2E_LOW, 2);
}

/** Times y, rounded; the logarithm's sign is `negative`. */
function timesY(negative: bool, ye: u32, yb: u64, exact: bool): void {
  times(normalBits(yb), 0, normalExponent(ye, yb) - BIAS + 1);
  const sign = negative ? (ye & SIGN) ^ SIGN : ye & SIGN;
  if (exact) giveInexact(sign, scale - 1 + BIAS, high, low);
  else giveRounded(sign);
}

/** y · log2(h:l / 2^127 · 2^exponent), the number not 1. */
function scaledLogarithm(h: u64, l: u64, exponent: i32, ye: u32, yb: u64): void {
  // The significand from the root of a half to the root of 2, so that its logarithm is small.
  const below = h > ROOT;
  const isPower = h == INTEGER_BIT && l == 0;
  if (below) exponent++;
  const wholeNegative = exponent < 0;
  const whole = <u64>abs<i32>(exponent);
  if (isPower) {
    set(whole, 0, 64);
    return timesY(wholeNegative, ye, yb, true);
  }
  const divisorHigh = INTEGER_BIT | (below ? h >> 1 : (h << 1) >> 2);
  const divisorLow = (h << 63) | (l >> 1);
  // 1 - m or m - 1, and 1 + m, in units of a half of m's last bit or of that bit.
  if (below) set(~h + <u64>(l == 0), 0 - l, 0);
  else set(h - INTEGER_BIT, l, 0);
  quotient(high, low, scale, divisorHigh, divisorLow, 1);
  logarithmOfRatio();
  if (whole == 0) return timesY(below, ye, yb, false);
  // Sixteen bits before the point.
  toFixed(high, low, scale - 16);
  if (below == wholeNegative) set((whole << 48) + fixedHigh, fixedLow, 16);
  else set((whole << 48) - fixedHigh - <u64>(fixedLow != 0), 0 - fixedLow, 16);
  timesY(wholeNegative, ye, yb, false);
}

/** y · log2(x), x positive and not 1. */
export function logarithm(xe: u32, xb: u64, ye: u32, yb: u64): void {
  scaledLogarithm(normalBits(xb), 0, normalExponent(xe, xb) - BIAS, ye, yb);
}

/** y · log2(1 + x), x more than -1 and not 0. */
export function logarithmOfOneMore(xe: u32, xb: u64, ye: u32, yb: u64): void {
  const negative = (xe & SIGN) != 0;
  const x = normalBits(xb);
  const exponent = normalExponent(xe, xb) - BIAS;
  if (exponent >= -2) return farFromOne(negative, x, exponent, ye, yb);
  // x / (2 + x), 2 with two bits before the point.
  shiftRight(x, 0, <u64>(1 - exponent));
  if (negative) set(INTEGER_BIT - shiftedHigh - <u64>(shiftedLow != 0), 0 - shiftedLow, 2);
  else set(INTEGER_BIT + shiftedHigh, shiftedLow, 2);
  quotient(x, 0, exponent + 1, high, low, scale);
  logarithmOfRatio();
  timesY(negative, ye, yb, false);
}

/** The same where 1 + x fits in as many bits as x. */
function farFromOne(negative: bool, x: u64, exponent: i32, ye: u32, yb: u64): void {
  if (exponent < 0) {
    shiftRight(x, 0, <u64>-exponent);
    if (negative) set(INTEGER_BIT - shiftedHigh - <u64>(shiftedLow != 0), 0 - shiftedLow, 1);
    else set(INTEGER_BIT + shiftedHigh, shiftedLow, 1);
  } else {
    shiftRight(INTEGER_BIT, 0, <u64>exponent);
    const sum = x + shiftedHigh;
    const carried = sum < x;
    if (carried) set(INTEGER_BIT | (sum >> 1), (sum << 63) | (shiftedLow >> 1), exponent + 2);
    else set(sum, shiftedLow, exponent + 1);
  }
  scaledLogarithm(high, low, scale - 1, ye, yb);
}

/** 2^x - 1, |x| less than 1 and not 0. */
export function powerLessOne(e: u32, b: u64): void {
  const sign = e & SIGN;
  const exponent = normalExponent(e, b) - BIAS;
  set(normalBits(b), 0, exponent + 1);
  times(LN2_HIGH, LN2_LOW, 0);
  const h = high;
  const l = low;
  const s = scale;
  toFixed(h, l, s);
  factorialSeries(fixedHigh, fixedLow, 33, 1, sign != 0);
  times(h, l, s);
  giveRounded(sign);
}
