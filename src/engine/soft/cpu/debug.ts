// The debug registers and what they watch (SDM 3B 17.2, 17.3.1).
//
// While a breakpoint is enabled, instructions run one by one; while one is enabled for data, no translation is kept, so
// that each access comes by here. Nothing of it costs anything while none is.
import {
  CR4,
  CR4_DE,
  DEBUG_REGISTERS,
  EVENT_BREAKPOINTS,
  EVENT_DEBUG,
  EVENTS,
  LINEAR_MASK,
  OP_REG,
  OP_RM,
  REGS,
  RIP,
  SEG_CS,
  SEG_LINEAR,
  SEGMENT_SIZE,
  SEGMENTS,
  TRAPS,
  WATCHES_DATA,
  WATCHES_GUEST,
  WATCHES_MONITOR,
} from '../layout';
import { DB, fault, GP, UD } from './faults';
import { notePlace } from './monitor';
import { privileged } from './privilege';
import { code64 } from './segments';
import { selectTlb } from './tlb';

const DR6 = DEBUG_REGISTERS + 6 * 8;
const DR7 = DEBUG_REGISTERS + 7 * 8;
/** DR6: an access to a debug register that DR7.GD forbids; a single step; a task switch. */
const BD: u32 = 1 << 13;
export const BS: u32 = 1 << 14;
export const BT: u32 = 1 << 15;
/** Bits that read 1 whatever is written (SDM 3B figure 17-1), and those that can be written. */
const DR6_ONES: u64 = 0xffff0ff0;
const DR6_BITS: u64 = 0xe00f;
const DR7_ONES: u64 = 0x400;
const DR7_BITS: u64 = 0xffff23ff;
const GD: u64 = 1 << 13;

// What a breakpoint is for: the low two bits of its four in DR7.
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

/** Which breakpoints of a kind lie in a range; as bits of DR6. */
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

/** An instruction uses a port; breakpoints for them are there with CR4.DE. */
export function notePort(port: u32, size: u32): void {
  if (!(load<u32>(CR4) & CR4_DE) || !(load<u32>(EVENTS) & EVENT_BREAKPOINTS)) return;
  store<u32>(TRAPS, load<u32>(TRAPS) | hits(ON_PORT, port, size));
}

/** Notes the breakpoints at the instruction that would run next; true if there is one. */
export function stopsHere(): bool {
  const linear =
    (load<u64>(SEGMENTS + SEG_CS * SEGMENT_SIZE, SEG_LINEAR) + load<u64>(RIP)) & load<u64>(LINEAR_MASK);
  const found = hits(ON_EXECUTION, linear, 1);
  store<u32>(TRAPS, load<u32>(TRAPS) | found);
  return found != 0;
}

/** A debug exception is due before the next instruction. */
export function raiseTrap(why: u32): void {
  store<u32>(TRAPS, load<u32>(TRAPS) | why);
  store<u32>(EVENTS, load<u32>(EVENTS) | EVENT_DEBUG);
}

export function dropTraps(): void {
  store<u32>(TRAPS, 0);
  store<u32>(EVENTS, load<u32>(EVENTS) & ~EVENT_DEBUG);
}

/** A debug exception is delivered: why, for its handler. */
export function tellTraps(): void {
  store<u64>(DR6, load<u64>(DR6) | <u64>load<u32>(TRAPS));
  store<u64>(DR7, load<u64>(DR7) & ~GD);
}

/** The register that an instruction names, as its place; 0 where it faults. DR4 and DR5 are DR6 and DR7 without CR4.DE. */
function registerOf(pc: usize): usize {
  if (!privileged()) return 0;
  let number = <usize>(load<u8>(pc, OP_REG) >> 3);
  if (number > 7 || ((number == 4 || number == 5) && load<u32>(CR4) & CR4_DE)) {
    fault(UD);
    return 0;
  }
  if (load<u64>(DR7) & GD) {
    store<u64>(DR6, load<u64>(DR6) | BD);
    store<u64>(DR7, load<u64>(DR7) & ~GD);
    fault(DB);
    return 0;
  }
  if (number == 4 || number == 5) number += 2;
  return DEBUG_REGISTERS + (number << 3);
}

export function movfromdr(pc: usize): void {
  const at = registerOf(pc);
  if (at) store<u64>(REGS + <usize>load<u8>(pc, OP_RM), load<u64>(at));
}

export function movtodr(pc: usize): void {
  const at = registerOf(pc);
  if (!at) return;
  const given = load<u64>(REGS + <usize>load<u8>(pc, OP_RM));
  const value = code64() ? given : given & 0xffffffff;
  if (at >= DR6 && value >> 32) {
    fault(GP);
    return;
  }
  if (at == DR6) store<u64>(at, (value & DR6_BITS) | DR6_ONES);
  else if (at == DR7) store<u64>(at, (value & DR7_BITS) | DR7_ONES);
  else store<u64>(at, value);
  updateBreakpoints();
}
