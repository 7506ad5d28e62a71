/**
 * What happened in pieces of the past: how many exits, interrupts, exceptions and changes of mode. They are repeated at full speed, and the
 * CPUs' counts are read between them.
 *
 * @module
 */
import type { CpuEvents } from '../../engine/contract/index.js';
import type { CodeBits } from '../mode.js';
import type { History } from './history.js';

/** One piece. */
export interface SurveyPiece extends CpuEvents {
  /** Instructions before it. */
  readonly from: number;
  /** Exits from the guest. */
  readonly exits: number;
  /** The size of the code at its beginning, and whether that is in real-address or virtual-8086 mode. */
  readonly bits: CodeBits;
  readonly real: boolean;
}

/** The pieces that are wanted: those of `size` instructions from `from` on, up to `to`. */
export interface SurveyWanted {
  from: number;
  to: number;
  size: number;
  /** Return after this many milliseconds, with at least one piece. */
  budgetMs: number;
}

/** The part of the session that a survey needs. */
export interface SurveyParts {
  disarm(): void;
  exits(): number;
  events(): CpuEvents;
  mode(): Pick<SurveyPiece, 'bits' | 'real'>;
}

/** The first of the pieces: as many as the time allows, none where it was interrupted. The guest is at any moment afterwards. */
export function surveyOf(history: History, wanted: SurveyWanted, parts: SurveyParts): SurveyPiece[] {
  const { from, size, budgetMs } = wanted;
  const to = Math.min(wanted.to, history.range.last);
  const end = performance.now() + budgetMs;
  const pieces: SurveyPiece[] = [];
  parts.disarm();
  if (!history.goTo(from)) return pieces;
  for (let at = from; at < to; at += size) {
    const [exits, events, mode] = [parts.exits(), parts.events(), parts.mode()];
    const until = Math.min(at + size, to);
    while (history.range.now < until) {
      const { kind } = history.repeat(until);
      if (kind === 'stopped') return pieces;
      if (kind !== 'limit') break;
    }
    const after = parts.events();
    pieces.push({
      from: at,
      ...mode,
      // A moment where the debugger changed the guest has a state of its own.
      exits: Math.max(0, parts.exits() - exits),
      interrupts: (after.interrupts - events.interrupts) >>> 0,
      exceptions: (after.exceptions - events.exceptions) >>> 0,
      modeChanges: (after.modeChanges - events.modeChanges) >>> 0,
    });
    if (performance.now() >= end) break;
  }
  return pieces;
}
