// String instructions (SDM 1 7.3.9). With a repeat prefix each iteration completes on its own, and between two of them the CPU
// checks for pending events: then the instruction starts again with the remaining count.
import {
  ALARM,
  ANSWER_COUNT,
  ANSWER_NEXT,
  BATCH,
  BATCH_NEXT,
  BUDGET,
  CLOCK,
  CPU_AMD,
  CR0,
  CR0_PG,
  EVENT_BREAKPOINTS,
  EVENT_TRAP,
  EVENTS,
  FLAG_REP,
  FLAG_REPNE,
  OP_ADDRESS,
  OP_FLAGS,
  RAX,
  RCX,
  RDI,
  RDX,
  RSI,
  SEG_ES,
  STREAM_COUNT,
  STREAMS,
  STRING_BYTES,
  STRING_DATA,
} from '../../layout';
import { maskOf } from '../core/bits';
import { answer, askForBatch, EXIT_IO, external, forgetAnswers, sendBatch } from '../core/external';
import { DF, flagsOfSub, keepFlags, restoreFlags, systemFlag, zero } from '../core/flags';
import { checkWrite, read, readable, write } from '../core/memory';
import { cutAddress, segment, setByAddressSize, setRegister } from '../core/operands';
import { failed, troubled } from '../core/trouble';
import { mayUsePort } from '../system/privilege';
import { moveMany, storeMany } from './bulk';

function at(pc: usize, register: usize): u64 {
  return cutAddress(pc, load<u64>(register));
}

function advance<T>(pc: usize, register: usize): void {
  const step: i64 = systemFlag(DF) ? -(<i64>sizeof<T>()) : sizeof<T>();
  setByAddressSize(pc, register, cutAddress(pc, load<u64>(register) + <u64>step));
}

function repeats(pc: usize): bool {
  return (load<u8>(pc, OP_FLAGS) & (FLAG_REP | FLAG_REPNE)) != 0;
}

/**
 * A repeated instruction with 32-bit addresses clears the upper half of its counter and pointers before its first iteration:
 * RCX always, and the pointers of MOVS and STOS. Intel's processors do so even for a count of 0; AMD's with the first completed
 * iteration.
 */
function cutRegister(pc: usize, register: usize): void {
  if (!load<u32>(CPU_AMD)) setByAddressSize(pc, register, at(pc, register));
}

/** The remaining iterations. */
function left(pc: usize): u64 {
  return at(pc, RCX);
}

/**
 * Counts a completed iteration. The last one is the instruction's own count, which its block has paid: so the budget never ends
 * in the middle of a block. True if the next iteration must wait.
 */
function roundDone(pc: usize): bool {
  setByAddressSize(pc, RCX, cutAddress(pc, load<u64>(RCX) - 1));
  if (left(pc) != 0) store<i64>(BUDGET, load<i64>(BUDGET) - 1);
  forgetAnswers();
  return load<i64>(BUDGET) <= 0 || load<u32>(EVENTS) != 0 || troubled();
}

function move<T>(pc: usize): void {
  const value = read<T>(segment(pc), at(pc, RSI));
  if (failed()) return;
  write<T>(SEG_ES, at(pc, RDI), value);
  if (failed()) return;
  advance<T>(pc, RSI);
  advance<T>(pc, RDI);
}

export function movs<T>(pc: usize): bool {
  if (!repeats(pc)) {
    move<T>(pc);
    return !failed();
  }
  cutRegister(pc, RCX);
  cutRegister(pc, RSI);
  cutRegister(pc, RDI);
  while (left(pc) != 0) {
    if (moveMany<T>(pc)) {
      if (load<i64>(BUDGET) <= 0 && left(pc) != 0) return false;
      continue;
    }
    move<T>(pc);
    if (failed() || (roundDone(pc) && left(pc) != 0)) return false;
  }
  return true;
}

function storeOne<T>(pc: usize): void {
  write<T>(SEG_ES, at(pc, RDI), load<T>(RAX));
  if (!failed()) advance<T>(pc, RDI);
}

export function stos<T>(pc: usize): bool {
  if (!repeats(pc)) {
    storeOne<T>(pc);
    return !failed();
  }
  cutRegister(pc, RCX);
  cutRegister(pc, RDI);
  while (left(pc) != 0) {
    if (storeMany<T>(pc)) {
      if (load<i64>(BUDGET) <= 0 && left(pc) != 0) return false;
      continue;
    }
    storeOne<T>(pc);
    if (failed() || (roundDone(pc) && left(pc) != 0)) return false;
  }
  return true;
}

function loadOne<T>(pc: usize): void {
  const value = read<T>(segment(pc), at(pc, RSI));
  if (failed()) return;
  setRegister<T>(RAX, value);
  advance<T>(pc, RSI);
}

export function lods<T>(pc: usize): bool {
  if (!repeats(pc)) {
    loadOne<T>(pc);
    return !failed();
  }
  cutRegister(pc, RCX);
  while (left(pc) != 0) {
    loadOne<T>(pc);
    if (failed() || (roundDone(pc) && left(pc) != 0)) return false;
  }
  return true;
}

function compareOne<T>(pc: usize): void {
  // Processors read from RDI first, which is visible where both reads fault.
  const b = read<T>(SEG_ES, at(pc, RDI));
  if (failed()) return;
  const a = read<T>(segment(pc), at(pc, RSI));
  if (failed()) return;
  flagsOfSub<T>(a, b, <T>(a - b));
  advance<T>(pc, RSI);
  advance<T>(pc, RDI);
}

/** REPE repeats while equal, REPNE while not equal. */
function goesOn(pc: usize): bool {
  return zero() == ((load<u8>(pc, OP_FLAGS) & FLAG_REP) != 0);
}

/** The last iteration because of its flags: counted as in `roundDone`. True since the instruction is done. */
function endedByFlags(pc: usize): bool {
  if (left(pc) != 0) store<i64>(BUDGET, load<i64>(BUDGET) + 1);
  return true;
}

/** Between two iterations, and where one faults, the flags are those before the instruction (SDM 1 7.3.9.2). */
function unfinished(): bool {
  restoreFlags();
  return false;
}

export function cmps<T>(pc: usize): bool {
  if (!repeats(pc)) {
    compareOne<T>(pc);
    return !failed();
  }
  cutRegister(pc, RCX);
  keepFlags();
  while (left(pc) != 0) {
    compareOne<T>(pc);
    if (failed()) return unfinished();
    const wait = roundDone(pc);
    if (!goesOn(pc)) return endedByFlags(pc);
    if (wait && left(pc) != 0) return unfinished();
  }
  return true;
}

function scanOne<T>(pc: usize): void {
  const b = read<T>(SEG_ES, at(pc, RDI));
  if (failed()) return;
  const a = load<T>(RAX);
  flagsOfSub<T>(a, b, <T>(a - b));
  advance<T>(pc, RDI);
}

export function scas<T>(pc: usize): bool {
  if (!repeats(pc)) {
    scanOne<T>(pc);
    return !failed();
  }
  cutRegister(pc, RCX);
  keepFlags();
  while (left(pc) != 0) {
    scanOne<T>(pc);
    if (failed()) return unfinished();
    const wait = roundDone(pc);
    if (!goesOn(pc)) return endedByFlags(pc);
    if (wait && left(pc) != 0) return unfinished();
  }
  return true;
}

function inOne<T>(pc: usize): void {
  if (!mayUsePort(<u32>load<u16>(RDX), sizeof<T>())) return;
  checkWrite(SEG_ES, at(pc, RDI), sizeof<T>(), sizeof<T>());
  if (failed() || !external(EXIT_IO, <u64>load<u16>(RDX), sizeof<T>(), false, 0)) return;
  write<T>(SEG_ES, at(pc, RDI), <T>answer());
  if (!failed()) advance<T>(pc, RDI);
}

/**
 * How many iterations of REP INS to request in one exit: as many as KVM's emulator, so that both engines exit alike.
 * Those are all remaining ones, up to 1,024 bytes and to the end of the page of EDI, whose bytes KVM counts as if they
 * were elements. With paging on, this CPU counts them as bytes: input that the next page refuses would be lost. Where
 * each iteration is checked for breakpoints, they come one by one.
 */
function atOnce<T>(pc: usize): u32 {
  if (load<u32>(EVENTS) & (EVENT_TRAP | EVENT_BREAKPOINTS)) return 1;
  const offset = at(pc, RDI) & 0xfff;
  let inPage: u64 = systemFlag(DF) ? offset : 0x1000 - offset;
  if (load<u64>(CR0) & CR0_PG) inPage /= sizeof<T>();
  const most = min<u64>(inPage, STRING_BYTES / sizeof<T>());
  return <u32>max<u64>(1, min<u64>(most, left(pc)));
}

/**
 * Stores the input that the monitor gave in one exit. It cannot be read again, so no event comes between these iterations. The
 * first answer stands for all of it; an iteration that needs another answer, because it stores to MMIO, continues from
 * BATCH_NEXT.
 */
function storeBatch<T>(pc: usize): void {
  while (load<u32>(BATCH_NEXT) < load<u32>(BATCH)) {
    const next = <usize>load<u32>(BATCH_NEXT);
    store<u32>(ANSWER_NEXT, 1);
    write<T>(SEG_ES, at(pc, RDI), load<T>(STRING_DATA + next * sizeof<T>()));
    if (failed()) return;
    advance<T>(pc, RDI);
    setByAddressSize(pc, RCX, cutAddress(pc, load<u64>(RCX) - 1));
    if (left(pc) != 0) store<i64>(BUDGET, load<i64>(BUDGET) - 1);
    store<u32>(BATCH_NEXT, <u32>next + 1);
    store<u32>(ANSWER_COUNT, 1);
  }
  forgetAnswers();
}

/** Requests several iterations at once, or stores their input. */
function inMany<T>(pc: usize): void {
  if (load<u32>(ANSWER_COUNT) == 0) {
    checkWrite(SEG_ES, at(pc, RDI), sizeof<T>(), sizeof<T>());
    if (!failed()) askForBatch(<u64>load<u16>(RDX), sizeof<T>(), atOnce<T>(pc));
  } else storeBatch<T>(pc);
}

export function ins<T>(pc: usize): bool {
  if (!repeats(pc)) {
    inOne<T>(pc);
    return !failed();
  }
  // Even for a count of 0.
  if (!mayUsePort(<u32>load<u16>(RDX), sizeof<T>())) return false;
  cutRegister(pc, RCX);
  while (left(pc) != 0) {
    inMany<T>(pc);
    if (failed()) return false;
    if (left(pc) != 0 && (load<i64>(BUDGET) <= 0 || load<u32>(EVENTS) != 0 || troubled())) return false;
  }
  return true;
}

function outOne<T>(pc: usize): void {
  if (!mayUsePort(<u32>load<u16>(RDX), sizeof<T>())) return;
  const value = read<T>(segment(pc), at(pc, RSI));
  if (failed()) return;
  const bits = <u64>value & maskOf(sizeof<T>());
  if (external(EXIT_IO, <u64>load<u16>(RDX), sizeof<T>(), true, bits)) advance<T>(pc, RSI);
}

/**
 * True where the device at the port in DX takes bytes as a stream; for others the time between two elements may matter.
 */
function toStream(): bool {
  const port = load<u16>(RDX);
  for (let n: usize = 0; n < <usize>load<u32>(STREAM_COUNT); n++) {
    const range: usize = STREAMS + n * 4;
    if (port >= load<u16>(range) && port <= load<u16>(range, 2)) return true;
  }
  return false;
}

/** Instructions until the alarm, at which the run has to end exactly. */
function untilAlarm(): u64 {
  return <u64>max<i64>(load<i64>(ALARM) - load<i64>(CLOCK) + load<i64>(BUDGET), 0);
}

/**
 * The iterations of REP OUTS to a stream that are one exit, as a processor reports the instruction (SDM 3C 28.2.1):
 * those whose elements are in RAM, in the page of the first one, up to 1,024 bytes. Puts their elements into
 * STRING_DATA. Fewer than 2: the next one runs alone, because it is the last, is checked for breakpoints, crosses a
 * page, or reads outside RAM.
 */
function gather<T>(pc: usize): u32 {
  if (!toStream() || load<u32>(EVENTS) & (EVENT_TRAP | EVENT_BREAKPOINTS)) return 1;
  const size: u64 = sizeof<T>();
  const first = at(pc, RSI);
  const down = systemFlag(DF);
  const place = readable(segment(pc), first, size);
  if (!place) return 0;
  // The address in memory has the same low bits as the linear one; offsets do not wrap within a batch.
  const inPage = <u64>place & 0xfff;
  const last = ~(<u64>0) >> <u64>load<u8>(pc, OP_ADDRESS);
  const pageRoom = down ? inPage / size + 1 : (0x1000 - inPage) / size;
  const offsets = down ? first / size + 1 : (last - first) / size;
  const most = min<u64>(min<u64>(STRING_BYTES / sizeof<T>(), untilAlarm()), left(pc));
  const count = min<u64>(min<u64>(pageRoom, offsets), most);
  if (count < 2) return <u32>count;
  const bytes = count * size;
  // The segment's limit for all of them.
  if (!readable(segment(pc), down ? first + size - bytes : first, bytes)) return 0;
  const step: isize = down ? -(<isize>sizeof<T>()) : sizeof<T>();
  for (let n: usize = 0, from = place; n < <usize>count; n++, from += step)
    store<T>(STRING_DATA + n * sizeof<T>(), load<T>(from));
  return <u32>count;
}

/** The monitor has taken a batch: its iterations are done. */
function sent<T>(pc: usize): void {
  const count = <u64>load<u32>(BATCH);
  const step: i64 = systemFlag(DF) ? -(<i64>sizeof<T>()) : sizeof<T>();
  setByAddressSize(pc, RSI, cutAddress(pc, load<u64>(RSI) + count * <u64>step));
  setByAddressSize(pc, RCX, cutAddress(pc, load<u64>(RCX) - count));
  // As in `roundDone`: the last iteration has been counted with the instruction.
  store<i64>(BUDGET, load<i64>(BUDGET) - <i64>count + (left(pc) == 0 ? 1 : 0));
  forgetAnswers();
}

/** Sends several iterations at once. False where the next one must run alone. */
function outMany<T>(pc: usize): bool {
  if (load<u32>(ANSWER_COUNT) != 0) {
    if (load<u32>(BATCH) == 0) return false;
    sent<T>(pc);
    return true;
  }
  // An abandoned batch: registers were set from outside.
  store<u32>(BATCH, 0);
  const count = gather<T>(pc);
  if (count < 2) return false;
  sendBatch(<u64>load<u16>(RDX), sizeof<T>(), count);
  return true;
}

export function outs<T>(pc: usize): bool {
  if (!repeats(pc)) {
    outOne<T>(pc);
    return !failed();
  }
  // Even for a count of 0.
  if (!mayUsePort(<u32>load<u16>(RDX), sizeof<T>())) return false;
  cutRegister(pc, RCX);
  while (left(pc) != 0) {
    if (outMany<T>(pc)) {
      if (failed()) return false;
      if (left(pc) != 0 && (load<i64>(BUDGET) <= 0 || load<u32>(EVENTS) != 0 || troubled())) return false;
      continue;
    }
    outOne<T>(pc);
    if (failed() || (roundDone(pc) && left(pc) != 0)) return false;
  }
  return true;
}
