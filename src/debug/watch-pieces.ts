/**
 * Watched bytes, as pieces that a processor can watch.
 *
 * @module
 */
import type { Watchpoint } from '../engine/contract/index.js';
import { DebugError } from './errors.js';

/** @throws DebugError for an invalid length */
export function watchpointsFor(address: bigint, length: number, on: Watchpoint['on']): Watchpoint[] {
  if (!Number.isInteger(length) || length < 1 || length > 4096)
    throw new DebugError(`${length} bytes cannot be watched`, 'watch 1 to 4096 bytes');
  return piecesOf(address, length, on);
}

/** A range as pieces of 8, 4, 2 and 1 bytes at multiples of their lengths. */
export function piecesOf(address: bigint, length: number, on: Watchpoint['on']): Watchpoint[] {
  const pieces: Watchpoint[] = [];
  for (let at = address, left = length; left > 0; ) {
    const size = [8, 4, 2, 1].find((n) => n <= left && at % BigInt(n) === 0n) ?? 1;
    pieces.push({ address: at, length: size, on });
    at += BigInt(size);
    left -= size;
  }
  return pieces;
}
