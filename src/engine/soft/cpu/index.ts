// The functions that the TypeScript side calls.
import {
  ALARM,
  ANSWER_COUNT,
  ANSWER_NEXT,
  BUDGET,
  CLOCK,
  CR2,
  CR3,
  CURRENT,
  DELIVERING,
  EPOCH,
  EVENT_BREAKPOINTS,
  EVENT_NMI,
  EVENT_QUIET,
  EVENT_RESUME,
  EVENT_SHADOW,
  EVENT_SINGLE,
  EVENT_TRAP,
  EVENT_WINDOW,
  EVENTS,
  EXIT_BYTES,
  EXIT_KIND,
  EXIT_LENGTH,
  FAULT_CODE,
  FAULT_VECTOR,
  FLAGS_SYSTEM,
  INTERRUPT_COUNT,
  INTERRUPTED,
  LATE_AT,
  LINEAR_MASK,
  LINKS,
  NMI_BLOCKED,
  NMI_PENDING,
  NO_BLOCK,
  OP_SIZE,
  PENDING_ERROR_CODE,
  PENDING_EXCEPTION,
  PENDING_VECTOR,
  RETURN_BLOCK,
  RIP,
  SEG_CS,
  SEG_LINEAR,
  SEGMENT_SIZE,
  SEGMENTS,
  STRAYS_LEFT,
  TASK_SWITCHED,
  TRANSLATED_CALLS,
  TRAPS,
  TROUBLE,
  TROUBLE_EXIT,
  TROUBLE_FAULT,
  WINDOW_WANTED,
} from '../layout';
import { blockAtRip, enter, lone, MAX_OPERATIONS, MOST_STRAYS, refund } from './core/blocks';
import { cutLinks, dropAllCode } from './core/code-pages';
import { cloneCpu, selectCpu } from './core/cpus';
import { updateEvents } from './core/events';
import { exception, interrupt } from './core/exceptions';
import {
  EXIT_DEBUG,
  EXIT_ERROR,
  EXIT_HALT,
  EXIT_INTERRUPTED,
  EXIT_WINDOW,
  EXIT_X87,
  forgetAnswers,
  takeAnswer,
} from './core/external';
import { DB, NMI } from './core/faults';
import { IF, RF, rflags, setRflags, systemFlag } from './core/flags';
import { armLate, takeLate } from './core/late';
import { locateCode, refill } from './core/memory';
import { breaksForMonitor, clearMonitor, forgetTouched, touched, updateMonitor } from './core/monitor';
import { ripAfter, ripOf } from './core/operands';
import { loadPdptes } from './core/paging';
import { flushAll, flushTlb, guardPages, resetTlb, selectTlb } from './core/tlb';
import { callThrough, goOn, leaveAt } from './core/translations';
import { execute, perform } from './handlers';
import { resetVectors } from './simd/state';
import { BS, dropTraps, raiseTrap, stopsHere, tellTraps, updateBreakpoints } from './system/debug';
import { reopenSegments, updateMode } from './system/segments';

/** For the test that compares the disassembly with it. */
export { decode } from './core/decode';
/** For translated code, and for the translator. */
export {
  blockAtRip,
  callThrough,
  cloneCpu,
  dropAllCode as forgetCode,
  enter,
  flushAll,
  goOn,
  guardPages,
  leaveAt,
  perform,
  refill,
  resetTlb,
  rflags,
  selectCpu,
  takeAnswer,
};

/** Forgets all that was derived from the CPU's registers and from guest memory. */
export function reset(): void {
  resetVectors();
  resetTlb();
  dropAllCode();
  clearMonitor();
}

/** Must be called when the debugger's breakpoints or watchpoints were changed. */
export function setMonitor(): void {
  updateMonitor();
  selectTlb();
  flushTlb();
}

export function setFlags(flags: u32): void {
  setRflags(flags);
  updateMode();
  dropTraps();
  updateEvents();
}

/** Must be called when segments or control registers were set. */
export function setSystem(): void {
  reopenSegments();
  loadPdptes(load<u64>(CR3));
  updateEvents();
  updateBreakpoints();
  flushTlb();
}

/** True if an external interrupt can be taken right now. */
export function ready(): bool {
  return (
    systemFlag(IF) &&
    !(load<u32>(EVENTS) & EVENT_SHADOW) &&
    load<i32>(PENDING_VECTOR) < 0 &&
    load<u32>(ANSWER_COUNT) == 0
  );
}

export function wantWindow(wanted: bool): void {
  store<u32>(WINDOW_WANTED, <u32>wanted);
  updateEvents();
}

/** Delivers the exception that was raised. */
function faultAt(rip: u64): void {
  store<u32>(TROUBLE, load<u32>(TROUBLE) & ~TROUBLE_FAULT);
  exception(load<u32>(FAULT_VECTOR), load<u32>(FAULT_CODE), rip);
}

/** Delivers the pending debug exception of the last instruction; traps come before interrupts (SDM 3A table 7-2). */
function deliverTrap(): void {
  tellTraps();
  exception(DB, 0, load<u64>(RIP));
  const asks = (load<u32>(TROUBLE) & TROUBLE_EXIT) != 0;
  store<u32>(DELIVERING, <u32>asks);
  if (asks) return;
  dropTraps();
  store<u32>(EVENTS, load<u32>(EVENTS) & ~EVENT_SHADOW);
  forgetAnswers();
}

/** Delivers the pending exception that came with a loaded state. */
function deliverException(): void {
  const code = load<i64>(PENDING_ERROR_CODE);
  exception(load<u32>(PENDING_EXCEPTION), code < 0 ? 0 : <u32>code, load<u64>(RIP));
  const asks = (load<u32>(TROUBLE) & TROUBLE_EXIT) != 0;
  store<u32>(DELIVERING, <u32>asks);
  if (asks) return;
  store<i32>(PENDING_EXCEPTION, -1);
  forgetAnswers();
}

/** Delivers pending events; true if there was one, or if its delivery needs the monitor. */
function deliver(): bool {
  const nmi = load<u32>(NMI_PENDING) != 0 && load<u32>(NMI_BLOCKED) == 0;
  const vector = nmi ? NMI : load<u32>(PENDING_VECTOR);
  if (!nmi && <i32>vector < 0) return false;
  const rip = load<u64>(RIP);
  interrupt(vector, rip);
  // A fault from an interrupt's gate or stack is an exception at the next instruction.
  if (load<u32>(TROUBLE) & TROUBLE_FAULT) faultAt(load<u32>(TASK_SWITCHED) ? load<u64>(RIP) : rip);
  const asks = (load<u32>(TROUBLE) & TROUBLE_EXIT) != 0;
  store<u32>(DELIVERING, <u32>asks);
  if (asks) return true;
  store<u32>(INTERRUPT_COUNT, load<u32>(INTERRUPT_COUNT) + 1);
  if (nmi) {
    store<u32>(NMI_PENDING, 0);
    store<u32>(NMI_BLOCKED, 1);
    store<u32>(EVENTS, load<u32>(EVENTS) & ~EVENT_NMI);
  } else store<i32>(PENDING_VECTOR, -1);
  forgetAnswers();
  return true;
}

/** Runs the block at RIP and those that follow, or one instruction. Returns whether the last one has completed. */
function go(single: bool): bool {
  const rip = load<u64>(RIP);
  store<u32>(CURRENT, 0);
  const pc = single ? lone(rip) : enter(rip, 0);
  if (single) store<u32>(EVENTS, load<u32>(EVENTS) | EVENT_SINGLE);
  if (pc) execute(pc);
  store<u32>(EVENTS, load<u32>(EVENTS) & ~EVENT_SINGLE);
  const stuck = (load<u32>(TROUBLE) & (TROUBLE_FAULT | TROUBLE_EXIT)) != 0;
  const current = <usize>load<u32>(CURRENT);
  if (!current) return !stuck;
  // A task switch counts as completed although the new task's segments may fault.
  if (load<u32>(TASK_SWITCHED)) {
    refund(current + OP_SIZE);
    return !stuck;
  }
  const done = !stuck || load<u32>(EXIT_KIND) == EXIT_HALT;
  refund(done ? current + OP_SIZE : current);
  store<u64>(RIP, done ? ripAfter(current) : ripOf(current));
  return done;
}

/** The instruction's bytes, for the report of a failure. Bytes that cannot be fetched raise no fault here. */
function keepBytes(): void {
  const base = load<u64>(SEGMENTS + SEG_CS * SEGMENT_SIZE, SEG_LINEAR) + load<u64>(RIP);
  const trouble = load<u32>(TROUBLE);
  const cr2 = load<u64>(CR2);
  let length: u32 = 0;
  while (length < 15) {
    const place = locateCode((base + <u64>length) & load<u64>(LINEAR_MASK));
    if (!place) break;
    store<u8>(EXIT_BYTES + <usize>length, load<u8>(place));
    length++;
  }
  store<u32>(TROUBLE, trouble);
  store<u64>(CR2, cr2);
  store<u32>(EXIT_LENGTH, length);
}

/** Ends a run: counts the instructions, and returns the exit's kind. */
function exit(kind: u32): u32 {
  if (kind == EXIT_ERROR) keepBytes();
  store<u32>(EXIT_KIND, kind);
  store<i64>(CLOCK, load<i64>(CLOCK) - load<i64>(BUDGET));
  store<i64>(BUDGET, 0);
  return kind;
}

/** The monitor ran: code that it may have overwritten is checked again. The number has 28 bits in a block's key. */
function nextEpoch(): void {
  const epoch = (load<u32>(EPOCH) + 1) & 0xfffffff;
  store<u32>(EPOCH, epoch);
  cutLinks();
  if (epoch == 0) startAnew();
}

/** Neither EPOCH nor LINKS may reach a number that a block still has. */
function startAnew(): void {
  dropAllCode();
  store<u32>(LINKS, 0);
}

/** Delivers a pending trap or interrupt that is not blocked; true if there was one. */
function waits(events: u32): bool {
  if (load<i32>(PENDING_EXCEPTION) >= 0) {
    deliverException();
    return true;
  }
  if (load<u32>(TRAPS) && !(events & EVENT_QUIET)) {
    deliverTrap();
    return true;
  }
  return !(events & EVENT_SHADOW) && deliver();
}

/** True if a breakpoint stops the next instruction: its exception is pending then. */
function breaks(events: u32): bool {
  return !(events & EVENT_QUIET) && !systemFlag(RF) && stopsHere();
}

/** Runs the guest, or a `single` instruction, and delivers resulting exceptions. */
function step(events: u32, single: bool, answering: bool): void {
  const shadows = events & (EVENT_SHADOW | EVENT_QUIET);
  const rip = load<u64>(RIP);
  // RF is valid for one instruction, with all its iterations where it repeats (SDM 3B 18.3.1.1). IRET may set it again.
  const resumed = (events & EVENT_RESUME) != 0;
  if (resumed) setResume(false);
  store<u32>(EVENTS, load<u32>(EVENTS) & ~shadows);
  store<u32>(INTERRUPTED, 0);
  const done = go(single);
  if (resumed && (!done || load<u64>(RIP) == rip)) setResume(true);
  if (load<u32>(TROUBLE) & TROUBLE_FAULT) {
    // An instruction that has not completed will make its accesses again.
    dropTraps();
    forgetTouched();
    faultAt(load<u64>(RIP));
    if (!load<u32>(EXIT_KIND)) forgetAnswers();
  } else if (done) {
    if (answering) forgetAnswers();
    // The trap comes after an instruction that began with TF set (SDM 3B 18.3.1.4), but not after INT n.
    const quiet = load<u32>(EVENTS) & EVENT_QUIET || load<u32>(INTERRUPTED);
    if (events & EVENT_TRAP && !quiet) raiseTrap(BS);
    // A trap ends the halt before it begins.
    if (load<u32>(TRAPS) && load<u32>(EXIT_KIND) == EXIT_HALT) store<u32>(EXIT_KIND, 0);
    // A waiting processor takes interrupts.
  } else if (load<u32>(EXIT_KIND) != EXIT_X87) store<u32>(EVENTS, load<u32>(EVENTS) | shadows);
}

function setResume(on: bool): void {
  const flags = load<u32>(FLAGS_SYSTEM);
  store<u32>(FLAGS_SYSTEM, on ? flags | RF : flags & ~RF);
  updateEvents();
}

/**
 * Runs `budget` instructions or a few less, or until the monitor is needed; with `once`, one instruction. Returns the
 * kind of exit. Where the alarm comes first, the run ends exactly at the instruction at which CLOCK reaches ALARM.
 * While it runs, CLOCK includes the remaining budget. `goesOn`: nothing was written to memory or registers since the
 * last run.
 */
export function run(budget: i64, once: bool, goesOn: bool): u32 {
  const untilAlarm = load<i64>(ALARM) - load<i64>(CLOCK);
  const exact = untilAlarm <= budget && !once;
  if (exact) budget = max<i64>(untilAlarm, 0);
  store<i64>(BUDGET, budget);
  store<i64>(CLOCK, load<i64>(CLOCK) + budget);
  if (!goesOn) nextEpoch();
  store<u32>(TRANSLATED_CALLS, 0);
  store<u32>(RETURN_BLOCK, NO_BLOCK);
  store<u32>(STRAYS_LEFT, MOST_STRAYS);
  if (load<u32>(LINKS) >> 31) startAnew();
  for (;;) {
    store<u32>(TROUBLE, 0);
    store<u32>(EXIT_KIND, 0);
    store<u32>(ANSWER_NEXT, 0);
    store<u32>(TASK_SWITCHED, 0);
    const events = load<u32>(EVENTS);
    const answering = load<u32>(ANSWER_COUNT) != 0;
    // An answered instruction continues before any event is taken.
    if (!answering || load<u32>(DELIVERING)) {
      if (waits(events)) {
        if (load<u32>(EXIT_KIND)) return exit(load<u32>(EXIT_KIND));
        continue;
      }
      if (load<u32>(WINDOW_WANTED) && systemFlag(IF) && !(events & EVENT_SHADOW)) return exit(EXIT_WINDOW);
    }
    // The last few instructions of an exact budget run one by one; other budgets leave them out.
    const left = load<i64>(BUDGET);
    const few = left < <i64>MAX_OPERATIONS;
    if (!answering && (left <= 0 || (few && !exact && !once))) return exit(EXIT_INTERRUPTED);
    if (events & EVENT_BREAKPOINTS && !answering && breaks(events)) continue;
    const alone = few || answering || (events & ~(EVENT_WINDOW | EVENT_SINGLE)) != 0;
    // Only blocks check whether their page has a breakpoint.
    if (alone && !answering && !once && breaksForMonitor()) return exit(EXIT_DEBUG);
    const late = left == 1 && !answering && load<i64>(LATE_AT) == load<i64>(CLOCK);
    if (late) armLate();
    step(events, alone, answering);
    if (late) takeLate();
    const kind = load<u32>(EXIT_KIND);
    if (kind) return exit(kind);
    if (touched()) return exit(EXIT_DEBUG);
    if (once) return exit(EXIT_INTERRUPTED);
  }
  // biome-ignore lint/correctness/noUnreachable: AssemblyScript asks for it after a loop without a condition
  return EXIT_INTERRUPTED;
}

/** An external interrupt, to be delivered before the next instruction; only while `ready`. */
export function inject(vector: u32): void {
  store<i32>(PENDING_VECTOR, vector);
}
