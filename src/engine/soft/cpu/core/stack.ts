// The stack: PUSH, POP and related instructions (SDM 1 6.2).
//
// Memory is accessed first and the stack pointer changes last, so that an instruction that cannot complete has changed no
// register.
import { CPL, FLAGS_SYSTEM, OP_MODRM, RAX, RBP, RDI, RSP, SEG_SS, STACK_MASK } from '../../layout';
import { mayTouchInterrupts } from '../system/privilege';
import { loadSegment, selectorOf } from '../system/segments';
import { shadowOfStack, updateEvents } from './events';
import { AC, ARITHMETIC, IF, IOPL, RF, rflags, setArithmeticFlags, systemFlag, VM } from './flags';
import { writeOperand } from './generic';
import { checkWrite, read, write } from './memory';
import { immediate, setRegister } from './operands';
import { selectTlb } from './tlb';
import { failed } from './trouble';

/** The stack pointer plus `by` bytes, in the width that the stack uses. */
export function stackAt(by: i64): u64 {
  return (load<u64>(RSP) + <u64>by) & load<u64>(STACK_MASK);
}

export function setStack(pointer: u64): void {
  const mask = load<u64>(STACK_MASK);
  store<u64>(RSP, (load<u64>(RSP) & ~mask) | (pointer & mask));
}

export function push<T>(value: T): void {
  const pointer = stackAt(-(<i64>sizeof<T>()));
  write<T>(SEG_SS, pointer, value);
  if (!failed()) setStack(pointer);
}

export function pop<T>(): T {
  const value = read<T>(SEG_SS, stackAt(0));
  if (!failed()) setStack(stackAt(sizeof<T>()));
  return value;
}

/** POP to memory computes its address with the incremented stack pointer (SDM 2B POP). */
export function popmem<T>(pc: usize): void {
  const before = load<u64>(RSP);
  const value = pop<T>();
  if (failed()) return;
  writeOperand<T>(pc, value);
  if (failed()) store<u64>(RSP, before);
}

export function pusha<T>(_pc: usize): void {
  for (let i: i64 = 0; i < 8; i++) {
    write<T>(SEG_SS, stackAt(-(i + 1) * <i64>sizeof<T>()), load<T>(RAX + ((<usize>i) << 3)));
    if (failed()) return;
  }
  setStack(stackAt(-8 * <i64>sizeof<T>()));
}

export function popa<T>(_pc: usize): void {
  // All are read before the first register is written: the last read may fault.
  read<T>(SEG_SS, stackAt(7 * sizeof<T>()));
  if (failed()) return;
  for (let i: usize = 0; i < 8; i++) {
    read<T>(SEG_SS, stackAt(<i64>(i * sizeof<T>())));
    if (failed()) return;
  }
  const from = stackAt(0);
  for (let i: usize = 0; i < 8; i++) {
    const at = RDI - (i << 3);
    // The pushed stack pointer is discarded.
    if (at != RSP) setRegister<T>(at, read<T>(SEG_SS, (from + i * sizeof<T>()) & load<u64>(STACK_MASK)));
  }
  setStack(from + 8 * sizeof<T>());
}

/**
 * A selector takes a slot of the full operand size. With 32 bits only the lower half is written, as current processors do; with
 * 64 bits it is zero-extended (SDM 2B PUSH).
 */
export function pushsegment<T>(pc: usize): void {
  const index = <u32>(load<u8>(pc, OP_MODRM) >> 3) & 7;
  const pointer = stackAt(-(<i64>sizeof<T>()));
  if (sizeof<T>() == 8) write<u64>(SEG_SS, pointer, <u64>selectorOf(index));
  else write<u16>(SEG_SS, pointer, <u16>selectorOf(index));
  if (!failed()) setStack(pointer);
}

/**
 * POP of a segment register: the stack pointer moves by the operand size, but two bytes are read. After POP SS no interrupt is
 * taken for one instruction (SDM 3A 7.8.3).
 */
export function popsegment<T>(pc: usize): void {
  const index = <u32>(load<u8>(pc, OP_MODRM) >> 3) & 7;
  const before = load<u64>(RSP);
  const selector = <u32>read<u16>(SEG_SS, stackAt(0));
  if (failed()) return;
  setStack(stackAt(sizeof<T>()));
  loadSegment(index, selector);
  if (failed()) store<u64>(RSP, before);
  else if (index == SEG_SS) shadowOfStack();
}

/** PUSHF pushes all of RFLAGS except RF and VM. In virtual-8086 mode it needs IOPL 3, as POPF does (SDM 3B 21.2.7). */
export function pushf<T>(_pc: usize): void {
  if (systemFlag(VM) && !mayTouchInterrupts()) return;
  push<T>(<T>(rflags() & 0xfcffff));
}

/** Sets the flags of `mask`, as POPF and IRET do. */
export function takeFlags(flags: u32, mask: u32): void {
  setArithmeticFlags(flags);
  const system = mask & ~ARITHMETIC;
  store<u64>(FLAGS_SYSTEM, <u64>((load<u32>(FLAGS_SYSTEM) & ~system) | (flags & system)));
  updateEvents();
  if (mask & AC) selectTlb();
}

/** The flags that an instruction of real-address mode may change: not VM, VIP, VIF; RF only by IRET. */
export const REAL_FLAGS: u32 = 0x247fd5;

/** Those of REAL_FLAGS that code of the current privilege level may change (SDM 2B POPF). */
export function changeableFlags(): u32 {
  const privilege = load<u32>(CPL);
  let mask = REAL_FLAGS;
  if (privilege != 0) mask &= ~IOPL;
  if (privilege > (load<u32>(FLAGS_SYSTEM) & IOPL) >> 12) mask &= ~IF;
  return mask;
}

export function popf<T>(_pc: usize): void {
  if (systemFlag(VM) && !mayTouchInterrupts()) return;
  const flags = <u32>pop<T>();
  if (failed()) return;
  const mask = changeableFlags();
  // RF is 0 afterwards.
  takeFlags(flags & ~RF, sizeof<T>() == 2 ? mask & 0xffff : mask | RF);
}

/** ENTER: a frame, and pointers to those of the enclosing procedures (SDM 1 6.6, SDM 2A ENTER). */
export function enter<T>(pc: usize): void {
  const mask = load<u64>(STACK_MASK);
  const size = <u64>immediate(pc) & 0xffff;
  const level = <u32>(immediate(pc) >> 32) & 31;
  let pointer = stackAt(-(<i64>sizeof<T>()));
  // The whole of RSP, even where the stack uses 16 bits of it.
  const frame = load<u64>(RSP) - sizeof<T>();
  let link = load<u64>(RBP);
  write<T>(SEG_SS, pointer, <T>link);
  if (failed()) return;
  for (let i: u32 = 1; i <= level; i++) {
    link -= sizeof<T>();
    pointer = (pointer - sizeof<T>()) & mask;
    const display = i == level ? <T>frame : read<T>(SEG_SS, link & mask);
    if (failed()) return;
    write<T>(SEG_SS, pointer, display);
    if (failed()) return;
  }
  // ENTER checks that the end of the frame is writable (SDM 2A ENTER).
  checkWrite(SEG_SS, (pointer - size) & mask, sizeof<T>(), sizeof<T>());
  if (failed()) return;
  setRegister<T>(RBP, <T>frame);
  setStack(pointer - size);
}

export function leave<T>(_pc: usize): void {
  const mask = load<u64>(STACK_MASK);
  const frame = load<u64>(RBP) & mask;
  const value = read<T>(SEG_SS, frame);
  if (failed()) return;
  setStack(frame + sizeof<T>());
  setRegister<T>(RBP, value);
}
