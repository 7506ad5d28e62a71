// Multiplication and division (SDM 2A IMUL, DIV, IDIV, AAM, AAD; 2B MUL) and decimal arithmetic.
import { RAX, RDX } from '../../layout';
import { maskOf, shiftLeft } from '../core/bits';
import { DE, fault } from '../core/faults';
import { AF, adjust, CF, carry, OF, setArithmeticFlags, signZeroParity } from '../core/flags';
import { readOperand } from '../core/generic';
import { immediate, setRegister } from '../core/operands';
import { failed } from '../core/trouble';
import { divWide, mulHigh, remainder } from './wide';

function setProduct<T>(low: T, high: T, overflowed: bool): void {
  if (sizeof<T>() == 1) {
    store<i8>(RAX, <i8>low);
    store<i8>(RAX, <i8>high, 1);
  } else {
    setRegister<T>(RAX, low);
    setRegister<T>(RDX, high);
  }
  setArithmeticFlags(signZeroParity<T>(low) | (overflowed ? CF | OF : 0));
}

function unsigned<T>(value: T): u64 {
  if (sizeof<T>() == 8) return <u64>value;
  return <u64>value & maskOf(sizeof<T>());
}

export function mul<T>(pc: usize): void {
  const b = readOperand<T>(pc);
  if (failed()) return;
  if (sizeof<T>() == 8) {
    const high = mulHigh(load<u64>(RAX), <u64>b);
    setProduct<T>(<T>(load<u64>(RAX) * <u64>b), <T>high, high != 0);
    return;
  }
  const product = unsigned<T>(load<T>(RAX)) * unsigned<T>(b);
  const high = product >> (sizeof<T>() * 8);
  setProduct<T>(<T>product, <T>high, high != 0);
}

/** The upper half of a signed product of 128 bits. */
function signedHigh(a: i64, b: i64): i64 {
  return <i64>(mulHigh(<u64>a, <u64>b) - <u64>(a < 0 ? b : 0) - <u64>(b < 0 ? a : 0));
}

export function imul1<T>(pc: usize): void {
  const b = readOperand<T>(pc);
  if (failed()) return;
  const product = <i64>load<T>(RAX) * <i64>b;
  if (sizeof<T>() == 8) {
    const high = signedHigh(load<i64>(RAX), <i64>b);
    setProduct<T>(<T>product, <T>high, high != product >> 63);
  } else setProduct<T>(<T>product, <T>(product >> (sizeof<T>() * 8)), product != <i64>(<T>product));
}

export function imul3<T>(a: T, b: T): T {
  const product = <i64>a * <i64>b;
  const result = <T>product;
  let lost = product != <i64>result;
  if (sizeof<T>() == 8) lost = signedHigh(<i64>a, <i64>b) != product >> 63;
  setArithmeticFlags(signZeroParity<T>(result) | (lost ? CF | OF : 0));
  return result;
}

export function imul2<T>(a: T, b: T): T {
  return imul3<T>(a, b);
}

/** AX, DX:AX or EDX:EAX. */
function dividend<T>(): u64 {
  if (sizeof<T>() == 1) return <u64>load<u16>(RAX);
  return shiftLeft(unsigned<T>(load<T>(RDX)), sizeof<T>() * 8) | unsigned<T>(load<T>(RAX));
}

function setQuotient<T>(quotient: T, remainder: T): void {
  if (sizeof<T>() == 1) {
    store<i8>(RAX, <i8>quotient);
    store<i8>(RAX, <i8>remainder, 1);
  } else {
    setRegister<T>(RAX, quotient);
    setRegister<T>(RDX, remainder);
  }
}

/** RDX:RAX divided by 64 bits. */
function divWhole(by: u64): void {
  // The quotient has 64 bits where the upper half is less than the divisor; a divisor of 0 fails this test too.
  if (load<u64>(RDX) >= by) {
    fault(DE);
    return;
  }
  const quotient = divWide(load<u64>(RDX), load<u64>(RAX), by);
  setQuotient<u64>(quotient, remainder);
}

/** RDX:RAX divided by 64 bits, signed: the quotient is truncated towards zero, the remainder has the dividend's sign. */
function idivWhole(by: i64): void {
  const negative = load<i64>(RDX) < 0;
  const lowGiven = load<u64>(RAX);
  const low = negative ? 0 - lowGiven : lowGiven;
  const borrow: u64 = lowGiven == 0 ? 0 : 1;
  const high = negative ? 0 - load<u64>(RDX) - borrow : load<u64>(RDX);
  const divisor = <u64>(by < 0 ? 0 - by : by);
  if (high >= divisor) {
    fault(DE);
    return;
  }
  const size = divWide(high, low, divisor);
  const inverted = negative != by < 0;
  if (size > (inverted ? (<u64>1) << 63 : ((<u64>1) << 63) - 1)) {
    fault(DE);
    return;
  }
  setQuotient<u64>(inverted ? 0 - size : size, negative ? 0 - remainder : remainder);
}

export function div<T>(pc: usize): void {
  const by = unsigned<T>(readOperand<T>(pc));
  if (failed()) return;
  if (sizeof<T>() == 8) {
    divWhole(by);
    return;
  }
  const from = dividend<T>();
  if (by == 0 || from / by > unsigned<T>(<T>-1)) {
    fault(DE);
    return;
  }
  setQuotient<T>(<T>(from / by), <T>(from % by));
}

export function idiv<T>(pc: usize): void {
  const by = <i64>readOperand<T>(pc);
  if (failed()) return;
  if (sizeof<T>() == 8) {
    idivWhole(by);
    return;
  }
  let from = <i64>dividend<T>();
  if (sizeof<T>() == 1) from = <i64>(<i16>from);
  else if (sizeof<T>() == 2) from = <i64>(<i32>from);
  // The one quotient of 64 bits that does not fit would be a trap of WebAssembly.
  if (by == 0 || (by == -1 && from == i64.MIN_VALUE) || from / by != <i64>(<T>(from / by))) {
    fault(DE);
    return;
  }
  setQuotient<T>(<T>(from / by), <T>(from % by));
}

export function aam(pc: usize): void {
  const by = <u32>immediate(pc) & 0xff;
  if (by == 0) {
    fault(DE);
    return;
  }
  const al = <u32>load<u8>(RAX);
  store<u8>(RAX, <u8>(al % by));
  store<u8>(RAX, <u8>(al / by), 1);
  setArithmeticFlags(signZeroParity<i8>(<i8>(al % by)));
}

export function aad(pc: usize): void {
  const al = <u32>load<u8>(RAX) + <u32>load<u8>(RAX, 1) * (<u32>immediate(pc) & 0xff);
  store<u16>(RAX, <u16>(al & 0xff));
  setArithmeticFlags(signZeroParity<i8>(<i8>al));
}

export function aaa(_pc: usize): void {
  const wrap = (load<u8>(RAX) & 15) > 9 || adjust();
  if (wrap) store<u16>(RAX, <u16>(load<u16>(RAX) + 0x106));
  store<u8>(RAX, load<u8>(RAX) & 15);
  setArithmeticFlags(signZeroParity<i8>(load<i8>(RAX)) | (wrap ? AF | CF : 0));
}

export function aas(_pc: usize): void {
  const wrap = (load<u8>(RAX) & 15) > 9 || adjust();
  if (wrap) store<u16>(RAX, <u16>(load<u16>(RAX) - 0x106));
  store<u8>(RAX, load<u8>(RAX) & 15);
  setArithmeticFlags(signZeroParity<i8>(load<i8>(RAX)) | (wrap ? AF | CF : 0));
}

/** DAA and DAS: by 6 for the low digit, by 60h for the high one. */
function decimalAdjust(direction: i32): void {
  const al = <i32>load<u8>(RAX);
  const low = (al & 15) > 9 || adjust();
  const high = al > 0x99 || carry();
  let result = al;
  let borrowed = false;
  if (low) {
    result += 6 * direction;
    // DAS: the carry of this step counts too (SDM 2A DAS).
    borrowed = direction < 0 && result < 0;
  }
  if (high) result += 0x60 * direction;
  store<u8>(RAX, <u8>result);
  setArithmeticFlags(signZeroParity<i8>(<i8>result) | (low ? AF : 0) | (high || borrowed ? CF : 0));
}

export function daa(_pc: usize): void {
  decimalAdjust(1);
}

export function das(_pc: usize): void {
  decimalAdjust(-1);
}

/** SALC: AL becomes all ones or zero, by the carry; not in the manual, but on every processor. */
export function salc(_pc: usize): void {
  store<u8>(RAX, carry() ? 0xff : 0);
}
