// The frames that a transfer pushes, onto the current stack or a new one. Before takeFrame() only memory changes: a push that
// fails leaves all registers unchanged.
import {
  RSP,
  SEG_ATTRIBUTES,
  SEG_BASE,
  SEG_LIMIT,
  SEG_LINEAR,
  SEG_NEXT_STACK,
  SEG_SELECTOR,
  SEG_SS,
  SEG_TR,
  SEG_WRITABLE,
  STACK_MASK,
} from '../../layout';
import { ALIGNMENT, SS, selectorFault, TS } from '../core/faults';
import { checksAlignment, readSystem, writeLinear, writeSystem } from '../core/memory';
import { canonical } from '../core/paging';
import { failed } from '../core/trouble';
import { BIG, longMode } from './descriptor-bits';
import { allowsBelow } from './limits';
import { nextNullStack, nextStack, segmentAt, takeNextStack } from './segments';

let slot: u32 = SEG_SS;
let pointer: u64 = 0;
let mask: u64 = 0;
/** The target is 64-bit code: the stack has neither base nor limit. */
let flat: bool = false;

/** The following pushes go onto the current stack. */
export function frameHere(): void {
  slot = SEG_SS;
  pointer = load<u64>(RSP);
  mask = load<u64>(STACK_MASK);
  flat = mask == ~(<u64>0);
}

/** The following pushes go onto the stack of a more privileged level, from the TSS (SDM 3A 6.8.5). */
export function frameInside(privilege: u32): void {
  const task = segmentAt(SEG_TR);
  const wide = (load<u32>(task, SEG_ATTRIBUTES) & 8) != 0;
  const offset: u32 = wide ? privilege * 8 + 4 : privilege * 4 + 2;
  if (offset + (wide ? 5 : 3) > load<u32>(task, SEG_LIMIT)) {
    selectorFault(TS, load<u32>(task, SEG_SELECTOR));
    return;
  }
  const from = load<u64>(task, SEG_BASE) + <u64>offset;
  const top = wide ? <u64>readSystem<u32>(from) : <u64>readSystem<u16>(from);
  if (failed()) return;
  const selector = <u32>readSystem<u16>(from + (wide ? 4 : 2));
  if (failed()) return;
  nextStack(selector, privilege, TS);
  slot = SEG_NEXT_STACK;
  pointer = top;
  mask = load<u32>(segmentAt(SEG_NEXT_STACK), SEG_ATTRIBUTES) & BIG ? 0xffffffff : 0xffff;
  flat = false;
}

/** Reads a stack pointer from the 64-bit TSS (SDM 3A figure 8-11); `at` is its offset. */
function longStack(at: u32): u64 {
  const task = segmentAt(SEG_TR);
  if (at + 7 <= load<u32>(task, SEG_LIMIT)) return readSystem<u64>(load<u64>(task, SEG_BASE) + <u64>at);
  selectorFault(TS, load<u32>(task, SEG_SELECTOR));
  return 0;
}

/** As frameInside(), in long mode: SS becomes null. */
export function frameInsideLong(privilege: u32): void {
  pointer = longStack(privilege * 8 + 4);
  if (failed()) return;
  nextNullStack(privilege);
  slot = SEG_NEXT_STACK;
  mask = ~(<u64>0);
  flat = true;
}

/**
 * The stack of an interrupt in long mode (SDM 3A 7.14.2, 7.14.4): from the interrupt stack table, or that of the `inner` level,
 * or the current one; aligned to 16.
 */
export function frameOfInterrupt(inner: bool, privilege: u32, table: u32): void {
  if (inner) frameInsideLong(privilege);
  else frameHere();
  if (table) pointer = longStack(table * 8 + 28);
  mask = ~(<u64>0);
  flat = true;
  pointer &= ~15;
}

/** Pushes the low `size` bytes of a value. */
export function pushFrame(value: u64, size: u32): void {
  if (failed()) return;
  const s = segmentAt(slot);
  pointer = (pointer & ~mask) | ((pointer - size) & mask);
  const offset = pointer & mask;
  const inside = flat
    ? canonical(offset) && canonical(offset + size - 1)
    : offset + size - 1 < load<u64>(s, SEG_WRITABLE) || allowsBelow(s, offset, size, true);
  if (!inside) {
    selectorFault(SS, slot == SEG_NEXT_STACK ? load<u32>(s, SEG_SELECTOR) : 0);
    return;
  }
  let linear = flat ? offset : load<u64>(s, SEG_LINEAR) + offset;
  if (!longMode()) linear &= 0xffffffff;
  // An inner level is never ring 3, and alignment is checked only in ring 3.
  if (slot == SEG_SS && linear & (size - 1) && checksAlignment()) {
    selectorFault(ALIGNMENT, 0);
    return;
  }
  if (slot == SEG_NEXT_STACK) {
    if (size == 8) writeSystem<u64>(linear, value);
    else if (size == 4) writeSystem<u32>(linear, <u32>value);
    else writeSystem<u16>(linear, <u16>value);
  } else if (size == 8) writeLinear<u64>(linear, value);
  else if (size == 4) writeLinear<u32>(linear, <u32>value);
  else writeLinear<u16>(linear, <u16>value);
}

/** Makes the new stack the current one; nothing can fail from here on. Call updateMode() afterwards. */
export function takeFrame(): void {
  if (slot == SEG_NEXT_STACK) takeNextStack();
  store<u64>(RSP, longMode() ? pointer : pointer & 0xffffffff);
}
