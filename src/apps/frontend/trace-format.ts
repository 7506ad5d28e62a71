/**
 * The file name of a trace or a profile on the command line, which selects its format. Imports nothing, since every command line is
 * checked.
 *
 * @module
 */
import type { TraceFormat } from '../../runtime/index.js';

/** The format by the file's name. */
export function traceFormatOf(target: string | true): TraceFormat {
  if (target === true) return 'text';
  if (/\.(ndjson|jsonl)$/.test(target)) return 'ndjson';
  return target.endsWith('.json') ? 'chrome' : 'text';
}

/** Options that usually stand alone, and may name a file; and which files they name. */
const joinable: Readonly<Record<string, (file: string) => boolean>> = {
  '--trace': (file) => traceFormatOf(file) !== 'text',
  '--profile': (file) => /\.(svg|json|folded)$/.test(file),
};

/**
 * `--trace` and `--profile` usually stand alone, and the next word is the image; so their file is written `--trace=FILE`. A word that
 * names a file of their own kind cannot be an image, so there a space works as well.
 */
export function joinFiles(words: readonly string[]): string[] {
  const joined: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const next = words[i + 1];
    const takes = Object.hasOwn(joinable, word) ? joinable[word] : undefined;
    if (takes === undefined) joined.push(word);
    else if (next === undefined || next.startsWith('-') || !takes(next)) joined.push(`${word}=-`);
    else {
      joined.push(`${word}=${next}`);
      i++;
    }
  }
  return joined;
}
