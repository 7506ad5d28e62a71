// Transfers to another code segment (SDM 2A CALL, JMP; 2B RET) and software interrupts (INT n).
import { RIP, SEG_CS, SEG_LIMIT, SEG_SS, TRAPS } from '../../layout';
import { maskOf } from '../core/bits';
import { realMode } from '../core/cpu-mode';
import { unblockNmi } from '../core/events';
import { interrupt, softwareInterrupt } from '../core/exceptions';
import { BP, BR, DB, fault, GP, OVERFLOW } from '../core/faults';
import { overflow, RF, systemFlag, VM } from '../core/flags';
import { read, write } from '../core/memory';
import { address, cutAddress, immediate, reg, ripAfter, segment } from '../core/operands';
import { changeableFlags, setStack, stackAt, takeFlags } from '../core/stack';
import { failed } from '../core/trouble';
import { callFar, jumpFar } from './code-transfers';
import { dropTraps, tellTraps } from './debug';
import { mayTouchInterrupts } from './privilege';
import { interruptReturn, returnFar } from './returns';
import { segmentAt, selectorOf, setRealSegment } from './segments';

/** A transfer to selector:offset in real-address and virtual-8086 mode. */
function goReal(selector: u32, offset: u64): void {
  if (offset > <u64>load<u32>(segmentAt(SEG_CS), SEG_LIMIT)) fault(GP);
  if (failed()) return;
  setRealSegment(SEG_CS, selector);
  store<u64>(RIP, offset);
}

/** Processors push before they check the target against the segment's limit. */
function callReal<T>(pc: usize, selector: u32, offset: u64): void {
  write<T>(SEG_SS, stackAt(-(<i64>sizeof<T>())), <T>selectorOf(SEG_CS));
  if (failed()) return;
  write<T>(SEG_SS, stackAt(-2 * <i64>sizeof<T>()), <T>ripAfter(pc));
  if (failed()) return;
  goReal(selector, offset);
  if (!failed()) setStack(stackAt(-2 * <i64>sizeof<T>()));
}

function jumpTo<T>(pc: usize, selector: u32, offset: u64): void {
  if (realMode()) goReal(selector, offset);
  else jumpFar(selector, offset, ripAfter(pc));
}

function callTo<T>(pc: usize, selector: u32, offset: u64): void {
  if (realMode()) callReal<T>(pc, selector, offset);
  else callFar(selector, offset, ripAfter(pc), sizeof<T>());
}

function unsigned<T>(value: T): u64 {
  return sizeof<T>() == 8 ? <u64>value : <u64>value & maskOf(sizeof<T>());
}

export function jmpfar<T>(pc: usize): void {
  jumpTo<T>(pc, <u32>(immediate(pc) >> 32), <u64>immediate(pc) & 0xffffffff);
}

export function callfar<T>(pc: usize): void {
  callTo<T>(pc, <u32>(immediate(pc) >> 32), <u64>immediate(pc) & 0xffffffff);
}

export function jmpfarind<T>(pc: usize): void {
  const offset = unsigned<T>(read<T>(segment(pc), address(pc)));
  if (failed()) return;
  const selector = read<u16>(segment(pc), cutAddress(pc, address(pc) + sizeof<T>()));
  if (!failed()) jumpTo<T>(pc, <u32>selector, offset);
}

export function callfarind<T>(pc: usize): void {
  const offset = unsigned<T>(read<T>(segment(pc), address(pc)));
  if (failed()) return;
  const selector = read<u16>(segment(pc), cutAddress(pc, address(pc) + sizeof<T>()));
  if (!failed()) callTo<T>(pc, <u32>selector, offset);
}

export function retfar<T>(pc: usize): void {
  const offset = unsigned<T>(read<T>(SEG_SS, stackAt(0)));
  if (failed()) return;
  const selector = <u32>read<T>(SEG_SS, stackAt(sizeof<T>())) & 0xffff;
  if (failed()) return;
  if (!realMode()) {
    returnFar(selector, offset, sizeof<T>(), <u64>immediate(pc));
    return;
  }
  goReal(selector, offset);
  if (!failed()) setStack(stackAt(2 * <i64>sizeof<T>() + immediate(pc)));
}

export function iret<T>(pc: usize): void {
  if (!realMode()) {
    interruptReturn(sizeof<T>(), ripAfter(pc));
    return;
  }
  if (systemFlag(VM) && !mayTouchInterrupts()) return;
  unblockNmi();
  const offset = unsigned<T>(read<T>(SEG_SS, stackAt(0)));
  if (failed()) return;
  const selector = <u32>read<T>(SEG_SS, stackAt(sizeof<T>()));
  if (failed()) return;
  const flags = <u32>read<T>(SEG_SS, stackAt(2 * sizeof<T>()));
  if (failed()) return;
  goReal(selector, offset);
  if (failed()) return;
  setStack(stackAt(3 * sizeof<T>()));
  const mask = changeableFlags() | RF;
  takeFlags(flags, sizeof<T>() == 2 ? mask & 0xffff : mask);
}

/** In virtual-8086 mode INT n is a #GP for the virtual-8086 monitor, unless IOPL is 3 (SDM 3B 21.2.7). */
export function intn(pc: usize): void {
  if (systemFlag(VM) && !mayTouchInterrupts()) return;
  softwareInterrupt(<u32>immediate(pc) & 0xff, ripAfter(pc));
}

export function int3(pc: usize): void {
  softwareInterrupt(BP, ripAfter(pc));
}

/** A debug exception that MOV SS has delayed comes with this one. */
export function int1(pc: usize): void {
  interrupt(DB, ripAfter(pc));
  if (failed() || !load<u32>(TRAPS)) return;
  tellTraps();
  dropTraps();
}

export function into(pc: usize): void {
  if (overflow()) softwareInterrupt(OVERFLOW, ripAfter(pc));
  else store<u64>(RIP, ripAfter(pc));
}

/** BOUND: a signed index and two bounds in memory. */
export function bound<T>(pc: usize): void {
  const low = read<T>(segment(pc), address(pc));
  if (failed()) return;
  const high = read<T>(segment(pc), cutAddress(pc, address(pc) + sizeof<T>()));
  if (failed()) return;
  if (reg<T>(pc) < low || reg<T>(pc) > high) fault(BR);
}
