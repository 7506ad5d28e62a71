import { Worker } from 'node:worker_threads';
import type { ToWorker } from './protocol.js';

/** Idle Workers that are kept for the next machine: one takes 30 ms to start. */
const KEEP = 2;
const idle: Worker[] = [];

/** A Worker that runs `worker.ts`: an idle one, or a new one. */
export function acquireWorker(): Worker {
  const worker = idle.pop() ?? new Worker(new URL(import.meta.resolve('#worker')));
  worker.ref();
  return worker;
}

/** Starts a Worker ahead of its use, so that it gets ready while its user still prepares. */
export function warmUp(): void {
  if (idle.length > 0) return;
  const worker = acquireWorker();
  releaseWorker(worker);
}

/** Takes a Worker back whose machine is disposed. An idle Worker does not keep the process alive. */
export function releaseWorker(worker: Worker): void {
  worker.removeAllListeners('message');
  worker.removeAllListeners('error');
  worker.removeAllListeners('exit');
  worker.unref();
  if (idle.length < KEEP) idle.push(worker);
  else void end(worker);
}

/** Ends the idle Workers; for programs that count their threads. */
export async function drainPool(): Promise<void> {
  await Promise.all(idle.splice(0).map(end));
}

/** Has a Worker close what it holds and end; `terminate` would leave its open files to the process. */
function end(worker: Worker): Promise<void> {
  return new Promise((resolve) => {
    worker.ref();
    worker.once('exit', () => resolve());
    worker.postMessage({ type: 'end' } satisfies ToWorker);
  });
}
