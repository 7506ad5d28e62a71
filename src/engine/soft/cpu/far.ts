// Transfers to another code segment, software interrupts and IRET (SDM 2A CALL, IRET, JMP, INT n; 2B RET).
import { NMI_BLOCKED, RIP, SEG_CS, SEG_LIMIT, SEG_SS } from '../layout';
import { interrupt } from './exceptions';
import { BP, BR, DB, fault, GP, OVERFLOW } from './faults';
import { overflow } from './flags';
import { failed, read, write } from './memory';
import { address, cutAddress, immediate, reg, ripAfter, segment } from './operands';
import { loadSegment, segmentAt, selectorOf } from './segments';
import { REAL_FLAGS, setStack, stackAt, takeFlags } from './stack';

/** Goes to selector:offset. */
function goFar(selector: u32, offset: u64): void {
  if (offset > <u64>load<u32>(segmentAt(SEG_CS), SEG_LIMIT)) fault(GP);
  if (failed()) return;
  loadSegment(SEG_CS, selector);
  if (!failed()) store<u64>(RIP, offset);
}

function callTo<T>(pc: usize, selector: u32, offset: u64): void {
  if (offset > <u64>load<u32>(segmentAt(SEG_CS), SEG_LIMIT)) fault(GP);
  if (failed()) return;
  write<T>(SEG_SS, stackAt(-(<i64>sizeof<T>())), <T>selectorOf(SEG_CS));
  if (failed()) return;
  write<T>(SEG_SS, stackAt(-2 * <i64>sizeof<T>()), <T>ripAfter(pc));
  if (failed()) return;
  goFar(selector, offset);
  if (!failed()) setStack(stackAt(-2 * <i64>sizeof<T>()));
}

function unsigned<T>(value: T): u64 {
  return sizeof<T>() == 8 ? <u64>value : <u64>value & (((<u64>1) << (sizeof<T>() * 8)) - 1);
}

export function jmpfar<T>(pc: usize): void {
  goFar(<u32>(immediate(pc) >> 32), <u64>immediate(pc) & 0xffffffff);
}

export function callfar<T>(pc: usize): void {
  callTo<T>(pc, <u32>(immediate(pc) >> 32), <u64>immediate(pc) & 0xffffffff);
}

export function jmpfarind<T>(pc: usize): void {
  const offset = unsigned<T>(read<T>(segment(pc), address(pc)));
  if (failed()) return;
  const selector = read<u16>(segment(pc), cutAddress(pc, address(pc) + sizeof<T>()));
  if (!failed()) goFar(<u32>selector, offset);
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
  const selector = <u32>read<T>(SEG_SS, stackAt(sizeof<T>()));
  if (failed()) return;
  goFar(selector, offset);
  if (!failed()) setStack(stackAt(2 * <i64>sizeof<T>() + immediate(pc)));
}

export function iret<T>(_pc: usize): void {
  const offset = unsigned<T>(read<T>(SEG_SS, stackAt(0)));
  if (failed()) return;
  const selector = <u32>read<T>(SEG_SS, stackAt(sizeof<T>()));
  if (failed()) return;
  const flags = <u32>read<T>(SEG_SS, stackAt(2 * sizeof<T>()));
  if (failed()) return;
  goFar(selector, offset);
  if (failed()) return;
  setStack(stackAt(3 * sizeof<T>()));
  takeFlags(flags, sizeof<T>() == 2 ? REAL_FLAGS & 0xffff : REAL_FLAGS | 0x10000);
  // The handler of an NMI ends with IRET (SDM 3A 6.7.1).
  store<u32>(NMI_BLOCKED, 0);
}

export function intn(pc: usize): void {
  interrupt(<u32>immediate(pc) & 0xff, ripAfter(pc));
}

export function int3(pc: usize): void {
  interrupt(BP, ripAfter(pc));
}

export function int1(pc: usize): void {
  interrupt(DB, ripAfter(pc));
}

export function into(pc: usize): void {
  if (overflow()) interrupt(OVERFLOW, ripAfter(pc));
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
