// Comparisons of strings in registers: PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM (SDM 1 chapter "Programming with SSE4.2", SDM 2B 4.1).
import { OP_WIDTH, RAX, RCX, RDX, XMM_REGISTERS } from '../../layout';
import { CF, OF, SF, setArithmeticFlags, ZF } from '../core/flags';
import { isMemory } from '../core/generic';
import { immediate } from '../core/operands';
import { failed } from '../core/trouble';
import { high, low, vector } from './arithmetic';
import { sse, unaligned16, xmmReg, xmmRm } from './registers';

/** The two strings' elements, signed or unsigned. */
let first: v128 = i64x2.splat(0);
let second: v128 = i64x2.splat(0);
let bits: u32 = 8;
let count: i32 = 16;
let isSigned: bool = false;

function element(a: v128, n: i32): i32 {
  const at = <u32>n * bits;
  const value = <u32>((at >= 64 ? high(a) : low(a)) >> (<u64>at & 63)) & ((1 << bits) - 1);
  if (!isSigned) return value;
  return bits == 8 ? <i32>(<i8>value) : <i32>(<i16>value);
}

/** The number of elements before the first zero. */
function implicitLength(a: v128): i32 {
  let n = 0;
  while (n < count && element(a, n) != 0) n++;
  return n;
}

/** A register's absolute value, limited to the number of elements. */
function explicitLength(pc: usize, at: usize): i32 {
  const value = load<u8>(pc, OP_WIDTH) == 8 ? load<i64>(at) : <i64>load<i32>(at);
  // The smallest integer stays negative, and is also limited.
  const length = value < 0 ? 0 - value : value;
  return length < 0 || length > <i64>count ? count : <i32>length;
}

/**
 * Whether element `i` of the first and `j` of the second string match, with the rules for elements past the ends (table 4-7).
 */
function matches(i: i32, j: i32, firstLength: i32, secondLength: i32, aggregation: u32): bool {
  const inFirst = i < firstLength;
  const inSecond = j < secondLength;
  if (inFirst && inSecond) {
    const a = element(first, i);
    const b = element(second, j);
    if (aggregation == 1) return i & 1 ? b <= a : b >= a;
    return a == b;
  }
  if (aggregation < 2) return false;
  if (aggregation == 2) return !inFirst && !inSecond;
  return !inFirst;
}

function aggregate(firstLength: i32, secondLength: i32, aggregation: u32): u32 {
  let result: u32 = 0;
  for (let j = 0; j < count; j++) {
    let holds = false;
    if (aggregation == 0) {
      for (let i = 0; i < count; i++) holds = holds || matches(i, j, firstLength, secondLength, 0);
    } else if (aggregation == 1) {
      for (let i = 0; i < count; i += 2) {
        const low = matches(i, j, firstLength, secondLength, 1);
        holds = holds || (low && matches(i + 1, j, firstLength, secondLength, 1));
      }
    } else if (aggregation == 2) holds = matches(j, j, firstLength, secondLength, 2);
    else {
      holds = true;
      for (let i = 0; i + j < count; i++) holds = holds && matches(i, i + j, firstLength, secondLength, 3);
    }
    if (holds) result |= 1 << j;
  }
  return result;
}

/** Computes the result mask; sets the flags for the lengths, and `count` to the second operand's elements. False: a fault. */
let found: u32 = 0;
let flags: u32 = 0;
function compare(pc: usize, explicit: bool): bool {
  if (!sse()) return false;
  const imm = <u32>immediate(pc);
  second = isMemory(pc) ? unaligned16(pc) : xmmRm(pc);
  if (failed()) return false;
  first = xmmReg(pc);
  bits = imm & 1 ? 16 : 8;
  count = imm & 1 ? 8 : 16;
  isSigned = (imm & 2) != 0;
  const firstLength = explicit ? explicitLength(pc, RAX) : implicitLength(first);
  const secondLength = explicit ? explicitLength(pc, RDX) : implicitLength(second);
  found = aggregate(firstLength, secondLength, (imm >> 2) & 3);
  const polarity = (imm >> 4) & 3;
  if (polarity == 1) found ^= (1 << count) - 1;
  else if (polarity == 3) found ^= (1 << secondLength) - 1;
  flags = (found != 0 ? CF : 0) | (secondLength < count ? ZF : 0) | (firstLength < count ? SF : 0);
  if (found & 1) flags |= OF;
  return true;
}

function index(pc: usize): void {
  const last = (immediate(pc) & 0x40) != 0;
  const at = found == 0 ? count : last ? 31 - clz<u32>(found) : ctz<u32>(found);
  store<u64>(RCX, <u64>at);
  setArithmeticFlags(flags);
}

function mask(pc: usize): void {
  let result = vector(<u64>found, 0);
  if (immediate(pc) & 0x40) {
    const low = i64x2.splat(0x8040201008040201);
    if (bits == 8) {
      const spread = i8x16.swizzle(
        i16x8.splat(<i16>found),
        i8x16(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1),
      );
      result = i8x16.eq(v128.and(spread, low), low);
    } else {
      const each = i16x8(1, 2, 4, 8, 16, 32, 64, 128);
      result = i16x8.eq(v128.and(i16x8.splat(<i16>found), each), each);
    }
  }
  v128.store(XMM_REGISTERS, result);
  setArithmeticFlags(flags);
}

export function pcmpestri(pc: usize): void {
  if (compare(pc, true)) index(pc);
}
export function pcmpestrm(pc: usize): void {
  if (compare(pc, true)) mask(pc);
}
export function pcmpistri(pc: usize): void {
  if (compare(pc, false)) index(pc);
}
export function pcmpistrm(pc: usize): void {
  if (compare(pc, false)) mask(pc);
}
