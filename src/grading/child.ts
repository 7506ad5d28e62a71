/**
 * A process of the pool: grades the submissions that it receives, until its parent ends.
 *
 * @module
 */
import { isTerrariumError } from '../errors.js';
import { readExercise, sandboxHere } from '../exercises/index.js';
import { Grader } from './grader.js';
import { gradingVersion } from './job.js';
import type { FromChild, ToChild } from './protocol.js';

/** Serves a pool; the process ends with its parent. */
export function serveChild(): void {
  const say = (message: FromChild) => process.send?.(message);
  let grader: Grader | undefined;
  // A module of checks may print: its output is dropped, and never goes between messages.
  process.once('disconnect', () => process.exit(0));
  process.on('uncaughtException', (error) => {
    say({ type: 'failed', message: error.message });
    process.exit(1);
  });
  process.on('message', (message: ToChild) => {
    if (message.type === 'exercise') {
      try {
        grader = new Grader(readExercise(message.folder), message.digest, message.cache);
        say({ type: 'ready', version: gradingVersion(), sandbox: sandboxHere() });
      } catch (error) {
        const hint = isTerrariumError(error) && error.hint ? ` (${error.hint})` : '';
        say({ type: 'failed', message: `${(error as Error).message}${hint}` });
      }
      return;
    }
    const { id, files, seed } = message;
    void grader?.grade(files, seed).then(
      (verdict) => say({ type: 'done', id, verdict }),
      (error: Error) => say({ type: 'failed', message: error.message }),
    );
  });
}
