// Far RET and IRET in protected and long mode (SDM 2B RET, 2A IRET).
import { RIP, RSP, SEG_CS, SEG_DS, SEG_ES, SEG_FS, SEG_GS, SEG_SS, STACK_MASK } from '../../layout';
import { code64, level } from '../core/cpu-mode';
import { unblockNmi } from '../core/events';
import { fault, GP, NP, selectorFault } from '../core/faults';
import { NT, RF, systemFlag, VIF, VIP, VM } from '../core/flags';
import { read } from '../core/memory';
import { changeableFlags, REAL_FLAGS, setStack, stackAt, takeFlags } from '../core/stack';
import { failed } from '../core/trouble';
import { checkTarget, isMalformed } from './code-targets';
import {
  attributesOf,
  isCode,
  isConforming,
  isNull,
  LONG_CODE,
  longMode,
  PRESENT,
  privilegeOf,
} from './descriptor-bits';
import { descriptorOf, markAccessed } from './descriptors';
import {
  closeSegments,
  nextNullStack,
  nextStack,
  setFromDescriptor,
  setVirtualSegment,
  takeNextStack,
  updateMode,
} from './segments';
import { returnFromTask } from './tasks';

/** The value at `offset` on the stack, of the operand size. */
function popped(offset: u64, size: u32): u64 {
  const at = stackAt(<i64>offset);
  return size == 8
    ? read<u64>(SEG_SS, at)
    : size == 4
      ? <u64>read<u32>(SEG_SS, at)
      : <u64>read<u16>(SEG_SS, at);
}

/** The target code segment. */
function segmentOfReturn(selector: u32): u64 {
  if (isNull(selector)) {
    fault(GP);
    return 0;
  }
  const descriptor = descriptorOf(selector, GP);
  if (failed()) return 0;
  const attributes = attributesOf(descriptor);
  const privilege = selector & 3;
  const allowed = isConforming(attributes)
    ? privilegeOf(attributes) <= privilege
    : privilegeOf(attributes) == privilege;
  if (!isCode(attributes) || privilege < level() || !allowed || isMalformed(attributes))
    selectorFault(GP, selector);
  else if (!(attributes & PRESENT)) selectorFault(NP, selector);
  return descriptor;
}

/** The stack of the target level, in SEG_NEXT_STACK. */
function stackOfReturn(selector: u32, privilege: u32, target: u32): void {
  const toLong = longMode() && (target & LONG_CODE) != 0;
  // 64-bit code outside ring 3 may run without a stack segment (SDM 3A 6.4.1).
  if (isNull(selector) && toLong && privilege != 3 && (selector & 3) == privilege) nextNullStack(privilege);
  else nextStack(selector, privilege, GP);
}

/**
 * Returns to selector:offset. A return to less privilege (or with `stack`) pops SS:RSP too, at `more`; else `more` bytes are
 * removed from the stack. `release`: the bytes that RET also removes from the caller's stack.
 */
function goBack(selector: u32, offset: u64, size: u32, more: u64, stack: bool, release: u64): bool {
  const found = segmentOfReturn(selector);
  if (failed()) return false;
  const privilege = selector & 3;
  const outer = privilege > level();
  let pointer: u64 = 0;
  if (outer || stack) {
    pointer = popped(more, size);
    if (failed()) return false;
    const stackSelector = <u32>popped(more + size, size) & 0xffff;
    if (failed()) return false;
    stackOfReturn(stackSelector, privilege, attributesOf(found));
    if (failed()) return false;
  }
  if (!checkTarget(found, offset)) return false;
  const marked = markAccessed(selector, found);
  if (failed()) return false;

  setFromDescriptor(SEG_CS, selector, marked);
  store<u64>(RIP, offset);
  if (outer || stack) {
    takeNextStack();
    updateMode();
    if (outer) closeSegments(privilege);
    setOuterStack(pointer + release);
  } else {
    updateMode();
    setStack(stackAt(<i64>more));
  }
  return true;
}

/** The stack pointer from the stack; a 16-bit stack does not change the upper half of ESP. */
function setOuterStack(pointer: u64): void {
  const mask = load<u64>(STACK_MASK);
  if (mask == 0xffff) setStack(pointer);
  else store<u64>(RSP, pointer & mask);
}

/** RETF: selector and offset have been read; also removes `release` bytes of parameters. */
export function returnFar(selector: u32, offset: u64, size: u32, release: u64): void {
  const outer = (selector & 3) > level();
  goBack(selector, offset, size, 2 * size + release, false, outer ? release : 0);
}

/** The flags that IRET may change, by the privilege level (SDM 2A IRET). */
function changeable(size: u32): u32 {
  const mask = changeableFlags() | RF | (level() == 0 ? VIF | VIP : 0);
  return size == 2 ? mask & 0xffff : mask;
}

export function interruptReturn(size: u32, rip: u64): void {
  unblockNmi();
  if (systemFlag(NT)) {
    if (longMode()) fault(GP);
    else returnFromTask(rip);
    return;
  }
  const offset = popped(0, size);
  if (failed()) return;
  const selector = <u32>popped(size, size) & 0xffff;
  if (failed()) return;
  const flags = <u32>popped(2 * size, size);
  if (failed()) return;
  const mask = changeable(size);
  if (flags & VM && size == 4 && !longMode() && level() == 0) {
    returnToVirtual(selector, offset, flags);
    return;
  }
  // 64-bit code always pops SS:RSP.
  if (!goBack(selector, offset, size, 3 * size, code64(), 0)) return;
  takeFlags(flags, mask);
}

/** Enters virtual-8086 mode with the values above the flags: ESP, SS, ES, DS, FS, GS. */
function returnToVirtual(selector: u32, offset: u64, flags: u32): void {
  const pointer = popped(12, 4);
  if (failed()) return;
  const stack = <u32>popped(16, 4) & 0xffff;
  if (failed()) return;
  const extra = <u32>popped(20, 4) & 0xffff;
  if (failed()) return;
  const data = <u32>popped(24, 4) & 0xffff;
  if (failed()) return;
  const fs = <u32>popped(28, 4) & 0xffff;
  if (failed()) return;
  const gs = <u32>popped(32, 4) & 0xffff;
  if (failed()) return;
  if (offset > 0xffff) {
    fault(GP);
    return;
  }
  takeFlags(flags, REAL_FLAGS | RF | VM | VIF | VIP);
  setVirtualSegment(SEG_CS, selector);
  setVirtualSegment(SEG_SS, stack);
  setVirtualSegment(SEG_ES, extra);
  setVirtualSegment(SEG_DS, data);
  setVirtualSegment(SEG_FS, fs);
  setVirtualSegment(SEG_GS, gs);
  store<u64>(RSP, pointer);
  store<u64>(RIP, offset);
  updateMode();
}
