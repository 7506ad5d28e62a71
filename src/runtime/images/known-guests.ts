import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * A guest of the package by its name, `guests/hello`, wherever the user is; a file or folder of the user's own with that name
 * goes first.
 */
export function knownGuest(file: string): string {
  if (!/^guests\/[\w./-]+$/.test(file) || file.split('/').includes('..') || existsSync(file)) return file;
  const own = fileURLToPath(new URL(file, import.meta.resolve('#package')));
  if (!existsSync(own)) return file;
  const short = path.relative('.', own);
  return short.startsWith('..') ? own : short;
}
