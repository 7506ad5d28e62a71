// The SSE calculations that WebAssembly computes equally: rounded to nearest, without an exception that is new or not
// masked. Numbers are passed as their bits. These functions have no state, so translated code contains them.
import { MXCSR } from '../../layout';
import { bitsOf, isDenormal, isNaN, isPlain, isZero, magnitude, signBit, valueOf } from './format';

export const ADD: u32 = 0;
export const SUBTRACT: u32 = 1;
export const MULTIPLY: u32 = 2;
export const DIVIDE: u32 = 3;
export const ROOT: u32 = 4;
export const MINIMUM: u32 = 5;
export const MAXIMUM: u32 = 6;

/** The result in special cases: a NaN that no calculation here returns. */
export const SPECIAL: u64 = ~(<u64>0);

/** All exceptions are masked, and the inexact flag is already set; rounding to nearest, no DAZ, no FTZ. */
export function isUsual(): bool {
  return (load<u32>(MXCSR) & 0xffe0) == 0x1fa0;
}

function isOrdinary<F>(a: u64): bool {
  return isPlain<F>(a) || isZero<F>(a);
}

/** WebAssembly's result for ADDSD and similar instructions. */
export function compute<F>(what: u32, x: F, y: F): F {
  if (what == ADD) return <F>(x + y);
  if (what == SUBTRACT) return <F>(x - y);
  if (what == MULTIPLY) return <F>(x * y);
  if (what == DIVIDE) return <F>(x / y);
  if (what == ROOT) return sqrt<F>(y);
  if (what == MINIMUM) return x < y ? x : y;
  return x > y ? x : y;
}

/** True if SSE has the same result, by the bits of the operands and the result. */
export function isRight<F>(what: u32, a: u64, b: u64, result: u64): bool {
  if (what == ROOT) return isUsual() && isPlain<F>(b) && !(b & signBit<F>());
  if (isDenormal<F>(a) || isDenormal<F>(b)) return false;
  if (what >= MINIMUM) return !isNaN<F>(a) && !isNaN<F>(b);
  if (!isUsual()) return false;
  if (isPlain<F>(result)) return true;
  if (!isZero<F>(result)) return false;
  if (what == MULTIPLY) return isZero<F>(a) || isZero<F>(b);
  return what != DIVIDE || isZero<F>(a);
}

/** Both together: the result's bits, or SPECIAL. */
export function calculate<F>(what: u32, a: u64, b: u64): u64 {
  const result = bitsOf<F>(compute<F>(what, valueOf<F>(a), valueOf<F>(b)));
  return isRight<F>(what, a, b, result) ? result : SPECIAL;
}

/** -1, 0, 1 for less, equal, greater; 2 where that needs more checks. */
export function order<F>(a: u64, b: u64): i32 {
  if (isDenormal<F>(a) || isDenormal<F>(b) || isNaN<F>(a) || isNaN<F>(b)) return 2;
  const x = valueOf<F>(a);
  const y = valueOf<F>(b);
  return x < y ? -1 : x > y ? 1 : 0;
}

/** A signed integer of 32 or 64 bits as a number, or SPECIAL. */
export function fromInteger<F, T>(value: T): u64 {
  if (sizeof<F>() == 8) return sizeof<T>() == 4 || isUsual() ? bitsOf<f64>(<f64>value) : SPECIAL;
  return isUsual() ? bitsOf<f32>(<f32>value) : SPECIAL;
}

/** True if a number, truncated or rounded to an integer, fits that type. */
export function fitsInteger<F, T>(a: u64): bool {
  const size = magnitude<F>(a);
  const limit: u64 =
    sizeof<F>() == 8
      ? sizeof<T>() == 8
        ? 0x43d0000000000000
        : 0x41d0000000000000
      : sizeof<T>() == 8
        ? 0x5e800000
        : 0x4e800000;
  return isUsual() && size < limit;
}

/** For a number that fits: the limit is 2^62 or 2^30, so that no rounding exceeds the type. */
export function toInteger<F, T>(a: u64, chop: bool): i64 {
  const value = <f64>valueOf<F>(a);
  return <i64>(<T>(chop ? value : nearest<f64>(value)));
}

/** Between the formats; SPECIAL where that is not exact enough. */
export function widen(a: u64): u64 {
  return isOrdinary<f32>(a) ? bitsOf<f64>(<f64>valueOf<f32>(a)) : SPECIAL;
}
export function narrow(a: u64): u64 {
  if (isZero<f64>(a)) return a >> 32;
  if (!isUsual() || !isPlain<f64>(a)) return SPECIAL;
  const result = bitsOf<f32>(<f32>valueOf<f64>(a));
  return isPlain<f32>(result) ? result : SPECIAL;
}
