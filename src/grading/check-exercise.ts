/**
 * Checks an exercise: its solution passes on several seeds, the start files do not, and each wrong solution is refused with its message.
 *
 * @module
 */
import path from 'node:path';
import {
  type Exercise,
  type Files,
  passed,
  readSolution,
  readStart,
  readWrong,
  type Verdict,
} from '../exercises/index.js';
import { exerciseDigest } from './job.js';
import { Pool } from './pool.js';
import { messageOf } from './report/texts.js';

export interface Finding {
  /** `solution`, `start`, `wrong/halts.S`. */
  readonly name: string;
  readonly ok: boolean;
  /** The result, for the teacher. */
  readonly says: string;
}

/** A solution must pass with all random inputs, not only once. */
const SEEDS = 5;

/** @throws ExerciseError where a part of the folder is missing */
export async function checkExercise(
  exercise: Exercise,
  options: { jobs: number; cache: string | undefined; patienceMs: number },
): Promise<Finding[]> {
  const { folder, points } = exercise;
  const solution = readSolution(exercise);
  const start = readStart(exercise);
  const wrong = readWrong(exercise);
  using pool = await Pool.open({
    ...options,
    folder: path.resolve(folder),
    digest: exerciseDigest(folder),
    points,
  });
  const one = async (
    name: string,
    files: Files,
    judge: (verdict: Verdict) => string | undefined,
    seed = 'check',
  ) => {
    const verdict = await pool.grade(files, seed);
    const problem = judge(verdict);
    const says = problem ?? `${verdict.points} of ${verdict.outOf} points`;
    return { name, ok: problem === undefined, says };
  };
  const seeds = exercise.module === undefined ? 1 : SEEDS;
  const findings = await Promise.all([
    ...Array.from({ length: seeds }, (_, i) =>
      one(seeds === 1 ? 'solution' : `solution, seed ${i + 1}`, solution, solutionProblem, `check ${i + 1}`),
    ),
    one('start', start, startProblem),
    ...wrong.map(({ name, files, refused }) =>
      one(`wrong/${name}`, files, (verdict) => wrongProblem(verdict, refused)),
    ),
  ]);
  return [...findings, ...(wrong.length === 0 ? [{ name: 'wrong', ok: false, says: NO_WRONG }] : [])];
}

const NO_WRONG = 'there is no wrong solution: begin with one that does none of the task';

function solutionProblem(verdict: Verdict): string | undefined {
  if (passed(verdict)) return undefined;
  const { problem, build, checks } = verdict;
  if (verdict.state !== 'graded') return problem ?? `it does not compile: ${build?.message}`;
  return `it must pass, and misses ${checks
    .filter(({ ok }) => !ok)
    .map(({ name, expected, found }) => `${name} (expected ${expected}, found ${found})`)
    .join('; ')}`;
}

function startProblem(verdict: Verdict): string | undefined {
  if (verdict.state === 'not-compiled') return `it must compile: ${verdict.build?.message}`;
  if (verdict.state === 'set-aside') return verdict.problem;
  if (passed(verdict)) return 'it must not pass, since a student who writes nothing would';
  return undefined;
}

function wrongProblem(verdict: Verdict, refused: string): string | undefined {
  if (verdict.state === 'set-aside') return verdict.problem;
  if (passed(verdict)) return 'it passes, and must not';
  const message = verdict.state === 'not-compiled' ? [verdict.build?.message ?? ''] : [];
  const missed = verdict.checks.filter(({ ok }) => !ok);
  const texts = [...message, ...missed.flatMap((check) => [check.name, messageOf(check)])];
  const sourceName = refused.replace(/^source~=(\/.*\/)$/, 'the source has $1');
  if (texts.some((text) => text.includes(refused) || text === sourceName)) return undefined;
  return `it must be refused by '${refused}', and is by ${missed.map(({ name }) => name).join('; ') || message.join('')}`;
}
