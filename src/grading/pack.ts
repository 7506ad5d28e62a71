/**
 * The packages for a teacher: the students' part, and an autograder for Gradescope.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Exercise, type Files, readFolder, readStart } from '../exercises/index.js';
import { writeZip } from './intake/zip.js';

/** The text and the start files: neither solutions nor checks. */
export function packForStudents(exercise: Exercise): Buffer {
  const { folder, name, guest, device } = exercise;
  const files = new Map<string, Uint8Array>();
  for (const [file, bytes] of readStart(exercise)) files.set(`${name}/${file}`, bytes);
  files.set(`${name}/guest.json`, Buffer.from(`${JSON.stringify(guest, null, 2)}\n`));
  for (const file of ['README.md', ...(device === undefined ? [] : [device])]) {
    const place = path.join(folder, file);
    if (existsSync(place)) files.set(`${name}/${file}`, readFileSync(place));
  }
  return writeZip(files);
}

/** An autograder of Gradescope: the exercise, without its solutions, and the two scripts. */
export function packForGradescope({ folder }: Exercise): Buffer {
  const files = new Map<string, Uint8Array>();
  for (const [file, bytes] of readFolder(folder)) {
    if (/^(?:solution|wrong)\//.test(file)) continue;
    files.set(`exercise/${file}`, bytes);
  }
  for (const script of SCRIPTS) files.set(script, recipe(script));
  return writeZip(files as Files, new Set(SCRIPTS));
}

const SCRIPTS = ['run_autograder', 'setup.sh'];

const recipe = (name: string) =>
  readFileSync(fileURLToPath(new URL(`docs/teaching/${name}`, import.meta.resolve('#package'))));
