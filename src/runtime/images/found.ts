import { type Stats, statSync } from 'node:fs';
import { ConfigError } from '../../errors.js';

/** Errors of a name under which there is nothing, and can be nothing. */
const NOTHING = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP', 'ERR_INVALID_ARG_VALUE']);

/**
 * What a user's name for a file or folder leads to; undefined where there is nothing. (Node's own option for that, `throwIfNoEntry`,
 * throws below a file and for names that are too long.)
 * @throws ConfigError where it may not be looked at
 */
export function found(name: string): Stats | undefined {
  try {
    return statSync(name);
  } catch (cause) {
    const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
    if (NOTHING.has(code)) return undefined;
    throw new ConfigError(`${name} cannot be read: ${code}`, 'use a place where you may read');
  }
}

/** True where there is a folder of this name. */
export function isFolder(name: string): boolean {
  return found(name)?.isDirectory() ?? false;
}

/** Why a file could not be read, for people: Node's own message repeats the path after a code. */
export function whyUnreadable(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === undefined) return message;
  if (NOTHING.has(code)) return 'no such file';
  if (code === 'EISDIR') return 'this is a folder, not a file';
  if (code === 'EACCES' || code === 'EPERM') return 'you may not read it';
  return `cannot be read: ${code}`;
}
