// Hardware task switches (SDM 3A 7): JMP, CALL, interrupts and IRET through task state segments.
//
// All reads and writes of memory are done before the first register changes, so that a fault up to there belongs to the old
// task. From then on the switch is complete: invalid segments are a fault of the new task.
import {
  CR0,
  CR0_PG,
  CR3,
  CR4,
  CR4_PAE,
  DEBUG_REGISTERS,
  NMI_BLOCKED,
  RAX,
  RIP,
  SEG_ATTRIBUTES,
  SEG_BASE,
  SEG_CS,
  SEG_DS,
  SEG_ES,
  SEG_FS,
  SEG_GS,
  SEG_LDT,
  SEG_SS,
  SEG_TR,
  TASK_STATE,
  TASK_SWITCHED,
} from '../../layout';
import { updateEvents } from '../core/events';
import { fault, GP, NP, selectorFault, TS } from '../core/faults';
import { NT, rflags, setRflags, VM } from '../core/flags';
import { readSystem, writeSystem } from '../core/memory';
import { loadPdptes } from '../core/paging';
import { flushTlb } from '../core/tlb';
import { failed } from '../core/trouble';
import { checkTarget } from './code-targets';
import { BT, raiseTrap, updateBreakpoints } from './debug';
import {
  attributesOf,
  BUSY,
  baseOf,
  isCode,
  isConforming,
  isNull,
  LDT,
  limitOf,
  NOT_SYSTEM,
  PRESENT,
  privilegeOf,
  TSS_16,
  TSS_32,
  typeOf,
  UNUSABLE,
} from './descriptor-bits';
import { descriptorAt, descriptorOf, markAccessed, OUTSIDE } from './descriptors';
import { frameHere, pushFrame, takeFrame } from './frames';
import {
  loadData,
  nextStack,
  segmentAt,
  selectorOf,
  setFromDescriptor,
  setNull,
  setSegment,
  setVirtualSegment,
  takeNextStack,
  updateMode,
} from './segments';

// How a task is left.
export const TASK_JUMP: u32 = 0;
export const TASK_CALL: u32 = 1;
export const TASK_RETURN: u32 = 2;

// Offsets in a task state segment of 32 bits (SDM 3A figure 7-2), then of 16 bits (figure 7-10).
const CR3_32: u32 = 0x1c;
const EIP_32: u32 = 0x20;
const EFLAGS_32: u32 = 0x24;
const GENERAL_32: u32 = 0x28;
const SEGMENTS_32: u32 = 0x48;
const LDT_32: u32 = 0x60;
const TRAP_32: u32 = 0x64;
const SIZE_32: u32 = 104;
const IP_16: u32 = 0x0e;
const FLAGS_16: u32 = 0x10;
const GENERAL_16: u32 = 0x12;
const SEGMENTS_16: u32 = 0x22;
const LDT_16: u32 = 0x2a;
const SIZE_16: u32 = 44;

const CR0_TS: u64 = 8;
/** The task's local breakpoints: L0 to L3 and LE of DR7. */
const LOCAL_BREAKPOINTS: u64 = 0x155;

/** JMP or CALL to a task, by its TSS selector or a task gate. */
export function switchTo(selector: u32, rip: u64, how: u32): void {
  switchTask(selector, rip, how, rflags());
}

/** IRET in a nested task: returns to the task in its link field. */
export function returnFromTask(rip: u64): void {
  const link = <u32>readSystem<u16>(load<u64>(segmentAt(SEG_TR), SEG_BASE));
  if (failed()) return;
  switchTask(link, rip, TASK_RETURN, rflags() & ~NT);
  if (!failed()) store<u32>(NMI_BLOCKED, 0);
}

/** An interrupt through a task gate; the error code `code` is pushed onto the new task's stack, unless it is negative. */
export function interruptTask(selector: u32, rip: u64, flags: u32, code: i64): void {
  switchTask(selector, rip, TASK_CALL, flags);
  if (failed() || code < 0) return;
  frameHere();
  pushFrame(<u64>code, typeOf(load<u32>(TASK_STATE, SIZE_32)) & 8 ? 4 : 2);
  if (failed()) store<u32>(TASK_SWITCHED, 1);
  else takeFrame();
}

/** Checks the descriptor of the new task. */
function taskOf(selector: u32, how: u32): u64 {
  const vector = how == TASK_RETURN ? TS : GP;
  if (isNull(selector) || selector & 4) {
    selectorFault(vector, selector);
    return 0;
  }
  const descriptor = descriptorOf(selector, vector);
  if (failed()) return 0;
  const attributes = attributesOf(descriptor);
  const type = typeOf(attributes);
  const wanted: u32 = how == TASK_RETURN ? BUSY : 0;
  if (attributes & NOT_SYSTEM || (type != (TSS_32 | wanted) && type != (TSS_16 | wanted)))
    selectorFault(vector, selector);
  else if (!(attributes & PRESENT)) selectorFault(NP, selector);
  else if (limitOf(descriptor) < (type & 8 ? SIZE_32 : SIZE_16) - 1) selectorFault(TS, selector);
  return descriptor;
}

/** Reads the new task's state into TASK_STATE, in the 32-bit format, followed by its descriptor's attributes. */
function readState(base: u64, attributes: u32): void {
  const wide = (typeOf(attributes) & 8) != 0;
  for (let at: u32 = 0; at < SIZE_32; at += 4) store<u32>(TASK_STATE + at, 0);
  store<u32>(TASK_STATE, attributes, SIZE_32);
  if (wide) {
    for (let at: u32 = 0; at < SIZE_32 && !failed(); at += 4)
      store<u32>(TASK_STATE + at, readSystem<u32>(base + <u64>at));
    return;
  }
  store<u32>(TASK_STATE, <u32>readSystem<u16>(base + IP_16), EIP_32);
  store<u32>(TASK_STATE, <u32>readSystem<u16>(base + FLAGS_16), EFLAGS_32);
  for (let i: u32 = 0; i < 8 && !failed(); i++)
    store<u32>(TASK_STATE + GENERAL_32 + i * 4, <u32>readSystem<u16>(base + <u64>(GENERAL_16 + i * 2)));
  for (let i: u32 = 0; i < 4 && !failed(); i++)
    store<u32>(TASK_STATE + SEGMENTS_32 + i * 4, <u32>readSystem<u16>(base + <u64>(SEGMENTS_16 + i * 2)));
  if (!failed()) store<u32>(TASK_STATE, <u32>readSystem<u16>(base + LDT_16), LDT_32);
}

function saveField(at: u64, value: u32, wide: bool): void {
  if (failed()) return;
  if (wide) writeSystem<u32>(at, value);
  else writeSystem<u16>(at, <u16>value);
}

/** Writes the current state into the old task's TSS. */
function saveState(rip: u64, flags: u32): void {
  const task = segmentAt(SEG_TR);
  const base = load<u64>(task, SEG_BASE);
  const wide = isWideTask();
  const step: u32 = wide ? 4 : 2;
  saveField(base + (wide ? EIP_32 : IP_16), <u32>rip, wide);
  saveField(base + (wide ? EFLAGS_32 : FLAGS_16), flags, wide);
  for (let i: u32 = 0; i < 8; i++)
    saveField(
      base + (wide ? GENERAL_32 : GENERAL_16) + <u64>(i * step),
      load<u32>(RAX + ((<usize>i) << 3)),
      wide,
    );
  const count: u32 = wide ? 6 : 4;
  for (let i: u32 = 0; i < count; i++)
    saveField(base + (wide ? SEGMENTS_32 : SEGMENTS_16) + <u64>(i * step), selectorOf(i), wide);
}

/** True while the current TSS is a 32-bit one. */
function isWideTask(): bool {
  return (typeOf(load<u32>(segmentAt(SEG_TR), SEG_ATTRIBUTES)) & 8) != 0;
}

/** Marks a task's descriptor as busy or available. */
function setBusy(selector: u32, busy: bool): void {
  const at = descriptorAt(selector);
  if (failed() || at == OUTSIDE) return;
  const type = readSystem<u8>(at + 5);
  if (!failed()) writeSystem<u8>(at + 5, <u8>(busy ? type | <u8>BUSY : type & ~(<u8>BUSY)));
}

function switchTask(selector: u32, rip: u64, how: u32, flags: u32): void {
  const descriptor = taskOf(selector, how);
  if (failed()) return;
  const base = baseOf(descriptor);
  readState(base, attributesOf(descriptor));
  if (failed()) return;
  saveState(rip, flags);
  const old = selectorOf(SEG_TR);
  if (how == TASK_CALL) saveField(base, old, false);
  if (how != TASK_CALL) setBusy(old, false);
  if (how != TASK_RETURN) setBusy(selector, true);
  if (failed()) return;

  setFromDescriptor(SEG_TR, selector, descriptor | ((<u64>BUSY) << 40));
  takeRegisters(how == TASK_CALL ? NT : 0);
  takeSegments();
  store<u32>(TASK_SWITCHED, <u32>failed());
}

/** PAE paging refuses its four entries as it does for MOV to CR3; the old tables stay then. */
function takePageTables(cr3: u64): void {
  if (load<u32>(CR4) & CR4_PAE && !loadPdptes(cr3)) {
    fault(GP);
    return;
  }
  store<u64>(CR3, cr3);
  flushTlb();
}

/** Control registers, flags and general registers of the new task. */
function takeRegisters(nested: u32): void {
  const wide = isWideTask();
  if (wide && load<u32>(CR0) & CR0_PG) takePageTables(<u64>load<u32>(TASK_STATE, CR3_32));
  setRflags((load<u32>(TASK_STATE, EFLAGS_32) & 0x3f7fd5) | nested);
  store<u64>(RIP, <u64>load<u32>(TASK_STATE, EIP_32));
  for (let i: usize = 0; i < 8; i++)
    store<u64>(RAX + (i << 3), <u64>load<u32>(TASK_STATE + GENERAL_32 + (i << 2)));
  store<u64>(CR0, load<u64>(CR0) | CR0_TS);
  const dr7 = DEBUG_REGISTERS + 7 * 8;
  store<u64>(dr7, load<u64>(dr7) & ~LOCAL_BREAKPOINTS);
  updateEvents();
  updateBreakpoints();
  if (load<u32>(TASK_STATE, TRAP_32) & 1) raiseTrap(BT);
}

function savedSelector(index: u32): u32 {
  return load<u32>(TASK_STATE + SEGMENTS_32 + <usize>(index << 2)) & 0xffff;
}

/** First all selectors, so that a fault sees them; then the descriptors. */
function takeSegments(): void {
  const virtual = (load<u32>(TASK_STATE, EFLAGS_32) & VM) != 0;
  const privilege = savedSelector(SEG_CS) & 3;
  for (let index: u32 = 0; index < 6; index++) {
    if (virtual) setVirtualSegment(index, savedSelector(index));
    else setNull(index, savedSelector(index));
  }
  const table = load<u32>(TASK_STATE, LDT_32) & 0xffff;
  setNull(SEG_LDT, table);
  // The privilege level is that of SS.
  if (!virtual) setSegment(SEG_SS, savedSelector(SEG_SS), 0, 0, UNUSABLE | (privilege << 5));
  updateMode();
  if (failed()) return;
  takeTable(table);
  if (virtual) return;
  takeCode(savedSelector(SEG_CS));
  if (failed()) return;
  nextStack(savedSelector(SEG_SS), privilege, TS);
  if (failed()) return;
  takeNextStack();
  updateMode();
  takeData(SEG_ES);
  takeData(SEG_DS);
  takeData(SEG_FS);
  takeData(SEG_GS);
}

function takeTable(selector: u32): void {
  if (isNull(selector)) return;
  const descriptor = selector & 4 ? 0 : descriptorOf(selector, TS);
  if (failed()) return;
  const attributes = attributesOf(descriptor);
  if ((attributes & (PRESENT | NOT_SYSTEM | 15)) != (PRESENT | LDT)) selectorFault(TS, selector);
  else setFromDescriptor(SEG_LDT, selector, descriptor);
}

function takeCode(selector: u32): void {
  const descriptor = isNull(selector) ? 0 : descriptorOf(selector, TS);
  if (failed()) return;
  const attributes = attributesOf(descriptor);
  const privilege = privilegeOf(attributes);
  const wanted = selector & 3;
  const allowed = isConforming(attributes) ? privilege <= wanted : privilege == wanted;
  if (!isCode(attributes) || !allowed) selectorFault(TS, selector);
  else if (!(attributes & PRESENT)) selectorFault(NP, selector);
  if (failed()) return;
  const marked = markAccessed(selector, descriptor);
  if (failed()) return;
  setFromDescriptor(SEG_CS, selector, marked);
  updateMode();
  checkTarget(descriptor, load<u64>(RIP));
}

function takeData(index: u32): void {
  if (!failed()) loadData(index, savedSelector(index), TS);
}
