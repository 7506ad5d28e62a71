/**
 * The object for a module of checks: it runs the submission's guest, with inputs by the student's seed, and reports the results.
 *
 * @module
 */
import { ConfigError } from '../errors.js';
import type { Source } from './build.js';
import { GuestRun, type RunRequest, type Subject } from './guest-run.js';
import { Random } from './random.js';
import type { CheckResult } from './verdict.js';

/** A module's report about one requirement. */
export interface CheckRequest {
  name: string;
  ok: boolean;
  /** Default 1. */
  points?: number;
  /** Points for a requirement that holds in part; default: all of `points`, or 0. */
  given?: number;
  expected?: unknown;
  found?: unknown;
  /** For the student, where it is not ok. */
  message?: string;
  /** Only for teachers. */
  note?: string;
  /** Default: as the run. */
  hidden?: boolean;
  /** Default: the last one. */
  run?: GuestRun;
}

/** An expectation in the form of `--expect`, of one run. */
export interface ExpectRequest {
  points?: number;
  missing?: string;
  name?: string;
  note?: string;
  hidden?: boolean;
}

/** The most runs of a module: each keeps its guest's memory. */
const MOST_RUNS = 64;
const MOST_CHECKS = 1000;
/** The most characters of an expected and of a found value. */
const SHOWN = 500;

/** Correct results of a guest that died do not count. */
export const DIED = 'This does not count yet, since the guest died: see below for the reason.';

/** See the module's comment. */
export class Exam implements Disposable {
  readonly seed: string;
  readonly random: Random;
  readonly sources: readonly Source[];
  /** @internal */
  readonly results: CheckResult[] = [];
  /** @internal */
  readonly runs: GuestRun[] = [];
  readonly #subject: Subject;

  constructor(subject: Subject, seed: string, sources: readonly Source[]) {
    this.#subject = subject;
    this.seed = seed;
    this.random = new Random(seed);
    this.sources = sources;
  }

  /**
   * Runs the guest from its beginning, to its end or a limit.
   * @param subject for the exercise's own runs that differ
   */
  run(request: RunRequest = {}, subject: Subject = this.#subject): GuestRun {
    if (this.runs.length >= MOST_RUNS) throw new ConfigError(`more than ${MOST_RUNS} runs of one submission`);
    const name = request.name ?? (this.runs.length === 0 ? 'run' : `run ${this.runs.length + 1}`);
    const run = new GuestRun(subject, { ...request, name });
    this.runs.push(run);
    return run;
  }

  /** Says whether one requirement holds. Returns `ok`. */
  check(request: CheckRequest): boolean {
    const { name, ok, points = 1, given = ok ? points : 0, message = '', note } = request;
    if (typeof name !== 'string' || name === '') throw new ConfigError('a check has no name');
    if (typeof ok !== 'boolean')
      throw new ConfigError(`the check '${name}' has ok: ${String(ok)}, neither true nor false`);
    if (!(points >= 0) || !(given >= 0) || given > points)
      throw new ConfigError(`the check '${name}' gives ${given} of ${points} points`);
    if (this.results.length >= MOST_CHECKS)
      throw new ConfigError(`more than ${MOST_CHECKS} checks of one submission`);
    const run = request.run ?? this.runs.at(-1);
    this.results.push({
      name,
      ok,
      points: given,
      outOf: points,
      expected: shown(request.expected),
      found: shown(request.found),
      message,
      ...(note !== undefined && { note }),
      hidden: request.hidden ?? run?.hidden === true,
      run: run === undefined ? -1 : this.runs.indexOf(run),
    });
    return ok;
  }

  /** Checks an expectation such as `ax=42`. Correct results of a guest that died do not count. */
  expect(run: GuestRun, text: string, request: ExpectRequest = {}): boolean {
    const { ok, found, expected } = run.expect(text);
    const died = ok && run.endedBadly;
    return this.check({
      ...request,
      name: request.name ?? text,
      ok: ok && !died,
      run,
      expected,
      found: died ? `${found} when the guest died` : found,
      message: died ? DIED : (request.missing ?? ''),
    });
  }

  [Symbol.dispose](): void {
    for (const run of this.runs) run[Symbol.dispose]();
  }
}

function shown(value: unknown): string {
  if (value === undefined) return '';
  const text =
    typeof value === 'string'
      ? value
      : typeof value === 'bigint'
        ? `${value} (0x${value.toString(16)})`
        : (JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? `${one}` : one)) ?? String(value));
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}
