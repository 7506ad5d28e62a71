/**
 * A worker of the queue: takes jobs and does each in a process of its own. Any number of them run, on any machines; one that dies
 * loses nothing, since its jobs go to others.
 *
 * @module
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Job, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { digestOf, FileCollector, sandboxHere } from '../../exercises/index.js';
import { unpackArchive } from '../intake/archive.js';
import { gradingVersion } from '../job.js';
import { MOST_TRIES, Pool } from '../pool.js';
import { prune } from '../prune.js';
import { type ReplayData, runReplay, runVerify, type VerifyData } from './command-job.js';
import {
  connect,
  exerciseKey,
  type GradeData,
  type JobData,
  LOCK_MS,
  loadQueue,
  queueName,
  STALLED_MS,
  type WorkerInfo,
  workerKey,
} from './connect.js';

export interface WorkOptions {
  readonly url: string;
  readonly jobs: number;
  readonly cache: string | undefined;
  readonly patienceMs: number;
  readonly say: (text: string) => void;
}

/** How long a worker counts as alive after its last message. */
const THERE_SECONDS = 15;
/** Exercises whose processes are kept; a class has one. */
const OPEN = 2;

/** How often, and at which interval in milliseconds, an exercise is looked for. */
const FETCH_TRIES = 40;
const FETCH_MS = 500;

/** Processes and a folder for one exercise. */
interface Opened extends Disposable {
  readonly pool: Pool;
}

/** Works until the signal aborts; current jobs are finished. @throws QueueError */
export async function work(options: WorkOptions, signal: AbortSignal): Promise<void> {
  const { url, jobs, say, cache } = options;
  if (cache !== undefined) prune(cache);
  const { bullmq } = await loadQueue();
  const redis = await connect(url, say);
  // The queue's own connection, which it does not close.
  const connection = redis.duplicate();
  const opened = new Map<string, Promise<Opened>>();
  const info: WorkerInfo = { version: gradingVersion(), engine: 'soft', sandbox: sandboxHere(), jobs };
  const id = randomUUID();
  const tell = () => redis.set(workerKey(id), JSON.stringify(info), 'EX', THERE_SECONDS).catch(() => {});
  await tell();
  const telling = setInterval(tell, (THERE_SECONDS * 1000) / 3);
  const perform = async ({ name, data }: Job<JobData>): Promise<unknown> => {
    if (name === 'verify') return runVerify(data as VerifyData, options.patienceMs);
    if (name === 'replay') return runReplay(data as ReplayData, options.patienceMs);
    const submission = data as GradeData;
    const { pool } = await openExercise(opened, redis, submission, options);
    return pool.grade(filesOf(submission), submission.seed);
  };
  const worker: Worker<JobData, unknown> = new bullmq.Worker<JobData, unknown>(queueName(), perform, {
    connection,
    concurrency: jobs,
    lockDuration: LOCK_MS,
    stalledInterval: STALLED_MS,
    // A job that ends its worker once more than that fails.
    maxStalledCount: MOST_TRIES - 1,
  });
  worker.on('error', () => {});
  say(
    `takes ${jobs} job${jobs === 1 ? '' : 's'} at a time: ${info.engine} ${info.version}, compiling in ${info.sandbox}`,
  );
  try {
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
    say('ends after its current jobs');
    await worker.close();
  } finally {
    clearInterval(telling);
    await redis.del(workerKey(id)).catch(() => {});
    connection.disconnect();
    redis.disconnect();
    for (const one of opened.values()) (await one.catch(() => undefined))?.[Symbol.dispose]();
  }
}

function filesOf({ files }: GradeData): Map<string, Uint8Array> {
  const collector = new FileCollector();
  for (const [name, text] of Object.entries(files)) {
    const bytes = Buffer.from(text, 'base64');
    // Clients that can write to Redis are not trusted with this host's files.
    if (!collector.wants(name)) continue;
    collector.reserve(name, bytes.length);
    collector.add(name, bytes);
  }
  return collector.files;
}

function openExercise(
  opened: Map<string, Promise<Opened>>,
  redis: Redis,
  { exercise: digest, points }: GradeData,
  options: WorkOptions,
): Promise<Opened> {
  const known = opened.get(digest);
  if (known !== undefined) return known;
  const opening = fetchExercise(redis, digest).then(async (folder) => {
    const { jobs, cache, patienceMs } = options;
    try {
      const pool = await Pool.open({ folder, digest, cache, jobs, patienceMs, points });
      return {
        pool,
        [Symbol.dispose]() {
          pool[Symbol.dispose]();
          rmSync(path.dirname(folder), { recursive: true, force: true });
        },
      };
    } catch (error) {
      rmSync(path.dirname(folder), { recursive: true, force: true });
      throw error;
    }
  });
  opened.set(digest, opening);
  opening.catch(() => opened.delete(digest));
  if (opened.size > OPEN) {
    const [oldest, one] = opened.entries().next().value!;
    opened.delete(oldest);
    // Jobs of it may still run: its processes end after the time limit of those.
    setTimeout(
      () =>
        void one.then(
          (it) => it[Symbol.dispose](),
          () => {},
        ),
      options.patienceMs,
    ).unref();
  }
  return opening;
}

/** Gets an exercise's files from Redis into a temporary folder, checked against its digest. */
async function fetchExercise(redis: Redis, digest: string): Promise<string> {
  let zip = await redis.getBuffer(exerciseKey(digest));
  // If Redis was unavailable and lost it, `grade` stores it again.
  for (let tries = 0; zip === null && tries < FETCH_TRIES; tries++) {
    await new Promise((resolve) => setTimeout(resolve, FETCH_MS));
    zip = await redis.getBuffer(exerciseKey(digest));
  }
  if (zip === null) throw new Error(`the exercise ${digest.slice(0, 12)} is not in Redis any more`);
  const files = unpackArchive(zip);
  if (digestOf(files) !== digest)
    throw new Error(`the exercise ${digest.slice(0, 12)} in Redis is not the one that was put there`);
  const folder = path.join(mkdtempSync(path.join(tmpdir(), 'terrarium-exercise-')), 'exercise');
  for (const [name, bytes] of files) {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  }
  return folder;
}
