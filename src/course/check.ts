import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Device } from '../devices/contract.js';
import { type KeySource, strokesOf } from '../devices/index.js';
import { createMachine, type EngineName } from '../host/index.js';
import type { Outcome } from '../machine/index.js';
import { checkExpectation, parseExpectation } from '../observe/index.js';
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
  const chunks: Uint8Array[] = [];
  let length = 0;
  using machine = createMachine({
    engine,
    image: folder,
    coalesce: false,
    devices: await ownDevices(lesson),
    output(bytes) {
      if (length < MOST_CONSOLE) chunks.push(bytes.slice());
      length += bytes.length;
    },
    ...(lesson.input !== undefined && { input: bytesOf(lesson.input) }),
    ...(lesson.keys !== undefined && { keys: { source: keysOf(lesson.keys) } }),
  });
  const outcome = machine.run({ timeoutMs: TIMEOUT_MS });
  const console = Buffer.concat(chunks);
  const subject = { ...outcome, outcome: outcome.kind, memory: machine.memory, console };
  const checks = lesson.checks.map(({ expect, missing }) => {
    const { ok, expected, found } = checkExpectation(parseExpectation(expect), subject);
    return { ok, expect, expected, found, missing };
  });
  return { lesson, outcome, console: console.toString('latin1'), checks };
}

/** The lesson's device is the course's own, whatever the student did to the copy. */
async function ownDevices({ folder, device }: Lesson): Promise<Device[]> {
  if (device === undefined) return [];
  const { default: make } = (await import(pathToFileURL(path.join(folder, device)).href)) as {
    default: () => Device;
  };
  return [make()];
}

function bytesOf(text: string) {
  const bytes = [...Buffer.from(text)];
  return {
    get available() {
      return bytes.length > 0;
    },
    read: () => bytes.shift() ?? -1,
  };
}

function keysOf(text: string): KeySource {
  const strokes = [...strokesOf(text)];
  return {
    get available() {
      return strokes.length > 0;
    },
    read: () => strokes.shift(),
  };
}
