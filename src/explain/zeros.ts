/**
 * Memory full of zeros that a guest executes as code.
 *
 * @module
 */
import { readPhysical } from '../inspect/index.js';
import type { Scene } from './scene.js';

/** How much memory before an address is searched for zeros that the guest may have executed: bytes. */
export const BEFORE = 1 << 16;

/** The advice for a guest that executes empty memory. */
export const RAN_ON =
  'The guest ran past the end of its code, through empty memory (zeros decode as add). End the code with HLT in a loop, and check that every function returns.';

/** This many bytes right before an address may be other than zero: they ended the guest's run through zeros. */
const OBSTACLE = 16;

/** How many zeros are before an address, or before the few bytes that end there. */
export function zerosBefore({ memory }: Scene, physical: bigint): number {
  let [start, zeros] = [physical, 0];
  for (let passed = 0; zeros < BEFORE; passed++) {
    if (readPhysical(memory, start - BigInt(zeros) - 1n, 1) === 0n) {
      zeros++;
      continue;
    }
    if (zeros >= OBSTACLE || passed >= OBSTACLE) break;
    start -= BigInt(zeros) + 1n;
    zeros = 0;
  }
  return zeros;
}
