import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DeviceModule, EngineName } from '../config/index.js';
import { checkExpectation, parseExpectation } from '../inspect/index.js';
import type { Outcome } from '../machine/index.js';
import { hostMachine, loadImage } from '../runtime/index.js';
import { type Lesson, lessonOf } from './lessons.js';

/** A guest of the course is small: one that runs longer does not come to its end. */
const TIMEOUT_MS = 5000;
/** Console bytes that are kept; a guest in a loop prints without end. */
const MOST_CONSOLE = 1024 * 1024;

/** One thing that a solution has to do. */
export interface LessonCheck {
  ok: boolean;
  /** As lesson.json has it: `ax=42`. */
  expect: string;
  expected: string;
  found: string;
  /** What is missing where it is not ok, for people. */
  missing: string;
}

export interface CheckedLesson {
  lesson: Lesson;
  outcome: Outcome;
  console: string;
  checks: LessonCheck[];
}

/**
 * Runs a student's folder and looks at what it did.
 * @throws ToolchainError where it does not compile, TerrariumError where the folder is none of the course's
 */
export async function checkFolder(folder: string, engine: EngineName = 'auto'): Promise<CheckedLesson> {
  const lesson = lessonOf(folder);
  const { image, spec } = loadImage(folder);
  const chunks: Uint8Array[] = [];
  let length = 0;
  await using machine = await hostMachine({
    image,
    engine,
    ...spec,
    coalesce: false,
    devices: devicesOf(lesson),
  });
  machine.onOutput((bytes) => {
    if (length < MOST_CONSOLE) chunks.push(bytes);
    length += bytes.length;
  });
  // Neither is waited for: a guest may read nothing.
  if (lesson.input !== undefined) void machine.send(Buffer.from(lesson.input));
  if (lesson.keys !== undefined) void machine.type(lesson.keys);
  const outcome = await machine.run({ timeoutMs: TIMEOUT_MS });
  const console = Buffer.concat(chunks);
  const subject = { ...outcome, outcome: outcome.kind, memory: machine.memory, console };
  const checks = lesson.checks.map(({ expect, missing }) => {
    const { ok, expected, found } = checkExpectation(parseExpectation(expect), subject);
    return { ok, expect, expected, found, missing };
  });
  return { lesson, outcome, console: console.toString('latin1'), checks };
}

/** The lesson's device is the course's own, even where the student changed the copy. */
function devicesOf({ folder, device }: Lesson): DeviceModule[] {
  return device === undefined ? [] : [{ module: pathToFileURL(path.join(folder, device)).href }];
}
