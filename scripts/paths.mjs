// Places that the scripts share, and how they start another.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/** What takes long to make and is made from files that are tracked. Not in node_modules, which `npm ci` empties. */
export const cache = path.join(root, '.cache');

/** Runs Node on a script of the root's, and gives its exit status. */
export function runNode(words, options = {}) {
  const child = spawn(process.execPath, words, { cwd: root, stdio: 'inherit', ...options });
  return new Promise((resolve) => child.on('exit', (status) => resolve(status ?? 1)));
}
