// Floating-point arithmetic on the elements of vectors (SDM 2A, 2B, 2D).
import { CPU_AMD } from '../../layout';
import { CF, PF, setArithmeticFlags, ZF } from '../core/flags';
import { failed } from '../core/trouble';
import * as float from './float';
import { begin, beginRounding, settle } from './float';
import { bitsOf } from './format';
import { ADD, compute, DIVIDE, isRight, MAXIMUM, MINIMUM, MULTIPLY, order, ROOT, SUBTRACT } from './quick';
import {
  evenDoublewords,
  mergeDouble,
  mergeSingle,
  oddDoublewords,
  punpckhqdq,
  punpcklqdq,
} from './shuffles';

export function single(a: v128, n: u32): u64 {
  const half = <u64>(n & 2 ? i64x2.extract_lane(a, 1) : i64x2.extract_lane(a, 0));
  return (half >> ((<u64>n & 1) << 5)) & 0xffffffff;
}

export function vector(low: u64, high: u64): v128 {
  return i64x2.replace_lane(i64x2.splat(low), 1, high);
}

export function low(a: v128): u64 {
  return i64x2.extract_lane(a, 0);
}

export function high(a: v128): u64 {
  return i64x2.extract_lane(a, 1);
}

function one<F>(what: u32, a: u64, b: u64): u64 {
  switch (what) {
    case ADD:
      return float.add<F>(a, b);
    case SUBTRACT:
      return float.subtract<F>(a, b);
    case MULTIPLY:
      return float.multiply<F>(a, b);
    case DIVIDE:
      return float.divide<F>(a, b);
    case ROOT:
      return float.root<F>(a, b);
    case MINIMUM:
      return float.minimum<F>(a, b);
    default:
      return float.maximum<F>(a, b);
  }
}

function isRightAt(what: u32, a: v128, b: v128, result: v128, n: u32): bool {
  return isRight<f32>(what, single(a, n), single(b, n), single(result, n));
}

/** As `compute`, for each element. */
function computeSingles(what: u32, a: v128, b: v128): v128 {
  if (what == ADD) return f32x4.add(a, b);
  if (what == SUBTRACT) return f32x4.sub(a, b);
  if (what == MULTIPLY) return f32x4.mul(a, b);
  if (what == DIVIDE) return f32x4.div(a, b);
  if (what == ROOT) return f32x4.sqrt(b);
  return what == MINIMUM ? f32x4.pmin(b, a) : f32x4.pmax(b, a);
}

function computeDoubles(what: u32, a: v128, b: v128): v128 {
  if (what == ADD) return f64x2.add(a, b);
  if (what == SUBTRACT) return f64x2.sub(a, b);
  if (what == MULTIPLY) return f64x2.mul(a, b);
  if (what == DIVIDE) return f64x2.div(a, b);
  if (what == ROOT) return f64x2.sqrt(b);
  return what == MINIMUM ? f64x2.pmin(b, a) : f64x2.pmax(b, a);
}

function packedSingle(what: u32, a: v128, b: v128): v128 {
  let result = computeSingles(what, a, b);
  const right =
    isRightAt(what, a, b, result, 0) &&
    isRightAt(what, a, b, result, 1) &&
    isRightAt(what, a, b, result, 2) &&
    isRightAt(what, a, b, result, 3);
  if (!right) result = specialSingles(what, a, b);
  return result;
}

function specialSingles(what: u32, a: v128, b: v128): v128 {
  begin();
  const result = singles(what, what, a, b);
  settle();
  return result;
}

/** Two alternating operations: the first for elements 0 and 2. */
function singles(even: u32, odd: u32, a: v128, b: v128): v128 {
  const first =
    one<f32>(even, single(a, 0), single(b, 0)) | (one<f32>(odd, single(a, 1), single(b, 1)) << 32);
  const second =
    one<f32>(even, single(a, 2), single(b, 2)) | (one<f32>(odd, single(a, 3), single(b, 3)) << 32);
  return vector(first, second);
}

function packedDouble(what: u32, a: v128, b: v128): v128 {
  let result = computeDoubles(what, a, b);
  const right =
    isRight<f64>(what, low(a), low(b), low(result)) && isRight<f64>(what, high(a), high(b), high(result));
  if (!right) result = specialDoubles(what, a, b);
  return result;
}

function specialDoubles(what: u32, a: v128, b: v128): v128 {
  begin();
  const result = vector(one<f64>(what, low(a), low(b)), one<f64>(what, high(a), high(b)));
  settle();
  return result;
}

// The number stays in one kind of host register, so that no step waits for a transfer between kinds. Special cases are
// within the `if`, which the translator treats as rare.
function scalarSingle(what: u32, a: v128, b: v128): v128 {
  const number = compute<f32>(what, f32x4.extract_lane(a, 0), f32x4.extract_lane(b, 0));
  let result = f32x4.replace_lane(a, 0, number);
  if (!isRight<f32>(what, single(a, 0), single(b, 0), bitsOf<f32>(number)))
    result = specialSingle(what, a, b);
  return result;
}

function specialSingle(what: u32, a: v128, b: v128): v128 {
  begin();
  const result = one<f32>(what, single(a, 0), single(b, 0));
  settle();
  return mergeSingle(a, i64x2.splat(result));
}

function scalarDouble(what: u32, a: v128, b: v128): v128 {
  const number = compute<f64>(what, f64x2.extract_lane(a, 0), f64x2.extract_lane(b, 0));
  let result = f64x2.replace_lane(a, 0, number);
  if (!isRight<f64>(what, low(a), low(b), bitsOf<f64>(number))) result = specialDouble(what, a, b);
  return result;
}

function specialDouble(what: u32, a: v128, b: v128): v128 {
  begin();
  const result = one<f64>(what, low(a), low(b));
  settle();
  return mergeDouble(a, i64x2.splat(result));
}

export function addps(a: v128, b: v128): v128 {
  return packedSingle(ADD, a, b);
}
export function addpd(a: v128, b: v128): v128 {
  return packedDouble(ADD, a, b);
}
export function addss(a: v128, b: v128): v128 {
  return scalarSingle(ADD, a, b);
}
export function addsd(a: v128, b: v128): v128 {
  return scalarDouble(ADD, a, b);
}

export function subps(a: v128, b: v128): v128 {
  return packedSingle(SUBTRACT, a, b);
}
export function subpd(a: v128, b: v128): v128 {
  return packedDouble(SUBTRACT, a, b);
}
export function subss(a: v128, b: v128): v128 {
  return scalarSingle(SUBTRACT, a, b);
}
export function subsd(a: v128, b: v128): v128 {
  return scalarDouble(SUBTRACT, a, b);
}

export function mulps(a: v128, b: v128): v128 {
  return packedSingle(MULTIPLY, a, b);
}
export function mulpd(a: v128, b: v128): v128 {
  return packedDouble(MULTIPLY, a, b);
}
export function mulss(a: v128, b: v128): v128 {
  return scalarSingle(MULTIPLY, a, b);
}
export function mulsd(a: v128, b: v128): v128 {
  return scalarDouble(MULTIPLY, a, b);
}

export function divps(a: v128, b: v128): v128 {
  return packedSingle(DIVIDE, a, b);
}
export function divpd(a: v128, b: v128): v128 {
  return packedDouble(DIVIDE, a, b);
}
export function divss(a: v128, b: v128): v128 {
  return scalarSingle(DIVIDE, a, b);
}
export function divsd(a: v128, b: v128): v128 {
  return scalarDouble(DIVIDE, a, b);
}

export function sqrtps(a: v128, b: v128): v128 {
  return packedSingle(ROOT, a, b);
}
export function sqrtpd(a: v128, b: v128): v128 {
  return packedDouble(ROOT, a, b);
}
export function sqrtss(a: v128, b: v128): v128 {
  return scalarSingle(ROOT, a, b);
}
export function sqrtsd(a: v128, b: v128): v128 {
  return scalarDouble(ROOT, a, b);
}

export function minps(a: v128, b: v128): v128 {
  return packedSingle(MINIMUM, a, b);
}
export function minpd(a: v128, b: v128): v128 {
  return packedDouble(MINIMUM, a, b);
}
export function minss(a: v128, b: v128): v128 {
  return scalarSingle(MINIMUM, a, b);
}
export function minsd(a: v128, b: v128): v128 {
  return scalarDouble(MINIMUM, a, b);
}

export function maxps(a: v128, b: v128): v128 {
  return packedSingle(MAXIMUM, a, b);
}
export function maxpd(a: v128, b: v128): v128 {
  return packedDouble(MAXIMUM, a, b);
}
export function maxss(a: v128, b: v128): v128 {
  return scalarSingle(MAXIMUM, a, b);
}
export function maxsd(a: v128, b: v128): v128 {
  return scalarDouble(MAXIMUM, a, b);
}

export function addsubps(a: v128, b: v128): v128 {
  begin();
  const result = singles(SUBTRACT, ADD, a, b);
  settle();
  return result;
}
export function addsubpd(a: v128, b: v128): v128 {
  begin();
  const result = vector(float.subtract<f64>(low(a), low(b)), float.add<f64>(high(a), high(b)));
  settle();
  return result;
}
export function haddps(a: v128, b: v128): v128 {
  return packedSingle(ADD, evenDoublewords(a, b), oddDoublewords(a, b));
}
export function hsubps(a: v128, b: v128): v128 {
  return packedSingle(SUBTRACT, evenDoublewords(a, b), oddDoublewords(a, b));
}
export function haddpd(a: v128, b: v128): v128 {
  return packedDouble(ADD, punpcklqdq(a, b), punpckhqdq(a, b));
}
export function hsubpd(a: v128, b: v128): v128 {
  return packedDouble(SUBTRACT, punpcklqdq(a, b), punpckhqdq(a, b));
}

/**
 * Bits 7-4 select the products, bits 3-0 the destinations of the sum. Each step rounds, and may fault (SDM 2A DPPS). Every
 * element computes its own sum: its neighbour and itself first, then the other two; the order matters for NaNs.
 */
export function dpps(a: v128, b: v128, imm: u32): v128 {
  begin();
  const products = vector(
    product<f32>(imm & 0x10, single(a, 0), single(b, 0)) |
      (product<f32>(imm & 0x20, single(a, 1), single(b, 1)) << 32),
    product<f32>(imm & 0x40, single(a, 2), single(b, 2)) |
      (product<f32>(imm & 0x80, single(a, 3), single(b, 3)) << 32),
  );
  settle();
  if (failed()) return a;
  // Of several NaNs the result is that of the first operand, and the vendors' orders differ. AMD's is the manual's.
  const amd = load<u32>(CPU_AMD) != 0;
  const left = v128.shuffle<u32>(products, products, 0, 0, 2, 2);
  const right = v128.shuffle<u32>(products, products, 1, 1, 3, 3);
  const neighbours = v128.shuffle<u32>(products, products, 1, 0, 3, 2);
  const pairs = amd ? singles(ADD, ADD, left, right) : singles(ADD, ADD, neighbours, products);
  settle();
  if (failed()) return a;
  const lower = v128.shuffle<u32>(pairs, pairs, 0, 1, 0, 1);
  const upper = v128.shuffle<u32>(pairs, pairs, 2, 3, 2, 3);
  const others = v128.shuffle<u32>(pairs, pairs, 2, 3, 0, 1);
  const result = amd ? singles(ADD, ADD, lower, upper) : singles(ADD, ADD, pairs, others);
  settle();
  const bits = i32x4(1, 2, 4, 8);
  return v128.and(result, i32x4.eq(v128.and(i32x4.splat(imm), bits), bits));
}

export function dppd(a: v128, b: v128, imm: u32): v128 {
  begin();
  const first = product<f64>(imm & 0x10, low(a), low(b));
  const second = product<f64>(imm & 0x20, high(a), high(b));
  settle();
  if (failed()) return a;
  const sum = float.add<f64>(first, second);
  const other = float.add<f64>(second, first);
  settle();
  return vector(imm & 1 ? sum : 0, imm & 2 ? other : 0);
}

function product<F>(counts: u32, a: u64, b: u64): u64 {
  return counts ? float.multiply<F>(a, b) : 0;
}

export function cmpps(a: v128, b: v128, imm: u32): v128 {
  begin();
  let halves = i64x2.splat(0);
  for (let n: u32 = 0; n < 4; n += 2) {
    const even = float.compare<f32>(single(a, n), single(b, n), imm) & 0xffffffff;
    const odd = float.compare<f32>(single(a, n + 1), single(b, n + 1), imm) << 32;
    halves = vector(n == 0 ? even | odd : low(halves), even | odd);
  }
  settle();
  return halves;
}
export function cmppd(a: v128, b: v128, imm: u32): v128 {
  begin();
  const result = vector(float.compare<f64>(low(a), low(b), imm), float.compare<f64>(high(a), high(b), imm));
  settle();
  return result;
}
export function cmpss(a: v128, b: v128, imm: u32): v128 {
  begin();
  const result = float.compare<f32>(single(a, 0), single(b, 0), imm);
  settle();
  return mergeSingle(a, i64x2.splat(result));
}
export function cmpsd(a: v128, b: v128, imm: u32): v128 {
  begin();
  const result = float.compare<f64>(low(a), low(b), imm);
  settle();
  return mergeDouble(a, i64x2.splat(result));
}

/** Unordered: all three flags; greater: none; less: CF; equal: ZF (SDM 2A COMISS). */
function setRelation(relation: i32): void {
  setArithmeticFlags(relation == 2 ? ZF | PF | CF : relation == -1 ? CF : relation == 0 ? ZF : 0);
}

function relate<F>(a: u64, b: u64, quietly: bool): void {
  const relation = order<F>(a, b);
  if (relation != 2) setRelation(relation);
  else relateSpecial<F>(a, b, quietly);
}

function relateSpecial<F>(a: u64, b: u64, quietly: bool): void {
  begin();
  const relation = float.relation<F>(a, b, quietly);
  settle();
  if (!failed()) setRelation(relation);
}

export function comiss(a: v128, b: v128): void {
  relate<f32>(single(a, 0), single(b, 0), false);
}
export function comisd(a: v128, b: v128): void {
  relate<f64>(low(a), low(b), false);
}
export function ucomiss(a: v128, b: v128): void {
  relate<f32>(single(a, 0), single(b, 0), true);
}
export function ucomisd(a: v128, b: v128): void {
  relate<f64>(low(a), low(b), true);
}

export function ptest(a: v128, b: v128): void {
  const zero = !v128.any_true(v128.and(a, b));
  const carry = !v128.any_true(v128.andnot(b, a));
  setArithmeticFlags((zero ? ZF : 0) | (carry ? CF : 0));
}

export function roundps(_a: v128, b: v128, imm: u32): v128 {
  beginRounding(imm);
  const quietly = (imm & 8) != 0;
  const first =
    float.integral<f32>(single(b, 0), quietly) | (float.integral<f32>(single(b, 1), quietly) << 32);
  const second =
    float.integral<f32>(single(b, 2), quietly) | (float.integral<f32>(single(b, 3), quietly) << 32);
  settle();
  return vector(first, second);
}
export function roundpd(_a: v128, b: v128, imm: u32): v128 {
  beginRounding(imm);
  const quietly = (imm & 8) != 0;
  const result = vector(float.integral<f64>(low(b), quietly), float.integral<f64>(high(b), quietly));
  settle();
  return result;
}
export function roundss(a: v128, b: v128, imm: u32): v128 {
  beginRounding(imm);
  const result = float.integral<f32>(single(b, 0), (imm & 8) != 0);
  settle();
  return mergeSingle(a, i64x2.splat(result));
}
export function roundsd(a: v128, b: v128, imm: u32): v128 {
  beginRounding(imm);
  const result = float.integral<f64>(low(b), (imm & 8) != 0);
  settle();
  return mergeDouble(a, i64x2.splat(result));
}
