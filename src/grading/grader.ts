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
  changeFiles,
  digestOf,
  type Exercise,
  type Files,
  judge,
  type NotCompiled,
  sandboxHere,
  type Verdict,
} from '../exercises/index.js';
import { gradingVersion, hashOf } from './job.js';
import { StoredResults } from './stored-results.js';

type Built = Compiled | NotCompiled;
type Image = Compiled['image'];

/** How many compiled submissions are kept in memory, in addition to those on the disk. */
const IN_MEMORY = 64;

export class Grader {
  readonly exercise: Exercise;
  readonly #built: Made<Built>;
  /** Images with names, for guests that died; null where there are none. */
  readonly #symbols: Made<Image | null>;
  readonly #prefix: readonly string[];
  /** Submissions for which a compiler was started. */
  compiled = 0;

  /** @param cache a folder for compiled images; without one they are kept only in memory */
  constructor(exercise: Exercise, exerciseDigest: string, cache: string | undefined) {
    this.exercise = exercise;
    this.#built = new Made(cache, 'compiled');
    this.#symbols = new Made(cache, 'symbols');
    this.#prefix = [gradingVersion(), exerciseDigest, sandboxHere()];
  }

  async grade(files: Files, seed: string): Promise<Verdict> {
    const symbols = () =>
      this.#symbols.get(this.#keyOf(files), () => buildSymbols(this.exercise, files) ?? null) ?? undefined;
    return judge(this.exercise, this.#build(files), seed, symbols, (change) => {
      const changed = changeFiles(files, change);
      return changed && this.#build(changed);
    });
  }

  #keyOf(files: Files): string {
    return hashOf([...this.#prefix, digestOf(files)]);
  }

  #build(files: Files): Built {
    return this.#built.get(this.#keyOf(files), () => {
      this.compiled++;
      return buildSubmission(this.exercise, files);
    });
  }
}

/** Compiled submissions by content: the last ones in memory, all of them on the disk. */
class Made<T> {
  readonly #stored: StoredResults<T> | undefined;
  readonly #recent = new Map<string, T>();

  constructor(cache: string | undefined, name: string) {
    this.#stored = cache === undefined ? undefined : new StoredResults(path.join(cache, name));
  }

  get(key: string, make: () => T): T {
    const recent = this.#recent;
    let value = recent.get(key) ?? this.#stored?.get(key);
    if (value === undefined) {
      value = make();
      this.#stored?.set(key, value);
    }
    recent.delete(key);
    recent.set(key, value);
    if (recent.size > IN_MEMORY) recent.delete(recent.keys().next().value!);
    return value;
  }
}
