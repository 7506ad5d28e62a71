// Delivery of interrupts and exceptions through the gates of protected and long mode (SDM 3A 7.12, 7.14).
import {
  FLAGS_SYSTEM,
  IDT_BASE,
  IDT_LIMIT,
  RIP,
  RSP,
  SEG_CS,
  SEG_DS,
  SEG_ES,
  SEG_FS,
  SEG_GS,
  SEG_SS,
} from '../../layout';
import { level } from '../core/cpu-mode';
import { updateEvents } from '../core/events';
import { GP, gateFault, NP, selectorFault } from '../core/faults';
import { IF, NT, RF, systemFlag, TF, VM } from '../core/flags';
import { readSystem } from '../core/memory';
import { canonical } from '../core/paging';
import { failed } from '../core/trouble';
import {
  attributesOf,
  BIG,
  INTERRUPT_GATE_16,
  INTERRUPT_GATE_32,
  isCode,
  isConforming,
  isNull,
  LONG_CODE,
  limitOf,
  longMode,
  NOT_SYSTEM,
  PRESENT,
  privilegeOf,
  TASK_GATE,
  TRAP_GATE_16,
  TRAP_GATE_32,
  typeOf,
} from './descriptor-bits';
import { descriptorOf, markAccessed } from './descriptors';
import { frameHere, frameInside, frameOfInterrupt, pushFrame, takeFrame } from './frames';
import { selectorOf, setFromDescriptor, setNull, updateMode } from './segments';
import { interruptTask } from './tasks';

/** No error code is pushed. */
export const NO_CODE: i64 = -1;

/** A checked gate of the IDT. */
function gateOf(vector: u32, software: bool): u64 {
  const size: u32 = longMode() ? 16 : 8;
  if (vector * size + size - 1 > load<u32>(IDT_LIMIT)) {
    gateFault(GP, vector);
    return 0;
  }
  const gate = readSystem<u64>(load<u64>(IDT_BASE) + <u64>(vector * size));
  if (failed()) return 0;
  const attributes = attributesOf(gate);
  const type = typeOf(attributes);
  const known =
    type == INTERRUPT_GATE_32 ||
    type == TRAP_GATE_32 ||
    (!longMode() && (type == TASK_GATE || type == INTERRUPT_GATE_16 || type == TRAP_GATE_16));
  // The gate's DPL is checked only for INT n, INT3 and INTO (SDM 3A 7.12.1.2).
  if (!known || attributes & NOT_SYSTEM || (software && privilegeOf(attributes) < level()))
    gateFault(GP, vector);
  else if (!(attributes & PRESENT)) gateFault(NP, vector);
  return gate;
}

/** The code segment of a gate, which must not be less privileged than the current level. */
function handlerSegment(selector: u32): u64 {
  if (isNull(selector)) {
    selectorFault(GP, 0);
    return 0;
  }
  const descriptor = descriptorOf(selector, GP);
  if (failed()) return 0;
  const attributes = attributesOf(descriptor);
  const wrongLong = longMode() && (attributes & (LONG_CODE | BIG)) != LONG_CODE;
  const fromVirtual = systemFlag(VM) && (isConforming(attributes) || privilegeOf(attributes) != 0);
  if (!isCode(attributes) || privilegeOf(attributes) > level() || wrongLong || fromVirtual)
    selectorFault(GP, selector);
  else if (!(attributes & PRESENT)) selectorFault(NP, selector);
  return descriptor;
}

/**
 * Enters the handler of `vector`, with return address `rip`. `software`: INT n, INT3 or INTO. Pushes `flags`, and last the
 * error code `code`, unless it is NO_CODE. Where it fails, only memory has changed.
 */
export function enterGate(vector: u32, rip: u64, software: bool, flags: u32, code: i64): void {
  const gate = gateOf(vector, software);
  if (failed()) return;
  const type = typeOf(attributesOf(gate));
  const selector = <u32>(gate >> 16) & 0xffff;
  if (type == TASK_GATE) {
    interruptTask(selector, rip, flags, code);
    return;
  }
  const long = longMode();
  let offset = (gate & 0xffff) | ((gate >> 32) & 0xffff0000);
  if (long) offset |= readSystem<u64>(load<u64>(IDT_BASE) + <u64>(vector * 16 + 8)) << 32;
  if (failed()) return;
  if (!(type & 8)) offset &= 0xffff;
  const found = handlerSegment(selector);
  if (failed()) return;
  const attributes = attributesOf(found);
  const inner = !isConforming(attributes) && privilegeOf(attributes) < level();
  const privilege = inner ? privilegeOf(attributes) : level();
  if (long) frameOfInterrupt(inner, privilege, <u32>(gate >> 32) & 7);
  else if (inner) frameInside(privilege);
  else frameHere();
  if (failed()) return;
  if (long ? !canonical(offset) : offset > <u64>limitOf(found)) {
    selectorFault(GP, 0);
    return;
  }
  const size: u32 = long ? 8 : type & 8 ? 4 : 2;
  const virtual = systemFlag(VM);
  if (virtual)
    for (let index = SEG_GS; index != SEG_CS; index = before(index)) pushFrame(selectorOf(index), size);
  if (inner || long) {
    pushFrame(selectorOf(SEG_SS), size);
    pushFrame(load<u64>(RSP), size);
  }
  pushFrame(<u64>flags, size);
  pushFrame(selectorOf(SEG_CS), size);
  pushFrame(rip, size);
  if (code != NO_CODE) pushFrame(<u64>code, size);
  if (failed()) return;
  const handler = markAccessed(selector, found);
  if (failed()) return;

  if (virtual) for (let index = SEG_GS; index != SEG_CS; index = before(index)) setNull(index, 0);
  takeFrame();
  setFromDescriptor(SEG_CS, (selector & 0xfffc) | privilege, handler);
  store<u64>(RIP, offset);
  const cleared = VM | TF | NT | RF | (type & 1 ? 0 : IF);
  store<u32>(FLAGS_SYSTEM, load<u32>(FLAGS_SYSTEM) & ~cleared);
  updateMode();
  updateEvents();
}

/** From virtual-8086 mode GS, FS, DS and ES are pushed, in this order (SDM 3A figure 20-4); CS marks the end. */
function before(index: u32): u32 {
  return index == SEG_GS ? SEG_FS : index == SEG_FS ? SEG_DS : index == SEG_DS ? SEG_ES : SEG_CS;
}
