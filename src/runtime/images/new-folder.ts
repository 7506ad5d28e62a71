/**
 * Folders that a command makes for its user.
 *
 * @module
 */
import { mkdirSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { ConfigError } from '../../errors.js';

/** @throws ConfigError for an empty name, for example from an unset variable in quotes. */
export function requireFolderName(folder: string): void {
  if (folder.trim() === '')
    throw new ConfigError('the name of the folder is empty', 'name one, such as my-kernel; . is this folder');
}

/**
 * Makes a folder and those above it that do not exist yet. One at a time: with `recursive`, Node's mkdir never returns on a
 * file system that cannot have new folders, such as /proc.
 * @param mode of the new ones
 * @throws ConfigError where it cannot be made
 */
export function makeFolder(folder: string, mode = 0o777): void {
  requireFolderName(folder);
  const missing: string[] = [];
  for (let at = path.resolve(folder); !isFolder(at, folder); at = path.dirname(at)) missing.unshift(at);
  for (const one of missing) {
    try {
      mkdirSync(one, { mode });
    } catch (cause) {
      // Another process made it meanwhile.
      if ((cause as NodeJS.ErrnoException).code === 'EEXIST') continue;
      throw cannotMake(folder, one, cause);
    }
  }
}

/** The content of a folder; empty where it does not exist. @throws ConfigError where it is not a folder, or cannot be read */
export function contentsOf(folder: string): string[] {
  requireFolderName(folder);
  try {
    return readdirSync(folder);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    if (code === 'ENOTDIR')
      throw new ConfigError(
        `${folder}: it is a file, or below one, and not a folder`,
        'name a folder that does not exist yet',
      );
    throw cannotMake(folder, folder, cause);
  }
}

function isFolder(at: string, asked: string): boolean {
  try {
    if (statSync(at).isDirectory()) return true;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return false;
    if (code !== 'ENOTDIR') throw cannotMake(asked, at, cause);
    return false;
  }
  throw new ConfigError(`the folder ${asked} cannot be made: ${at} is a file`, 'use another name');
}

function cannotMake(asked: string, at: string, cause: unknown): ConfigError {
  const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
  return new ConfigError(
    `the folder ${asked} cannot be made: ${at}: ${words[code] ?? code}`,
    'use a place where you may write',
  );
}

const words: Readonly<Record<string, string>> = {
  EACCES: 'permission denied (EACCES)',
  EPERM: 'permission denied (EPERM)',
  EROFS: 'the file system is read-only (EROFS)',
  ENOENT: 'this file system cannot have new folders (ENOENT)',
  ENOSPC: 'the disk is full (ENOSPC)',
  ENAMETOOLONG: 'the name is too long (ENAMETOOLONG)',
};
