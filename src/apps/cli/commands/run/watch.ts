/**
 * `run --watch`: the same command line again whenever a source changes.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { watch } from 'node:fs';
import path from 'node:path';
import { ConfigError } from '../../../../errors.js';
import { isFolder, languageOf } from '../../../../runtime/index.js';
import { ExitStatus } from '../../../frontend/exit-status.js';
import { styleFor } from '../../../frontend/style.js';

/** Editors write a file in several steps; a change is complete after this long without another: milliseconds. */
const SETTLED_MS = 60;
/** In addition to sources: headers, linker scripts, guest.json. */
const partsOfGuest = /\.(?:h|hpp|inc|ld|lds)$|^guest\.json$/;

/** Runs the command in a process of its own, again and again, until Ctrl-C. */
export async function runAgain(files: readonly string[]): Promise<void> {
  const folders = new Set(files.map(folderOf));
  let changed = () => {};
  const watchers = [...folders].map((folder) => {
    try {
      return watch(folder, (_, name) => {
        if (name !== null && (languageOf(name) !== undefined || partsOfGuest.test(name))) changed();
      });
    } catch (error) {
      throw new ConfigError(`--watch cannot watch ${folder}: ${(error as Error).message}`);
    }
  });
  const words = process.argv.slice(1).filter((word) => word !== '--watch');
  for (;;) {
    const child = spawn(process.execPath, [...process.execArgv, ...words], { stdio: 'inherit' });
    const ended = new Promise<number>((resolve) =>
      child.once('exit', (status, signal) =>
        resolve(signal === 'SIGINT' ? ExitStatus.interrupted : (status ?? 1)),
      ),
    );
    const change = new Promise<'changed'>((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      changed = () => {
        clearTimeout(timer);
        timer = setTimeout(() => resolve('changed'), SETTLED_MS);
      };
    });
    // Ctrl-C ends the guest's run; if none runs, it ends the watching.
    process.removeAllListeners('SIGINT');
    process.on('SIGINT', () => {});
    const first = await Promise.race([ended, change]);
    if (first === ExitStatus.interrupted) {
      process.exitCode = ExitStatus.interrupted;
      break;
    }
    if (first !== 'changed') {
      process.removeAllListeners('SIGINT');
      const { dim } = styleFor(process.stderr);
      process.stderr.write(`${dim('terrarium: waiting for a change; Ctrl-C ends')}\n`);
      await change;
    } else await end(child, ended);
  }
  for (const watcher of watchers) watcher.close();
}

/** Ends a run that is under way: first cleanly, and then at once. */
async function end(child: ChildProcess, ended: Promise<number>): Promise<void> {
  child.kill('SIGTERM');
  const limit = setTimeout(() => child.kill('SIGKILL'), 2000);
  await ended;
  clearTimeout(limit);
}

function folderOf(file: string): string {
  return isFolder(file) ? file : path.dirname(file);
}
