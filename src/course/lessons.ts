import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { command } from '../command.js';
import { ConfigError, TerrariumError } from '../errors.js';
import { contentsOf, makeFolder } from '../runtime/index.js';

/** A lesson as `docs/course/NN-name/lesson.json` has it. `docs/course/README.md` tells how lessons are made. */
export interface Lesson {
  number: number;
  /** The folder in `docs/course/`. */
  folder: string;
  title: string;
  /** One line: what a student can do afterwards. */
  goal: string;
  /** What a student's `guest.json` says: image, mode, devices. */
  guest: Record<string, unknown> & { image: string };
  /** A module with a device of the lesson's, beside it. */
  device?: string;
  /** What the check types on the serial port and on the keyboard. */
  input?: string;
  keys?: string;
  checks: readonly { expect: string; missing: string }[];
  /** What the source has to have, as regular expressions: the task, and not its result alone. */
  source?: readonly { matches: string; missing: string }[];
  /** Further runs, each with other input and with checks of its own. */
  also?: readonly { input: string; checks: readonly { expect: string; missing: string }[] }[];
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

/** What ties a student's folder to its lesson, in that folder's `guest.json`. */
const LESSON = 'lesson';

/**
 * Puts a lesson's first files into a folder of the student's and returns their names.
 * @throws ConfigError where a file is there already: nothing of a student's is overwritten.
 */
export function startLesson(lesson: Lesson, folder: string): string[] {
  const start = path.join(lesson.folder, 'start');
  const files = readdirSync(start);
  const there = new Set(contentsOf(folder));
  const wanted = [...files, 'guest.json', ...(lesson.device === undefined ? [] : [lesson.device])];
  const taken = wanted.find((file) => there.has(file));
  if (taken !== undefined)
    throw new ConfigError(
      `${path.join(folder, taken)} is there already`,
      'take another folder: nothing is overwritten',
    );
  makeFolder(folder);
  for (const file of files) copyFileSync(path.join(start, file), path.join(folder, file));
  if (lesson.device !== undefined)
    copyFileSync(path.join(lesson.folder, lesson.device), path.join(folder, lesson.device));
  const guest = { name: path.basename(lesson.folder), [LESSON]: lesson.number, ...lesson.guest };
  writeFileSync(path.join(folder, 'guest.json'), `${JSON.stringify(guest, null, 2)}\n`);
  return readdirSync(folder).sort();
}

/**
 * Which lesson a student's folder is for.
 * @throws TerrariumError where it says none.
 */
export function lessonOf(folder: string): Lesson {
  const file = path.join(folder, 'guest.json');
  let said: Record<string, unknown>;
  try {
    said = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  } catch (cause) {
    throw new TerrariumError('ECOURSE', `${file} cannot be read: ${(cause as Error).message}`, {
      hint: `begin a lesson with: ${command('course start 1')}`,
      cause,
    });
  }
  const number = said[LESSON];
  if (typeof number === 'number') return findLesson(number);
  throw new TerrariumError('ECOURSE', `${file} names no lesson`, {
    hint: `"${LESSON}": 1 in it would; or begin anew with: ${command('course start 1')}`,
  });
}
