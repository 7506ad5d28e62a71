// Multiplication and division (SDM 2A IMUL, DIV, IDIV, AAM, AAD; 2B MUL) and decimal arithmetic.
import { RAX, RDX } from '../layout';
import { DE, fault, notImplemented } from './faults';
import { AF, adjust, CF, carry, OF, setArithmeticFlags, signZeroParity } from './flags';
import { readOperand } from './generic';
import { failed } from './memory';
import { immediate, setRegister } from './operands';

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
  return <u64>value & (((<u64>1) << (sizeof<T>() * 8)) - 1);
}

export function mul<T>(pc: usize): void {
  if (sizeof<T>() == 8) {
    notImplemented();
    return;
  }
  const b = readOperand<T>(pc);
  if (failed()) return;
  const product = unsigned<T>(load<T>(RAX)) * unsigned<T>(b);
  const high = product >> (sizeof<T>() * 8);
  setProduct<T>(<T>product, <T>high, high != 0);
}

export function imul1<T>(pc: usize): void {
  if (sizeof<T>() == 8) {
    notImplemented();
    return;
  }
  const b = readOperand<T>(pc);
  if (failed()) return;
  const product = <i64>load<T>(RAX) * <i64>b;
  setProduct<T>(<T>product, <T>(product >> (sizeof<T>() * 8)), product != <i64>(<T>product));
}

export function imul3<T>(a: T, b: T): T {
  const product = <i64>a * <i64>b;
  const result = <T>product;
  let lost = product != <i64>result;
  if (sizeof<T>() == 8)
    lost = a != 0 && (product / <i64>a != <i64>b || (<i64>a == -1 && <i64>b == i64.MIN_VALUE));
  setArithmeticFlags(signZeroParity<T>(result) | (lost ? CF | OF : 0));
  return result;
}

export function imul2<T>(a: T, b: T): T {
  return imul3<T>(a, b);
}

/** AX, DX:AX or EDX:EAX. */
function dividend<T>(): u64 {
  if (sizeof<T>() == 1) return <u64>load<u16>(RAX);
  return (unsigned<T>(load<T>(RDX)) << (sizeof<T>() * 8)) | unsigned<T>(load<T>(RAX));
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

export function div<T>(pc: usize): void {
  if (sizeof<T>() == 8) {
    notImplemented();
    return;
  }
  const by = unsigned<T>(readOperand<T>(pc));
  if (failed()) return;
  const from = dividend<T>();
  if (by == 0 || from / by > unsigned<T>(<T>-1)) {
    fault(DE);
    return;
  }
  setQuotient<T>(<T>(from / by), <T>(from % by));
}

export function idiv<T>(pc: usize): void {
  if (sizeof<T>() == 8) {
    notImplemented();
    return;
  }
  const by = <i64>readOperand<T>(pc);
  if (failed()) return;
  let from = <i64>dividend<T>();
  if (sizeof<T>() == 1) from = <i64>(<i16>from);
  else if (sizeof<T>() == 2) from = <i64>(<i32>from);
  // The one quotient of 64 bits that does not fit would be a trap of the host's.
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

/** SALC: AL is all ones or zero, as the carry is; not in the manual, and on every processor. */
export function salc(_pc: usize): void {
  store<u8>(RAX, carry() ? 0xff : 0);
}
