/**
 * Searches in the past. They run forward through pieces of it, from short and recent ones to long and old ones, and keep the last match.
 *
 * @module
 */
import type { Watchpoint } from '../../engine/contract/index.js';
import type { CodeBits } from '../mode.js';
import type { History } from './history.js';

/** The first piece of the past that is searched, in instructions. */
const FIRST_PIECE = 4096;
/** How much longer each piece is than the one before. */
const GROWTH = 8;

/** A search's interface to the CPU. */
export interface SearchParts {
  /** Requests the breakpoints and watchpoints; with `step` one instruction and the watchpoints. */
  arm(step: boolean): void;
  disarm(): void;
  /** The watchpoint at which the last run stopped. */
  touched(): Watchpoint | undefined;
}

/** The result of a search: the moment before the instruction. */
export interface Found {
  at: number;
  touched?: Watchpoint;
}

/** The last breakpoint or access before a moment; `interrupt` where the search was interrupted. */
export function findLast(history: History, end: number, parts: SearchParts): Found | 'interrupt' | undefined {
  const { first } = history.range;
  let to = end;
  for (let length = FIRST_PIECE; to > first; length *= GROWTH) {
    const from = Math.max(first, to - length);
    const found = searchFrom(history, from, to, parts);
    if (found !== undefined) return found;
    to = from;
  }
  return undefined;
}

/** Runs from one moment to another, and returns the last match on the way. */
export function searchFrom(
  history: History,
  from: number,
  to: number,
  parts: SearchParts,
): Found | 'interrupt' | undefined {
  parts.disarm();
  if (!history.goTo(from)) return 'interrupt';
  let found: Found | undefined;
  let step = false;
  while (history.range.now < to) {
    parts.arm(step);
    const { kind } = history.repeat(to);
    if (kind === 'stopped') return 'interrupt';
    if (kind !== 'debug') break;
    const at = history.range.now;
    const touched = parts.touched();
    if (touched !== undefined) found = { at: at - 1, touched };
    else if (!step && at < to) found = { at };
    // The instruction at a breakpoint is stepped over.
    step = !step && touched === undefined;
  }
  return found;
}

/** An instruction of the past. */
export interface Footprint {
  /** Instructions before it: the moment to go to. */
  at: number;
  /** Its linear address. */
  pc: bigint;
  bits: CodeBits;
  /** The stack pointer before it. */
  sp: bigint;
}

/** How to follow a trail. */
export interface TrailParts {
  /** Requests one instruction. */
  step(): void;
  disarm(): void;
  look(): Omit<Footprint, 'at'>;
}

/** The last instructions before this moment, oldest first. The guest is at this moment afterwards. */
export function trailOf(history: History, count: number, { step, disarm, look }: TrailParts): Footprint[] {
  const { now, first } = history.range;
  const trail: Footprint[] = [];
  disarm();
  if (!history.goTo(Math.max(first, now - count))) return trail;
  step();
  while (history.range.now < now) {
    const at = history.range.now;
    const footprint = { at, ...look() };
    const { kind } = history.repeat(now);
    // A step may be the delivery of an interrupt, which is not an instruction.
    if (history.range.now > at) trail.push(footprint);
    if (kind !== 'debug') break;
  }
  disarm();
  return trail;
}
