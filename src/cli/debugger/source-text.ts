import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { SourceLine } from '../../observe/index.js';

/** A source that is longer is no source. */
const LONGEST = 4 * 1024 * 1024;

/** Lines of source files, read when they are first wanted. A file that is not there has none. */
export class SourceText {
  readonly #files = new Map<string, readonly string[] | undefined>();

  /** Without the blanks around it. */
  line({ file, line }: SourceLine): string | undefined {
    const full = path.resolve(file.directory ?? '.', file.path);
    if (!this.#files.has(full)) this.#files.set(full, read(full));
    return this.#files.get(full)?.[line - 1]?.trim();
  }
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
