// Newer bit instructions: POPCNT, LZCNT, MOVBE, CRC32, ADX, BMI1 and BMI2 (SDM 2A, 2B, 2D); CLFLUSH and the fences.
import { RDX } from '../../layout';
import { maskOf } from '../core/bits';
import { CF, carry, changeFlags, OF, overflow, SF, setArithmeticFlags, ZF } from '../core/flags';
import { readOperand } from '../core/generic';
import { checkRead } from '../core/memory';
import { address, segment, setReg, setVex } from '../core/operands';
import { failed } from '../core/trouble';
import { mulHigh } from './wide';

/** The operand's bits without the sign extension. */
function bits<T>(a: T): u64 {
  return sizeof<T>() == 8 ? <u64>a : <u64>a & maskOf(sizeof<T>());
}

/** SF and ZF of a result, and the flags in the second argument; the others are cleared. */
function setFlags<T>(result: T, more: u32): void {
  setArithmeticFlags((<i64>result < 0 ? SF : 0) | (result == 0 ? ZF : 0) | more);
}

export function countOnes<T>(a: T): T {
  setArithmeticFlags(a == 0 ? ZF : 0);
  return <T>popcnt<u64>(bits<T>(a));
}

/** If no bit is set, the count is the operand's size, and the carry is set. */
function counted<T>(a: T, count: u64): T {
  const result = a == 0 ? sizeof<T>() * 8 : <usize>count;
  changeFlags(CF | ZF, (a == 0 ? CF : 0) | (result == 0 ? ZF : 0));
  return <T>result;
}

export function tzcnt<T>(a: T): T {
  return counted<T>(a, ctz<u64>(bits<T>(a)));
}

export function lzcnt<T>(a: T): T {
  return counted<T>(a, clz<u64>(bits<T>(a)) - (64 - sizeof<T>() * 8));
}

export function movbe<T>(a: T): T {
  return bswap<T>(a);
}

/** The polynomial 11EDC6F41h, with its bits reversed (SDM 2A CRC32). */
const CASTAGNOLI: u32 = 0x82f63b78;

export function crc32<T, S>(a: T, b: S): T {
  let crc = <u32>a;
  const data = bits<S>(b);
  for (let byte: u64 = 0; byte < sizeof<S>(); byte++) {
    crc ^= <u32>(data >> (byte << 3)) & 0xff;
    for (let bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (crc & 1 ? CASTAGNOLI : 0);
  }
  return <T>(<u64>crc & 0xffffffff);
}

/** The carry of a + b + c, where c is 0 or 1. */
function carried<T>(a: T, b: T, sum: T): bool {
  return <i64>((a & b) | ((a | b) & ~sum)) < 0;
}

export function adcx<T>(a: T, b: T): T {
  const sum = <T>(a + b + <T>carry());
  changeFlags(CF, carried<T>(a, b, sum) ? CF : 0);
  return sum;
}

/** ADOX uses the overflow flag as its carry. */
export function adox<T>(a: T, b: T): T {
  const sum = <T>(a + b + <T>overflow());
  changeFlags(OF, carried<T>(a, b, sum) ? OF : 0);
  return sum;
}

export function andn<T>(a: T, b: T): T {
  const result = <T>(~a & b);
  setFlags<T>(result, 0);
  return result;
}

export function blsr<T>(a: T): T {
  const result = <T>(a & (a - 1));
  setFlags<T>(result, a == 0 ? CF : 0);
  return result;
}

export function blsmsk<T>(a: T): T {
  const result = <T>(a ^ (a - 1));
  setFlags<T>(result, a == 0 ? CF : 0);
  return result;
}

export function blsi<T>(a: T): T {
  const result = <T>(a & -a);
  setFlags<T>(result, a != 0 ? CF : 0);
  return result;
}

/** Bits 7-0 are the number of bits to keep. */
export function bzhi<T>(a: T, index: T): T {
  const size: u64 = sizeof<T>() * 8;
  const count = <u64>index & 0xff;
  const result = count < size ? <T>(bits<T>(a) & (((<u64>1) << count) - 1)) : a;
  setFlags<T>(result, count >= size ? CF : 0);
  return result;
}

/** Bits 7-0 are the field's start, bits 15-8 its length. */
export function bextr<T>(a: T, control: T): T {
  const start = <u64>control & 0xff;
  const length = (<u64>control >> 8) & 0xff;
  const field = start < 64 ? bits<T>(a) >> start : 0;
  const result = <T>(length < 64 ? field & (((<u64>1) << length) - 1) : field);
  setArithmeticFlags(result == 0 ? ZF : 0);
  return result;
}

/** Spreads the low bits of `a` over the ones of `mask`. */
export function pdep<T>(a: T, mask: T): T {
  let from = bits<T>(a);
  let result: u64 = 0;
  for (let left = bits<T>(mask); left != 0; left &= left - 1) {
    if (from & 1) result |= left & (0 - left);
    from >>= 1;
  }
  return <T>result;
}

/** Gathers the bits of `a` at the ones of `mask`. */
export function pext<T>(a: T, mask: T): T {
  let result: u64 = 0;
  let at: u64 = 0;
  for (let left = bits<T>(mask); left != 0; left &= left - 1) {
    if (bits<T>(a) & left & (0 - left)) result |= (<u64>1) << at;
    at++;
  }
  return <T>result;
}

/** Where both halves have the same register, it gets the upper one (SDM 2B MULX). */
export function mulx<T>(pc: usize): void {
  const a = bits<T>(load<T>(RDX));
  const b = bits<T>(readOperand<T>(pc));
  if (failed()) return;
  setVex<T>(pc, <T>(a * b));
  setReg<T>(pc, sizeof<T>() == 8 ? <T>mulHigh(a, b) : <T>((a * b) >> 32));
}

function countOf<T>(count: T): u64 {
  return <u64>count & (sizeof<T>() * 8 - 1);
}

export function shlx<T>(a: T, count: T): T {
  return <T>(bits<T>(a) << countOf<T>(count));
}

export function shrx<T>(a: T, count: T): T {
  return <T>(bits<T>(a) >> countOf<T>(count));
}

export function sarx<T>(a: T, count: T): T {
  return <T>(<i64>a >> countOf<T>(count));
}

export function rorx<T>(a: T, count: i8): T {
  return rotr<T>(a, <T>countOf<T>(<T>count));
}

/** There is no cache: CLFLUSH only checks that the address is readable. */
export function clflush(pc: usize): void {
  checkRead(segment(pc), address(pc), 1, 1);
}

/** All accesses already happen in program order. */
export function fence(_pc: usize): void {}
