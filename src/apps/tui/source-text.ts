import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { SourceLine } from '../../symbols/index.js';

/** A source that is longer is no source. */
const LONGEST = 4 * 1024 * 1024;

/** Lines of source files, read when they are first wanted. A file that is not there has none. */
export class SourceText {
  readonly #files = new Map<string, readonly string[] | undefined>();
  readonly #folder: string;

  /** @param folder where the image is, beside which a file may be that is not where the compiler found it */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Without the blanks around it. */
  line({ file, line }: SourceLine): string | undefined {
    const places = [
      path.resolve(file.directory ?? '.', file.path),
      path.resolve(this.#folder, file.path),
      path.join(this.#folder, file.name),
    ];
    const key = places[0]!;
    if (!this.#files.has(key)) this.#files.set(key, first(places));
    return this.#files.get(key)?.[line - 1]?.trim();
  }
}

function first(files: readonly string[]): readonly string[] | undefined {
  for (const file of files) {
    const lines = read(file);
    if (lines !== undefined) return lines;
  }
  return undefined;
}

function read(file: string): readonly string[] | undefined {
  try {
    // The image names the file: it may name a pipe, which would never end.
    const found = statSync(file);
    if (!found.isFile() || found.size > LONGEST) return undefined;
    return readFileSync(file, 'utf8').split('\n');
  } catch {
    return undefined;
  }
}
