import { Worker } from 'node:worker_threads';
import type { ToWorker } from './protocol.js';

/**
 * Idle Workers that are kept for the next machine: one takes 30 ms to start, and the memory of one that is ended is only freed
 * when the garbage collector next looks.
 */
const KEEP = 4;
const idle: Worker[] = [];

/** A Worker that runs `worker.ts`: an idle one, or a new one. */
export function acquireWorker(): Worker {
  const worker = idle.pop() ?? startWorker();
  worker.removeAllListeners('error');
  worker.removeAllListeners('exit');
  worker.ref();
  return worker;
}

/** How long a process that ends waits for a thread that is still loading: milliseconds. It takes 30 or so. */
const LOADING_MS = 1000;
/** A word a thread: 1 when it has loaded. */
let loading: Int32Array[] = [];
let waits = false;

function startWorker(): Worker {
  // Node ends a process's threads wherever they are, and one inside koffi's loading then aborts the whole process. So an end that comes
  // this early waits; `watchProcessExit` handles running machines.
  if (!waits) process.on('exit', waitForLoading);
  waits = true;
  const loaded = new Int32Array(new SharedArrayBuffer(4));
  loading = [...loading.filter((word) => Atomics.load(word, 0) === 0), loaded];
  return new Worker(new URL(import.meta.resolve('#worker')), { workerData: { loaded } });
}

function waitForLoading(): void {
  for (const loaded of loading) Atomics.wait(loaded, 0, 0, LOADING_MS);
}

/** Starts a Worker ahead of its use, so that it gets ready while its user still prepares. */
export function warmUp(): void {
  if (idle.length > 0) return;
  const worker = acquireWorker();
  releaseWorker(worker);
}

/**
 * Returns a Worker to the pool when its machine is disposed. An idle Worker does not keep the process alive. @param foreign the user's own
 * code ran there: its leftovers, such as a timer, must not affect another machine
 */
export function releaseWorker(worker: Worker, foreign = false): void {
  worker.removeAllListeners('message');
  worker.removeAllListeners('error');
  worker.removeAllListeners('exit');
  // Its machine is gone, and with it the receiver of this error.
  worker.on('error', (error) => {
    process.emitWarning(error);
    forget(worker);
  });
  worker.on('exit', () => forget(worker));
  worker.unref();
  if (!foreign && idle.length < KEEP) idle.push(worker);
  else void end(worker);
}

function forget(worker: Worker): void {
  const index = idle.indexOf(worker);
  if (index >= 0) idle.splice(index, 1);
}

/** Ends the idle Workers; for programs that count their threads. */
export async function drainPool(): Promise<void> {
  await Promise.all(idle.splice(0).map(end));
}

/** Makes a Worker close its resources and end; `terminate` would leave its files open in the process. */
function end(worker: Worker): Promise<void> {
  return new Promise((resolve) => {
    worker.ref();
    worker.once('exit', () => resolve());
    worker.postMessage({ type: 'end' } satisfies ToWorker);
  });
}
