import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { SourceLine } from '../../symbols/index.js';

/** A longer file is not taken for a source. */
const LONGEST = 4 * 1024 * 1024;

/** Lines of source files, read on first use. A missing file has none. */
export class SourceText {
  readonly #files = new Map<string, readonly string[] | undefined>();
  readonly #folder: string;

  /** @param folder the image's folder: a file may be in it that is no longer where the compiler found it */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Without surrounding whitespace. */
  line({ file, line }: SourceLine): string | undefined {
    const places = placesOf(file, this.#folder);
    const key = places[0]!;
    if (!this.#files.has(key)) this.#files.set(key, first(places));
    return this.#files.get(key)?.[line - 1]?.trim();
  }
}

/**
 * Where a source may be: where the compiler found it; or in the image's folder, by the same path, or by its name alone if it lay right
 * where the compiler ran, or in a folder of that name. Another file of the same name is none.
 */
function placesOf({ directory, path: given, name }: SourceLine['file'], folder: string): string[] {
  // DWARF before 5 does not say here where the compiler ran: what lies beside the image comes first then.
  const compiled = path.resolve(directory ?? '.', given);
  const its = path.dirname(compiled);
  const moved = its === path.resolve(directory ?? '.') || path.basename(its) === path.basename(folder);
  const beside = [
    ...(path.isAbsolute(given) ? [] : [path.resolve(folder, given)]),
    ...(moved ? [path.join(folder, name)] : []),
  ];
  const isKnown = directory !== undefined || path.isAbsolute(given);
  return isKnown ? [compiled, ...beside] : [...beside, compiled];
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
    // The image names the file, and may name a pipe, which never ends.
    const found = statSync(file);
    if (!found.isFile() || found.size > LONGEST) return undefined;
    return readFileSync(file, 'utf8').split('\n');
  } catch {
    return undefined;
  }
}
