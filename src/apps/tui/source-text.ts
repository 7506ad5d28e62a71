import { sourceFinder } from '../../runtime/index.js';
import type { SourceFile, SourceLine } from '../../symbols/index.js';
import { readSource } from '../frontend/source-list.js';

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
    return this.of(file)?.[line - 1]?.trim();
  }

  /** All lines of a file. */
  of(file: SourceFile): readonly string[] | undefined {
    const found = this.#find(file);
    if (found === undefined) return undefined;
    if (!this.#files.has(found)) this.#files.set(found, readSource(found));
    return this.#files.get(found);
  }
}
