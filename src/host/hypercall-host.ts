import type { HypercallClocks, HypercallOptions } from '../devices/index.js';

/** `getRandomValues` refuses more at once (Web Crypto, 10.1.1). */
const MOST_RANDOM = 65536;

const clock: HypercallClocks = {
  unix: () => nanoseconds(performance.timeOrigin) + nanoseconds(performance.now()),
  monotonic: () => nanoseconds(performance.now()),
};

function nanoseconds(ms: number): bigint {
  return BigInt(Math.round(ms * 1e6));
}

/** The host's own time and randomness, for hypercalls of machines that say nothing else. */
export const hostServices: Required<Pick<HypercallOptions, 'clock' | 'random'>> = {
  clock,
  random(bytes) {
    for (let at = 0; at < bytes.length; at += MOST_RANDOM)
      crypto.getRandomValues(bytes.subarray(at, at + MOST_RANDOM));
  },
};
