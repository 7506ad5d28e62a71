/**
 * The results that the grader stores between runs, by content: compiled images and verdicts, so that an interrupted grading can continue.
 *
 * @module
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { deserialize, serialize } from 'node:v8';

/** A folder of values by key. A file that is damaged, or of another version of Node, counts as missing. */
export class StoredResults<T> {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  get(key: string): T | undefined {
    try {
      return deserialize(readFileSync(this.#file(key))) as T;
    } catch {
      return undefined;
    }
  }

  /** Writes a value in one step: a process that dies meanwhile leaves the whole value, or none. */
  set(key: string, value: T): void {
    const file = this.#file(key);
    const partial = `${file}.${process.pid}`;
    try {
      mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
      writeFileSync(partial, serialize(value), { mode: 0o600 });
      renameSync(partial, file);
    } catch {
      // A full disk disables the cache, not the grading.
      rmSync(partial, { force: true });
    }
  }

  #file(key: string): string {
    return path.join(this.#folder, key.slice(0, 2), key);
  }
}
