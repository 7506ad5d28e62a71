import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { command } from '../command.js';
import type { MachineSpec } from '../config/index.js';
import { ConfigError, TerrariumError } from '../errors.js';
import type { SourceChange } from '../inspect/index.js';
import { contentsOf, makeFolder, whyUnreadable } from '../runtime/index.js';

/** A lesson from `docs/course/NN-name/lesson.json`. `docs/course/README.md` describes how to make lessons. */
export interface Lesson {
  number: number;
  /** The folder in `docs/course/`. */
  folder: string;
  title: string;
  /** One line: what a student learns. */
  goal: string;
  /** The content of a student's `guest.json`: image, mode, devices. */
  guest: Record<string, unknown> & { image: string };
  /** A module with the lesson's device, beside it. */
  device?: string;
  /** The check's input for the serial port and the keyboard. */
  input?: string;
  keys?: string;
  checks: readonly { expect: string; missing: string }[];
  /** Regular expressions that the source must match: they check the method, not only the result. */
  source?: readonly { matches: string; missing: string }[];
  /** Further runs, each with its own checks: hard-coded results pass only in the first run. */
  also?: readonly FurtherRun[];
}

/** A run with differences. */
export interface FurtherRun {
  input?: string | undefined;
  keys?: string | undefined;
  checks: readonly { expect: string; missing: string }[];
  /** Fields of the guest that are different. */
  guest?: Partial<MachineSpec>;
  /** The options of the lesson's device. */
  options?: unknown;
  /** A change of the student's source. */
  change?: SourceChange;
}

const courseFolder = () => fileURLToPath(new URL('docs/course/', import.meta.resolve('#package')));

/** All lessons in their order. */
export function readLessons(): Lesson[] {
  const course = courseFolder();
  return readdirSync(course)
    .filter((name) => existsSync(path.join(course, name, 'lesson.json')))
    .sort()
    .map((name) => {
      const folder = path.join(course, name);
      const said = JSON.parse(readFileSync(path.join(folder, 'lesson.json'), 'utf8')) as Lesson;
      return { ...said, number: Number.parseInt(name, 10), folder };
    });
}

/** @throws ConfigError where there is no such lesson. */
export function findLesson(number: number): Lesson {
  const lessons = readLessons();
  const lesson = lessons.find((one) => one.number === number);
  if (lesson !== undefined) return lesson;
  throw new ConfigError(
    `there is no lesson ${number}`,
    `lessons go from 1 to ${lessons.length}: ${command('course')}`,
  );
}

/** The field in a student's `guest.json` that names the lesson. */
const LESSON = 'lesson';

/**
 * Copies a lesson's start files into a student's folder and returns their names.
 * @throws ConfigError where a file exists already: a student's files are never overwritten.
 */
export function startLesson(lesson: Lesson, folder: string): string[] {
  const start = path.join(lesson.folder, 'start');
  const files = readdirSync(start);
  const there = new Set(contentsOf(folder));
  const wanted = [...files, 'guest.json', ...(lesson.device === undefined ? [] : [lesson.device])];
  const taken = wanted.find((file) => there.has(file));
  if (taken !== undefined)
    throw new ConfigError(
      `${path.join(folder, taken)} exists already`,
      'use another folder: existing files are not overwritten',
    );
  makeFolder(folder);
  for (const file of files) copyFileSync(path.join(start, file), path.join(folder, file));
  if (lesson.device !== undefined)
    copyFileSync(path.join(lesson.folder, lesson.device), path.join(folder, lesson.device));
  // The lessons are written in the GNU assembler's syntax.
  const guest = {
    name: path.basename(lesson.folder),
    [LESSON]: lesson.number,
    syntax: 'att',
    ...lesson.guest,
  };
  writeFileSync(path.join(folder, 'guest.json'), `${JSON.stringify(guest, null, 2)}\n`);
  return readdirSync(folder).sort();
}

/**
 * The lesson of a student's folder.
 * @throws TerrariumError where it names none.
 */
export function lessonOf(folder: string): Lesson {
  const file = path.join(folder, 'guest.json');
  let said: Record<string, unknown>;
  try {
    said = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  } catch (cause) {
    throw new TerrariumError('ECOURSE', `${file}: ${whyUnreadable(cause)}`, {
      hint: `begin a lesson with: ${command('course start 1')}`,
      cause,
    });
  }
  const number = said[LESSON];
  if (typeof number === 'number') return findLesson(number);
  throw new TerrariumError('ECOURSE', `${file} names no lesson`, {
    hint: `"${LESSON}": 1 in it would name lesson 1; or start again with: ${command('course start 1')}`,
  });
}
