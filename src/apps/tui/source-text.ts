import { readFileSync, statSync } from 'node:fs';
import { sourceFinder } from '../../runtime/index.js';
import type { SourceFile, SourceLine } from '../../symbols/index.js';

/** A longer file is not taken for a source. */
const LONGEST = 4 * 1024 * 1024;

/** Lines of source files, read on first use. A missing file has none. */
export class SourceText {
  readonly #files = new Map<string, readonly string[] | undefined>();
  readonly #find: (file: SourceFile) => string | undefined;

  /** @param folder the image's: see `sourceFinder` */
  constructor(folder: string) {
    this.#find = sourceFinder(folder);
  }

  /** Without surrounding whitespace. */
  line({ file, line }: SourceLine): string | undefined {
    const found = this.#find(file);
    if (found === undefined) return undefined;
    if (!this.#files.has(found)) this.#files.set(found, read(found));
    return this.#files.get(found)?.[line - 1]?.trim();
  }
}

function read(file: string): readonly string[] | undefined {
  try {
    return statSync(file).size > LONGEST ? undefined : readFileSync(file, 'utf8').split('\n');
  } catch {
    return undefined;
  }
}
