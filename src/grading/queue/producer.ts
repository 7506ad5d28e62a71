/**
 * Grades by a queue: puts jobs in, and hands back what workers found. A job's id is its content's hash, so that the same work is
 * never queued twice; a result that is missed, or a Redis that lost everything, costs a look and not a grade.
 *
 * @module
 */

import type { Queue, QueueEvents } from 'bullmq';
import type { Redis } from 'ioredis';
import { command } from '../../command.js';
import { type Exercise, type Files, readFolder, type Verdict, withoutRun } from '../../exercises/index.js';
import type { GradingService } from '../grade.js';
import { writeZip } from '../intake/zip.js';
import { exerciseDigest, gradingVersion } from '../job.js';
import { MOST_TRIES } from '../pool.js';
import {
  connect,
  EXERCISE_SECONDS,
  exerciseKey,
  type JobData,
  loadQueue,
  QueueError,
  queueName,
  type WorkerInfo,
  workerKey,
} from './connect.js';

/** How often jobs without an answer are looked up: events may be missed while Redis is away. */
const LOOK_MS = 2000;
/** Results that stay in Redis, for the next run of the same class. */
const KEPT = { age: 24 * 3600, count: 100_000 };
/** How long a Redis that takes no more is asked again. */
const FULL_MS = 60_000;

interface Waiting {
  readonly data: JobData;
  resolve(verdict: Verdict): void;
  reject(error: Error): void;
}

export class QueueService implements GradingService {
  readonly #redis: Redis;
  /** With the one that waits for events: whoever makes a connection closes it. */
  readonly #connections: readonly Redis[];
  readonly #queue: Queue<JobData, Verdict>;
  readonly #events: QueueEvents;
  readonly #exercise: Exercise;
  readonly #digest: string;
  readonly #say: (text: string) => void;
  readonly #waiting = new Map<string, Waiting>();
  readonly #timer: NodeJS.Timeout;
  #looking = false;

  private constructor(
    redis: readonly [Redis, Redis],
    queue: Queue<JobData, Verdict>,
    events: QueueEvents,
    exercise: Exercise,
    say: (text: string) => void,
  ) {
    [this.#redis] = redis;
    this.#connections = redis;
    this.#queue = queue;
    this.#events = events;
    this.#exercise = exercise;
    this.#digest = exerciseDigest(exercise.folder);
    this.#say = say;
    events.on('completed', ({ jobId }) => void this.#look(jobId));
    events.on('failed', ({ jobId }) => void this.#look(jobId));
    queue.on('error', () => {});
    events.on('error', () => {});
    this.#redis.on('ready', () => void this.#share().catch(() => {}));
    this.#timer = setInterval(() => void this.#lookAll(), LOOK_MS);
  }

  /** @throws QueueError */
  static async open(url: string, exercise: Exercise, say: (text: string) => void): Promise<QueueService> {
    const { bullmq } = await loadQueue();
    const redis = await connect(url, say);
    const own = redis.duplicate();
    try {
      await shareExercise(redis, exercise);
      const queue = new bullmq.Queue<JobData, Verdict>(queueName(), { connection: redis });
      const events = new bullmq.QueueEvents(queueName(), { connection: own });
      await events.waitUntilReady();
      const service = new QueueService([redis, own], queue, events, exercise, say);
      say(describeWorkers(await service.workers()));
      return service;
    } catch (error) {
      for (const connection of [redis, own]) connection.disconnect();
      throw error;
    }
  }

  /** The workers that are there. */
  async workers(): Promise<WorkerInfo[]> {
    const keys: string[] = [];
    for await (const some of this.#redis.scanStream({ match: workerKey('*') }))
      keys.push(...(some as string[]));
    const texts = keys.length === 0 ? [] : await this.#redis.mget(keys);
    return texts.flatMap((text) => (text === null ? [] : [JSON.parse(text) as WorkerInfo]));
  }

  grade(files: Files, seed: string, key: string): Promise<Verdict> {
    const contents = Object.fromEntries(
      [...files].map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]),
    );
    const data: JobData = { exercise: this.#digest, files: contents, seed, points: this.#exercise.points };
    return new Promise((resolve, reject) => {
      this.#waiting.set(key, { data, resolve, reject });
      this.#add(key, data).then(() => this.#look(key), reject);
    });
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    for (const { reject } of this.#waiting.values()) reject(new QueueError('the queue was closed'));
    this.#waiting.clear();
    // Connections end at once: nothing is left to be said to a Redis that may be away.
    void this.#events.close().catch(() => {});
    void this.#queue.close().catch(() => {});
    for (const connection of this.#connections) connection.disconnect();
  }

  /** A Redis that was away may have lost the exercise, too. */
  #share(): Promise<void> {
    return shareExercise(this.#redis, this.#exercise);
  }

  /** Queues a job, once: where it is already, nothing happens. */
  async #add(key: string, data: JobData): Promise<void> {
    const options = { jobId: key, removeOnComplete: KEPT, removeOnFail: KEPT, attempts: 1 };
    const deadline = performance.now() + FULL_MS;
    for (let said = false; ; said = true) {
      try {
        await this.#queue.add('grade', data, options);
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
      if (this.#waiting.size > 0) await this.#redis.expire(exerciseKey(this.#digest), EXERCISE_SECONDS);
    } catch {
      // Redis is away: the next look comes.
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
        if ((await this.#redis.exists(exerciseKey(this.#digest))) === 0) await this.#share();
        await this.#add(key, waiting.data);
      } else if (job.finishedOn !== undefined) {
        const failed = job.failedReason ?? '';
        if (failed === '') this.#answer(key, job.returnvalue);
        else {
          // Not kept: whoever grades again may have better workers.
          await job.remove();
          this.#answer(key, withoutRun('set-aside', this.#exercise.points, { problem: reasonOf(failed) }));
        }
      }
    } catch (error) {
      if (isFull(error as Error)) waiting.reject(fullOr(error as Error));
    }
  }

  #answer(key: string, verdict: Verdict): void {
    const waiting = this.#waiting.get(key);
    this.#waiting.delete(key);
    waiting?.resolve(verdict);
  }
}

/** Puts the exercise where workers find it. @throws QueueError where Redis is full */
async function shareExercise(redis: Redis, { folder }: Exercise): Promise<void> {
  const zip = writeZip(readFolder(folder));
  try {
    await redis.set(exerciseKey(exerciseDigest(folder)), zip, 'EX', EXERCISE_SECONDS);
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
    'give it more memory (maxmemory), or remove what others keep there; the same command then goes on',
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
      ? `no worker is there yet: start some with ${command('worker --queue')}`
      : `${ours.length} worker${ours.length === 1 ? '' : 's'} for ${jobs} job${jobs === 1 ? '' : 's'} at a time (${kinds})`;
  return others === 0
    ? found
    : `${found}; ${others} of another version, which take${others === 1 ? 's' : ''} none of these jobs`;
}
