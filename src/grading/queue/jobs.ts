/**
 * Jobs in the queue, from the side that waits for their results. A job's id is its content's hash, so that the same
 * work is never queued twice; a result whose event was missed is found by the next look, and jobs that Redis has lost
 * are queued again.
 *
 * @module
 */
import type { Queue, QueueEvents } from 'bullmq';
import type { Redis } from 'ioredis';
import { command } from '../../command.js';
import { gradingVersion } from '../job.js';
import { MOST_TRIES } from '../pool.js';
import {
  connect,
  type JobData,
  type JobKind,
  type JobsData,
  loadQueue,
  QueueError,
  queueName,
  type WorkerInfo,
  workerKey,
} from './connect.js';

/** How often jobs without an answer are looked up: events may be missed while Redis is unreachable. */
const LOOK_MS = 2000;
/** Results that stay in Redis, for the next run of the same work. */
const KEPT = { age: 24 * 3600, count: 100_000 };
/** How long connections may take to close. */
const FAREWELL_MS = 500;
/** How long a full Redis is tried again. */
const FULL_MS = 60_000;

/** The outcome of a job: its result, or why no worker could do it. */
export type Answer = { readonly result: unknown } | { readonly problem: string };

interface Waiting {
  readonly kind: JobKind;
  readonly data: JobData;
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

/** Data that the jobs need in Redis, which may lose it. */
export interface Shared {
  put(redis: Redis): Promise<void>;
  isThere(redis: Redis): Promise<boolean>;
  keep(redis: Redis): Promise<void>;
}

export class Jobs implements Disposable {
  readonly #redis: Redis;
  /** Including the one that waits for events: whoever makes a connection closes it. */
  readonly #connections: readonly Redis[];
  readonly #queue: Queue<JobData, unknown>;
  readonly #events: QueueEvents;
  readonly #shared: Shared | undefined;
  readonly #say: (text: string) => void;
  readonly #waiting = new Map<string, Waiting>();
  readonly #timer: NodeJS.Timeout;
  #looking = false;
  #closed = false;

  private constructor(
    redis: readonly [Redis, Redis],
    queue: Queue<JobData, unknown>,
    events: QueueEvents,
    say: (text: string) => void,
    shared: Shared | undefined,
  ) {
    [this.#redis] = redis;
    this.#connections = redis;
    this.#queue = queue;
    this.#events = events;
    this.#shared = shared;
    this.#say = say;
    events.on('completed', ({ jobId }) => void this.#look(jobId));
    events.on('failed', ({ jobId }) => void this.#look(jobId));
    queue.on('error', () => {});
    events.on('error', () => {});
    this.#redis.on('ready', () => void this.#share().catch(() => {}));
    this.#timer = setInterval(() => void this.#lookAll(), LOOK_MS);
  }

  /** @throws QueueError */
  static async open(url: string, say: (text: string) => void, shared?: Shared): Promise<Jobs> {
    const { bullmq } = await loadQueue();
    const redis = await connect(url, say);
    const own = redis.duplicate();
    try {
      await putShared(redis, shared);
      const queue = new bullmq.Queue<JobData, unknown>(queueName(), { connection: redis });
      const events = new bullmq.QueueEvents(queueName(), { connection: own });
      await events.waitUntilReady();
      const jobs = new Jobs([redis, own], queue, events, say, shared);
      say(describeWorkers(await jobs.workers()));
      return jobs;
    } catch (error) {
      for (const connection of [redis, own]) connection.disconnect();
      throw error;
    }
  }

  /** The workers that are alive. */
  async workers(): Promise<WorkerInfo[]> {
    const keys: string[] = [];
    for await (const some of this.#redis.scanStream({ match: workerKey('*') }))
      keys.push(...(some as string[]));
    const texts = keys.length === 0 ? [] : await this.#redis.mget(keys);
    return texts.flatMap((text) => (text === null ? [] : [JSON.parse(text) as WorkerInfo]));
  }

  /** @param key a hash of all that the result depends on */
  run<K extends JobKind>(kind: K, data: JobsData[K], key: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(key, { kind, data, resolve, reject });
      this.#add(key, kind, data).then(() => this.#look(key), reject);
    });
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    for (const { reject } of this.#waiting.values()) reject(new QueueError('the queue was closed'));
    this.#waiting.clear();
    // Pending commands end first: nobody handles the error of a command that a closed connection drops. An unreachable
    // Redis is not waited for long.
    const closed = Promise.allSettled([this.#events.close(), this.#queue.close()]);
    const late = new Promise((resolve) => setTimeout(resolve, FAREWELL_MS));
    void Promise.race([closed, late]).then(() => {
      for (const connection of this.#connections) connection.disconnect();
    });
  }

  /** A Redis that was unreachable may have lost the jobs' data, too. */
  #share(): Promise<void> {
    return putShared(this.#redis, this.#shared);
  }

  /** Queues a job once: if it is already queued, nothing happens. */
  async #add(key: string, kind: JobKind, data: JobData): Promise<void> {
    const options = { jobId: key, removeOnComplete: KEPT, removeOnFail: KEPT, attempts: 1 };
    const deadline = performance.now() + FULL_MS;
    for (let said = false; ; said = true) {
      try {
        await this.#queue.add(kind, data, options);
        return;
      } catch (cause) {
        if (!isFull(cause as Error)) throw cause;
        if (performance.now() > deadline) throw fullOr(cause as Error);
        if (!said) this.#say('Redis is full and takes no more jobs: waiting for workers');
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    }
  }

  async #lookAll(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      for (const key of [...this.#waiting.keys()]) await this.#look(key);
      if (this.#waiting.size > 0) await this.#shared?.keep(this.#redis);
    } catch {
      // Redis is unreachable: the next look will find it.
    } finally {
      this.#looking = false;
    }
  }

  /** Takes a job's answer, where it has one; a job that Redis has lost is queued again. */
  async #look(key: string): Promise<void> {
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) return;
    try {
      const job = await this.#queue.getJob(key);
      if (job === undefined) {
        if ((await this.#shared?.isThere(this.#redis)) === false) await this.#share();
        await this.#add(key, waiting.kind, waiting.data);
      } else if (job.finishedOn !== undefined) {
        const failed = job.failedReason ?? '';
        if (failed === '') this.#answer(key, { result: job.returnvalue });
        else {
          // Not kept: the next request may have better workers.
          await job.remove();
          this.#answer(key, { problem: reasonOf(failed) });
        }
      }
    } catch (error) {
      if (isFull(error as Error)) waiting.reject(fullOr(error as Error));
    }
  }

  #answer(key: string, answer: Answer): void {
    const waiting = this.#waiting.get(key);
    this.#waiting.delete(key);
    waiting?.resolve(answer);
  }
}

/** @throws QueueError where Redis is full */
async function putShared(redis: Redis, shared: Shared | undefined): Promise<void> {
  try {
    await shared?.put(redis);
  } catch (cause) {
    throw fullOr(cause as Error);
  }
}

const reasonOf = (failed: string) =>
  failed.includes('stalled') ? `it ended its worker ${MOST_TRIES} times` : `a worker gave up: ${failed}`;

const isFull = ({ message }: Error) => /\bOOM\b|MISCONF|READONLY/.test(message);

function fullOr(cause: Error): Error {
  if (!isFull(cause)) return cause;
  return new QueueError(
    `Redis takes no more data: ${cause.message}`,
    'give it more memory (maxmemory), or remove other data there; the same command then continues',
    cause,
  );
}

function describeWorkers(workers: readonly WorkerInfo[]): string {
  const ours = workers.filter(({ version }) => version === gradingVersion());
  const others = workers.length - ours.length;
  const jobs = ours.reduce((sum, one) => sum + one.jobs, 0);
  const kinds = [...new Set(ours.map(({ engine, sandbox }) => `${engine}, compiling in ${sandbox}`))]
    .sort()
    .join('; ');
  const found =
    ours.length === 0
      ? `there is no worker yet: start some with ${command('worker --queue')}`
      : `${ours.length} worker${ours.length === 1 ? '' : 's'} for ${jobs} job${jobs === 1 ? '' : 's'} at a time (${kinds})`;
  return others === 0
    ? found
    : `${found}; ${others} of another version, which take${others === 1 ? 's' : ''} none of these jobs`;
}
