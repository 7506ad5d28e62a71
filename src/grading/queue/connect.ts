/**
 * The queue in Redis: its packages, which are loaded when it is used, its connection and its names.
 *
 * @module
 */
import type { Redis } from 'ioredis';
import { TerrariumError } from '../../errors.js';
import { gradingVersion } from '../job.js';
import type { ReplayData, VerifyData } from './command-job.js';

export class QueueError extends TerrariumError {
  constructor(message: string, hint?: string, cause?: unknown) {
    super('EQUEUE', message, { ...(hint !== undefined && { hint }), ...(cause !== undefined && { cause }) });
  }
}

/** How long a Redis may take to answer at the start. */
const ANSWERS_MS = 10_000;

/** A worker that does not renew its lock for this long is dead; its jobs go to others. */
export const LOCK_MS = 8_000;
/** How often jobs of dead workers are looked for. */
export const STALLED_MS = 2_000;

/** A queue for each version: a worker of another version never sees the jobs of this one. */
export const queueName = () => `terrarium-grading-${gradingVersion().replaceAll(':', '-')}`;
/** The key of an exercise, as a ZIP, by its digest. */
export const exerciseKey = (digest: string) => `terrarium:exercise:${digest}`;
/** The key of a worker's record. */
export const workerKey = (id: string) => `terrarium:worker:${id}`;
/** Exercises that no job has used for this long are dropped: a week, in seconds. */
export const EXERCISE_SECONDS = 7 * 24 * 3600;

/** The data of a job, by its name in the queue. */
export interface JobsData {
  readonly grade: GradeData;
  readonly verify: VerifyData;
  readonly replay: ReplayData;
}
export type JobKind = keyof JobsData;
export type JobData = JobsData[JobKind];

/** A submission. */
export interface GradeData {
  readonly exercise: string;
  /** Contents in base64, by name. */
  readonly files: Readonly<Record<string, string>>;
  readonly seed: string;
  readonly points: number;
}

/** A worker's record about itself. */
export interface WorkerInfo {
  readonly version: string;
  readonly engine: string;
  readonly sandbox: string;
  readonly jobs: number;
}

/** The packages of the queue, which are optional. @throws QueueError where they are not installed */
export async function loadQueue(): Promise<{
  bullmq: typeof import('bullmq');
  Redis: typeof import('ioredis').Redis;
}> {
  try {
    const [bullmq, { Redis }] = await Promise.all([import('bullmq'), import('ioredis')]);
    return { bullmq, Redis };
  } catch (cause) {
    throw new QueueError(
      'a queue needs the packages bullmq and ioredis, which are not installed',
      'npm install --global bullmq ioredis, or in your project: npm install bullmq ioredis',
      cause,
    );
  }
}

/** A connection to Redis. It is made again when it breaks. @throws QueueError where nothing answers at the start */
export async function connect(url: string, say: (text: string) => void): Promise<Redis> {
  const place = withoutPassword(url);
  const { Redis } = await loadQueue();
  const redis = new Redis(url, {
    maxRetriesPerRequest: null,
    lazyConnect: true,
    connectTimeout: ANSWERS_MS,
    retryStrategy: (times) => Math.min(times * 100, 2000),
  });
  let lost = false;
  let last = '';
  redis.on('error', (error: Error) => {
    last = error.message;
    if (!lost && started) say(`Redis at ${place} does not answer (${error.message}): waiting for it`);
    lost ||= started;
  });
  redis.on('ready', () => {
    if (lost) say(`Redis at ${place} answers again`);
    lost = false;
  });
  let started = false;
  try {
    await redis.connect();
    await redis.ping();
    started = true;
    return redis;
  } catch (cause) {
    redis.disconnect();
    throw new QueueError(
      `no Redis at ${place}: ${last || (cause as Error).message}`,
      'start one (redis-server or valkey-server), or correct the address: redis://HOST:6379',
      cause,
    );
  }
}

/** @throws QueueError for an invalid address */
export function checkQueueUrl(url: string): string {
  let protocol: string;
  try {
    ({ protocol } = new URL(url));
  } catch {
    protocol = '';
  }
  if (protocol === 'redis:' || protocol === 'rediss:') return url;
  throw new QueueError(
    `'${withoutPassword(url)}' is no address of a Redis`,
    'write redis://HOST:6379, or rediss:// for TLS',
  );
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, '//');
}
