/**
 * How the command line names a trace's file and thereby its format. Imports nothing, since every command line is checked.
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

/**
 * `--trace` usually stands alone, and the next word is the image; so its file is written `--trace=FILE`. A word that names a
 * trace in JSON cannot be an image, so there a space works as well.
 */
export function joinTraceFile(words: readonly string[]): string[] {
  const joined: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const next = words[i + 1];
    if (words[i] !== '--trace') joined.push(words[i]!);
    else if (next === undefined || next.startsWith('-') || traceFormatOf(next) === 'text')
      joined.push('--trace=-');
    else {
      joined.push(`--trace=${next}`);
      i++;
    }
  }
  return joined;
}
