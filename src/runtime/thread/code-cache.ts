import { lstatSync } from 'node:fs';
import path from 'node:path';
import { makeFolder } from '../images/new-folder.js';

/**
 * The user's folder for V8's compiled code: below `XDG_CACHE_HOME`, or its equivalent on macOS and Windows. Undefined where
 * there is none, or where another user could write into it: its content is executed.
 *
 * `NODE_DISABLE_COMPILE_CACHE=1`, which turns Node's own cache off, turns this one off too.
 */
export function codeCacheFolder(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const base = env.NODE_DISABLE_COMPILE_CACHE === '1' ? undefined : cacheHome(env);
  if (base === undefined) return undefined;
  const folder = path.join(base, 'terrarium');
  try {
    makeFolder(folder, 0o700);
    const { uid, mode } = lstatSync(folder);
    // Windows has neither; there, a user's folders are private.
    const ours = process.getuid === undefined || (uid === process.getuid() && (mode & 0o022) === 0);
    return ours ? folder : undefined;
  } catch {
    return undefined;
  }
}

function cacheHome({ XDG_CACHE_HOME, LOCALAPPDATA, HOME }: NodeJS.ProcessEnv): string | undefined {
  // A relative XDG path must be ignored (XDG base directory specification).
  if (XDG_CACHE_HOME !== undefined && path.isAbsolute(XDG_CACHE_HOME)) return XDG_CACHE_HOME;
  if (process.platform === 'win32') return LOCALAPPDATA;
  if (HOME === undefined || !path.isAbsolute(HOME)) return undefined;
  return path.join(HOME, process.platform === 'darwin' ? 'Library/Caches' : '.cache');
}
