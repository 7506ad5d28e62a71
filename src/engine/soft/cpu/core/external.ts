// Accesses that only the monitor can answer: ports, and memory that is not RAM.
//
// An instruction that needs an answer stops, with nothing changed, and the CPU exits to the monitor. Then it runs again
// from its beginning and finds the answer in a list, in the order of its accesses. So no instruction has to know how to
// stop in its middle; it only must not change anything before its last access.
import {
  ANSWER_COUNT,
  ANSWER_NEXT,
  ANSWERS,
  BATCH,
  BATCH_NEXT,
  EXIT_ADDRESS,
  EXIT_COUNT,
  EXIT_DATA,
  EXIT_KIND,
  EXIT_PLACE,
  EXIT_SIZE,
  EXIT_WRITE,
  MAX_ANSWERS,
  STRING_DATA,
  TROUBLE,
  TROUBLE_EXIT,
} from '../../layout';

/** The kinds of the contract. */
export const EXIT_NONE: u32 = 0;
export const EXIT_IO: u32 = 1;
export const EXIT_MMIO: u32 = 2;
export const EXIT_HALT: u32 = 3;
export const EXIT_SHUTDOWN: u32 = 4;
export const EXIT_INTERRUPTED: u32 = 5;
export const EXIT_DEBUG: u32 = 6;
export const EXIT_WINDOW: u32 = 7;
export const EXIT_ERROR: u32 = 9;
export const EXIT_MSR: u32 = 13;
export const EXIT_X87: u32 = 14;

export function exitFor(kind: u32): void {
  store<u32>(EXIT_KIND, kind);
  store<u32>(TROUBLE, load<u32>(TROUBLE) | TROUBLE_EXIT);
}

/** True where the monitor has answered: `answer` returns the value read. */
export function external(kind: u32, at: u64, size: u32, write: bool, value: u64): bool {
  const next = load<u32>(ANSWER_NEXT);
  if (next < load<u32>(ANSWER_COUNT)) {
    store<u32>(ANSWER_NEXT, next + 1);
    return true;
  }
  store<u64>(EXIT_ADDRESS, at);
  store<u32>(EXIT_SIZE, size);
  store<u32>(EXIT_WRITE, <u32>write);
  store<u32>(EXIT_COUNT, 1);
  store<u64>(EXIT_DATA, value);
  store<u32>(EXIT_PLACE, EXIT_DATA);
  // The list is full: an instruction with that many accesses outside RAM is not supported.
  exitFor(next >= MAX_ANSWERS ? EXIT_ERROR : kind);
  return false;
}

/** Requests `count` reads of a port in one exit: the answers will be in STRING_DATA. */
export function askForBatch(port: u64, size: u32, count: u32): void {
  batch(port, size, count, false);
}

/** Makes `count` writes to a port in one exit: their data are in STRING_DATA. */
export function sendBatch(port: u64, size: u32, count: u32): void {
  batch(port, size, count, true);
}

function batch(port: u64, size: u32, count: u32, write: bool): void {
  external(EXIT_IO, port, size, write, 0);
  store<u32>(EXIT_COUNT, count);
  store<u32>(EXIT_PLACE, STRING_DATA);
  store<u32>(BATCH, count);
  store<u32>(BATCH_NEXT, 0);
}

/** The monitor's answer to the access for which `external` just returned true. */
export function answer(): u64 {
  return load<u64>(ANSWERS + ((load<u32>(ANSWER_NEXT) - 1) << 3));
}

/** Stores the monitor's answer to the current exit, from EXIT_DATA. */
export function takeAnswer(): void {
  const count = load<u32>(ANSWER_COUNT);
  store<u64>(ANSWERS + (count << 3), load<u64>(EXIT_DATA));
  store<u32>(ANSWER_COUNT, count + 1);
}

/** The instruction has completed, or an iteration of it that will not run again. */
export function forgetAnswers(): void {
  store<u32>(ANSWER_COUNT, 0);
  store<u32>(ANSWER_NEXT, 0);
  store<u32>(BATCH, 0);
}
