// Far JMP and CALL in protected and long mode (SDM 3A 6.8; 2A JMP, CALL).
import { RIP, RSP, SEG_CS, SEG_SS } from '../../layout';
import { level } from '../core/cpu-mode';
import { fault, GP, NP, selectorFault } from '../core/faults';
import { read } from '../core/memory';
import { stackAt } from '../core/stack';
import { failed } from '../core/trouble';
import { checkTarget, isMalformed } from './code-targets';
import {
  attributesOf,
  BIG,
  CALL_GATE_16,
  CALL_GATE_32,
  isCode,
  isConforming,
  isNull,
  LONG_CODE,
  longMode,
  NOT_SYSTEM,
  PRESENT,
  privilegeOf,
  TASK_GATE,
  TSS_16,
  TSS_32,
  typeOf,
} from './descriptor-bits';
import { descriptorOf, markAccessed, upperHalf } from './descriptors';
import { frameHere, frameInside, frameInsideLong, pushFrame, takeFrame } from './frames';
import { selectorOf, setFromDescriptor, updateMode } from './segments';
import { switchTo, TASK_CALL, TASK_JUMP } from './tasks';

/** Sets CS and RIP; nothing can fail from here on. */
export function enterCode(selector: u32, privilege: u32, descriptor: u64, offset: u64): void {
  setFromDescriptor(SEG_CS, (selector & 0xfffc) | privilege, descriptor);
  store<u64>(RIP, offset);
  updateMode();
}

/** Checks a code segment that is entered without a gate. */
function checkDirect(selector: u32, attributes: u32): void {
  const privilege = privilegeOf(attributes);
  const allowed = isConforming(attributes)
    ? privilege <= level()
    : (selector & 3) <= level() && privilege == level();
  if (!isCode(attributes) || !allowed || isMalformed(attributes)) selectorFault(GP, selector);
  else if (!(attributes & PRESENT)) selectorFault(NP, selector);
}

function enterDirect(selector: u32, descriptor: u64, offset: u64): void {
  const marked = markAccessed(selector, descriptor);
  if (failed()) return;
  takeFrame();
  enterCode(selector, level(), marked, offset);
}

/** The descriptor that a far pointer's selector names, code or gate or task. */
function targetOf(selector: u32): u64 {
  if (!isNull(selector)) return descriptorOf(selector, GP);
  fault(GP);
  return 0;
}

function callDirect(selector: u32, descriptor: u64, offset: u64, rip: u64, size: u32): void {
  checkDirect(selector, attributesOf(descriptor));
  if (failed()) return;
  frameHere();
  pushFrame(selectorOf(SEG_CS), size);
  pushFrame(rip, size);
  // Processors push before they check the target against the segment's limit.
  if (!failed() && checkTarget(descriptor, offset)) enterDirect(selector, descriptor, offset);
}

/** CALL selector:offset, with return address `rip`; `size` is the operand size in bytes. */
export function callFar(selector: u32, offset: u64, rip: u64, size: u32): void {
  const descriptor = targetOf(selector);
  if (failed()) return;
  if (attributesOf(descriptor) & NOT_SYSTEM) callDirect(selector, descriptor, offset, rip, size);
  else throughSystem(selector, descriptor, rip, true);
}

/** JMP selector:offset; `rip` is the return address that a task switch stores. */
export function jumpFar(selector: u32, offset: u64, rip: u64): void {
  const descriptor = targetOf(selector);
  if (failed()) return;
  if (!(attributesOf(descriptor) & NOT_SYSTEM)) {
    throughSystem(selector, descriptor, rip, false);
    return;
  }
  checkDirect(selector, attributesOf(descriptor));
  if (failed() || !checkTarget(descriptor, offset)) return;
  frameHere();
  enterDirect(selector, descriptor, offset);
}

/** Call gates, task gates and tasks: each may be used at its own privilege level or a higher one. */
function throughSystem(selector: u32, descriptor: u64, rip: u64, call: bool): void {
  const attributes = attributesOf(descriptor);
  const type = typeOf(attributes);
  const gate = type == CALL_GATE_32 || (type == CALL_GATE_16 && !longMode());
  const task = !longMode() && (type == TASK_GATE || type == TSS_16 || type == TSS_32);
  const privilege = privilegeOf(attributes);
  if (!(gate || task) || privilege < level() || privilege < (selector & 3)) selectorFault(GP, selector);
  else if (!(attributes & PRESENT)) selectorFault(NP, selector);
  else if (gate) throughCallGate(selector, descriptor, rip, call);
  else if (type == TASK_GATE) switchTo(<u32>(descriptor >> 16) & 0xffff, rip, call ? TASK_CALL : TASK_JUMP);
  else switchTo(selector, rip, call ? TASK_CALL : TASK_JUMP);
}

function throughCallGate(gateSelector: u32, gate: u64, rip: u64, call: bool): void {
  const long = longMode();
  const wide = (typeOf(attributesOf(gate)) & 8) != 0;
  const size: u32 = long ? 8 : wide ? 4 : 2;
  let offset = gate & 0xffff;
  if (wide) offset |= (gate >> 32) & 0xffff0000;
  if (long) offset |= upperHalf(gateSelector, GP) << 32;
  if (failed()) return;
  const selector = <u32>(gate >> 16) & 0xffff;
  const found = targetOf(selector);
  if (failed()) return;
  const attributes = attributesOf(found);
  const privilege = privilegeOf(attributes);
  const inner = call && !isConforming(attributes) && privilege < level();
  const allowed = call || isConforming(attributes) ? privilege <= level() : privilege == level();
  const wrongLong = long && (attributes & (LONG_CODE | BIG)) != LONG_CODE;
  if (!isCode(attributes) || !allowed || wrongLong) selectorFault(GP, selector);
  else if (!(attributes & PRESENT)) selectorFault(NP, selector);
  if (failed()) return;
  if (!inner) frameHere();
  else if (long) frameInsideLong(privilege);
  else frameInside(privilege);
  if (failed() || !checkTarget(found, offset)) return;
  if (inner) {
    pushFrame(selectorOf(SEG_SS), size);
    pushFrame(load<u64>(RSP), size);
    if (!long) copyParameters(<u32>(gate >> 32) & 31, size);
  }
  if (call) {
    pushFrame(selectorOf(SEG_CS), size);
    pushFrame(rip, size);
  }
  if (failed()) return;
  const marked = markAccessed(selector, found);
  if (failed()) return;
  takeFrame();
  enterCode(selector, inner ? privilege : level(), marked, offset);
}

/** Copies the caller's parameters to the new stack (SDM 3A 6.8.5). */
function copyParameters(count: u32, size: u32): void {
  for (let left = <i64>count; left > 0; left--) {
    const from = stackAt((left - 1) * <i64>size);
    const value = size == 4 ? <u64>read<u32>(SEG_SS, from) : <u64>read<u16>(SEG_SS, from);
    if (failed()) return;
    pushFrame(value, size);
  }
}
