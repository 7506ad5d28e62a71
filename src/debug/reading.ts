/**
 * Reads guest memory step by step, independent of its source: a generator asks for bytes. A debugger gets them from a session, perhaps on
 * another thread; a profiler reads the memory directly.
 *
 * @module
 */
import { readSome } from './code.js';
import type { DebugTarget } from './target.js';
import type { Reading } from './wanted.js';

export { bytesAt, type Reading, type Wanted } from './wanted.js';

/** Finds the result through a debug session. */
export async function readFrom<T>(target: DebugTarget, reading: Reading<T>): Promise<T> {
  let step = reading.next();
  while (step.done !== true)
    step = reading.next(await readSome(target, step.value.address, step.value.length));
  return step.value;
}

/** Finds the result at once. @param read returns as many of the bytes as are mapped */
export function readNow<T>(read: (address: bigint, length: number) => Uint8Array, reading: Reading<T>): T {
  let step = reading.next();
  while (step.done !== true) step = reading.next(read(step.value.address, step.value.length));
  return step.value;
}
