/**
 * The folder for compiled submissions and verdicts, so that an interrupted grading can continue.
 *
 * @module
 */

import os from 'node:os';
import path from 'node:path';
import { makeFolder } from '../../runtime/index.js';

/** The user's folder for it, below `XDG_CACHE_HOME`; undefined where it cannot be made: then nothing is kept. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const { XDG_CACHE_HOME: home } = env;
  const base = home !== undefined && path.isAbsolute(home) ? home : path.join(os.homedir(), '.cache');
  const folder = path.join(base, 'terrarium', 'grading');
  try {
    makeFolder(folder, 0o700);
    return folder;
  } catch {
    return undefined;
  }
}
