/**
 * Files that a command writes: mistakes in their names are reported before the work, not after it.
 *
 * @module
 */
import { accessSync, constants, realpathSync } from 'node:fs';
import path from 'node:path';
import { ConfigError } from '../../errors.js';
import { found, isFolder, languageOf, makeFolder } from '../../runtime/index.js';

/**
 * Refuses a file that cannot be written, or that must not be overwritten.
 * @param option the option that names it
 * @param inputs files that this command reads
 * @throws ConfigError
 */
export function requireWritable(option: string, file: string, inputs: readonly string[] = []): void {
  const fail = (what: string, hint = 'name another file'): never => {
    throw new ConfigError(`${option}: ${what}`, hint);
  };
  if (file === '') fail('the name of the file is empty');
  const folder = path.dirname(path.resolve(file));
  if (!isFolder(folder))
    fail(`the folder ${path.dirname(file)} of ${file} does not exist`, 'make the folder first');
  const there = found(file);
  if (there?.isDirectory()) fail(`${file} is a folder`);
  if (there !== undefined && inputs.some((input) => isSame(input, file)))
    fail(`${file} is an input of this command: it would be overwritten`);
  if (there?.isFile() && (languageOf(file) !== undefined || path.basename(file) === 'guest.json'))
    fail(`${file} is a source, which would be overwritten`);
  try {
    accessSync(there === undefined ? folder : file, constants.W_OK);
  } catch {
    fail(`you may not write to ${file}`);
  }
}

/**
 * Makes the folder of a file that a command writes at its end, and refuses what cannot be written; `-` is stdout.
 * @throws ConfigError
 */
export function prepareOutput(option: string, file: string | undefined): void {
  if (file === undefined || file === '-') return;
  if (file !== '') makeFolder(path.dirname(file));
  requireWritable(option, file);
}

function isSame(a: string, b: string): boolean {
  try {
    return realpathSync(a) === realpathSync(b);
  } catch {
    return false;
  }
}
