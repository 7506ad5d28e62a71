// Interrupts and exceptions. In real-address mode FLAGS, CS and IP go onto the stack, and the vector's entry in the table at
// IDTR gives the handler (SDM 3B 21.1.4); in the other modes delivery uses a gate, see gates.ts.
import {
  BUDGET,
  CR0,
  CR2,
  FAULT_AT_CODE,
  FAULT_AT_CR2,
  FAULT_AT_CS,
  FAULT_AT_DELIVERING,
  FAULT_AT_RIP,
  FAULT_AT_RSP,
  FAULT_AT_SS,
  FAULT_AT_VECTOR,
  FAULT_CODE,
  FAULT_COUNT,
  FAULT_DELIVERING,
  FAULT_ENTRY,
  FAULT_VECTOR,
  FAULTS,
  FLAGS_SYSTEM,
  IDT_BASE,
  IDT_LIMIT,
  INTERRUPTED,
  MAX_FAULTS,
  RIP,
  RSP,
  SEG_CS,
  SEG_SS,
  TROUBLE,
  TROUBLE_FAULT,
} from '../../layout';
import { enterGate, NO_CODE } from '../system/gates';
import { selectorOf, setRealSegment } from '../system/segments';
import { updateEvents } from './events';
import { EXIT_SHUTDOWN, exitFor } from './external';
import { ALIGNMENT, DB, DE, DOUBLE_FAULT, fault, GP, markExternal, NP, PAGE_FAULT, SS, TS } from './faults';
import { AC, IF, RF, rflags, TF } from './flags';
import { readLinear, write } from './memory';
import { setStack, stackAt } from './stack';
import { failed } from './trouble';

function enterReal(vector: u32, rip: u64): void {
  if (vector * 4 + 3 > load<u32>(IDT_LIMIT)) {
    fault(GP);
    return;
  }
  const entry = load<u64>(IDT_BASE) + <u64>(vector * 4);
  write<u16>(SEG_SS, stackAt(-2), <u16>rflags());
  if (failed()) return;
  write<u16>(SEG_SS, stackAt(-4), <u16>selectorOf(SEG_CS));
  if (failed()) return;
  write<u16>(SEG_SS, stackAt(-6), <u16>rip);
  if (failed()) return;
  const offset = readLinear<u16>(entry);
  if (failed()) return;
  const selector = readLinear<u16>(entry + 2);
  if (failed()) return;
  setStack(stackAt(-6));
  store<u32>(FLAGS_SYSTEM, load<u32>(FLAGS_SYSTEM) & ~(IF | TF | RF | AC));
  setRealSegment(SEG_CS, <u32>selector);
  store<u64>(RIP, <u64>offset);
  updateEvents();
}

function enter(vector: u32, rip: u64, software: bool, flags: u32, code: i64): void {
  if (load<u32>(CR0) & 1) enterGate(vector, rip, software, flags, code);
  else enterReal(vector, rip);
  store<u32>(INTERRUPTED, 1);
}

/** INT n, INT3 and INTO: calls the handler of `vector`, with return address `rip`. Changes nothing where it fails. */
export function softwareInterrupt(vector: u32, rip: u64): void {
  enter(vector, rip, true, rflags(), NO_CODE);
}

/** An external interrupt, an exception or INT1: as `softwareInterrupt`, without a check of the gate's DPL. */
export function interrupt(vector: u32, rip: u64): void {
  markExternal(true);
  enter(vector, rip, false, rflags(), NO_CODE);
  markExternal(false);
  // Faults from here on belong to this delivery.
  if (failed()) store<u32>(FAULT_DELIVERING, vector + 1);
}

/** True for the exceptions that push an error code (SDM 3A table 7-1). */
function hasCode(vector: u32): bool {
  return vector == DOUBLE_FAULT || (vector >= TS && vector <= PAGE_FAULT) || vector == ALIGNMENT;
}

/** True for the exceptions of which two make a double fault (SDM 3A table 7-4). */
function isContributory(vector: u32): bool {
  return vector == DE || vector == TS || vector == NP || vector == SS || vector == GP;
}

/** The result of an exception during the delivery of another one (SDM 3A table 7-5). */
function isDouble(first: u32, second: u32): bool {
  if (first == PAGE_FAULT) return second == PAGE_FAULT || isContributory(second);
  return isContributory(first) && isContributory(second);
}

/** Records an exception for `EngineCpu.recentFaults`. */
function keep(vector: u32, code: u32, rip: u64): void {
  const count = load<u32>(FAULT_COUNT);
  const entry = FAULTS + <usize>(count & (MAX_FAULTS - 1)) * FAULT_ENTRY;
  store<u32>(entry, vector, FAULT_AT_VECTOR);
  store<i32>(entry, hasCode(vector) ? <i32>code : -1, FAULT_AT_CODE);
  store<i32>(entry, load<i32>(FAULT_DELIVERING) - 1, FAULT_AT_DELIVERING);
  store<u32>(entry, selectorOf(SEG_CS), FAULT_AT_CS);
  store<u64>(entry, rip, FAULT_AT_RIP);
  store<u64>(entry, load<u64>(CR2), FAULT_AT_CR2);
  store<u64>(entry, load<u64>(RSP), FAULT_AT_RSP);
  store<u32>(entry, selectorOf(SEG_SS), FAULT_AT_SS);
  store<u32>(FAULT_COUNT, count + 1);
}

/**
 * An exception at `rip`, and the exceptions that its delivery raises, down to the shutdown. It counts as an instruction: the
 * one that raised it has not completed, so a chain of exceptions would otherwise take no time and never use up its budget.
 */
export function exception(first: u32, firstCode: u32, rip: u64): void {
  store<i64>(BUDGET, load<i64>(BUDGET) - 1);
  let vector = first;
  let code = firstCode;
  keep(vector, code, rip);
  for (;;) {
    // Faults return to their instruction, whose breakpoint must not hit again (SDM 3B 18.3.1.1).
    const flags = vector == DB || vector == DOUBLE_FAULT ? rflags() : rflags() | RF;
    markExternal(true);
    enter(vector, rip, false, flags, hasCode(vector) ? <i64>code : NO_CODE);
    markExternal(false);
    store<u32>(FAULT_DELIVERING, 0);
    if (!(load<u32>(TROUBLE) & TROUBLE_FAULT)) return;
    store<u32>(TROUBLE, load<u32>(TROUBLE) & ~TROUBLE_FAULT);
    const second = load<u32>(FAULT_VECTOR);
    store<u32>(FAULT_DELIVERING, vector + 1);
    keep(second, load<u32>(FAULT_CODE), rip);
    store<u32>(FAULT_DELIVERING, 0);
    if (vector == DOUBLE_FAULT) break;
    const double = isDouble(vector, second);
    vector = double ? DOUBLE_FAULT : second;
    code = double ? 0 : load<u32>(FAULT_CODE);
  }
  store<u64>(RIP, rip);
  exitFor(EXIT_SHUTDOWN);
}
