import { chmodSync, lstatSync, mkdirSync, type Stats } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { TerrariumError } from '../errors.js';

/** The longest path of a Unix socket: sun_path is 108 bytes with its closing zero (unix(7)). */
const LONGEST_SOCKET_PATH = 107;

/** The prefix of the messages file of a pending start, before the starter's id. */
export const STARTING = 'starting.';

/** Where this user's named machines are kept. */
export interface RuntimeDirectory {
  readonly path: string;
  /** One folder a machine, by its name. */
  readonly machines: string;
  /** Control sockets by holder: with short names, since a socket's path must be short. */
  readonly sockets: string;
}

/**
 * Opens, or creates, the folder for this user's machines: `$XDG_RUNTIME_DIR/terrarium`, else
 * `/run/user/UID/terrarium`, else `terrarium-UID` in the folder for temporary files.
 *
 * A user who may write there may stop the machines and type on their consoles. So a folder of another user, or one that others
 * may enter, is refused rather than fixed: it may already have hostile content.
 * @throws TerrariumError ERUNTIME
 */
export function openRuntimeDirectory(env: NodeJS.ProcessEnv = process.env): RuntimeDirectory {
  if (process.platform !== 'linux') {
    throw new TerrariumError('ERUNTIME', `named machines need Linux; this is ${process.platform}`);
  }
  const root = place(env);
  const directory = {
    path: root,
    machines: path.join(root, 'machines'),
    sockets: path.join(root, 'sockets'),
  };
  for (const folder of Object.values(directory)) secure(folder);
  const longest = path.join(directory.sockets, 'x'.repeat(LONGEST_ID));
  if (Buffer.byteLength(longest) > LONGEST_SOCKET_PATH) {
    throw new TerrariumError('ERUNTIME', `${root}: too long a path for a Unix socket`, {
      hint: `set XDG_RUNTIME_DIR to your own folder with a path of ${LONGEST_SOCKET_PATH - LONGEST_ID - 20} bytes at most`,
    });
  }
  return directory;
}

/** A holder's id as text: PID up to 2²², start up to 10¹², two numbers of 8 digits, three dots. */
const LONGEST_ID = 7 + 12 + 8 + 8 + 3;

function place(env: NodeJS.ProcessEnv): string {
  const uid = process.getuid!();
  const given = env.XDG_RUNTIME_DIR;
  // The XDG base directory specification: relative paths are invalid and must be ignored.
  if (given && path.isAbsolute(given)) return path.join(given, 'terrarium');
  const usual = `/run/user/${uid}`;
  if (stat(usual)?.uid === uid) return path.join(usual, 'terrarium');
  return path.join(tmpdir(), `terrarium-${uid}`);
}

function secure(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
    // Against an unusual umask.
    chmodSync(folder, 0o700);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unusable(folder, String(error));
  }
  const found = stat(folder);
  if (found === undefined) throw unusable(folder, 'it cannot be read');
  if (!found.isDirectory()) throw unusable(folder, 'it is not a directory');
  if (found.uid !== process.getuid!()) {
    throw unusable(folder, `it belongs to user ${found.uid}, not to you (${process.getuid!()})`);
  }
  if ((found.mode & 0o077) !== 0) {
    const mode = (found.mode & 0o777).toString(8);
    throw unusable(
      folder,
      `others may use it (mode ${mode})`,
      `check its content, then: chmod 700 ${folder}`,
    );
  }
}

/** lstat, not stat: a symbolic link would lead to a folder that another user chose. */
function stat(file: string): Stats | undefined {
  try {
    return lstatSync(file);
  } catch {
    return undefined;
  }
}

function unusable(folder: string, why: string, hint?: string): TerrariumError {
  return new TerrariumError('ERUNTIME', `${folder} cannot hold machines: ${why}`, {
    hint: hint ?? 'set XDG_RUNTIME_DIR to your own folder that no other user may enter (mode 700)',
  });
}
