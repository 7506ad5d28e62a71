/**
 * An exercise: a folder with `exercise.json`, its text, what students begin with, a solution, wrong ones, and checks.
 *
 * @module
 */

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { command } from '../command.js';
import {
  address,
  flag,
  type Kind,
  type MachineSpec,
  name,
  readFields,
  size,
  whole,
} from '../config/index.js';
import { isTerrariumError, TerrariumError } from '../errors.js';
import { parseExpectation, type SourceChange } from '../inspect/index.js';
import { found, isFolder } from '../runtime/index.js';

/** One requirement for a run's end, and its points. */
export interface Check {
  /** As `--expect` takes it: `ax=42`. */
  readonly expect: string;
  /** What the student reads where it does not hold. */
  readonly missing: string;
  /** Its name on the page of a student. Default: `expect`. */
  readonly name?: string;
  readonly points: number;
  /** Only for teachers. */
  readonly note?: string;
}

/** A requirement for the sources. */
export interface SourceCheck {
  /** A regular expression; comments are left out of the sources. */
  readonly matches: string;
  readonly missing: string;
  readonly points: number;
  readonly note?: string;
}

/** One run of the guest, with its input and its checks. */
export interface Run {
  readonly name?: string;
  /** The input of the serial port, and of the keyboard. */
  readonly input?: string;
  readonly keys?: string;
  /** Students see whether its checks hold, but neither the input nor the values. */
  readonly hidden: boolean;
  readonly checks: readonly Check[];
  /** Fields of the guest that are different in this run. */
  readonly guest?: MachineSpec;
  /** The options of the exercise's device. */
  readonly options?: unknown;
  /** A change of the student's sources: hard-coded results pass only without it. */
  readonly change?: SourceChange;
}

/** The limits of a run. None is a time, so that a grade does not depend on the host's load. */
export interface Limits {
  readonly instructions: number;
  /** How many exits the guest may have; a guest that sleeps between interrupts executes few instructions. */
  readonly exits: number;
  /** Bytes of the console that are kept. */
  readonly console: number;
}

export const defaultLimits: Limits = { instructions: 20_000_000, exits: 50_000, console: 1024 * 1024 };

export interface Exercise {
  readonly folder: string;
  /** The folder's name. */
  readonly name: string;
  readonly title: string;
  /** One line: what a student learns. */
  readonly goal: string;
  /** The content of a student's `guest.json`. That of a submission is not read: it cannot change the machine. */
  readonly guest: Readonly<Record<string, unknown>> & { readonly image: string };
  /** A module with the exercise's own device, in the folder. */
  readonly device?: string;
  readonly runs: readonly Run[];
  readonly source: readonly SourceCheck[];
  /** A module whose default export runs the guest and checks its results: `checks.ts` where the folder has one. */
  readonly module?: string;
  readonly limits: Limits;
  /** The points of all checks; with a module, what it gives as well. */
  readonly points: number;
}

export class ExerciseError extends TerrariumError {
  constructor(message: string, hint?: string, cause?: unknown) {
    super('EEXERCISE', message, {
      ...(hint !== undefined && { hint }),
      ...(cause !== undefined && { cause }),
    });
  }
}

/** The file that makes a folder an exercise; in a lesson of the course it has its own name. */
const fileNames = ['exercise.json', 'lesson.json'] as const;
/** Names of the module with checks, in the order in which they are looked for. */
export const moduleNames = ['checks.ts', 'checks.mjs', 'checks.js'] as const;
/** The largest accepted file, in bytes. */
const LARGEST = 1024 * 1024;

const anything: Kind<unknown> = {
  what: 'a value',
  is: (_): _ is unknown => true,
  parse: (text) => text,
  write: String,
  schema: {},
};

const points: Kind<number> = {
  ...address,
  what: 'a number of points from 0 to 1000',
  is: (value): value is number => typeof value === 'number' && value >= 0 && value <= 1000,
};

const runKeys = { name, input: name, keys: name, hidden: flag, checks: anything };
const furtherKeys = { ...runKeys, guest: anything, options: anything, change: anything };
const changeKeys = { from: name, to: name };
const keys = {
  ...runKeys,
  title: name,
  goal: name,
  guest: anything,
  device: name,
  source: anything,
  also: anything,
  module: name,
  limits: anything,
  points,
};
const checkKeys = { expect: name, missing: name, name, points, note: name };
const sourceKeys = { matches: name, missing: name, points, note: name };
const limitKeys = { instructions: whole(1), exits: whole(1), console: size, memory: size };

/** True for a folder that is an exercise. */
export function isExercise(folder: string): boolean {
  return fileNames.some((name) => existsSync(path.join(folder, name)));
}

/**
 * Reads an exercise's `exercise.json`.
 * @throws ExerciseError that names the file, the field and what is wrong with it
 */
export function readExercise(folder: string): Exercise {
  const name = fileNames.find((one) => existsSync(path.join(folder, one))) ?? fileNames[0];
  const file = path.join(folder, name);
  return parseExercise(readText(file, folder), file);
}

function readText(file: string, folder: string): string {
  const there = found(file);
  if (there === undefined || !there.isFile())
    throw new ExerciseError(
      isFolder(folder) ? `${folder}: no exercise: it has no ${fileNames[0]}` : `${folder}: no such folder`,
      `make one: ${command('exercise new my-exercise')}`,
    );
  if (there.size > LARGEST) throw new ExerciseError(`${file}: ${there.size} bytes are too large`);
  return readFileSync(file, 'utf8');
}

/** Reads the text of an `exercise.json`. @throws ExerciseError */
export function parseExercise(text: string, file: string): Exercise {
  const folder = path.dirname(file);
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch (cause) {
    throw new ExerciseError(
      `${file}: not JSON: ${(cause as Error).message}`,
      'correct it there: names and texts need double quotes, and there is no comma before a closing bracket',
      cause,
    );
  }
  const place = `${file}: `;
  const top = read(said, place, keys);
  const guest = readGuest(top.guest, place);
  const { memory, ...limits } = read(top.limits ?? {}, `${place}"limits": `, limitKeys);
  const module = findModule(folder, top.module as string | undefined, file);
  const first = readRun(top, place, 'checks');
  const also = listAt(top.also, `${place}"also"`).map((run, i) => {
    const at = `${place}"also"[${i}]: `;
    const said = read(run, at, furtherKeys);
    return { ...readRun(said, at, 'checks'), ...readDifference(said, at) };
  });
  const source = listAt(top.source, `${place}"source"`).map((one, i) =>
    readSourceCheck(one, `${place}"source"[${i}]: `),
  );
  const runs = [first, ...also].filter(({ checks }) => checks.length > 0);
  if (runs.length === 0 && module === undefined)
    throw new ExerciseError(
      `${file}: nothing is checked`,
      'write "checks": [{ "expect": "ax=42", "missing": "…" }], or a checks.ts',
    );
  const listed = [...runs.flatMap(({ checks }) => checks), ...source].reduce(
    (sum, one) => sum + one.points,
    0,
  );
  if (module !== undefined && top.points === undefined)
    throw new ExerciseError(
      `${file}: "points" is missing`,
      `with ${path.basename(module)} it tells the points of all checks, for submissions that do not compile`,
    );
  if (module === undefined && top.points !== undefined && top.points !== listed)
    throw new ExerciseError(`${file}: "points" is ${top.points}, and the checks have ${listed} together`);
  const device = top.device as string | undefined;
  if (device !== undefined) requireBeside(folder, device, `${place}"device"`);
  return {
    folder,
    name: path.basename(path.resolve(folder)),
    title: (top.title as string | undefined) ?? path.basename(path.resolve(folder)),
    goal: (top.goal as string | undefined) ?? '',
    guest: memory === undefined ? guest : { ...guest, memory },
    ...(device !== undefined && { device }),
    runs,
    source,
    ...(module !== undefined && { module }),
    limits: { ...defaultLimits, ...limits },
    points: (top.points as number | undefined) ?? listed,
  };
}

function read(
  said: unknown,
  place: string,
  others: Readonly<Record<string, Kind<unknown>>>,
): Record<string, unknown> {
  const error = (message: string, hint?: string) => new ExerciseError(message, hint);
  return readFields(said, { place, fields: [], others, texts: true, error }).others;
}

function listAt(said: unknown, place: string): readonly unknown[] {
  if (said === undefined) return [];
  if (Array.isArray(said)) return said;
  throw new ExerciseError(`${place} is not a list`);
}

function readGuest(said: unknown, place: string): Exercise['guest'] {
  if (typeof said !== 'object' || said === null || !('image' in said) || typeof said.image !== 'string')
    throw new ExerciseError(
      `${place}"guest" does not name the source that students write`,
      'write "guest": { "image": "kernel.S", "mode": "real" }',
    );
  if (path.basename(said.image) !== said.image || said.image === '')
    throw new ExerciseError(`${place}"guest": "image" is '${said.image}', not a file beside it`);
  return said as Exercise['guest'];
}

function readRun(said: Record<string, unknown>, place: string, key: string): Run {
  const { name, input, keys, hidden, checks } = said as { [K in keyof typeof runKeys]?: unknown };
  return {
    ...(typeof name === 'string' && { name }),
    ...(typeof input === 'string' && { input }),
    ...(typeof keys === 'string' && { keys }),
    hidden: hidden === true,
    checks: listAt(checks, `${place}"${key}"`).map((one, i) => readCheck(one, `${place}"${key}"[${i}]: `)),
  };
}

/** The differences of a further run. */
function readDifference(
  { guest, options, change }: Record<string, unknown>,
  place: string,
): Pick<Run, 'guest' | 'options' | 'change'> {
  const error = (message: string, hint?: string) => new ExerciseError(message, hint);
  const spec =
    guest === undefined
      ? undefined
      : readFields(guest, { place: `${place}"guest": `, texts: true, error }).spec;
  const said = change === undefined ? undefined : read(change, `${place}"change": `, changeKeys);
  if (said !== undefined) requireTexts(said, ['from', 'to'], `${place}"change": `);
  if (said !== undefined) requirePattern(said.from as string, `${place}"change": "from"`);
  return {
    ...(spec && { guest: spec }),
    ...(options !== undefined && { options }),
    ...(said && { change: said as unknown as SourceChange }),
  };
}

function requirePattern(pattern: string, place: string): void {
  try {
    new RegExp(pattern, 'm');
  } catch (cause) {
    throw new ExerciseError(`${place}: ${(cause as Error).message}`, undefined, cause);
  }
}

function readCheck(said: unknown, place: string): Check {
  const { points = 1, ...check } = read(said, place, checkKeys);
  requireTexts(check, ['expect', 'missing'], place);
  try {
    parseExpectation(check.expect as string);
  } catch (error) {
    if (!isTerrariumError(error)) throw error;
    throw new ExerciseError(`${place}${error.message}`, error.hint, error);
  }
  return { ...(check as unknown as Check), points: points as number };
}

function readSourceCheck(said: unknown, place: string): SourceCheck {
  const { points = 1, ...check } = read(said, place, sourceKeys);
  requireTexts(check, ['matches', 'missing'], place);
  requirePattern(check.matches as string, `${place}"matches"`);
  return { ...(check as unknown as SourceCheck), points: points as number };
}

function requireTexts(check: Record<string, unknown>, names: readonly string[], place: string): void {
  for (const one of names) {
    if (typeof check[one] !== 'string' || check[one] === '')
      throw new ExerciseError(`${place}"${one}" is missing`);
  }
}

function findModule(folder: string, named: string | undefined, file: string): string | undefined {
  if (named !== undefined) return requireBeside(folder, named, `${file}: "module"`);
  const found = moduleNames.find((one) => existsSync(path.join(folder, one)));
  return found && path.join(folder, found);
}

function requireBeside(folder: string, named: string, place: string): string {
  const file = path.join(folder, named);
  if (path.basename(named) !== named) throw new ExerciseError(`${place} is '${named}', not a file beside it`);
  if (!existsSync(file))
    throw new ExerciseError(`${place} names ${named}, which does not exist in ${folder}`);
  return file;
}
