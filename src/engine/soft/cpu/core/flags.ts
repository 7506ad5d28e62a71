// The arithmetic flags, computed on demand (SDM 1 3.4.3.1).
//
// An operation stores its operands and its result, each sign-extended to 64 bits: then the sign is bit 63 for every operand
// size, and so are carry and overflow. The kind selects their formula.
import { FLAG_A, FLAG_B, FLAG_CARRY, FLAG_COPY, FLAG_KIND, FLAG_RESULT, FLAGS_SYSTEM } from '../../layout';

/** FLAG_RESULT has the flags in the format of RFLAGS. */
const KIND_PLAIN: u32 = 0;
const KIND_LOGIC: u32 = 1;
const KIND_ADD: u32 = 2;
const KIND_SUB: u32 = 3;
/** INC and DEC do not change the carry, which is in FLAG_CARRY. */
const KIND_INC: u32 = 4;
const KIND_DEC: u32 = 5;
/** SUB with borrow: carry and comparison do not follow only from the operands. */
const KIND_SBB: u32 = 6;

export const CF: u32 = 1;
export const PF: u32 = 4;
export const AF: u32 = 0x10;
export const ZF: u32 = 0x40;
export const SF: u32 = 0x80;
export const TF: u32 = 0x100;
export const IF: u32 = 0x200;
export const DF: u32 = 0x400;
export const OF: u32 = 0x800;
export const IOPL: u32 = 0x3000;
export const NT: u32 = 0x4000;
export const RF: u32 = 0x10000;
export const VM: u32 = 0x20000;
export const AC: u32 = 0x40000;
export const VIF: u32 = 0x80000;
export const VIP: u32 = 0x100000;
export const ID: u32 = 0x200000;
export const ARITHMETIC: u32 = 0x8d5;

function setFlags(kind: u32, a: i64, b: i64, result: i64): void {
  store<u32>(FLAG_KIND, kind);
  store<i64>(FLAG_A, a);
  store<i64>(FLAG_B, b);
  store<i64>(FLAG_RESULT, result);
}

export function flagsOfAdd<T>(a: T, b: T, result: T): void {
  setFlags(KIND_ADD, <i64>a, <i64>b, <i64>result);
}

export function flagsOfSub<T>(a: T, b: T, result: T): void {
  setFlags(KIND_SUB, <i64>a, <i64>b, <i64>result);
}

export function flagsOfSbb<T>(a: T, b: T, result: T): void {
  setFlags(KIND_SBB, <i64>a, <i64>b, <i64>result);
}

export function flagsOfInc<T>(a: T, result: T): void {
  const carried = <u32>carry();
  store<u32>(FLAG_CARRY, carried);
  setFlags(KIND_INC, <i64>a, 1, <i64>result);
}

export function flagsOfDec<T>(a: T, result: T): void {
  const carried = <u32>carry();
  store<u32>(FLAG_CARRY, carried);
  setFlags(KIND_DEC, <i64>a, 1, <i64>result);
}

export function flagsOfLogic<T>(result: T): void {
  store<u32>(FLAG_KIND, KIND_LOGIC);
  store<i64>(FLAG_RESULT, <i64>result);
}

/** Bit n: the carry out of bit n. */
function carries(): i64 {
  const a = load<i64>(FLAG_A);
  const b = load<i64>(FLAG_B);
  const r = load<i64>(FLAG_RESULT);
  const kind = load<u32>(FLAG_KIND);
  if (kind == KIND_ADD || kind == KIND_INC) return (a & b) | ((a | b) & ~r);
  return (~a & b) | (~(a ^ b) & r);
}

export function carry(): bool {
  const kind = load<u32>(FLAG_KIND);
  if (kind == KIND_SUB) return load<u64>(FLAG_A) < load<u64>(FLAG_B);
  if (kind == KIND_ADD || kind == KIND_SBB) return carries() < 0;
  if (kind >= KIND_INC) return load<u32>(FLAG_CARRY) != 0;
  return kind == KIND_PLAIN && (load<u32>(FLAG_RESULT) & CF) != 0;
}

export function zero(): bool {
  if (load<u32>(FLAG_KIND) == KIND_PLAIN) return (load<u32>(FLAG_RESULT) & ZF) != 0;
  return load<i64>(FLAG_RESULT) == 0;
}

export function sign(): bool {
  if (load<u32>(FLAG_KIND) == KIND_PLAIN) return (load<u32>(FLAG_RESULT) & SF) != 0;
  return load<i64>(FLAG_RESULT) < 0;
}

export function overflow(): bool {
  const kind = load<u32>(FLAG_KIND);
  if (kind == KIND_PLAIN) return (load<u32>(FLAG_RESULT) & OF) != 0;
  if (kind == KIND_LOGIC) return false;
  const a = load<i64>(FLAG_A);
  const b = load<i64>(FLAG_B);
  const r = load<i64>(FLAG_RESULT);
  if (kind == KIND_ADD || kind == KIND_INC) return ((a ^ r) & (b ^ r)) < 0;
  return ((a ^ b) & (a ^ r)) < 0;
}

/** CF or ZF: below or equal, for unsigned numbers. */
export function belowOrEqual(): bool {
  if (load<u32>(FLAG_KIND) == KIND_SUB) return load<u64>(FLAG_A) <= load<u64>(FLAG_B);
  return carry() || zero();
}

/** SF differs from OF: less, for signed numbers. */
export function less(): bool {
  const kind = load<u32>(FLAG_KIND);
  if (kind == KIND_SUB) return load<i64>(FLAG_A) < load<i64>(FLAG_B);
  if (kind == KIND_LOGIC) return load<i64>(FLAG_RESULT) < 0;
  return sign() != overflow();
}

/** ZF, or SF differs from OF. */
export function lessOrEqual(): bool {
  const kind = load<u32>(FLAG_KIND);
  if (kind == KIND_SUB) return load<i64>(FLAG_A) <= load<i64>(FLAG_B);
  if (kind == KIND_LOGIC) return load<i64>(FLAG_RESULT) <= 0;
  return zero() || sign() != overflow();
}

export function parityOf(result: u32): bool {
  return (popcnt<u32>(result & 0xff) & 1) == 0;
}

export function parity(): bool {
  if (load<u32>(FLAG_KIND) == KIND_PLAIN) return (load<u32>(FLAG_RESULT) & PF) != 0;
  return parityOf(load<u32>(FLAG_RESULT));
}

/** AF: the carry out of bit 3. */
export function adjust(): bool {
  const kind = load<u32>(FLAG_KIND);
  if (kind == KIND_PLAIN) return (load<u32>(FLAG_RESULT) & AF) != 0;
  if (kind == KIND_LOGIC) return false;
  return ((load<u32>(FLAG_A) ^ load<u32>(FLAG_B) ^ load<u32>(FLAG_RESULT)) & AF) != 0;
}

/** All six, in the format of RFLAGS. */
export function arithmeticFlags(): u32 {
  if (load<u32>(FLAG_KIND) == KIND_PLAIN) return load<u32>(FLAG_RESULT);
  return (
    (carry() ? CF : 0) |
    (parity() ? PF : 0) |
    (adjust() ? AF : 0) |
    (zero() ? ZF : 0) |
    (sign() ? SF : 0) |
    (overflow() ? OF : 0)
  );
}

export function setArithmeticFlags(flags: u32): void {
  store<u32>(FLAG_KIND, KIND_PLAIN);
  store<u64>(FLAG_RESULT, <u64>(flags & ARITHMETIC));
}

/** Sets the flags of `mask` and leaves the others. */
export function changeFlags(mask: u32, flags: u32): void {
  setArithmeticFlags((arithmeticFlags() & ~mask) | (flags & mask));
}

/** SF, ZF and PF of a result. */
export function signZeroParity<T>(result: T): u32 {
  const wide = <i64>result;
  return (wide < 0 ? SF : 0) | (wide == 0 ? ZF : 0) | (parityOf(<u32>wide) ? PF : 0);
}

export function rflags(): u32 {
  return arithmeticFlags() | load<u32>(FLAGS_SYSTEM) | 2;
}

/** Sets every flag, as the monitor does. */
export function setRflags(flags: u32): void {
  setArithmeticFlags(flags);
  store<u64>(FLAGS_SYSTEM, <u64>(flags & ~ARITHMETIC & ~2));
}

export function systemFlag(flag: u32): bool {
  return (load<u32>(FLAGS_SYSTEM) & flag) != 0;
}

/** A write can cause an exit, after which the instruction runs again; its flags were already set, so the old ones are kept. */
export function keepFlags(): void {
  memory.copy(FLAG_COPY, FLAG_KIND, 32);
}

export function restoreFlags(): void {
  memory.copy(FLAG_KIND, FLAG_COPY, 32);
}
