import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DeviceModule, EngineName } from '../config/index.js';
import { type Explanation, endsBadly, explain } from '../explain/index.js';
import {
  changeSources,
  checkExpectation,
  parseExpectation,
  type SourceChange,
  sourcesMatch,
  unchanged,
} from '../inspect/index.js';
import type { Outcome } from '../machine/index.js';
import { hostMachine, type LoadedImage, loadImage } from '../runtime/index.js';
import { SymbolTable } from '../symbols/index.js';
import { type FurtherRun, type Lesson, lessonOf } from './lessons.js';

/** A guest of the course is small: one that runs longer does not end. */
const TIMEOUT_MS = 5000;
/** The limit of further runs after a first one that did not end: they show the same fault. */
const AFTER_TIMEOUT_MS = 500;
/** How many console bytes are kept; a guest in a loop prints endlessly. */
const MAX_CONSOLE = 1024 * 1024;

/** One requirement of a solution. */
export interface LessonCheck {
  ok: boolean;
  /** The text in lesson.json: `ax=42`. */
  expect: string;
  expected: string;
  found: string;
  /** What is missing where it is not ok, as text. */
  missing: string;
}

export interface CheckedLesson {
  lesson: Lesson;
  outcome: Outcome;
  console: string;
  checks: LessonCheck[];
  /** The compiler's warnings. */
  warnings: string;
  /** The explanation, where the guest ended badly. */
  why: Explanation | undefined;
}

/**
 * Runs a student's folder and checks its results.
 * @throws ToolchainError where it does not compile, TerrariumError where the folder does not belong to a lesson
 */
export async function checkFolder(folder: string, engine: EngineName = 'auto'): Promise<CheckedLesson> {
  const lesson = lessonOf(folder);
  // A submission is untrusted: its compiler may not read this host's files.
  const loaded = loadImage(folder, {}, { confined: true });
  const { warnings, sources } = loaded;
  const { input, keys } = lesson;
  const own = { input, keys, checks: lesson.checks };
  const { checks, ...first } = await checkRun(lesson, loaded, engine, own, TIMEOUT_MS);
  const timeoutMs = first.outcome.kind === 'timeout' ? AFTER_TIMEOUT_MS : TIMEOUT_MS;
  for (const run of lesson.also ?? [])
    checks.push(...(await checkFurther(lesson, folder, loaded, engine, run, timeoutMs)));
  return { lesson, ...first, checks: [...checks, ...checkSource(lesson, sources)], warnings };
}

/** Checks a run that differs from the student's own. */
async function checkFurther(
  lesson: Lesson,
  folder: string,
  loaded: LoadedImage,
  engine: EngineName,
  run: FurtherRun,
  timeoutMs: number,
): Promise<LessonCheck[]> {
  if (run.change === undefined) return (await checkRun(lesson, loaded, engine, run, timeoutMs)).checks;
  const changed = loadChanged(folder, loaded, run.change);
  if (changed !== undefined) return (await checkRun(lesson, changed, engine, run, timeoutMs)).checks;
  const found = unchanged(run.change);
  return run.checks.map(({ expect, missing }) => ({ ok: false, expect, expected: expect, found, missing }));
}

/** The student's guest, compiled from a changed copy of its sources; undefined where there is nothing to change. */
function loadChanged(
  folder: string,
  { sources }: LoadedImage,
  change: SourceChange,
): LoadedImage | undefined {
  const changed = changeSources(
    sources.map((source) => readFileSync(source, 'utf8')),
    change,
  );
  if (changed === undefined) return undefined;
  const copy = mkdtempSync(path.join(tmpdir(), 'terrarium-course-'));
  try {
    for (const name of readdirSync(folder)) {
      const file = path.join(folder, name);
      if (statSync(file).isFile()) copyFileSync(file, path.join(copy, name));
    }
    for (const [i, source] of sources.entries())
      writeFileSync(path.join(copy, path.basename(source)), changed[i]!);
    return loadImage(copy, {}, { confined: true });
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** A stopped guest has not died where the run removes the device that it waits for. */
function died(outcome: Outcome, { guest }: FurtherRun): boolean {
  return guest === undefined ? endsBadly(outcome) : /^(shutdown|engineError)$/.test(outcome.kind);
}

/** The text of a check that would hold if the guest had not died. */
const DIED = 'This does not count yet, since the guest died: see below for the reason.';

async function checkRun(
  lesson: Lesson,
  { image, spec, symbols }: LoadedImage,
  engine: EngineName,
  run: FurtherRun,
  timeoutMs: number,
): Promise<{ outcome: Outcome; console: string; checks: LessonCheck[]; why: Explanation | undefined }> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const { input, keys, checks } = run;
  const devices = devicesOf(lesson, run.options);
  await using machine = await hostMachine({
    image,
    engine,
    ...spec,
    ...run.guest,
    coalesce: false,
    devices,
  });
  machine.onOutput((bytes) => {
    if (length < MAX_CONSOLE) chunks.push(bytes);
    length += bytes.length;
  });
  // Does not wait for either: a guest may never read its input.
  if (input !== undefined) void machine.send(Buffer.from(input));
  if (keys !== undefined) void machine.type(keys);
  const outcome = await machine.run({ timeoutMs });
  const console = Buffer.concat(chunks);
  const subject = { ...outcome, outcome: outcome.kind, memory: machine.memory, console };
  const names = died(outcome, run) ? new SymbolTable(symbols?.() ?? image) : undefined;
  const why =
    names &&
    explain({
      ...outcome,
      memory: machine.memory,
      image: machine.boot,
      ...(spec.syntax && { syntax: spec.syntax }),
      locate: (address) => names.locate(address),
    });
  const found = checks.map(({ expect, missing }) => {
    const result = checkExpectation(parseExpectation(expect), subject);
    if (!result.ok || why === undefined) return { ...result, expect, missing };
    // Correct results of a guest that died do not count.
    return { ...result, ok: false, found: `${result.found} when the guest died`, expect, missing: DIED };
  });
  return { outcome, console: console.toString('latin1'), checks: found, why };
}

/** Checks that the source uses what the task requires. */
function checkSource({ source = [] }: Lesson, files: readonly string[]): LessonCheck[] {
  const texts = files.map((file) => readFileSync(file, 'utf8'));
  return source.map(({ matches, missing }) => {
    const ok = sourcesMatch(texts, matches);
    return {
      ok,
      expect: `source~=/${matches}/`,
      expected: 'it is there',
      found: ok ? 'it is there' : 'it is not',
      missing,
    };
  });
}

/** The lesson's device is loaded from the course, even where the student changed the copy. */
function devicesOf({ folder, device }: Lesson, options: unknown): DeviceModule[] {
  if (device === undefined) return [];
  return [
    { module: pathToFileURL(path.join(folder, device)).href, ...(options !== undefined && { options }) },
  ];
}
