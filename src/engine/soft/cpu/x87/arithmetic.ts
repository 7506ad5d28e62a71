// Addition, subtraction, multiplication, division, square root (SDM 2A FADD, FDIV, FMUL, FSQRT, FSUB).
import { divWide, mulHigh, remainder } from '../integer/wide';
import {
  BIAS,
  binary,
  classOf,
  denormals,
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
import { DOWN, raise, roundingMode, ZE } from './registers';
import { round, shiftedHigh, shiftedLow, shiftRight } from './round';

/** The exponent of a denormal is that of the smallest normal number. */
export function scaleOf(e: u32): i32 {
  return max<i32>(1, <i32>(e & MAX_EXPONENT));
}

/** The exponent without a lower bound. */
export function normalExponent(e: u32, b: u64): i32 {
  return scaleOf(e) - <i32>clz<u64>(b);
}

export function normalBits(b: u64): u64 {
  return b << clz<u64>(b);
}

/** The sign of a sum of zero (SDM 1 4.8.3.1). */
function zeroSign(): u32 {
  return roundingMode() == DOWN ? SIGN : 0;
}

function addMagnitudes(sign: u32, aScale: i32, aBits: u64, bScale: i32, bBits: u64): void {
  if (aScale < bScale) return addMagnitudes(sign, bScale, bBits, aScale, aBits);
  shiftRight(bBits, 0, <u64>(aScale - bScale));
  const sum = aBits + shiftedHigh;
  const low = shiftedLow;
  if (sum < aBits) {
    round(sign, aScale + 1, INTEGER_BIT | (sum >> 1), (sum << 63) | (low >> 1) | (low & 1));
    return;
  }
  // Two denormals: nothing was shifted.
  const zeros = clz<u64>(sum);
  round(sign, aScale - <i32>zeros, sum << zeros, low);
}

function subtractMagnitudes(sign: u32, aScale: i32, aBits: u64, bScale: i32, bBits: u64): void {
  if (aScale < bScale || (aScale == bScale && aBits < bBits))
    return subtractMagnitudes(sign ^ SIGN, bScale, bBits, aScale, aBits);
  shiftRight(bBits, 0, <u64>(aScale - bScale));
  const low = 0 - shiftedLow;
  const high = aBits - shiftedHigh - (shiftedLow != 0 ? 1 : 0);
  if ((high | low) == 0) return giveZero(zeroSign());
  if (high == 0) {
    const zeros = clz<u64>(low);
    round(sign, aScale - 64 - <i32>zeros, low << zeros, 0);
    return;
  }
  const zeros = clz<u64>(high);
  round(sign, aScale - <i32>zeros, zeros ? (high << zeros) | (low >> (64 - zeros)) : high, low << zeros);
}

/** a + b, or a + (-b) with `flip`. */
function sum(ae: u32, ab: u64, be: u32, bb: u64, flip: u32): void {
  const a = classOf(ae, ab);
  const b = classOf(be, bb);
  if (binary(a, ae, ab, b, be, bb)) return;
  const aSign = ae & SIGN;
  const bSign = (be & SIGN) ^ flip;
  if (a == INFINITY && b == INFINITY && aSign != bSign) return invalid();
  denormals(a, b);
  if (a == INFINITY) return giveInfinity(aSign);
  if (b == INFINITY) return giveInfinity(bSign);
  if (a == ZERO && b == ZERO) return giveZero(aSign == bSign ? aSign : zeroSign());
  if (aSign == bSign) addMagnitudes(aSign, scaleOf(ae), ab, scaleOf(be), bb);
  else subtractMagnitudes(aSign, scaleOf(ae), ab, scaleOf(be), bb);
}

export function add(ae: u32, ab: u64, be: u32, bb: u64): void {
  sum(ae, ab, be, bb, 0);
}

export function subtract(ae: u32, ab: u64, be: u32, bb: u64): void {
  sum(ae, ab, be, bb, SIGN);
}

export function multiply(ae: u32, ab: u64, be: u32, bb: u64): void {
  const a = classOf(ae, ab);
  const b = classOf(be, bb);
  if (binary(a, ae, ab, b, be, bb)) return;
  const sign = (ae ^ be) & SIGN;
  if ((a == INFINITY && b == ZERO) || (a == ZERO && b == INFINITY)) return invalid();
  denormals(a, b);
  if (a == INFINITY || b == INFINITY) return giveInfinity(sign);
  if (a == ZERO || b == ZERO) return giveZero(sign);
  const x = normalBits(ab);
  const y = normalBits(bb);
  const high = mulHigh(x, y);
  const low = x * y;
  const scale = normalExponent(ae, ab) + normalExponent(be, bb) - BIAS;
  if (high & INTEGER_BIT) round(sign, scale + 1, high, low);
  else round(sign, scale, (high << 1) | (low >> 63), low << 1);
}

export function divide(ae: u32, ab: u64, be: u32, bb: u64): void {
  const a = classOf(ae, ab);
  const b = classOf(be, bb);
  if (binary(a, ae, ab, b, be, bb)) return;
  const sign = (ae ^ be) & SIGN;
  if (a == b && (a == INFINITY || a == ZERO)) return invalid();
  if (b == ZERO) {
    if (a != INFINITY) raise(ZE);
    return giveInfinity(sign);
  }
  denormals(a, b);
  if (a == INFINITY) return giveInfinity(sign);
  if (a == ZERO || b == INFINITY) return giveZero(sign);
  const x = normalBits(ab);
  const y = normalBits(bb);
  const less = x < y;
  const quotient = less ? divWide(x, 0, y) : divWide(x >> 1, x << 63, y);
  // For rounding, only the remainder's relation to half of the divisor matters.
  const rest = remainder;
  const half = rest > y - rest ? INTEGER_BIT + 1 : rest == y - rest ? INTEGER_BIT : rest != 0 ? 1 : 0;
  const scale = normalExponent(ae, ab) - normalExponent(be, bb) + BIAS;
  round(sign, less ? scale - 1 : scale, quotient, half);
}

/**
 * The root of high:low, at least 2^126, rounded down; `rootRest` is the remainder above its square, as far as rounding needs
 * it.
 */
function rootOf(high: u64, low: u64): u64 {
  // An estimate from below: WebAssembly's 53-bit root, minus more than its error.
  let root = <u64>(sqrt<f64>(<f64>high) * 4294967296 - 8192);
  let square = mulHigh(root, root);
  const restLow = low - root * root;
  const restHigh = high - square - (low < root * root ? 1 : 0);
  // One Newton step, at most one too large.
  root += divWide(restHigh >> 1, (restHigh << 63) | (restLow >> 1), root);
  square = mulHigh(root, root);
  if (root == 0 || square > high || (square == high && root * root > low)) root--;
  const rest = low - root * root;
  const above = high - mulHigh(root, root) - (low < root * root ? 1 : 0);
  rootRest = above != 0 || rest > root ? INTEGER_BIT + 1 : rest != 0 ? 1 : 0;
  return root;
}
let rootRest: u64 = 0;

export function squareRoot(e: u32, b: u64): void {
  const kind = classOf(e, b);
  if (unary(kind, e, b)) return;
  if (kind == ZERO) return giveZero(e & SIGN);
  if (e & SIGN) return invalid();
  if (kind == INFINITY) return giveInfinity(0);
  denormals(kind, NORMAL);
  const x = normalBits(b);
  const scale = normalExponent(e, b) - BIAS;
  const root = scale & 1 ? rootOf(x, 0) : rootOf(x >> 1, x << 63);
  round(0, (scale >> 1) + BIAS, root, rootRest);
}
