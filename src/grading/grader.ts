/**
 * Grades submissions in this process: compiles each content once, runs it, judges it. A pool and a queue start processes that do
 * this.
 *
 * @module
 */
import path from 'node:path';
import {
  buildSubmission,
  buildSymbols,
  type Compiled,
  digestOf,
  type Exercise,
  type Files,
  judge,
  type NotCompiled,
  sandboxHere,
  type Verdict,
} from '../exercises/index.js';
import { gradingVersion, hashOf } from './job.js';
import { Kept } from './kept.js';

/** Compiled contents that are kept in memory, beside those on the disk. */
const IN_MEMORY = 64;

export class Grader {
  readonly exercise: Exercise;
  readonly #kept: Kept<Compiled | NotCompiled> | undefined;
  readonly #recent = new Map<string, Compiled | NotCompiled>();
  readonly #prefix: readonly string[];
  /** Submissions for which a compiler was started. */
  compiled = 0;

  /** @param cache a folder for compiled images; without one they are kept in memory alone */
  constructor(exercise: Exercise, exerciseDigest: string, cache: string | undefined) {
    this.exercise = exercise;
    this.#kept = cache === undefined ? undefined : new Kept(path.join(cache, 'compiled'));
    this.#prefix = [gradingVersion(), exerciseDigest, sandboxHere()];
  }

  async grade(files: Files, seed: string): Promise<Verdict> {
    return judge(this.exercise, this.#build(files), seed, () => buildSymbols(this.exercise, files));
  }

  #build(files: Files): Compiled | NotCompiled {
    const key = hashOf([...this.#prefix, digestOf(files)]);
    const known = this.#recent.get(key) ?? this.#kept?.get(key);
    const built = known ?? this.#compile(files, key);
    this.#recent.delete(key);
    this.#recent.set(key, built);
    if (this.#recent.size > IN_MEMORY) this.#recent.delete(this.#recent.keys().next().value!);
    return built;
  }

  #compile(files: Files, key: string): Compiled | NotCompiled {
    this.compiled++;
    const built = buildSubmission(this.exercise, files);
    this.#kept?.set(key, built);
    return built;
  }
}
