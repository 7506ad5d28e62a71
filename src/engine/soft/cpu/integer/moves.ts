// Moves and conversions.
import { OP_REG, RAX, RBX, RDX, SEG_CS, SEG_DS, SEG_ES, SEG_SS } from '../../layout';
import { maskOf } from '../core/bits';
import { shadowOfStack } from '../core/events';
import { fault, UD } from '../core/faults';
import { arithmeticFlags, changeFlags } from '../core/flags';
import { isMemory, readOperand } from '../core/generic';
import { read, write } from '../core/memory';
import { address, cutAddress, segment, setReg, setRegister, setRm } from '../core/operands';
import { failed } from '../core/trouble';
import { loadSegment, selectorOf } from '../system/segments';

export function mov<T>(value: T): T {
  return value;
}

export function movsx<T, F>(value: F): T {
  return <T>(<i64>value);
}

export function movsxd<T, F>(value: F): T {
  return <T>(<i64>value);
}

export function movzx<T, F>(value: F): T {
  return <T>(<u64>value & maskOf(sizeof<F>()));
}

export function lea<T>(pc: usize): void {
  setReg<T>(pc, <T>address(pc));
}

export function xlat(pc: usize): void {
  const ea = cutAddress(pc, load<u64>(RBX) + <u64>load<u8>(RAX));
  const value = read<u8>(segment(pc), ea);
  if (!failed()) store<u8>(RAX, value);
}

/** CBW, CWDE, CDQE: the accumulator's lower half, extended. */
export function cbw<T>(_pc: usize): void {
  if (sizeof<T>() == 2) store<i16>(RAX, <i16>load<i8>(RAX));
  else if (sizeof<T>() == 4) setRegister<i32>(RAX, <i32>load<i16>(RAX));
  else store<i64>(RAX, <i64>load<i32>(RAX));
}

/** CWD, CDQ, CQO: the accumulator's sign in every bit of the data register. */
export function cwd<T>(_pc: usize): void {
  setRegister<T>(RDX, <T>(<i64>load<T>(RAX) < 0 ? -1 : 0));
}

export function sahf(_pc: usize): void {
  changeFlags(0xd5, <u32>load<u8>(RAX, 1));
}

export function lahf(_pc: usize): void {
  store<u8>(RAX, <u8>((arithmeticFlags() & 0xd5) | 2), 1);
}

/** To memory a selector is 16 bits; to a register it fills the operand size. */
export function movfromsegment<T>(pc: usize): void {
  const index = <u32>(load<u8>(pc, OP_REG) >> 3) & 7;
  if (index > 5) {
    fault(UD);
    return;
  }
  if (isMemory(pc)) write<u16>(segment(pc), address(pc), <u16>selectorOf(index));
  else setRm<T>(pc, <T>selectorOf(index));
}

export function movtosegment(pc: usize): void {
  const index = <u32>(load<u8>(pc, OP_REG) >> 3) & 7;
  if (index > 5 || index == SEG_CS) {
    fault(UD);
    return;
  }
  const selector = readOperand<u16>(pc);
  if (failed()) return;
  loadSegment(index, <u32>selector);
  if (!failed() && index == SEG_SS) shadowOfStack();
}

/** LDS, LES, LFS, LGS, LSS: a far pointer from memory into a segment register and a general one. */
function loadPointer<T>(pc: usize, index: u32): void {
  const offset = read<T>(segment(pc), address(pc));
  if (failed()) return;
  const selector = read<u16>(segment(pc), cutAddress(pc, address(pc) + sizeof<T>()));
  if (failed()) return;
  loadSegment(index, <u32>selector);
  if (!failed()) setReg<T>(pc, offset);
}

export function les<T>(pc: usize): void {
  loadPointer<T>(pc, SEG_ES);
}
export function lds<T>(pc: usize): void {
  loadPointer<T>(pc, SEG_DS);
}
export function lss<T>(pc: usize): void {
  loadPointer<T>(pc, SEG_SS);
}
export function lfs<T>(pc: usize): void {
  loadPointer<T>(pc, 4);
}
export function lgs<T>(pc: usize): void {
  loadPointer<T>(pc, 5);
}
