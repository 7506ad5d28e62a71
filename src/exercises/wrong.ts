/**
 * Wrong solutions, in `wrong/`: each must be refused, with the message that its student needs.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { type Exercise, ExerciseError } from './exercise.js';
import { type Files, readFolder } from './files.js';

/** A wrong solution, and the check that refuses it: its name, or a part of its message. */
export interface WrongSolution {
  readonly name: string;
  readonly files: Files;
  readonly refused: string;
}

/** The solution's files. @throws ExerciseError where it has none */
export function readSolution({ folder, guest }: Exercise): Files {
  const solution = path.join(folder, 'solution');
  if (!existsSync(path.join(solution, guest.image)))
    throw new ExerciseError(
      `${solution}/${guest.image} does not exist`,
      'an exercise has a solution, which must pass',
    );
  return readFolder(solution);
}

/** The start files for students. */
export function readStart({ folder, guest }: Exercise): Files {
  const start = path.join(folder, 'start');
  if (!existsSync(path.join(start, guest.image)))
    throw new ExerciseError(
      `${start}/${guest.image} does not exist`,
      'an exercise has start files for students',
    );
  return readFolder(start);
}

/**
 * All wrong solutions, by name. Three forms: a folder with the files and `refused.txt`; a source whose first line has
 * `refused: CHECK`; a `.json` with that check and changes of the solution.
 */
export function readWrong(exercise: Exercise): WrongSolution[] {
  const folder = path.join(exercise.folder, 'wrong');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((name) => readOne(exercise, path.join(folder, name), name));
}

function readOne(exercise: Exercise, file: string, name: string): WrongSolution {
  if (statSync(file).isDirectory()) return fromFolder(file, name);
  const text = readFileSync(file, 'utf8');
  if (name.endsWith('.json')) return fromChanges(exercise, text, file, name);
  const refused = /refused: (.*?)(?: \*\/)?$/m.exec(text.split('\n', 3).join('\n'))?.[1];
  if (refused === undefined)
    throw new ExerciseError(
      `${file}: its first line does not say which check refuses it`,
      'write: // refused: ax=42',
    );
  return { name, refused, files: withMain(exercise, text) };
}

const SAID = 'refused.txt';

function fromFolder(folder: string, name: string): WrongSolution {
  const { [SAID]: said, ...others } = Object.fromEntries(readFolder(folder));
  if (said === undefined)
    throw new ExerciseError(
      `${folder}: it has no ${SAID}`,
      'write there the check that refuses it, or words of its message',
    );
  return { name, refused: Buffer.from(said).toString('utf8').trim(), files: new Map(Object.entries(others)) };
}

function fromChanges(exercise: Exercise, text: string, file: string, name: string): WrongSolution {
  const { refused, changes } = JSON.parse(text) as {
    refused?: string;
    changes?: { from: string[]; to: string[] }[];
  };
  if (typeof refused !== 'string' || !Array.isArray(changes))
    throw new ExerciseError(`${file}: it needs "refused" and "changes"`);
  const solution = readSolution(exercise).get(exercise.guest.image)!;
  let source = Buffer.from(solution).toString('utf8');
  for (const { from, to } of changes) {
    const parts = source.split(from.join('\n'));
    if (parts.length !== 2)
      throw new ExerciseError(
        `${file}: '${from.join('\\n')}' occurs ${parts.length - 1} times in the solution, not once`,
      );
    source = parts.join(to.join('\n'));
  }
  return { name, refused, files: withMain(exercise, source) };
}

const withMain = ({ guest }: Exercise, source: string): Files =>
  new Map([[guest.image, Buffer.from(source)]]);
