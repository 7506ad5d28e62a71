/**
 * Memory that is empty, which a guest runs through as if it were code.
 *
 * @module
 */
import { readPhysical } from '../inspect/index.js';
import type { Scene } from './scene.js';

/** Memory that is looked at before an address, to see whether the guest walked through it. */
export const BEFORE = 1 << 16;

/** What to do about a guest that executes empty memory. */
export const RAN_ON =
  'The guest ran on behind the end of its code, through memory that is empty (zeros read as add). End the code with HLT in a loop, and see that every function returns.';

/** Bytes right before an address that may be something else: what stopped a guest on its way through zeros. */
const OBSTACLE = 16;

/** How many zeros lie before an address, or before the few bytes that end there. */
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
