/**
 * The points of a submission and the reasons, as plain data without times and paths of this host, so that the same submission always gives
 * the same verdict.
 *
 * @module
 */

/** One requirement and its result. */
export interface CheckResult {
  readonly name: string;
  readonly ok: boolean;
  readonly points: number;
  readonly outOf: number;
  readonly expected: string;
  readonly found: string;
  /** For the student, where it is not ok. */
  readonly message: string;
  /** Only for teachers. */
  readonly note?: string;
  /** Students do not see the expected and found values. */
  readonly hidden: boolean;
  /** The number of the run in `Verdict.runs`; -1 for the sources. */
  readonly run: number;
}

/** One run of the guest. */
export interface RunResult {
  readonly name: string;
  readonly hidden: boolean;
  readonly outcome: string;
  readonly reason: string;
  readonly exits: number;
  readonly instructions: number;
  /** Its first bytes, each a character. */
  readonly console: string;
  /** Why the guest died, as text. */
  readonly why?: string;
  /** Behind the lab's address it opens this run, at its end. */
  readonly link?: string;
}

export const verdictStates = ['graded', 'not-compiled', 'set-aside'] as const;

export interface Verdict {
  /**
   * `graded`: it ran. `not-compiled`: there is nothing to run. `set-aside`: the exercise or the grader failed, not the student: a person
   * must check it.
   */
  readonly state: (typeof verdictStates)[number];
  readonly points: number;
  readonly outOf: number;
  readonly checks: readonly CheckResult[];
  readonly runs: readonly RunResult[];
  /** The compiler's warnings, or its errors. */
  readonly build?: { readonly message: string; readonly hint?: string };
  /** Why it was set aside. */
  readonly problem?: string;
}

/** True where all points were given. */
export function passed(verdict: Verdict): boolean {
  return verdict.state === 'graded' && verdict.checks.every(({ ok }) => ok);
}

/** A verdict without checks. */
export function withoutRun(
  state: Exclude<Verdict['state'], 'graded'>,
  outOf: number,
  more: Pick<Verdict, 'build' | 'problem'>,
): Verdict {
  return { state, points: 0, outOf, checks: [], runs: [], ...more };
}
