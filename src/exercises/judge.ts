/**
 * The verdict on a submission that compiled: runs its guest as the exercise says, and checks the results.
 *
 * @module
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Image } from '../boot/index.js';
import { isTerrariumError } from '../errors.js';
import { formatExplanation } from '../explain/index.js';
import { type SourceChange, sourcesMatch, unchanged } from '../inspect/index.js';
import { importUserModule, importUserParts } from '../runtime/index.js';
import type { Compiled, NotCompiled } from './build.js';
import { Exam } from './exam.js';
import type { Check, Exercise, Run } from './exercise.js';
import { type GuestRun, SHOWN_CONSOLE, type Subject } from './guest-run.js';
import { type CheckResult, type RunResult, type Verdict, withoutRun } from './verdict.js';

/**
 * Judges a compiled submission. The exercise's own mistakes, such as a module that throws, set the submission aside: they cost no student a
 * point. @param symbols returns the image with names, called where the guest died
 * @param changed compiles the sources with a change; undefined where nothing in them matches
 */
export async function judge(
  exercise: Exercise,
  built: Compiled | NotCompiled,
  seed: string,
  symbols: () => Image | undefined = () => undefined,
  changed: Changed = () => undefined,
): Promise<Verdict> {
  if (!built.ok) {
    const { message, hint } = built;
    return withoutRun('not-compiled', exercise.points, {
      build: { message, ...(hint !== undefined && { hint }) },
    });
  }
  const { image, spec, warnings } = built;
  let exam: Exam | undefined;
  try {
    const { devices } = await importUserParts({ devices: devicesOf(exercise) });
    const subject: Subject = {
      image,
      spec,
      title: exercise.title,
      files: filesOf(built),
      limits: exercise.limits,
      devices,
      hasDevice: exercise.device !== undefined,
      symbols,
      keepsExits: exercise.module !== undefined,
    };
    exam = new Exam(subject, seed, built.sources);
    for (const run of exercise.runs) await judgeRun(exercise, run, exam, subject, changed);
    checkSources(exercise, exam);
    if (exercise.module !== undefined) await runModule(exercise.module, exam);
    const runs = exam.runs.map(resultOf);
    const points = exam.results.reduce((sum, one) => sum + one.points, 0);
    const sum = exam.results.reduce((total, one) => total + one.outOf, 0);
    if (Math.abs(sum - exercise.points) > 1e-9)
      return withoutRun('set-aside', exercise.points, {
        problem: `the checks have ${round(sum)} points together, and exercise.json says ${exercise.points}`,
      });
    return {
      state: 'graded',
      points: round(points),
      outOf: exercise.points,
      checks: exam.results,
      runs,
      ...(warnings !== '' && { build: { message: warnings } }),
    };
  } catch (error) {
    return withoutRun('set-aside', exercise.points, { problem: problemOf(error, exercise) });
  } finally {
    exam?.[Symbol.dispose]();
  }
}

export type Changed = (change: SourceChange) => Compiled | NotCompiled | undefined;

async function judgeRun(
  exercise: Exercise,
  run: Run,
  exam: Exam,
  subject: Subject,
  changed: Changed,
): Promise<void> {
  const { change, options, guest, ...request } = run;
  const other = change === undefined ? undefined : changed(change);
  if (change !== undefined && !other?.ok) {
    const why = other === undefined ? unchanged(change) : other.message;
    for (const check of run.checks) exam.results.push(missed(check, run, why));
    return;
  }
  const { devices } =
    options === undefined ? subject : await importUserParts({ devices: devicesOf(exercise, options) });
  const ran = exam.run(request, {
    ...subject,
    devices,
    ...(other?.ok && { image: other.image, files: filesOf(other) }),
    spec: { ...(other?.ok ? other.spec : subject.spec), ...guest },
    mayWait: guest !== undefined,
  });
  for (const check of run.checks) exam.expect(ran, check.expect, check);
}

/** What was compiled in an earlier version of this package has no headers. */
const filesOf = ({ sources, headers = [] }: Compiled) => [
  ...sources,
  ...headers.filter(({ name }) => !sources.some((source) => source.name === name)),
];

/** A check of a run that could not be made. */
const missed = (
  { expect, name = expect, missing, points, note }: Check,
  { hidden }: Run,
  found: string,
): CheckResult => ({
  name,
  ok: false,
  points: 0,
  outOf: points,
  expected: expect,
  found,
  message: missing,
  ...(note !== undefined && { note }),
  hidden,
  run: -1,
});

const round = (points: number) => Math.round(points * 1000) / 1000;

/** The exercise's device is its own, even where a submission has a file of that name. */
function devicesOf({ folder, device }: Exercise, options?: unknown) {
  if (device === undefined) return [];
  const module = pathToFileURL(path.resolve(folder, device)).href;
  return [{ module, ...(options !== undefined && { options }) }];
}

async function runModule(file: string, exam: Exam): Promise<void> {
  const loaded = (await importUserModule(pathToFileURL(path.resolve(file)).href)) as { default?: unknown };
  if (typeof loaded.default !== 'function')
    throw new TypeError(
      `${path.basename(file)} has no function as its default export: export default function checks(exam) { … }`,
    );
  await loaded.default(exam);
}

function problemOf(error: unknown, { folder, module }: Exercise): string {
  const by = module === undefined ? 'the exercise' : path.basename(module);
  if (!(error instanceof Error)) return `${by} threw ${String(error)}`;
  const hint = isTerrariumError(error) && error.hint !== undefined ? ` (${error.hint})` : '';
  const line = /checks\.\w+(?:\?[^:]*)?:(\d+)/.exec(error.stack ?? '')?.[1];
  const message = error.message.replaceAll(`${path.resolve(folder)}/`, '');
  return `${by} failed${line === undefined ? '' : ` in line ${line}`}: ${error.name}: ${message}${hint}`;
}

function resultOf(run: GuestRun): RunResult {
  const { name, hidden, outcome, instructions } = run;
  const why = run.explain();
  const { link } = run;
  return {
    name,
    hidden,
    outcome: outcome.kind,
    reason: outcome.reason,
    exits: outcome.exits,
    instructions,
    console: run.console.slice(0, SHOWN_CONSOLE),
    ...(why !== undefined && { why: formatExplanation(why) }),
    ...(link !== undefined && { link }),
  };
}

/** Checks that the sources use what the task requires. */
function checkSources({ source }: Exercise, exam: Exam): void {
  const texts = exam.sources.map(({ text }) => text);
  for (const { matches, missing, points, note } of source) {
    const ok = sourcesMatch(texts, matches);
    exam.results.push({
      name: `the source has /${matches}/`,
      ok,
      points: ok ? points : 0,
      outOf: points,
      expected: 'found',
      found: ok ? 'found' : 'not found',
      message: missing,
      ...(note !== undefined && { note }),
      hidden: false,
      run: -1,
    });
  }
}
