// Shifts and rotates (SDM 2B SAL/SAR/SHL/SHR, RCL/RCR/ROL/ROR, SHLD, SHRD).
import { maskOf, shiftLeft } from '../core/bits';
import { CF, carry, changeFlags, OF, setArithmeticFlags, signZeroParity } from '../core/flags';

/** The operand's bits without the sign extension. */
function bits<T>(a: T): u64 {
  return sizeof<T>() == 8 ? <u64>a : <u64>a & maskOf(sizeof<T>());
}

/** Counts are taken modulo 32, or 64 for 64-bit operands. */
function countOf<T>(count: i8): u32 {
  return <u32>count & (sizeof<T>() == 8 ? 63 : 31);
}

function setShiftFlags<T>(result: T, carried: bool, overflowed: bool): void {
  setArithmeticFlags(signZeroParity<T>(result) | (carried ? CF : 0) | (overflowed ? OF : 0));
}

function setRotateFlags(carried: bool, overflowed: bool): void {
  changeFlags(CF | OF, (carried ? CF : 0) | (overflowed ? OF : 0));
}

export function shl<T>(a: T, by: i8): T {
  const n = countOf<T>(by);
  if (n == 0) return a;
  const size: u32 = sizeof<T>() * 8;
  const result = n < size ? <T>(bits<T>(a) << (<u64>n)) : <T>0;
  const carried = n <= size && ((bits<T>(a) >> <u64>(size - n)) & 1) != 0;
  setShiftFlags<T>(result, carried, <i64>result < 0 != carried);
  return result;
}

export function shr<T>(a: T, by: i8): T {
  const n = countOf<T>(by);
  if (n == 0) return a;
  const result = <T>(bits<T>(a) >> <u64>n);
  const carried = ((bits<T>(a) >> <u64>(n - 1)) & 1) != 0;
  setShiftFlags<T>(result, carried, n == 1 && <i64>a < 0);
  return result;
}

export function sar<T>(a: T, by: i8): T {
  const n = countOf<T>(by);
  if (n == 0) return a;
  const result = <T>(<i64>a >> <i64>n);
  setShiftFlags<T>(result, ((<i64>a >> <i64>(n - 1)) & 1) != 0, false);
  return result;
}

export function rol<T>(a: T, by: i8): T {
  const n = countOf<T>(by);
  if (n == 0) return a;
  const size: u64 = sizeof<T>() * 8;
  const turn = <u64>n & (size - 1);
  const result = turn ? <T>((bits<T>(a) << turn) | (bits<T>(a) >> (size - turn))) : a;
  const carried = (<i64>result & 1) != 0;
  setRotateFlags(carried, <i64>result < 0 != carried);
  return result;
}

export function ror<T>(a: T, by: i8): T {
  const n = countOf<T>(by);
  if (n == 0) return a;
  const size: u64 = sizeof<T>() * 8;
  const turn = <u64>n & (size - 1);
  const result = turn ? <T>((bits<T>(a) >> turn) | (bits<T>(a) << (size - turn))) : a;
  const top = <i64>result < 0;
  setRotateFlags(top, top != (((bits<T>(result) >> (size - 2)) & 1) != 0));
  return result;
}

export function rcl<T>(a: T, by: i8): T {
  const size: u32 = sizeof<T>() * 8;
  const n = countOf<T>(by) % (size + 1);
  if (countOf<T>(by) == 0) return a;
  let value = bits<T>(a);
  let carried = carry();
  for (let i: u32 = 0; i < n; i++) {
    const out = ((value >> <u64>(size - 1)) & 1) != 0;
    value = (value << 1) | <u64>carried;
    carried = out;
  }
  const result = <T>value;
  setRotateFlags(carried, <i64>result < 0 != carried);
  return result;
}

export function rcr<T>(a: T, by: i8): T {
  const size: u32 = sizeof<T>() * 8;
  const n = countOf<T>(by) % (size + 1);
  if (countOf<T>(by) == 0) return a;
  let value = bits<T>(a);
  let carried = carry();
  for (let i: u32 = 0; i < n; i++) {
    const out = (value & 1) != 0;
    value = (value >> 1) | shiftLeft(<u64>carried, <u64>(size - 1));
    carried = out;
  }
  const result = <T>value;
  const second = ((value >> <u64>(size - 2)) & 1) != 0;
  setRotateFlags(carried, <i64>result < 0 != second);
  return result;
}

export function shld<T>(a: T, b: T, by: i8): T {
  const size: u32 = sizeof<T>() * 8;
  const n = countOf<T>(by);
  if (n == 0) return a;
  // A 16-bit operand and a count over 16: undefined; here the bits of the second operand repeat.
  const turn = n > size ? n - size : n;
  const from = n > size ? bits<T>(b) : bits<T>(a);
  const fill = n > size ? bits<T>(a) : bits<T>(b);
  const result = turn == size ? <T>fill : <T>((from << (<u64>turn)) | (fill >> <u64>(size - turn)));
  const carried = ((from >> <u64>(size - turn)) & 1) != 0;
  setShiftFlags<T>(result, carried, <i64>result < 0 != <i64>a < 0);
  return result;
}

export function shrd<T>(a: T, b: T, by: i8): T {
  const size: u32 = sizeof<T>() * 8;
  const n = countOf<T>(by);
  if (n == 0) return a;
  const turn = n > size ? n - size : n;
  const from = n > size ? bits<T>(b) : bits<T>(a);
  const fill = n > size ? bits<T>(a) : bits<T>(b);
  const result = turn == size ? <T>fill : <T>((from >> <u64>turn) | shiftLeft(fill, <u64>(size - turn)));
  const carried = ((from >> <u64>(turn - 1)) & 1) != 0;
  setShiftFlags<T>(result, carried, <i64>result < 0 != <i64>a < 0);
  return result;
}
