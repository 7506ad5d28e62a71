// A debugger's breakpoints and watchpoints, which the guest cannot see. Without any they cost nothing. Code on a page
// with a breakpoint runs one instruction at a time, other code as usual; with a watchpoint, all code runs one
// instruction at a time, and the TLB is not used for data.
import {
  EVENT_MONITOR,
  EVENTS,
  LINEAR_MASK,
  MONITOR_ACCESSOR,
  MONITOR_BREAKPOINT,
  MONITOR_BREAKPOINTS,
  MONITOR_TOUCHED,
  MONITOR_WATCHPOINT,
  MONITOR_WATCHPOINTS,
  RIP,
  SEG_CS,
  SEG_LINEAR,
  SEGMENT_SIZE,
  SEGMENTS,
  WATCHES_DATA,
  WATCHES_MONITOR,
  WATCHPOINT_READS,
  WATCHPOINT_SIZE,
  WATCHPOINT_WRITES,
} from '../../layout';

export function clearMonitor(): void {
  store<u32>(MONITOR_BREAKPOINTS, 0);
  store<u32>(MONITOR_WATCHPOINTS, 0);
  updateMonitor();
}

/** The tables were changed. The caller must flush the TLB. */
export function updateMonitor(): void {
  forgetTouched();
  const watchpoints = load<u32>(MONITOR_WATCHPOINTS);
  const watches = load<u32>(WATCHES_DATA) & ~WATCHES_MONITOR;
  store<u32>(WATCHES_DATA, watchpoints ? watches | WATCHES_MONITOR : watches);
  const events = load<u32>(EVENTS) & ~EVENT_MONITOR;
  store<u32>(EVENTS, watchpoints ? events | EVENT_MONITOR : events);
}

/** True for a page of code with a breakpoint; its code runs one instruction at a time from now on. */
export function guardsPage(linear: u64): bool {
  const count = load<u32>(MONITOR_BREAKPOINTS);
  for (let i: u32 = 0; i < count; i++) {
    if ((load<u64>(MONITOR_BREAKPOINT + ((<usize>i) << 3)) ^ linear) >> 12) continue;
    store<u32>(EVENTS, load<u32>(EVENTS) | EVENT_MONITOR);
    return true;
  }
  return false;
}

/** Of the next instruction; while instructions run one at a time, of the current one. */
function linearRip(): u64 {
  return (load<u64>(SEGMENTS + SEG_CS * SEGMENT_SIZE, SEG_LINEAR) + load<u64>(RIP)) & load<u64>(LINEAR_MASK);
}

/** True if a breakpoint is at the next instruction. On pages without breakpoints, instructions run in blocks again. */
export function breaksForMonitor(): bool {
  const linear = linearRip();
  const count = load<u32>(MONITOR_BREAKPOINTS);
  let near = load<u32>(MONITOR_WATCHPOINTS) != 0;
  for (let i: u32 = 0; i < count; i++) {
    const at = load<u64>(MONITOR_BREAKPOINT + ((<usize>i) << 3));
    if (at == linear) return true;
    if ((at ^ linear) >> 12 == 0) near = true;
  }
  if (!near) store<u32>(EVENTS, load<u32>(EVENTS) & ~EVENT_MONITOR);
  return false;
}

/** An instruction has read or written data: records the first watchpoint that it accessed. */
export function notePlace(linear: u64, size: u64, write: bool): void {
  if (load<u32>(MONITOR_TOUCHED)) return;
  const count = load<u32>(MONITOR_WATCHPOINTS);
  for (let i: u32 = 0; i < count; i++) {
    const at = MONITOR_WATCHPOINT + <usize>i * WATCHPOINT_SIZE;
    const on = load<u32>(at, 16);
    if (on == (write ? WATCHPOINT_READS : WATCHPOINT_WRITES)) continue;
    const from = load<u64>(at);
    if (from >= linear + size || linear >= from + load<u64>(at, 8)) continue;
    store<u32>(MONITOR_TOUCHED, i + 1);
    store<u64>(MONITOR_ACCESSOR, linearRip());
    return;
  }
}

/** True if the last instruction accessed a watchpoint. */
export function touched(): bool {
  return load<u32>(MONITOR_TOUCHED) != 0;
}

export function forgetTouched(): void {
  store<u32>(MONITOR_TOUCHED, 0);
}
