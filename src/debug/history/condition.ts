/**
 * The first or the last moment of a piece of the past at which a condition holds. A condition need not hold from some moment on, so no
 * bisection finds it: the piece is repeated. Where the condition reads nothing but memory, the run stops only at writes to what it has read
 * and at exits, in which devices write; else at each instruction.
 *
 * @module
 */
import type { Watchpoint } from '../../engine/contract/index.js';
import type { Outcome } from '../../machine/index.js';
import { findRegister } from '../../x86/index.js';
import { evaluation, type Names, NotMapped } from '../evaluation.js';
import type { Expression } from '../expression-syntax.js';
import type { Reading } from '../wanted.js';
import { piecesOf } from '../watch-pieces.js';
import type { History } from './history.js';

/** The part of the session that a search needs. */
export interface ConditionParts {
  /** Returns why the CPU refuses the request; undefined where it does not. */
  arm(step: boolean, watchpoints: readonly Watchpoint[]): string | undefined;
  disarm(): void;
  /** The names at this moment. @param outcome of the run that led to it, with the registers */
  names(outcome?: Outcome): Names;
  /** As many of the bytes as are mapped. */
  read(address: bigint, length: number): Uint8Array;
}

/** Where to search. */
export interface ConditionWanted {
  from: number;
  /** Not included. */
  to: number;
  which: 'first' | 'last';
}

/** Unmapped addresses are watched too; what a longer list has is not. */
const MOST_WATCHED = 12;

/** The moment; undefined where there is none, `interrupt` where the search was interrupted. The guest is at any moment afterwards. */
export function momentOf(
  history: History,
  condition: Expression,
  { from, to, which }: ConditionWanted,
  parts: ConditionParts,
): number | 'interrupt' | undefined {
  const byWrites = readsMemoryAlone(condition);
  let steps = !byWrites;
  let found: number | undefined;
  parts.disarm();
  if (!history.goTo(from)) return 'interrupt';
  let outcome: Outcome | undefined;
  try {
    for (;;) {
      const at = history.range.now;
      if (at >= to) return found;
      const { holds, watched } = look(condition, parts, outcome);
      if (holds) {
        if (which === 'first') return at;
        found = at;
      }
      const watchpoints = steps ? [] : watched;
      if (parts.arm(steps, watchpoints) !== undefined || watchpoints.length > MOST_WATCHED) {
        // More than the CPU can watch.
        steps = true;
        parts.arm(true, []);
      }
      outcome = history.repeat(to, steps ? undefined : 1);
      const { kind } = outcome;
      if (kind === 'stopped') return 'interrupt';
      const now = history.range.now;
      // It held until the instruction before the write, or up to the end.
      if (holds && !steps && now > at) found = Math.min(now, to) - 1;
      // The guest's end, which is at no later moment.
      if (now === at && kind !== 'debug' && kind !== 'limit') return found;
    }
  } finally {
    parts.disarm();
  }
}

/** Evaluates the condition now. Where memory is not mapped it does not hold. */
export function look(
  condition: Expression,
  { names, read }: Pick<ConditionParts, 'names' | 'read'>,
  outcome?: Outcome,
): { holds: boolean; watched: Watchpoint[] } {
  const watched: Watchpoint[] = [];
  const reading: Reading<{ value: bigint }> = evaluation(condition, names(outcome));
  try {
    let step = reading.next();
    while (step.done !== true) {
      const { address, length } = step.value;
      watched.push(...piecesOf(address, length, 'write'));
      step = reading.next(read(address, length));
    }
    return { holds: step.value.value !== 0n, watched };
  } catch (error) {
    if (error instanceof NotMapped) return { holds: false, watched };
    throw error;
  }
}

/** False where the value depends on registers, or on the size of the code. */
export function readsMemoryAlone(tree: Expression): boolean {
  switch (tree.kind) {
    case 'number':
    case 'addressOf':
      return true;
    case 'name':
      return findRegister(tree.name.toLowerCase()) === undefined && !/^([xyz]?mm|st|pc)/i.test(tree.name);
    case 'unary':
    case 'typed':
      return readsMemoryAlone(tree.operand);
    case 'binary':
      return readsMemoryAlone(tree.left) && readsMemoryAlone(tree.right);
    case 'memory':
      return tree.type !== undefined && readsMemoryAlone(tree.address);
    default:
      return false;
  }
}
