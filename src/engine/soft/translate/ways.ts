/**
 * Paths through a handler's code, and the blocks and calls on them, while it is followed (`fold.ts`).
 *
 * @module
 */
import { type Code, Type } from './program.js';
import { type Known, same } from './values.js';

/** The most instructions of a function that is followed. */
const MOST_FOLLOWED = 2000;
/** The greatest depth of calls that are followed. */
export const DEEPEST = 8;

/** The facts that hold on one path through the code. */
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
  /** The facts on which all paths to the end agree so far. */
  merged: Way | undefined;
  /** For the second half of an `if`. */
  before: Way | undefined;
  /** Not every path comes here. */
  uncertain: boolean;
  /** Some path has already branched to its end. */
  passed: boolean;
  /** Its value, if it is the same on every path so far; and whether it is an address in memory on every path. */
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

/** Functions that compute with vectors are the operation itself, even if they may fail. */
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
