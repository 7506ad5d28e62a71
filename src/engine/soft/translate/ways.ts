/**
 * Ways through a handler's code, and the blocks and calls that they lead through while it is followed (`fold.ts`).
 *
 * @module
 */
import { type Code, Type } from './program.js';
import { type Known, same } from './values.js';

/** Instructions of a function that is followed. */
const MOST_FOLLOWED = 2000;
/** How deep calls are that are followed. */
export const DEEPEST = 8;

/** What holds on one way through the code. */
export interface Way {
  known: (Known | undefined)[];
  flags: number | undefined;
  changed: boolean;
}

export interface Frame {
  /** `if`: the half after `else` is still to come. `half`: it was chosen, and needs no label. */
  form: 'block' | 'if' | 'half';
  at: number;
  type: number;
  level: number;
  height: number;
  /** Where all ways that came to the end so far agree. */
  merged: Way | undefined;
  /** For the second half of an `if`. */
  before: Way | undefined;
  /** Not every way comes here. */
  uncertain: boolean;
  /** Some way has left it for its end before. */
  passed: boolean;
  /** What its value is, if that is the same on every way so far; and whether it is a place in memory on every way. */
  value: Known | undefined;
  isPlace: boolean;
}

/** A function that is followed: its locals. */
export interface Call {
  code: Code;
  known: (Known | undefined)[];
  locals: Int32Array;
  depth: number;
}

/** What computes with vectors is what the operation does, though it may fail. */
export function hasVectors({ locals, params, result }: Code): boolean {
  return result === Type.v128 || locals.slice(0, params).includes(Type.v128);
}

export function canFollow(code: Code): boolean {
  return !code.hasLoop && code.length <= MOST_FOLLOWED;
}

export function mergeInto(merged: Way, way: Way): void {
  for (const [index, value] of merged.known.entries()) {
    if (!same(value, way.known[index])) merged.known[index] = undefined;
  }
  if (merged.flags !== way.flags) merged.flags = undefined;
  merged.changed ||= way.changed;
}
