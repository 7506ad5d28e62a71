import type { Worker } from 'node:worker_threads';
import { Control, controlBytes, wakeThread } from '../../engine/contract/index.js';
import { ConfigError, TerrariumError } from '../../errors.js';
import { kickKernel } from '../engines/engines.js';
import type { HostedStreams } from './hosted-streams.js';
import type { Place } from './place.js';
import { unpackError } from './portable-error.js';
import type { FromWorker, SavedMachine, ToWorker } from './protocol.js';
import { acquireWorker, releaseWorker } from './worker-pool.js';

/** How long an ending process tries to get a thread out of its guest: milliseconds. */
const LEAVE_LIMIT_MS = 1000;

/** How often a thread is kicked out of its guest until it has saved it: milliseconds. */
const PAUSE_MS = 20;

/** Threads that may be inside a guest: a process must not end before they are out. */
const live = new Set<MachineThread>();
let watching = false;

/** A thread inside a guest cannot be ended from outside: `process.exit` would hang forever (KVM_RUN does not return). */
function watchProcessExit(): void {
  if (watching) return;
  watching = true;
  process.on('exit', () => {
    for (const thread of live) thread.leaveGuest();
  });
}

/** The thread of a hosted machine: it gets requests by messages, and is woken through the control block while it reads none. */
export class MachineThread implements Place {
  readonly control = new Int32Array(new SharedArrayBuffer(controlBytes));
  hostKernel = false;
  readonly #streams: HostedStreams;
  readonly #worker: Worker;
  #pending: { resolve(message: FromWorker): void; reject(error: Error): void } | undefined;
  /** The caller that waits for the state of a running machine. */
  #saved: { resolve(saved?: SavedMachine): void; reject(error: Error): void } | undefined;
  #saving: Promise<SavedMachine | undefined> | undefined;
  /** Settles when the current request is answered. */
  #answered: Promise<unknown> = Promise.resolve();
  #failed: Error | undefined;
  /** Released: another machine may use it. */
  #released = false;

  /** @param streams receive the thread's messages that are not answers */
  constructor(streams: HostedStreams) {
    this.#streams = streams;
    this.#worker = acquireWorker();
    this.#worker.on('message', (message: FromWorker) => this.#receive(message));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(new TerrariumError('ETHREAD', "the machine's thread ended")));
    watchProcessExit();
    live.add(this);
  }

  get failed(): Error | undefined {
    return this.#failed;
  }

  ask<T extends FromWorker['type']>(
    message: ToWorker,
    _answer: T,
  ): Promise<Extract<FromWorker, { type: T }>> {
    if (this.#released) return Promise.reject(disposed());
    if (this.#failed !== undefined) return Promise.reject(this.#failed);
    if (this.#pending !== undefined) return Promise.reject(new ConfigError('the machine is busy'));
    const answer = new Promise<Extract<FromWorker, { type: T }>>((resolve, reject) => {
      // First: a value that cannot be posted throws here, before a wait for the answer begins.
      this.#worker.postMessage(message);
      this.#pending = { resolve: resolve as (message: FromWorker) => void, reject };
    });
    this.#answered = answer.catch(() => {});
    return answer;
  }

  kick(): void {
    wakeThread(this.control);
    if (this.hostKernel && Atomics.load(this.control, Control.running) === 1) kickKernel(this.control);
  }

  clearRequest(): void {
    Atomics.store(this.control, Control.request, 0);
  }

  requestStop(): void {
    Atomics.store(this.control, Control.request, 1);
    this.kick();
  }

  async saveRunning(): Promise<SavedMachine | undefined> {
    this.#saving ??= this.#pauseAndSave().finally(() => {
      this.#saving = undefined;
    });
    return this.#saving;
  }

  async #pauseAndSave(): Promise<SavedMachine | undefined> {
    const run = this.#pending;
    let done = false;
    const saved = new Promise<SavedMachine | undefined>((resolve, reject) => {
      this.#saved = { resolve, reject };
    }).finally(() => {
      done = true;
      this.#saved = undefined;
    });
    // A kick may come before the thread is in its guest.
    while (!done && this.#pending === run && this.#failed === undefined) {
      Atomics.store(this.control, Control.pause, 1);
      this.kick();
      await Promise.race([saved.catch(() => {}), new Promise((resolve) => setTimeout(resolve, PAUSE_MS))]);
    }
    Atomics.store(this.control, Control.pause, 0);
    if (!done) this.#saved?.resolve(undefined);
    return saved;
  }

  leaveGuest(): void {
    const limit = performance.now() + LEAVE_LIMIT_MS;
    while (Atomics.load(this.control, Control.running) === 1 && performance.now() < limit) {
      this.#streams.close();
      this.requestStop();
      Atomics.wait(this.control, Control.running, 1, 2);
    }
  }

  async disposeMachine(): Promise<void> {
    // A late answer would be mistaken for one to the next machine on this thread.
    while (this.#pending !== undefined) await this.#answered;
    if (this.#failed === undefined) await this.ask({ type: 'dispose' }, 'disposed').catch(() => {});
  }

  /** Releases the thread, for the next machine. @param foreign see `releaseWorker` */
  async release(foreign: boolean): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    live.delete(this);
    if (this.#failed === undefined) releaseWorker(this.#worker, foreign);
    else await this.#worker.terminate();
  }

  #receive(message: FromWorker): void {
    if (this.#streams.receive(message)) return;
    if (message.type === 'savedRunning') {
      if (message.error !== undefined) this.#saved?.reject(unpackError(message.error));
      else this.#saved?.resolve(message.saved);
      return;
    }
    const pending = this.#pending;
    this.#pending = undefined;
    if (message.type === 'error') pending?.reject(unpackError(message.error));
    else pending?.resolve(message);
  }

  #fail(error: Error): void {
    // The first error is the cause of the later ones.
    this.#failed ??= error;
    this.#pending?.reject(error);
    this.#pending = undefined;
  }
}

const disposed = () =>
  new ConfigError(
    'the machine was used after it was disposed',
    'keep it (await using) as long as anything needs it',
  );
