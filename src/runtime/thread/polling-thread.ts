import type { Worker } from 'node:worker_threads';
import { TerrariumError } from '../../errors.js';
import type { MemoryRegion } from '../../memory/index.js';
import { PollCommand, PollControl, type PollReport, pollControlBytes } from './polling.js';
import { unpackError } from './portable-error.js';
import type { FromWorker, ToWorker } from './protocol.js';
import { SharedRing } from './shared-ring.js';
import { acquireWorker, releaseWorker } from './worker-pool.js';

const OUTPUT_BYTES = 64 * 1024;

/** The caller that waits for the thread's answer. */
interface Pending {
  resolve(message: FromWorker): void;
  reject(error: Error): void;
}

/** A thread that polls a machine's SIMVIRTIO devices while the machine runs; see `polling.ts`. */
export class PollingThread {
  /** The devices' output. */
  readonly output = new SharedRing(OUTPUT_BYTES);
  readonly #worker: Worker;
  readonly #control = new Int32Array(new SharedArrayBuffer(pollControlBytes));
  #pending: Pending | undefined;
  #report: Promise<PollReport> | undefined;
  #failed: Error | undefined;

  /** @param onOutput called when there is output to read */
  constructor(onOutput: () => void) {
    this.#worker = acquireWorker();
    this.#worker.on('message', (message: FromWorker) => {
      if (message.type === 'output') onOutput();
      else if (message.type === 'error')
        this.#settle((pending) => pending.reject(unpackError(message.error)));
      else this.#settle((pending) => pending.resolve(message));
    });
    const fail = (error: Error) => {
      this.#failed = error;
      this.#settle((pending) => pending.reject(error));
    };
    this.#worker.on('error', fail);
    this.#worker.on('exit', () => fail(new TerrariumError('ETHREAD', 'the polling thread ended')));
  }

  /** Connects the devices to a machine's memory. */
  async create(memory: WebAssembly.Memory, regions: readonly MemoryRegion[]): Promise<void> {
    const control = this.#control.buffer as SharedArrayBuffer;
    const channels = { memory, regions, control, output: this.output.buffer };
    await this.#ask({ type: 'createPoller', channels });
  }

  /** Polls from now on. */
  start(): void {
    Atomics.store(this.#control, PollControl.command, PollCommand.poll);
    this.#report = this.#ask({ type: 'poll' }).then((message) => {
      if (message.type === 'polled') return message.report;
      throw new TerrariumError('ETHREAD', `the polling thread answered '${message.type}'`);
    });
    // `finish` reports a failure; until then nothing waits for it.
    this.#report.catch(() => {});
  }

  /** Ends the polling when all of the guest's requests are done. The caller must read `output` meanwhile. */
  async finish(): Promise<PollReport | undefined> {
    this.#command(PollCommand.finish);
    const report = await this.#report;
    this.#report = undefined;
    return report;
  }

  /** Ends the polling now: output without room is dropped. */
  abandon(): void {
    this.#command(PollCommand.abandon);
  }

  /** Ends the polling of a run that failed. */
  async end(): Promise<void> {
    this.abandon();
    await this.#report?.catch(() => {});
    this.#report = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    // The thread stays in the pool: it must not keep the machine's memory.
    if (this.#failed === undefined) await this.#ask({ type: 'dispose' }).catch(() => {});
    if (this.#failed === undefined) releaseWorker(this.#worker);
    else await this.#worker.terminate();
  }

  /** A command is never replaced by a weaker one. */
  #command(command: number): void {
    const before = Atomics.load(this.#control, PollControl.command);
    if (command > before) Atomics.store(this.#control, PollControl.command, command);
    Atomics.notify(this.#control, PollControl.command);
  }

  #ask(message: ToWorker): Promise<FromWorker> {
    if (this.#failed !== undefined) return Promise.reject(this.#failed);
    return new Promise((resolve, reject) => {
      this.#pending = { resolve, reject };
      this.#worker.postMessage(message);
    });
  }

  #settle(end: (pending: Pending) => void): void {
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending !== undefined) end(pending);
  }
}
