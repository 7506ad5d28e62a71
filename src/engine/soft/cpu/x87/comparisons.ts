// The comparison instructions (SDM 1 8.3.6).
import { CF, PF, setArithmeticFlags, ZF } from '../core/flags';
import { read } from '../core/memory';
import { address, segment } from '../core/operands';
import { failed } from '../core/trouble';
import { compare, examine, UNORDERED } from './compare';
import { widenDouble, widenInteger, widenSingle } from './convert';
import { note, ready, regField, stackOperand, underflows } from './instruction';
import { bits, exponent, noteDenormal, SIGN } from './numbers';
import {
  C0,
  C1,
  C2,
  C3,
  commitConditions,
  commitKeepingC1,
  exponentOf,
  isEmpty,
  pop,
  significand,
  stopsBefore,
} from './registers';

/** Compares ST(0) with a number; then pops `pops` registers. */
function against(e: u32, b: u64, lacks: bool, quiet: bool, pops: u32): void {
  const codes = lacks ? UNORDERED : compare(exponentOf(0), significand(0), e, b, quiet);
  if (!stopsBefore()) for (let i: u32 = 0; i < pops; i++) pop();
  commitConditions(codes);
}

/** FCOM and FCOMP of memory, by ModRM's reg field: the operand is in `exponent` and `bits`. */
function withMemory(pc: usize): void {
  const e = exponent;
  const b = bits;
  note(pc);
  against(e, b, underflows(0), false, regField(pc) == 3 ? 1 : 0);
}

export function compareSingle(pc: usize): void {
  if (!ready()) return;
  widenSingle(read<u32>(segment(pc), address(pc)));
  if (!failed()) withMemory(pc);
}

export function compareDouble(pc: usize): void {
  if (!ready()) return;
  widenDouble(read<u64>(segment(pc), address(pc)));
  if (!failed()) withMemory(pc);
}

export function compareWord(pc: usize): void {
  if (!ready()) return;
  widenInteger(<i64>read<i16>(segment(pc), address(pc)));
  if (!failed()) withMemory(pc);
}

export function compareLong(pc: usize): void {
  if (!ready()) return;
  widenInteger(<i64>read<i32>(segment(pc), address(pc)));
  if (!failed()) withMemory(pc);
}

function withRegister(pc: usize, quiet: bool, pops: u32): void {
  if (!ready()) return;
  note(pc);
  noteDenormal(false);
  const i = stackOperand(pc);
  const lacks = underflows(0) || underflows(i);
  against(exponentOf(i), significand(i), lacks, quiet, pops);
}

export function fcom(pc: usize): void {
  withRegister(pc, false, 0);
}
export function fcomp(pc: usize): void {
  withRegister(pc, false, 1);
}
export function fcompp(pc: usize): void {
  withRegister(pc, false, 2);
}
export function fucom(pc: usize): void {
  withRegister(pc, true, 0);
}
export function fucomp(pc: usize): void {
  withRegister(pc, true, 1);
}
export function fucompp(pc: usize): void {
  withRegister(pc, true, 2);
}

export function ftst(pc: usize): void {
  if (!ready()) return;
  note(pc);
  noteDenormal(false);
  against(0, 0, underflows(0), false, 0);
}

/** The result goes to ZF, PF and CF (SDM 2A FCOMI), even where an exception is not masked. */
function toFlags(pc: usize, quiet: bool, pops: bool): void {
  if (!ready()) return;
  note(pc);
  noteDenormal(false);
  const i = stackOperand(pc);
  const lacks = underflows(0) || underflows(i);
  const codes = lacks
    ? UNORDERED
    : compare(exponentOf(0), significand(0), exponentOf(i), significand(i), quiet);
  setArithmeticFlags((codes & C3 ? ZF : 0) | (codes & C2 ? PF : 0) | (codes & C0 ? CF : 0));
  if (!stopsBefore() && pops) pop();
  commitKeepingC1();
}

export function fcomi(pc: usize): void {
  toFlags(pc, false, false);
}
export function fcomip(pc: usize): void {
  toFlags(pc, false, true);
}
export function fucomi(pc: usize): void {
  toFlags(pc, true, false);
}
export function fucomip(pc: usize): void {
  toFlags(pc, true, true);
}

/** C1 is the sign, of an empty register too. */
export function fxam(pc: usize): void {
  if (!ready()) return;
  note(pc);
  const sign = exponentOf(0) & SIGN ? C1 : 0;
  commitConditions(sign | (isEmpty(0) ? C3 | C0 : examine(exponentOf(0), significand(0))));
}
