/**
 * A new exercise, as an example to begin with.
 *
 * @module
 */
import { cpSync, renameSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigError } from '../errors.js';
import { contentsOf, makeFolder } from '../runtime/index.js';

/** Makes an exercise in a new or empty folder. @throws ConfigError where the folder has files */
export function newExercise(folder: string): void {
  if (contentsOf(folder).length > 0)
    throw new ConfigError(
      `${folder} is not empty`,
      'name a folder that does not exist yet: existing files are not overwritten',
    );
  makeFolder(folder);
  cpSync(fileURLToPath(new URL('templates/exercise', import.meta.resolve('#package'))), folder, {
    recursive: true,
  });
  // Older versions of Node run no TypeScript; only this file's name says TypeScript.
  if (!(process.features as { typescript?: unknown }).typescript)
    renameSync(path.join(folder, 'checks.ts'), path.join(folder, 'checks.mjs'));
}
