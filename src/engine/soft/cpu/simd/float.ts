// Floating-point numbers of 32 and 64 bits as SSE computes them (SDM 1 4.8, 4.9, 11.5; IEEE 754): any rounding, the
// exceptions, denormals as zero, results flushed to zero. Numbers are passed as their bits, so that no NaN changes on the way.
//
// Without special cases WebAssembly computes the same: quick.ts. Everything else is computed with integers.
import { CR4, MXCSR } from '../../layout';
import { fault, UD, XM } from '../core/faults';
import { divWide, mulHigh, remainder } from '../integer/wide';
import {
  bias,
  exponentOf,
  fractionBits,
  fractionOf,
  indefinite,
  infinity,
  isDenormal,
  isInfinite,
  isNaN,
  isSignaling,
  isZero,
  magnitude,
  maxExponent,
  quietBit,
  scale,
  shiftJam,
  signBit,
  significand,
} from './format';
import { ADD, calculate, DIVIDE, MULTIPLY, ROOT, SPECIAL, SUBTRACT } from './quick';

const IE: u32 = 1;
const DE: u32 = 2;
const ZE: u32 = 4;
const OE: u32 = 8;
const UE: u32 = 0x10;
const PE: u32 = 0x20;
const DAZ: u32 = 0x40;
const MASKS: u32 = 7;
const FTZ: u32 = 0x8000;
const CR4_OSXMMEXCPT: u32 = 0x400;

const NEAREST: u32 = 0;
const DOWN: u32 = 1;
const UP: u32 = 2;
const CHOP: u32 = 3;

/** Exceptions of the current instruction. */
let raised: u32 = 0;
/** MXCSR of the current instruction, and its rounding. */
let control: u32 = 0;
let rounding: u32 = 0;
/** Only the result is used. */

/** Call it before the first calculation of an instruction. */
export function begin(): void {
  raised = 0;
  control = load<u32>(MXCSR);
  rounding = (control >> 13) & 3;
}

/** The rounding of a single instruction, as in ROUNDPS; the inexact exception may be suppressed. */
export function beginRounding(imm: u32): void {
  begin();
  if (!(imm & 4)) rounding = imm & 3;
}

/** Call it after the last calculation: sets the exception flags, and faults where one is not masked. */
export function settle(): void {
  if (raised == 0) return;
  const before = raised & (IE | DE | ZE);
  // Pre-computation exceptions prevent the calculation (SDM 1 11.5.2).
  if (before & ~(control >> MASKS)) raised = before;
  store<u32>(MXCSR, load<u32>(MXCSR) | raised);
  if (raised & ~(control >> MASKS)) fault(load<u32>(CR4) & CR4_OSXMMEXCPT ? XM : UD);
}

/** With MXCSR.DAZ a denormal operand is a zero. */
export function operand<F>(a: u64): u64 {
  return control & DAZ && isDenormal<F>(a) ? a & signBit<F>() : a;
}

function noteDenormals<F>(a: u64, b: u64): void {
  if (isDenormal<F>(a) || isDenormal<F>(b)) raised |= DE;
}

/** The result for NaN operands: the first NaN, made quiet (SDM 1 table 4-7). */
function nanOf<F>(a: u64, b: u64): u64 {
  if (isSignaling<F>(a) || isSignaling<F>(b)) raised |= IE;
  return (isNaN<F>(a) ? a : b) | quietBit<F>();
}

function invalid<F>(): u64 {
  raised |= IE;
  return indefinite<F>();
}

/** `bits` without its lowest `cut` bits, rounded. `lost` tells whether those were not zero. */
let lost: u64 = 0;
function rounded(negative: bool, bits: u64, cut: u64): u64 {
  lost = bits & (((<u64>1) << cut) - 1);
  const kept = bits >> cut;
  const half = (<u64>1) << (cut - 1);
  if (lost == 0) return kept;
  if (rounding == NEAREST) return lost > half || (lost == half && (kept & 1) != 0) ? kept + 1 : kept;
  return rounding == (negative ? DOWN : UP) ? kept + 1 : kept;
}

/** Packs a number: sign, exponent, and a 64-bit significand whose top bit is set and whose lowest bit is sticky. */
export function round<F>(negative: bool, exponent: i32, bits: u64): u64 {
  const sign = negative ? signBit<F>() : 0;
  const cut: u64 = 63 - fractionBits<F>();
  let kept = rounded(negative, bits, cut);
  const carried = kept >> (fractionBits<F>() + 1) != 0;
  const inexact = lost != 0;
  if (exponent + <i32>carried <= 0) return tiny<F>(negative, exponent, bits, inexact);
  if (carried) {
    kept >>= 1;
    exponent++;
  }
  if (exponent >= maxExponent<F>()) return tooBig<F>(negative, inexact);
  if (inexact) raised |= PE;
  return sign | (((<u64>exponent) << fractionBits<F>()) + (kept - ((<u64>1) << fractionBits<F>())));
}

/**
 * The result for a tiny number: less than the smallest normal one, even after rounding with an unbounded exponent (SDM 1
 * 4.9.1.5); `inexact` is from that rounding.
 */
function tiny<F>(negative: bool, exponent: i32, bits: u64, inexact: bool): u64 {
  const sign = negative ? signBit<F>() : 0;
  if (!(control & (UE << MASKS))) {
    raised |= UE | (inexact ? PE : 0);
    return sign;
  }
  if (control & FTZ) {
    raised |= UE | PE;
    return sign;
  }
  const kept = rounded(negative, shiftJam(bits, 1 - exponent), 63 - fractionBits<F>());
  if (lost != 0) raised |= UE | PE;
  return sign | kept;
}

function tooBig<F>(negative: bool, inexact: bool): u64 {
  const sign = negative ? signBit<F>() : 0;
  const masked = (control & (OE << MASKS)) != 0;
  raised |= OE | (masked || inexact ? PE : 0);
  const away = rounding == NEAREST || rounding == (negative ? DOWN : UP);
  return sign | (away ? infinity<F>() : infinity<F>() - 1);
}

/** The sign of a sum of zero (SDM 1 4.8.3.1). */
function zeroSum<F>(): u64 {
  return rounding == DOWN ? signBit<F>() : 0;
}

function addSlow<F>(a: u64, b: u64): u64 {
  if (isNaN<F>(a) || isNaN<F>(b)) return nanOf<F>(a, b);
  const subtracts = ((a ^ b) & signBit<F>()) != 0;
  if (isInfinite<F>(a) && isInfinite<F>(b) && subtracts) return invalid<F>();
  noteDenormals<F>(a, b);
  if (isInfinite<F>(a)) return a;
  if (isInfinite<F>(b)) return b;
  if (isZero<F>(a) && isZero<F>(b)) return subtracts ? zeroSum<F>() : a;
  // The larger one first; with room for a carry, and bits below for the shifted-out part.
  const big = magnitude<F>(a) >= magnitude<F>(b) ? a : b;
  const small = big == a ? b : a;
  const negative = (big & signBit<F>()) != 0;
  const exponent = scale<F>(big);
  const x = significand<F>(big) >> 1;
  const y = isZero<F>(small) ? 0 : shiftJam(significand<F>(small) >> 1, exponent - scale<F>(small));
  const sum = subtracts ? x - y : x + y;
  if (sum == 0) return zeroSum<F>();
  const shift = clz<u64>(sum);
  return round<F>(negative, exponent + 1 - <i32>shift, sum << shift);
}

function multiplySlow<F>(a: u64, b: u64): u64 {
  if (isNaN<F>(a) || isNaN<F>(b)) return nanOf<F>(a, b);
  const sign = (a ^ b) & signBit<F>();
  if ((isInfinite<F>(a) && isZero<F>(b)) || (isZero<F>(a) && isInfinite<F>(b))) return invalid<F>();
  noteDenormals<F>(a, b);
  if (isInfinite<F>(a) || isInfinite<F>(b)) return sign | infinity<F>();
  if (isZero<F>(a) || isZero<F>(b)) return sign;
  const x = significand<F>(a);
  const y = significand<F>(b);
  const high = mulHigh(x, y);
  const low: u64 = x * y != 0 ? 1 : 0;
  const exponent = scale<F>(a) + scale<F>(b) - bias<F>();
  if (<i64>high < 0) return round<F>(sign != 0, exponent + 1, high | low);
  return round<F>(sign != 0, exponent, (high << 1) | low);
}

function divideSlow<F>(a: u64, b: u64): u64 {
  if (isNaN<F>(a) || isNaN<F>(b)) return nanOf<F>(a, b);
  const sign = (a ^ b) & signBit<F>();
  if ((isInfinite<F>(a) && isInfinite<F>(b)) || (isZero<F>(a) && isZero<F>(b))) return invalid<F>();
  if (isZero<F>(b) && !isInfinite<F>(a)) {
    raised |= ZE;
    return sign | infinity<F>();
  }
  noteDenormals<F>(a, b);
  if (isInfinite<F>(a)) return sign | infinity<F>();
  if (isInfinite<F>(b) || isZero<F>(a)) return sign;
  const x = significand<F>(a);
  const y = significand<F>(b);
  const exponent = scale<F>(a) - scale<F>(b) + bias<F>();
  const less = x < y;
  const quotient = less ? divWide(x, 0, y) : divWide(x >> 1, x << 63, y);
  const jam: u64 = remainder != 0 ? 1 : 0;
  return round<F>(sign != 0, less ? exponent - 1 : exponent, quotient | jam);
}

/** WebAssembly's root is rounded to nearest; its square tells in which direction. */
function rootSlow<F>(a: u64): u64 {
  if (isNaN<F>(a)) return nanOf<F>(a, a);
  if (isZero<F>(a)) return a;
  if (a & signBit<F>()) return invalid<F>();
  noteDenormals<F>(a, a);
  if (isInfinite<F>(a)) return a;
  const exponent = scale<F>(a) - bias<F>();
  // With an even exponent, and two bits before the binary point if it was odd: at least 2^62 or 2^63.
  const bits = exponent & 1 ? significand<F>(a) : significand<F>(a) >> 1;
  let root = <u64>(sqrt<f64>(<f64>bits) * 2147483648);
  // The root of bits * 2^62 has 62 or 63 bits: one Newton step from an estimate that is off by at most 2^10.
  root = newton(root, bits);
  const high = mulHigh(root, root);
  const low = root * root;
  const jam: u64 = high == bits >> 2 && low == bits << 62 ? 0 : 1;
  const shift = clz<u64>(root);
  return round<F>(false, (exponent >> 1) + bias<F>(), (root << shift) | jam);
}

/** The root of bits * 2^62, rounded down, from an estimate. */
function newton(estimate: u64, bits: u64): u64 {
  const wide = divWide(bits >> 2, bits << 62, estimate);
  let root = (estimate >> 1) + (wide >> 1) + (estimate & wide & 1);
  for (;;) {
    const high = mulHigh(root, root);
    if (high > bits >> 2 || (high == bits >> 2 && root * root > bits << 62)) root--;
    else break;
  }
  return root;
}

export function add<F>(a: u64, b: u64): u64 {
  const result = calculate<F>(ADD, a, b);
  return result != SPECIAL ? result : addSlow<F>(operand<F>(a), operand<F>(b));
}

export function subtract<F>(a: u64, b: u64): u64 {
  const result = calculate<F>(SUBTRACT, a, b);
  if (result != SPECIAL) return result;
  const x = operand<F>(a);
  const y = operand<F>(b);
  return addSlow<F>(x, isNaN<F>(y) ? y : y ^ signBit<F>());
}

export function multiply<F>(a: u64, b: u64): u64 {
  const result = calculate<F>(MULTIPLY, a, b);
  return result != SPECIAL ? result : multiplySlow<F>(operand<F>(a), operand<F>(b));
}

export function divide<F>(a: u64, b: u64): u64 {
  const result = calculate<F>(DIVIDE, a, b);
  return result != SPECIAL ? result : divideSlow<F>(operand<F>(a), operand<F>(b));
}

export function root<F>(a: u64, b: u64): u64 {
  const result = calculate<F>(ROOT, a, b);
  return result != SPECIAL ? result : rootSlow<F>(operand<F>(b));
}

/** -1, 0, 1 for less, equal, greater; 2 where one is a NaN. `quietly`: only signaling NaNs are invalid. */
export function relation<F>(a: u64, b: u64, quietly: bool): i32 {
  const x = operand<F>(a);
  const y = operand<F>(b);
  if (isNaN<F>(x) || isNaN<F>(y)) {
    if (!quietly || isSignaling<F>(x) || isSignaling<F>(y)) raised |= IE;
    return 2;
  }
  noteDenormals<F>(x, y);
  const p = ordered<F>(x);
  const q = ordered<F>(y);
  return p < q ? -1 : p > q ? 1 : 0;
}

/** An integer with the same order as the numbers. */
function ordered<F>(a: u64): i64 {
  const value = <i64>magnitude<F>(a);
  return a & signBit<F>() ? -value : value;
}

/** The second operand where there is a NaN or both are zero (SDM 2B MINPS). */
export function minimum<F>(a: u64, b: u64): u64 {
  return relation<F>(a, b, false) == -1 ? operand<F>(a) : operand<F>(b);
}
export function maximum<F>(a: u64, b: u64): u64 {
  return relation<F>(a, b, false) == 1 ? operand<F>(a) : operand<F>(b);
}

/** The predicates of CMPPS (SDM 2A table 3-1); all ones where it holds. */
export function compare<F>(a: u64, b: u64, predicate: u32): u64 {
  const kind = predicate & 3;
  const result = relation<F>(a, b, kind == 0 || kind == 3);
  const holds = kind == 0 ? result == 0 : kind == 1 ? result == -1 : kind == 2 ? result <= 0 : result == 2;
  return holds != ((predicate & 4) != 0) ? ~(<u64>0) : 0;
}

export function fromSigned<F>(value: i64): u64 {
  if (value == 0) return 0;
  const negative = value < 0;
  const bits = <u64>(negative ? -value : value);
  const shift = clz<u64>(bits);
  return round<F>(negative, bias<F>() + 63 - <i32>shift, bits << shift);
}

/**
 * A 32- or 64-bit integer; where the number does not fit, the integer indefinite, with only the sign bit set (SDM 1 table 4-1).
 */
export function toSigned<F, T>(a: u64, chop: bool): i64 {
  const least: i64 = sizeof<T>() == 8 ? i64.MIN_VALUE : <i64>i32.MIN_VALUE;
  const value = operand<F>(a);
  if (isZero<F>(value)) return 0;
  const exponent = isDenormal<F>(value) ? -64 : exponentOf<F>(value) - bias<F>();
  if (isNaN<F>(value) || exponent > 63) {
    raised |= IE;
    return least;
  }
  const negative = (value & signBit<F>()) != 0;
  if (exponent == 63) {
    const fits = negative && fractionOf<F>(value) == 0 && sizeof<T>() == 8;
    if (!fits) raised |= IE;
    return least;
  }
  // At most 63 bits, so that never all 64 are lost.
  const saved = rounding;
  if (chop) rounding = CHOP;
  const bits = (significand<F>(value) >> 1) | (significand<F>(value) & 1);
  const cut = 62 - exponent;
  const whole = cut == 0 ? bits : cut > 63 ? rounded(negative, 1, 2) : rounded(negative, bits, cut);
  if (cut == 0) lost = 0;
  rounding = saved;
  const inexact = lost != 0;
  const most: u64 = sizeof<T>() == 8 ? 0x7fffffffffffffff : 0x7fffffff;
  if (whole > (negative ? most + 1 : most)) {
    raised |= IE;
    return least;
  }
  if (inexact) raised |= PE;
  return negative ? 0 - <i64>whole : <i64>whole;
}

/** To an integral number. Denormals raise no exception. */
export function integral<F>(a: u64, quietly: bool): u64 {
  const value = operand<F>(a);
  if (isNaN<F>(value)) return nanOf<F>(value, value);
  const exponent = exponentOf<F>(value) - bias<F>();
  if (isZero<F>(value) || exponent >= <i32>fractionBits<F>()) return value;
  const sign = value & signBit<F>();
  const cut = 62 - exponent;
  const bits = isDenormal<F>(value) ? 1 : significand<F>(value) >> 1;
  const whole = cut > 63 || isDenormal<F>(value) ? rounded(sign != 0, 1, 2) : rounded(sign != 0, bits, cut);
  if (lost != 0 && !quietly) raised |= PE;
  if (whole == 0) return sign;
  const shift = clz<u64>(whole);
  return sign | round<F>(false, bias<F>() + 63 - <i32>shift, whole << shift);
}

/** Converts between the formats. */
export function convert<F, G>(a: u64): u64 {
  const value = operand<F>(a);
  const sign = value & signBit<F>() ? signBit<G>() : 0;
  if (isNaN<F>(value)) {
    if (isSignaling<F>(value)) raised |= IE;
    const fraction = fractionOf<F>(value);
    const moved = sizeof<F>() == 4 ? fraction << 29 : fraction >> 29;
    return sign | infinity<G>() | quietBit<G>() | moved;
  }
  if (isInfinite<F>(value)) return sign | infinity<G>();
  if (isZero<F>(value)) return sign;
  noteDenormals<F>(value, value);
  return round<G>(sign != 0, scale<F>(value) - bias<F>() + bias<G>(), significand<F>(value));
}
