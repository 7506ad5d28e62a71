// Instructions that load the descriptor table and task registers, and those that check a selector without loading it
// (SDM 3A 6.10).
import { OP_REG, REGS, SEG_LDT, SEG_TR } from '../../layout';
import { level } from '../core/cpu-mode';
import { fault, GP, NP, selectorFault } from '../core/faults';
import { changeFlags, ZF } from '../core/flags';
import { isMemory, readOperand, writeOperand } from '../core/generic';
import { readSystem, write, writeSystem } from '../core/memory';
import { address, segment, setReg, setRm } from '../core/operands';
import { canonicalBase } from '../core/paging';
import { failed } from '../core/trouble';
import {
  attributesOf,
  BUSY,
  baseOf,
  CALL_GATE_16,
  CALL_GATE_32,
  isConforming,
  isNull,
  isReadable,
  isWritable,
  LDT,
  limitOf,
  longMode,
  NOT_SYSTEM,
  PRESENT,
  privilegeOf,
  TASK_GATE,
  TSS_16,
  TSS_32,
  typeOf,
} from './descriptor-bits';
import { descriptorAt, descriptorOf, OUTSIDE, upperHalf } from './descriptors';
import { mayShowSystem, privileged } from './privilege';
import { selectorOf, setNull, setSegment } from './segments';

/** A selector is zero-extended into a register, and writes 16 bits of memory. */
function giveSelector<T>(pc: usize, index: u32): void {
  if (isMemory(pc)) write<u16>(segment(pc), address(pc), <u16>selectorOf(index));
  else setRm<T>(pc, <T>selectorOf(index));
}

export function sldt<T>(pc: usize): void {
  if (mayShowSystem()) giveSelector<T>(pc, SEG_LDT);
}

export function str<T>(pc: usize): void {
  if (mayShowSystem()) giveSelector<T>(pc, SEG_TR);
}

/** The system descriptor of a GDT selector, whose type must be `type` or `other`. */
function systemDescriptor(selector: u32, type: u32, other: u32): u64 {
  const descriptor = selector & 4 ? 0 : descriptorOf(selector, GP);
  if (failed()) return 0;
  const attributes = attributesOf(descriptor);
  const found = typeOf(attributes);
  if (attributes & NOT_SYSTEM || (found != type && found != other)) selectorFault(GP, selector);
  else if (!(attributes & PRESENT)) selectorFault(NP, selector);
  return descriptor;
}

/** The base of a system descriptor: 64 bits in long mode, where it must be canonical. */
function baseOfSystem(selector: u32, descriptor: u64): u64 {
  const base = baseOf(descriptor);
  if (!longMode()) return base;
  const whole = base | (upperHalf(selector, GP) << 32);
  if (!failed() && !canonicalBase(whole)) selectorFault(GP, selector);
  return whole;
}

export function lldt<T>(pc: usize): void {
  if (!privileged()) return;
  const selector = <u32>readOperand<u16>(pc);
  if (failed()) return;
  if (isNull(selector)) {
    setNull(SEG_LDT, selector);
    return;
  }
  const descriptor = systemDescriptor(selector, LDT, LDT);
  if (failed()) return;
  const base = baseOfSystem(selector, descriptor);
  if (!failed()) setSegment(SEG_LDT, selector, base, limitOf(descriptor), attributesOf(descriptor));
}

export function ltr<T>(pc: usize): void {
  if (!privileged()) return;
  const selector = <u32>readOperand<u16>(pc);
  if (failed()) return;
  if (isNull(selector)) {
    fault(GP);
    return;
  }
  const descriptor = systemDescriptor(selector, TSS_32, longMode() ? TSS_32 : TSS_16);
  if (failed()) return;
  const base = baseOfSystem(selector, descriptor);
  if (failed()) return;
  const at = descriptorAt(selector) + 5;
  const type = readSystem<u8>(at);
  if (failed()) return;
  writeSystem<u8>(at, type | <u8>BUSY);
  if (!failed()) setSegment(SEG_TR, selector, base, limitOf(descriptor), attributesOf(descriptor) | BUSY);
}

/** The descriptor of the source operand's selector; 0 where there is none, or where it is not accessible. */
function visibleDescriptor(pc: usize): u64 {
  const selector = <u32>readOperand<u16>(pc);
  if (failed() || isNull(selector)) return 0;
  const at = descriptorAt(selector);
  if (at == OUTSIDE) return 0;
  const descriptor = readSystem<u64>(at);
  if (failed()) return 0;
  const attributes = attributesOf(descriptor);
  if ((attributes & NOT_SYSTEM) != 0 && isConforming(attributes)) return descriptor;
  const privilege = privilegeOf(attributes);
  return privilege >= level() && privilege >= (selector & 3) ? descriptor : 0;
}

/** True for the system descriptors that have a limit (SDM 2A table 3-60). */
function hasLimit(type: u32): bool {
  if (type == LDT || (type | BUSY) == (TSS_32 | BUSY)) return true;
  return !longMode() && (type | BUSY) == (TSS_16 | BUSY);
}

/** True for the system descriptors whose access rights LAR can load (SDM 2A table 3-53). */
function hasRights(type: u32): bool {
  return (
    hasLimit(type) || type == CALL_GATE_32 || (!longMode() && (type == CALL_GATE_16 || type == TASK_GATE))
  );
}

export function lar<T>(pc: usize): void {
  const descriptor = visibleDescriptor(pc);
  if (failed()) return;
  const attributes = attributesOf(descriptor);
  const shown = descriptor != 0 && ((attributes & NOT_SYSTEM) != 0 || hasRights(typeOf(attributes)));
  if (shown) setReg<T>(pc, <T>((descriptor >> 32) & 0xf0ff00));
  changeFlags(ZF, shown ? ZF : 0);
}

export function lsl<T>(pc: usize): void {
  const descriptor = visibleDescriptor(pc);
  if (failed()) return;
  const attributes = attributesOf(descriptor);
  const shown = descriptor != 0 && ((attributes & NOT_SYSTEM) != 0 || hasLimit(typeOf(attributes)));
  if (shown) setReg<T>(pc, <T>limitOf(descriptor));
  changeFlags(ZF, shown ? ZF : 0);
}

export function verr<T>(pc: usize): void {
  const descriptor = visibleDescriptor(pc);
  if (!failed()) changeFlags(ZF, isReadable(attributesOf(descriptor)) ? ZF : 0);
}

export function verw<T>(pc: usize): void {
  const descriptor = visibleDescriptor(pc);
  if (!failed()) changeFlags(ZF, isWritable(attributesOf(descriptor)) ? ZF : 0);
}

/**
 * ARPL: raises a selector's RPL to that of another. Where it is not lower, nothing is written, and the operand need not be
 * writable.
 */
export function arpl<T>(pc: usize): void {
  const selector = <u32>readOperand<u16>(pc);
  if (failed()) return;
  const wanted = <u32>load<u8>(REGS + <usize>load<u8>(pc, OP_REG)) & 3;
  const raised = (selector & 3) < wanted;
  if (raised) writeOperand<u16>(pc, <u16>((selector & ~3) | wanted));
  if (!failed()) changeFlags(ZF, raised ? ZF : 0);
}
