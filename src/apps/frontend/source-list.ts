/**
 * Lines of a source around a place, as gdb's `list`.
 *
 * @module
 */
import { readFileSync, statSync } from 'node:fs';
import type { Debugger } from '../../debug/index.js';
import type { SourceFile } from '../../symbols/index.js';

/** A longer file is not taken for a source. */
const LONGEST = 4 * 1024 * 1024;
/** Lines before and after the place. */
const AROUND = 5;

/** A line of a source. */
export interface ListedLine {
  number: number;
  text: string;
  /** The guest is stopped in it. */
  here: boolean;
}

/** The lines of a file; undefined where it cannot be read, or is no source. */
export function readSource(file: string): readonly string[] | undefined {
  try {
    return statSync(file).size > LONGEST ? undefined : readFileSync(file, 'utf8').split(/\r?\n/);
  } catch {
    return undefined;
  }
}

/**
 * The lines around a place; undefined where its source is not known or not on this computer.
 * @param where as for breakpoints; empty: where the guest is stopped
 * @throws DebugError where there is no such place
 */
export async function sourceAround(
  debug: Debugger,
  where: string,
  textOf: (file: SourceFile) => readonly string[] | undefined,
): Promise<ListedLine[] | undefined> {
  const { source: current, pc } = await debug.state();
  const place = where === '' ? { addresses: [pc] } : await debug.locate(where);
  const source = place.source ?? debug.symbols.lines.at(place.addresses[0]!);
  const lines = source && textOf(source.file);
  if (source === undefined || lines === undefined) return undefined;
  const first = Math.max(1, source.line - AROUND);
  return lines.slice(first - 1, source.line + AROUND).map((text, i) => ({
    number: first + i,
    text,
    here: current?.file.path === source.file.path && current.line === first + i,
  }));
}

/** `=>  12  mov $5, %ax`. */
export function listedText({ number, text, here }: ListedLine): string {
  return `${here ? '=>' : '  '} ${String(number).padStart(5)}  ${text}`.trimEnd();
}
