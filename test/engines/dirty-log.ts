/** Runs a random program and checks its log of dirty pages: for the tests and for `npm run soak`. */
import assert from 'node:assert/strict';
import { PAGE_SIZE } from '../../src/memory/index.js';
import type { randomNumbers } from '../../src/random.js';
import type { Side } from './lockstep.js';
import { makeProgram, type programKinds } from './random-programs.js';

/** The pages whose bytes differ from `known`, which is updated. */
function follow(now: Uint8Array, known: Uint8Array): number[] {
  const changed: number[] = [];
  for (let from = 0; from < known.length; from += PAGE_SIZE) {
    const page = now.subarray(from, from + PAGE_SIZE);
    if (Buffer.compare(page, known.subarray(from, from + PAGE_SIZE)) === 0) continue;
    known.set(page, from);
    changed.push(from / PAGE_SIZE);
  }
  return changed;
}

/**
 * Runs a program in 40 steps at most, and takes the log after each: it names all pages that the program changed.
 * @param known as long as the memory, with any content
 */
export function checkLog(
  side: Side,
  kind: (typeof programKinds)[number],
  random: ReturnType<typeof randomNumbers>,
  known: Uint8Array,
): { named: number; seen: number } {
  side.start(makeProgram(random, kind, 40));
  const now = side.memory.peek(0, side.memory.size);
  follow(now, known);
  let [named, seen] = [0, 0];
  for (let goesOn = true, step = 0; goesOn && step < 40; step++) {
    goesOn = side.run(step < 30 ? 1 + random(300) : 5000);
    const [logged, differ] = [side.vm.takeDirtyPages(0), follow(now, known)];
    const missing = differ.filter((page) => !logged.includes(page));
    assert.deepEqual(missing, [], `step ${step}`);
    named += logged.length;
    seen += differ.length;
  }
  return { named, seen };
}
