// Shared paths of the scripts, and how they start another script.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** TypeScript's compiler: version 7, in native code. `typescript` is version 6, whose JavaScript API typedoc needs. */
export const tsc = path.join(root, 'node_modules/@typescript/native/bin/tsc');

/** The cache of slow build results from tracked files. Not in node_modules, which `npm ci` empties. */
export const cache = path.join(root, '.cache');

/** Runs Node on a script of the root folder, and returns its exit status. */
export function runNode(words, options = {}) {
  const child = spawn(process.execPath, words, { cwd: root, stdio: 'inherit', ...options });
  return new Promise((resolve) => child.on('exit', (status) => resolve(status ?? 1)));
}
