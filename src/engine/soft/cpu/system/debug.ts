// The debug registers and their breakpoints (SDM 3B 18.2, 18.3.1).
//
// While a breakpoint is enabled, instructions run one by one; while a data breakpoint is enabled, the TLB is not used, so that
// each access is checked here. Without breakpoints this costs nothing.
import {
  CR4,
  CR4_DE,
  DEBUG_REGISTERS,
  EVENT_BREAKPOINTS,
  EVENT_DEBUG,
  EVENTS,
  LINEAR_MASK,
  RIP,
  SEG_CS,
  SEG_LINEAR,
  SEGMENT_SIZE,
  SEGMENTS,
  TRAPS,
  WATCHES_DATA,
  WATCHES_GUEST,
  WATCHES_MONITOR,
} from '../../layout';
import { notePlace } from '../core/monitor';
import { selectTlb } from '../core/tlb';

export const DR6 = DEBUG_REGISTERS + 6 * 8;
export const DR7 = DEBUG_REGISTERS + 7 * 8;
/** DR6: a single step; a task switch. */
export const BS: u32 = 1 << 14;
export const BT: u32 = 1 << 15;
/** DR7: the next access to a debug register is a debug exception. */
export const GD: u64 = 1 << 13;

// A breakpoint's type: the low two bits of its four bits in DR7.
const ON_EXECUTION: u32 = 0;
const ON_WRITE: u32 = 1;
const ON_PORT: u32 = 2;
/** Reads as well as writes. */
const ON_ACCESS: u32 = 3;

/** Call it where DR7 or CR4.DE may have changed. */
export function updateBreakpoints(): void {
  const control = load<u32>(DR7);
  let data = load<u32>(WATCHES_DATA) & ~WATCHES_GUEST;
  for (let i: u32 = 0; i < 4; i++) if (isEnabled(i) && kindOf(i) & 1) data |= WATCHES_GUEST;
  store<u32>(WATCHES_DATA, data);
  const events = load<u32>(EVENTS) & ~EVENT_BREAKPOINTS;
  store<u32>(EVENTS, control & 0xff ? events | EVENT_BREAKPOINTS : events);
  selectTlb();
}

function isEnabled(index: u32): bool {
  return ((load<u32>(DR7) >> (index * 2)) & 3) != 0;
}

function kindOf(index: u32): u32 {
  return (load<u32>(DR7) >> (16 + index * 4)) & 3;
}

/** The breakpoints of a type in a range, as bits of DR6. */
function hits(kind: u32, at: u64, size: u64): u32 {
  let found: u32 = 0;
  for (let i: u32 = 0; i < 4; i++) {
    const own = kindOf(i);
    if (!isEnabled(i) || (own != kind && !(kind == ON_WRITE && own == ON_ACCESS))) continue;
    const length = (load<u32>(DR7) >> (18 + i * 4)) & 3;
    const bytes: u64 = length == 2 ? 8 : <u64>length + 1;
    const from = load<u64>(DEBUG_REGISTERS + ((<usize>i) << 3)) & ~(bytes - 1);
    if (from < at + size && at < from + bytes) found |= 1 << i;
  }
  return found;
}

/** An instruction has read or written data. */
export function noteAccess(linear: u64, size: u64, write: bool): void {
  const watches = load<u32>(WATCHES_DATA);
  if (watches & WATCHES_GUEST)
    store<u32>(TRAPS, load<u32>(TRAPS) | hits(write ? ON_WRITE : ON_ACCESS, linear, size));
  if (watches & WATCHES_MONITOR) notePlace(linear, size, write);
}

/** An instruction uses a port; I/O breakpoints need CR4.DE. */
export function notePort(port: u32, size: u32): void {
  if (!(load<u32>(CR4) & CR4_DE) || !(load<u32>(EVENTS) & EVENT_BREAKPOINTS)) return;
  store<u32>(TRAPS, load<u32>(TRAPS) | hits(ON_PORT, port, size));
}

/** Records the breakpoints at the next instruction; true if there is one. */
export function stopsHere(): bool {
  const linear =
    (load<u64>(SEGMENTS + SEG_CS * SEGMENT_SIZE, SEG_LINEAR) + load<u64>(RIP)) & load<u64>(LINEAR_MASK);
  const found = hits(ON_EXECUTION, linear, 1);
  store<u32>(TRAPS, load<u32>(TRAPS) | found);
  return found != 0;
}

/** Makes a debug exception pending before the next instruction. */
export function raiseTrap(why: u32): void {
  store<u32>(TRAPS, load<u32>(TRAPS) | why);
  store<u32>(EVENTS, load<u32>(EVENTS) | EVENT_DEBUG);
}

export function dropTraps(): void {
  store<u32>(TRAPS, 0);
  store<u32>(EVENTS, load<u32>(EVENTS) & ~EVENT_DEBUG);
}

/** DR6: the breakpoints that matched, B0 to B3. */
export const MATCHED: u64 = 15;

/** A debug exception is delivered: DR6 gets its cause. B0 to B3 are replaced, the other bits stay until they are cleared. */
export function tellTraps(): void {
  store<u64>(DR6, (load<u64>(DR6) & ~MATCHED) | <u64>load<u32>(TRAPS));
  store<u64>(DR7, load<u64>(DR7) & ~GD);
}
