/**
 * Grades a class: all submissions, some at a time, reusing the results of an earlier run.
 *
 * @module
 */

import path from 'node:path';
import { command } from '../command.js';
import { TerrariumError } from '../errors.js';
import {
  digestOf,
  type Exercise,
  type Files,
  SubmissionError,
  seedOf,
  type Verdict,
  withoutRun,
} from '../exercises/index.js';
import type { Submission } from './intake/submissions.js';
import { exerciseDigest, jobKey } from './job.js';
import { Pool } from './pool.js';
import { prune } from './prune.js';
import { ClassReport, type Entry } from './report/class-report.js';
import { StoredResults } from './stored-results.js';

export interface GradeOptions {
  readonly exercise: Exercise;
  readonly submissions: readonly Submission[];
  readonly jobs: number;
  /** The folder for compiled images and verdicts; undefined stores none. */
  readonly cache: string | undefined;
  /** Grade all again. */
  readonly fresh?: boolean;
  /** The teacher's word from which seeds follow. */
  readonly secret?: string;
  /** This seed for every student. */
  readonly seed?: string;
  readonly patienceMs: number;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
  /** A queue that grades, instead of a pool on this host. */
  readonly service?: GradingService;
}

/** A pool or a queue, which takes jobs. */
export interface GradingService extends Disposable {
  grade(files: Files, seed: string, key: string): Promise<Verdict>;
}

export interface Progress {
  readonly done: number;
  readonly all: number;
  /** How many of these an earlier run graded. */
  readonly known: number;
  /** Milliseconds since the start. */
  readonly elapsedMs: number;
}

/** If this many of the first submissions are set aside, and none is graded, the exercise is wrong, not the students. */
const HOPELESS = 5;
/** Submissions whose files are in memory at a time, for each process. */
const AHEAD = 3;

/**
 * Grades all submissions.
 * @throws TerrariumError where the exercise itself fails, and an `ABORTED` where the signal says so: a later run
 * continues
 */
export async function gradeClass(options: GradeOptions): Promise<ClassReport> {
  const { exercise, submissions, cache, signal } = options;
  const digest = exerciseDigest(exercise.folder);
  const stored = cache === undefined ? undefined : new StoredResults<Verdict>(path.join(cache, 'verdicts'));
  const entries: Entry[] = [];
  const started = performance.now();
  let known = 0;
  let next = 0;
  let opened: Promise<GradingService> | undefined;
  const open = () => {
    opened ??= options.service
      ? Promise.resolve(options.service)
      : Pool.open({
          folder: path.resolve(exercise.folder),
          digest,
          cache,
          jobs: Math.min(options.jobs, submissions.length),
          patienceMs: options.patienceMs,
          points: exercise.points,
        });
    return opened;
  };
  const one = async (submission: Submission): Promise<void> => {
    const { id, name, key: platform } = submission;
    const seed = options.seed ?? seedOf(exercise.name, id, options.secret);
    const more = {
      id,
      seed,
      ...(name !== undefined && { name }),
      ...(platform !== undefined && { key: platform }),
    };
    let files: Files;
    try {
      files = submission.load();
    } catch (error) {
      entries.push({ ...more, digest: '', verdict: refused(error, exercise) });
      return;
    }
    const key = jobKey(digest, files, seed);
    const before = options.fresh ? undefined : stored?.get(key);
    if (before !== undefined) known++;
    const verdict = before ?? (await (await open()).grade(files, seed, key));
    if (before === undefined && verdict.state !== 'set-aside') stored?.set(key, verdict);
    entries.push({ ...more, digest: digestOf(files), verdict });
    requireHope(entries);
  };
  const worker = async (): Promise<void> => {
    while (next < submissions.length && !signal?.aborted) {
      await one(submissions[next++]!);
      options.onProgress?.({
        done: entries.length,
        all: submissions.length,
        known,
        elapsedMs: performance.now() - started,
      });
    }
  };
  try {
    const lanes = Math.min(options.jobs * AHEAD, submissions.length);
    await Promise.all(Array.from({ length: lanes }, worker));
    if (signal?.aborted)
      throw new TerrariumError(
        'ABORTED',
        `interrupted after ${entries.length} of ${submissions.length} submissions`,
        {
          hint: 'the same command continues from there',
        },
      );
    if (cache !== undefined) prune(cache);
    return new ClassReport(exercise, entries);
  } finally {
    (options.service ?? (await opened?.catch(() => undefined)))?.[Symbol.dispose]();
  }
}

/** The student has to correct a submission that cannot be read. */
function refused(error: unknown, { points }: Exercise): Verdict {
  if (error instanceof SubmissionError) {
    const { message, hint } = error;
    return withoutRun('not-compiled', points, { build: { message, ...(hint !== undefined && { hint }) } });
  }
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined) throw error;
  return withoutRun('set-aside', points, { problem: `the submission cannot be read: ${message}` });
}

function requireHope(entries: readonly Entry[]): void {
  if (entries.length !== HOPELESS || entries.some(({ verdict }) => verdict.state !== 'set-aside')) return;
  throw new TerrariumError(
    'EEXERCISE',
    `none of the first ${HOPELESS} submissions could be graded: ${entries[0]!.verdict.problem}`,
    { hint: `correct the exercise: ${command('exercise check')}` },
  );
}
