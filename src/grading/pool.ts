/**
 * Processes that grade. One that dies or hangs is replaced; its submission is tried again, and set aside after three times.
 *
 * @module
 */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { TerrariumError } from '../errors.js';
import { type Files, type Verdict, withoutRun } from '../exercises/index.js';
import type { FromChild, ToChild } from './protocol.js';

export interface PoolOptions {
  readonly folder: string;
  readonly digest: string;
  readonly cache: string | undefined;
  readonly jobs: number;
  /** Milliseconds of wall time for one submission, compiling included; only a check that hangs needs more. */
  readonly patienceMs: number;
  /** The points of the exercise, for submissions that are set aside. */
  readonly points: number;
}

/** A submission that ends its process this often is set aside. */
export const MOST_TRIES = 3;
/** MiB of JavaScript's memory in a process, without guests' memory. */
const HEAP_MIB = 1024;

interface Task {
  readonly id: number;
  readonly files: Files;
  readonly seed: string;
  tries: number;
  resolve(verdict: Verdict): void;
}

/** The file of the command, which starts a process of the pool. */
export const commandFile = () => fileURLToPath(new URL('dist/cli.cjs', import.meta.resolve('#package')));

export class Pool implements Disposable {
  readonly #options: PoolOptions;
  readonly #waiting: Task[] = [];
  readonly #slots: Slot[] = [];
  #next = 0;
  #closed = false;
  #problem: Error | undefined;

  private constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** @throws TerrariumError where a process cannot read the exercise */
  static async open(options: PoolOptions): Promise<Pool> {
    const pool = new Pool(options);
    for (let i = 0; i < options.jobs; i++) pool.#slots.push(new Slot(options, () => pool.#feed()));
    try {
      await Promise.all(pool.#slots.map((slot) => slot.start()));
    } catch (error) {
      pool[Symbol.dispose]();
      throw error;
    }
    return pool;
  }

  /** Where the processes compile. */
  get sandbox(): string {
    return this.#slots[0]?.sandbox ?? 'none';
  }

  /** Process ids, for tests that end them. */
  get pids(): number[] {
    return this.#slots.flatMap(({ pid }) => pid ?? []);
  }

  grade(files: Files, seed: string): Promise<Verdict> {
    if (this.#closed) throw new TerrariumError('ECLOSED', 'the pool of graders is closed');
    if (this.#problem) return Promise.reject(this.#problem);
    return new Promise((resolve) => {
      this.#waiting.push({ id: this.#next++, files, seed, tries: 0, resolve });
      this.#feed();
    });
  }

  #feed(): void {
    for (const slot of this.#slots) {
      if (this.#closed || !slot.free) continue;
      const task = this.#waiting.shift();
      if (task === undefined) return;
      void slot.take(task).then((end) => {
        if ('verdict' in end) task.resolve(end.verdict);
        else this.#retry(task, end.reason);
        this.#feed();
      });
    }
  }

  #retry(task: Task, reason: string): void {
    task.tries++;
    if (task.tries < MOST_TRIES && !reason.startsWith(HANGS)) this.#waiting.unshift(task);
    else {
      const often = task.tries > 1 ? `${task.tries} times: ` : '';
      task.resolve(
        withoutRun('set-aside', this.#options.points, { problem: `the grader ended ${often}${reason}` }),
      );
    }
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    for (const slot of this.#slots) slot.stop();
  }
}

const HANGS = 'after';
type End = { readonly verdict: Verdict } | { readonly reason: string };

/** One process at a time, and its current task. */
class Slot {
  readonly #options: PoolOptions;
  readonly #freed: () => void;
  #child: ChildProcess | undefined;
  #ready = false;
  /** It has been ready, though it may be about to be killed. */
  #wasReady = false;
  #task: Task | undefined;
  #end: ((end: End) => void) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  sandbox = 'none';

  constructor(options: PoolOptions, freed: () => void) {
    this.#options = options;
    this.#freed = freed;
  }

  get free(): boolean {
    return this.#ready && this.#task === undefined;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves when a process has read the exercise. */
  start(): Promise<void> {
    const { folder, digest, cache } = this.#options;
    return new Promise((resolve, reject) => {
      const child = fork(commandFile(), ['worker', '--ipc'], {
        serialization: 'advanced',
        stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
        execArgv: [`--max-old-space-size=${HEAP_MIB}`],
      });
      this.#child = child;
      child.on('message', (message: FromChild) => {
        if (message.type === 'ready') {
          this.#ready = true;
          this.#wasReady = true;
          this.sandbox = message.sandbox;
          resolve();
        } else if (message.type === 'failed' && !this.#wasReady)
          reject(new TerrariumError('EEXERCISE', message.message));
        else if (message.type === 'failed') this.#finish({ reason: message.message });
        else if (message.id === this.#task?.id) this.#finish({ verdict: message.verdict });
      });
      child.once('error', reject);
      child.once('exit', (code, signal) => {
        if (this.#child !== child) return;
        const wasReady = this.#wasReady;
        this.#ready = false;
        this.#wasReady = false;
        const how = signal === null ? `with status ${code}` : `by ${signal}`;
        if (!wasReady)
          reject(new TerrariumError('EGRADER', `a process of the grader ended at its start ${how}`));
        this.#finish({ reason: how });
        if (wasReady && !this.#stopped) this.start().then(this.#freed, () => {});
      });
      child.send({ type: 'exercise', folder, digest, cache } satisfies ToChild);
    });
  }

  take(task: Task): Promise<End> {
    this.#task = task;
    const { patienceMs } = this.#options;
    this.#timer = setTimeout(() => {
      const child = this.#child;
      this.#finish({
        reason: `${HANGS} ${patienceMs / 1000} s without a result: a check that does not end, or a host that is too busy (--patience)`,
      });
      child?.kill('SIGKILL');
    }, patienceMs);
    return new Promise((resolve) => {
      this.#end = resolve;
      this.#child?.send(
        { type: 'job', id: task.id, files: task.files, seed: task.seed } satisfies ToChild,
        (error) => {
          // The process has died: its exit says so as well.
          if (error) this.#finish({ reason: 'before it had read the submission' });
        },
      );
    });
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#child?.kill('SIGKILL');
  }

  #finish(end: End): void {
    clearTimeout(this.#timer);
    const resolve = this.#end;
    this.#task = undefined;
    this.#end = undefined;
    // A process that is killed takes no further task.
    if ('reason' in end && end.reason.startsWith(HANGS)) this.#ready = false;
    resolve?.(end);
  }
}
