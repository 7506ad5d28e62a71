/**
 * Grades by a queue: stores the exercise, queues the submissions, and returns the workers' verdicts.
 *
 * @module
 */
import { type Exercise, type Files, readFolder, type Verdict, withoutRun } from '../../exercises/index.js';
import type { GradingService } from '../grade.js';
import { writeZip } from '../intake/zip.js';
import { exerciseDigest } from '../job.js';
import { EXERCISE_SECONDS, exerciseKey } from './connect.js';
import { Jobs, type Shared } from './jobs.js';

export class QueueService implements GradingService {
  readonly #jobs: Jobs;
  readonly #exercise: Exercise;
  readonly #digest: string;

  private constructor(jobs: Jobs, exercise: Exercise) {
    this.#jobs = jobs;
    this.#exercise = exercise;
    this.#digest = exerciseDigest(exercise.folder);
  }

  /** @throws QueueError */
  static async open(url: string, exercise: Exercise, say: (text: string) => void): Promise<QueueService> {
    return new QueueService(await Jobs.open(url, say, sharedExercise(exercise)), exercise);
  }

  async grade(files: Files, seed: string, key: string): Promise<Verdict> {
    const contents = Object.fromEntries(
      [...files].map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]),
    );
    const { points } = this.#exercise;
    const data = { exercise: this.#digest, files: contents, seed, points };
    const answer = await this.#jobs.run('grade', data, key);
    return 'result' in answer ? (answer.result as Verdict) : withoutRun('set-aside', points, answer);
  }

  [Symbol.dispose](): void {
    this.#jobs[Symbol.dispose]();
  }
}

/** The exercise's files, where workers find them. */
function sharedExercise({ folder }: Exercise): Shared {
  const key = exerciseKey(exerciseDigest(folder));
  return {
    async put(redis) {
      await redis.set(key, writeZip(readFolder(folder)), 'EX', EXERCISE_SECONDS);
    },
    isThere: async (redis) => (await redis.exists(key)) === 1,
    async keep(redis) {
      await redis.expire(key, EXERCISE_SECONDS);
    },
  };
}
