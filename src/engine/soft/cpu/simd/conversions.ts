// Conversions between integers and floating-point numbers, and between the two floating-point sizes (SDM 2A CVT...); estimates.
import { high, low, single, vector } from './arithmetic';
import { begin, convert, fromSigned, settle, toSigned } from './float';
import { fitsInteger, fromInteger, narrow, SPECIAL, toInteger, widen } from './quick';
import { mergeDouble, mergeSingle } from './shuffles';

/** A doubleword, sign-extended. */
function integer(a: v128, n: u32): i64 {
  return <i64>(<i32>single(a, n));
}

function fromSpecial<F>(value: i64): u64 {
  begin();
  const result = fromSigned<F>(value);
  settle();
  return result;
}

export function cvtsi2ss<T>(a: v128, b: v128): v128 {
  let result = fromInteger<f32, T>(<T>low(b));
  if (result == SPECIAL) result = fromSpecial<f32>(<i64>(<T>low(b)));
  return mergeSingle(a, i64x2.splat(result));
}
export function cvtsi2sd<T>(a: v128, b: v128): v128 {
  let result = fromInteger<f64, T>(<T>low(b));
  if (result == SPECIAL) result = fromSpecial<f64>(<i64>(<T>low(b)));
  return mergeDouble(a, i64x2.splat(result));
}
export function cvtdq2ps(_a: v128, b: v128): v128 {
  begin();
  const first = fromSigned<f32>(integer(b, 0)) | (fromSigned<f32>(integer(b, 1)) << 32);
  const second = fromSigned<f32>(integer(b, 2)) | (fromSigned<f32>(integer(b, 3)) << 32);
  settle();
  return vector(first, second);
}
export function cvtpi2ps(a: v128, b: v128): v128 {
  begin();
  const result = fromSigned<f32>(integer(b, 0)) | (fromSigned<f32>(integer(b, 1)) << 32);
  settle();
  return i64x2.replace_lane(a, 0, result);
}
/** Every 32-bit integer is exact as a double: nothing is rounded. */
export function cvtdq2pd(_a: v128, b: v128): v128 {
  return f64x2.convert_low_i32x4_s(b);
}

function toSpecial<F, T>(a: u64, chop: bool): i64 {
  begin();
  const result = toSigned<F, T>(a, chop);
  settle();
  return result;
}

function fromSingle<T>(b: v128, chop: bool): i64 {
  const a = single(b, 0);
  return fitsInteger<f32, T>(a) ? toInteger<f32, T>(a, chop) : toSpecial<f32, T>(a, chop);
}
function fromDouble<T>(b: v128, chop: bool): i64 {
  const a = low(b);
  return fitsInteger<f64, T>(a) ? toInteger<f64, T>(a, chop) : toSpecial<f64, T>(a, chop);
}
export function cvtss2si<T>(b: v128): i64 {
  return fromSingle<T>(b, false);
}
export function cvttss2si<T>(b: v128): i64 {
  return fromSingle<T>(b, true);
}
export function cvtsd2si<T>(b: v128): i64 {
  return fromDouble<T>(b, false);
}
export function cvttsd2si<T>(b: v128): i64 {
  return fromDouble<T>(b, true);
}

function pair(low: i64, high: i64): u64 {
  return (<u64>low & 0xffffffff) | ((<u64>high) << 32);
}
function fromSingles(b: v128, count: u32, chop: bool): v128 {
  begin();
  const first = pair(toSigned<f32, i32>(single(b, 0), chop), toSigned<f32, i32>(single(b, 1), chop));
  let second: u64 = 0;
  if (count == 4)
    second = pair(toSigned<f32, i32>(single(b, 2), chop), toSigned<f32, i32>(single(b, 3), chop));
  settle();
  return vector(first, second);
}
function fromDoubles(b: v128, chop: bool): v128 {
  begin();
  const result = pair(toSigned<f64, i32>(low(b), chop), toSigned<f64, i32>(high(b), chop));
  settle();
  return vector(result, 0);
}
export function cvtps2dq(_a: v128, b: v128): v128 {
  return fromSingles(b, 4, false);
}
export function cvttps2dq(_a: v128, b: v128): v128 {
  return fromSingles(b, 4, true);
}
export function cvtps2pi(_a: v128, b: v128): v128 {
  return fromSingles(b, 2, false);
}
export function cvttps2pi(_a: v128, b: v128): v128 {
  return fromSingles(b, 2, true);
}
export function cvtpd2dq(_a: v128, b: v128): v128 {
  return fromDoubles(b, false);
}
export function cvttpd2dq(_a: v128, b: v128): v128 {
  return fromDoubles(b, true);
}

export function cvtps2pd(_a: v128, b: v128): v128 {
  begin();
  const result = vector(convert<f32, f64>(single(b, 0)), convert<f32, f64>(single(b, 1)));
  settle();
  return result;
}
export function cvtpd2ps(_a: v128, b: v128): v128 {
  begin();
  const result = convert<f64, f32>(low(b)) | (convert<f64, f32>(high(b)) << 32);
  settle();
  return vector(result, 0);
}
/** A number in the other format, with all special cases. */
function convertSpecial<F, G>(a: u64): u64 {
  begin();
  const result = convert<F, G>(a);
  settle();
  return result;
}

export function cvtss2sd(a: v128, b: v128): v128 {
  let result = widen(single(b, 0));
  if (result == SPECIAL) result = convertSpecial<f32, f64>(single(b, 0));
  return mergeDouble(a, i64x2.splat(result));
}
export function cvtsd2ss(a: v128, b: v128): v128 {
  let result = narrow(low(b));
  if (result == SPECIAL) result = convertSpecial<f64, f32>(low(b));
  return mergeSingle(a, i64x2.splat(result));
}

// Estimates: the manual promises only a relative error of at most 1.5 * 2^-12 (SDM 2B RCPPS, RSQRTPS), so the bits differ
// between processors. These are right to 12 bits. They raise no exception, and treat denormals as zeros.
const INFINITY: u64 = 0x7f800000;
const QUIET: u64 = 0x400000;
const SIGN: u64 = 0x80000000;

/** The special cases of both: true with `special` as the result. */
let special: u64 = 0;
function isSpecial(a: u64): bool {
  const magnitude = a & ~SIGN;
  if (magnitude > INFINITY) special = a | QUIET;
  else if (magnitude < 0x800000) special = (a & SIGN) | INFINITY;
  else return false;
  return true;
}

/** Rounded to 12 fraction bits; a denormal result becomes zero. */
function estimate(value: f32): u64 {
  const bits = <u64>reinterpret<u32>(value);
  const cut = (bits + 0x400) & ~0x7ff;
  return (cut & ~SIGN) < 0x800000 ? cut & SIGN : cut;
}
function reciprocal(a: u64): u64 {
  if (isSpecial(a)) return special;
  if ((a & ~SIGN) == INFINITY) return a & SIGN;
  return estimate(<f32>1 / reinterpret<f32>(<u32>a));
}
function reciprocalRoot(a: u64): u64 {
  if (isSpecial(a)) return special;
  if (a & SIGN) return 0xffc00000;
  if (a == INFINITY) return 0;
  return estimate(<f32>1 / sqrt<f32>(reinterpret<f32>(<u32>a)));
}

export function rcpps(_a: v128, b: v128): v128 {
  const first = reciprocal(single(b, 0)) | (reciprocal(single(b, 1)) << 32);
  return vector(first, reciprocal(single(b, 2)) | (reciprocal(single(b, 3)) << 32));
}
export function rcpss(a: v128, b: v128): v128 {
  return mergeSingle(a, i64x2.splat(reciprocal(single(b, 0))));
}
export function rsqrtps(_a: v128, b: v128): v128 {
  const first = reciprocalRoot(single(b, 0)) | (reciprocalRoot(single(b, 1)) << 32);
  return vector(first, reciprocalRoot(single(b, 2)) | (reciprocalRoot(single(b, 3)) << 32));
}
export function rsqrtss(a: v128, b: v128): v128 {
  return mergeSingle(a, i64x2.splat(reciprocalRoot(single(b, 0))));
}
