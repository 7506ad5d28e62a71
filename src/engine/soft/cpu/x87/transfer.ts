// The data transfer instructions (SDM 1 8.3.3, 8.3.4): memory to the stack and back, between registers, constants.
import { bit } from '../core/bits';
import { carry, parity, zero } from '../core/flags';
import { checkWrite, read, write } from '../core/memory';
import { address, segment } from '../core/operands';
import { failed } from '../core/trouble';
import {
  decimalHigh,
  decimalLow,
  fromDecimal,
  narrowDouble,
  narrowSingle,
  toDecimal,
  toInteger,
  widenDouble,
  widenInteger,
  widenSingle,
} from './convert';
import {
  finish,
  finishPush,
  keepsMemory,
  note,
  overflows,
  ready,
  regField,
  settle,
  stackOperand,
  underflows,
} from './instruction';
import { bits, classOf, denormals, exponent, give, unary, ZERO } from './numbers';
import {
  commit,
  commitKeepingC1,
  exponentOf,
  IE,
  isEmpty,
  NEAREST,
  pop,
  roundingMode,
  setEmpty,
  setSt,
  setTop,
  significand,
  top,
  UP,
  unmasked,
} from './registers';

/** Pushes a number that was widened. */
function loadNumber(pc: usize): void {
  note(pc);
  if (!overflows()) {
    denormals(ZERO, ZERO);
    unary(classOf(exponent, bits), exponent, bits);
  }
  finishPush();
}

export function fldSingle(pc: usize): void {
  if (!ready()) return;
  widenSingle(read<u32>(segment(pc), address(pc)));
  if (!failed()) loadNumber(pc);
}

export function fldDouble(pc: usize): void {
  if (!ready()) return;
  widenDouble(read<u64>(segment(pc), address(pc)));
  if (!failed()) loadNumber(pc);
}

/** The second half of a ten-byte operand: its 16-bit offset does not wrap. */
function tail(pc: usize): u64 {
  return address(pc) + 8;
}

let tenLow: u64 = 0;
let tenHigh: u32 = 0;

/** Reads a ten-byte operand into `tenLow` and `tenHigh`; false after a fault. */
function readTenBytes(pc: usize): bool {
  if (!ready()) return false;
  tenLow = read<u64>(segment(pc), address(pc));
  if (failed()) return false;
  tenHigh = read<u16>(segment(pc), tail(pc));
  return !failed();
}

export function fldExtended(pc: usize): void {
  if (!readTenBytes(pc)) return;
  note(pc);
  if (!overflows()) give(tenHigh, tenLow);
  finishPush();
}

export function fbld(pc: usize): void {
  if (!readTenBytes(pc)) return;
  note(pc);
  if (!overflows()) fromDecimal(tenHigh, tenLow);
  finishPush();
}

/** FILD m16, m32, m64. */
export function fild<T>(pc: usize): void {
  if (!ready()) return;
  const value = <i64>read<T>(segment(pc), address(pc));
  if (failed()) return;
  note(pc);
  if (!overflows()) widenInteger(value);
  finishPush();
}

export function fldRegister(pc: usize): void {
  if (!ready()) return;
  note(pc);
  const i = stackOperand(pc);
  if (!underflows(i) && !overflows()) give(exponentOf(i), significand(i));
  finishPush();
}

/** Ends a store that was written, or that an exception prevented. */
function stored(pc: usize, done: bool, pops: bool): void {
  note(pc);
  if (done && pops) pop();
  commit();
}

/** FST and FSTP of 32 and 64 bits, by ModRM's reg field. */
export function fstSingle(pc: usize): void {
  if (!ready()) return;
  const value = underflows(0) ? 0xffc00000 : narrowSingle(exponentOf(0), significand(0));
  const kept = keepsMemory();
  if (!kept) write<u32>(segment(pc), address(pc), value);
  if (!failed()) stored(pc, !kept, regField(pc) == 3);
}

export function fstDouble(pc: usize): void {
  if (!ready()) return;
  const value = underflows(0) ? 0xfff8000000000000 : narrowDouble(exponentOf(0), significand(0));
  const kept = keepsMemory();
  if (!kept) write<u64>(segment(pc), address(pc), value);
  if (!failed()) stored(pc, !kept, regField(pc) == 3);
}

/** Writes ten bytes; neither half is written where the other is not writable. */
function storeTen(pc: usize, high: u32, low: u64): void {
  const kept = unmasked(IE);
  if (!kept) {
    checkWrite(segment(pc), address(pc), 10, 8);
    if (failed()) return;
    write<u64>(segment(pc), address(pc), low);
    if (failed()) return;
    write<u16>(segment(pc), tail(pc), <u16>high);
    if (failed()) return;
  }
  stored(pc, !kept, true);
}

export function fstpExtended(pc: usize): void {
  if (!ready()) return;
  if (!underflows(0)) give(exponentOf(0), significand(0));
  storeTen(pc, exponent, bits);
}

export function fbstp(pc: usize): void {
  if (!ready()) return;
  if (underflows(0)) storeTen(pc, 0xffff, 0xc000000000000000);
  else {
    toDecimal(exponentOf(0), significand(0));
    storeTen(pc, decimalHigh, decimalLow);
  }
}

function storeInteger<T>(pc: usize, chop: bool, pops: bool): void {
  if (!ready()) return;
  const size: u32 = <u32>sizeof<T>() * 8;
  const value = underflows(0)
    ? -(<i64>bit(<u64>(size - 1)))
    : toInteger(exponentOf(0), significand(0), size, chop);
  const kept = unmasked(IE);
  if (!kept) write<T>(segment(pc), address(pc), <T>value);
  if (!failed()) stored(pc, !kept, pops);
}

/** FIST and FISTP, by ModRM's reg field. */
export function fist<T>(pc: usize): void {
  storeInteger<T>(pc, false, (regField(pc) & 1) != 0);
}

export function fisttp<T>(pc: usize): void {
  storeInteger<T>(pc, true, true);
}

function copyTop(pc: usize, pops: bool): void {
  if (!ready()) return;
  note(pc);
  if (!underflows(0)) give(exponentOf(0), significand(0));
  finish(stackOperand(pc), pops);
}

export function fstRegister(pc: usize): void {
  copyTop(pc, false);
}
export function fstpRegister(pc: usize): void {
  copyTop(pc, true);
}

/** The other encoding of FSTP ST(i), D9 D8: where ST(0) is empty it pops without an exception, on every processor. */
export function fstp1(pc: usize): void {
  if (!isEmpty(0)) return copyTop(pc, true);
  if (!ready()) return;
  note(pc);
  pop();
  commit();
}

/** Either register may be empty: it then reads as the indefinite. */
export function fxch(pc: usize): void {
  if (!ready()) return;
  note(pc);
  const i = stackOperand(pc);
  if (!underflows(0)) give(exponentOf(0), significand(0));
  const e = exponent;
  const b = bits;
  if (!underflows(i)) give(exponentOf(i), significand(i));
  if (settle(0)) setSt(i, e, b);
  commit();
}

function moveIf(pc: usize, condition: bool): void {
  if (!ready()) return;
  note(pc);
  const i = stackOperand(pc);
  if (underflows(0) || underflows(i)) {
    finish(0, false);
    return;
  }
  if (condition) setSt(0, exponentOf(i), significand(i));
  commitKeepingC1();
}

export function fcmovb(pc: usize): void {
  moveIf(pc, carry());
}
export function fcmove(pc: usize): void {
  moveIf(pc, zero());
}
export function fcmovbe(pc: usize): void {
  moveIf(pc, carry() || zero());
}
export function fcmovu(pc: usize): void {
  moveIf(pc, parity());
}
export function fcmovnb(pc: usize): void {
  moveIf(pc, !carry());
}
export function fcmovne(pc: usize): void {
  moveIf(pc, !zero());
}
export function fcmovnbe(pc: usize): void {
  moveIf(pc, !carry() && !zero());
}
export function fcmovnu(pc: usize): void {
  moveIf(pc, !parity());
}

/** A truncated constant, and whether the next number is nearer: the processor's own constants have more bits (SDM 1 8.3.4). */
function constant(pc: usize, e: u32, b: u64, nearestIsNext: bool): void {
  if (!ready()) return;
  note(pc);
  const mode = roundingMode();
  const next = mode == UP || (mode == NEAREST && nearestIsNext);
  if (!overflows()) give(e, next ? b + 1 : b);
  finishPush();
}

/** FLD1, FLDL2T, FLDL2E, FLDPI, FLDLG2, FLDLN2, FLDZ by ModRM's rm field. */
export function fldConstant(pc: usize): void {
  switch (stackOperand(pc)) {
    case 1:
      return constant(pc, 0x4000, 0xd49a784bcd1b8afe, false);
    case 2:
      return constant(pc, 0x3fff, 0xb8aa3b295c17f0bb, true);
    case 3:
      return constant(pc, 0x4000, 0xc90fdaa22168c234, true);
    case 4:
      return constant(pc, 0x3ffd, 0x9a209a84fbcff798, true);
    case 5:
      return constant(pc, 0x3ffe, 0xb17217f7d1cf79ab, true);
  }
  if (!ready()) return;
  note(pc);
  if (!overflows()) {
    if (stackOperand(pc) == 0) give(0x3fff, 0x8000000000000000);
    else give(0, 0);
  }
  finishPush();
}

export function ffree(pc: usize): void {
  if (!ready()) return;
  note(pc);
  setEmpty(stackOperand(pc));
  commit();
}

/** FFREE and a pop: not in the manual, but on every processor. */
export function ffreep(pc: usize): void {
  if (!ready()) return;
  note(pc);
  setEmpty(stackOperand(pc));
  pop();
  commit();
}

export function fincstp(pc: usize): void {
  if (!ready()) return;
  note(pc);
  setTop(top() + 1);
  commit();
}

export function fdecstp(pc: usize): void {
  if (!ready()) return;
  note(pc);
  setTop(top() - 1);
  commit();
}

export function fnop(pc: usize): void {
  if (ready()) note(pc);
}
