// The arithmetic instructions (SDM 1 8.3.5): the operation by ModRM's reg field, the operand by the opcode.
import { read } from '../core/memory';
import { address, segment } from '../core/operands';
import { failed } from '../core/trouble';
import { add, divide, multiply, squareRoot, subtract } from './arithmetic';
import { toIntegral, widenDouble, widenInteger, widenSingle } from './convert';
import { finish, note, overflows, ready, regField, settle, stackOperand, underflows } from './instruction';
import { bits, classOf, exponent, give, noteDenormal, SIGN, unary } from './numbers';
import { C0, C3, commit, commitConditions, exponentOf, push, significand, statusWord } from './registers';
import {
  conditions,
  extract,
  hasQuotient,
  partBits,
  partExponent,
  partialRemainder,
  scale,
} from './remainder';

/** Between ST(0), which is first, and another operand (SDM 2A FADD, FSUB, FSUBR …). */
function calculate(operation: u32, e: u32, b: u64): void {
  const topExponent = exponentOf(0);
  const topBits = significand(0);
  switch (operation) {
    case 0:
      return add(topExponent, topBits, e, b);
    case 1:
      return multiply(topExponent, topBits, e, b);
    case 4:
      return subtract(topExponent, topBits, e, b);
    case 5:
      return subtract(e, b, topExponent, topBits);
    case 6:
      return divide(topExponent, topBits, e, b);
    default:
      return divide(e, b, topExponent, topBits);
  }
}

/** With the operand that was read into `exponent` and `bits`. */
function withMemory(pc: usize): void {
  note(pc);
  if (!underflows(0)) calculate(regField(pc), exponent, bits);
  finish(0, false);
}

export function arithmeticSingle(pc: usize): void {
  if (!ready()) return;
  widenSingle(read<u32>(segment(pc), address(pc)));
  if (!failed()) withMemory(pc);
}

export function arithmeticDouble(pc: usize): void {
  if (!ready()) return;
  widenDouble(read<u64>(segment(pc), address(pc)));
  if (!failed()) withMemory(pc);
}

export function arithmeticWord(pc: usize): void {
  if (!ready()) return;
  widenInteger(<i64>read<i16>(segment(pc), address(pc)));
  if (!failed()) withMemory(pc);
}

export function arithmeticLong(pc: usize): void {
  if (!ready()) return;
  widenInteger(<i64>read<i32>(segment(pc), address(pc)));
  if (!failed()) withMemory(pc);
}

function withRegister(pc: usize, to: u32, pops: bool): void {
  if (!ready()) return;
  note(pc);
  noteDenormal(false);
  const i = stackOperand(pc);
  if (!underflows(0) && !underflows(i)) calculate(regField(pc), exponentOf(i), significand(i));
  finish(to, pops);
}

export function arithmeticTop(pc: usize): void {
  withRegister(pc, 0, false);
}

export function arithmeticRegister(pc: usize): void {
  withRegister(pc, stackOperand(pc), false);
}

export function arithmeticPop(pc: usize): void {
  withRegister(pc, stackOperand(pc), true);
}

/** True if ST(0) is not empty; otherwise the masked response is the result. */
function unaryReady(pc: usize): bool {
  note(pc);
  noteDenormal(false);
  return !underflows(0);
}

export function fsqrt(pc: usize): void {
  if (!ready()) return;
  if (unaryReady(pc)) squareRoot(exponentOf(0), significand(0));
  finish(0, false);
}

/** FCHS and FABS accept any bits as a number. */
export function fchs(pc: usize): void {
  if (!ready()) return;
  if (unaryReady(pc)) give(exponentOf(0) ^ SIGN, significand(0));
  finish(0, false);
}

export function fabs(pc: usize): void {
  if (!ready()) return;
  if (unaryReady(pc)) give(exponentOf(0) & ~SIGN, significand(0));
  finish(0, false);
}

export function frndint(pc: usize): void {
  if (!ready()) return;
  if (unaryReady(pc)) {
    const e = exponentOf(0);
    const b = significand(0);
    if (!unary(classOf(e, b), e, b)) toIntegral(e, b);
  }
  finish(0, false);
}

function remainderBy(pc: usize, nearest: bool): void {
  if (!ready()) return;
  note(pc);
  noteDenormal(false);
  const lacks = underflows(0) || underflows(1);
  if (!lacks) partialRemainder(exponentOf(0), significand(0), exponentOf(1), significand(1), nearest);
  const settled = settle(0);
  if (settled && !lacks && hasQuotient) commitConditions(conditions);
  else commitConditions(statusWord() & (C0 | C3));
}

export function fprem(pc: usize): void {
  remainderBy(pc, false);
}

export function fprem1(pc: usize): void {
  remainderBy(pc, true);
}

export function fscale(pc: usize): void {
  if (!ready()) return;
  note(pc);
  noteDenormal(false);
  if (!underflows(0) && !underflows(1)) scale(exponentOf(0), significand(0), exponentOf(1), significand(1));
  finish(0, false);
}

/** The exponent replaces ST(0), the significand is pushed. */
export function fxtract(pc: usize): void {
  if (!ready()) return;
  note(pc);
  noteDenormal(false);
  const lacks = underflows(0);
  let e = exponent;
  let b = bits;
  if (!lacks) {
    if (overflows()) {
      e = exponent;
      b = bits;
    } else {
      extract(exponentOf(0), significand(0));
      e = partExponent;
      b = partBits;
    }
  }
  const significandExponent = exponent;
  const significandBits = bits;
  give(e, b);
  if (settle(0)) push(significandExponent, significandBits);
  commit();
}
