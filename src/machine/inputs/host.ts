/**
 * The host's clocks and its randomness. No other file of a machine's rooms reads them (test/tree/outside.test.ts): a guest sees them only
 * through `Inputs`.
 *
 * @module
 */

/** `getRandomValues` refuses more at once (Web Crypto, 10.1.1). */
const MAX_RANDOM = 65536;

/** Milliseconds of a clock that never goes back, with fractions: for deadlines and for the time of machines that follow it. */
export function hostTime(): number {
  return performance.now();
}

/** Nanoseconds since 1970-01-01 00:00 UTC, by the host's wall clock. */
export function hostUnix(): bigint {
  return BigInt(Math.round(performance.timeOrigin * 1e6)) + BigInt(Math.round(performance.now() * 1e6));
}

/** This many random bytes from the host. */
export function hostRandom(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < bytes.length; at += MAX_RANDOM)
    crypto.getRandomValues(bytes.subarray(at, at + MAX_RANDOM));
  return bytes;
}
