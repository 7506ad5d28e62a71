import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Finds a guest of the package by its name, `guests/hello`, from any folder; a user's file or folder of that name takes
 * precedence.
 */
export function knownGuest(file: string): string {
  if (!/^guests\/[\w./-]+$/.test(file) || file.split('/').includes('..') || existsSync(file)) return file;
  const own = fileURLToPath(new URL(file, import.meta.resolve('#package')));
  if (!existsSync(own)) return file;
  const short = path.relative('.', own);
  return short.startsWith('..') ? own : short;
}
