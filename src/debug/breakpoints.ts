/**
 * Breakpoints and watchpoints by name and line, with numbers, conditions and counts.
 *
 * @module
 */
import type { Watchpoint as CpuWatchpoint } from '../engine/contract/index.js';
import type { SourceFile, SourceLine, SymbolTable } from '../symbols/index.js';
import { DebugError } from './errors.js';

/** The options of a breakpoint. */
export interface BreakpointOptions {
  /** Stops only where the value of this is not 0; see `evaluate`. */
  condition?: string;
  /** Which hits stop: `5` the fifth and later, `>5`, `>=5`, `=5`, `%5` every fifth. Hits whose condition does not hold are not counted. */
  hitCondition?: string;
  /** Logs this text and continues; expressions in `{}` are evaluated. */
  log?: string;
}

/** A breakpoint. */
export interface Breakpoint extends BreakpointOptions {
  readonly id: number;
  /** The location as requested. */
  readonly location: string;
  /** Linear, sorted; a line that was inlined twice has two. */
  readonly addresses: readonly bigint[];
  /** The place in the source: for a line without code, the next one with code. */
  readonly source?: SourceLine;
  readonly symbol?: string;
  enabled: boolean;
  /** How often it was reached with its condition true. */
  hits: number;
}

/** The watched bytes. */
export interface Watchpoint extends BreakpointOptions {
  readonly id: number;
  readonly expression: string;
  readonly address: bigint;
  readonly length: number;
  readonly on: CpuWatchpoint['on'];
  enabled: boolean;
  hits: number;
}

/** The name of a location in the code. */
export interface Location {
  addresses: readonly bigint[];
  source?: SourceLine;
}

/** The file that `path` means: of those with its name, the one with the longest common end. */
export function findSourceFile(symbols: SymbolTable, path: string): SourceFile | undefined {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  const name = parts.at(-1);
  let best: SourceFile | undefined;
  let longest = 0;
  for (const file of symbols.lines.files) {
    if (file.name !== name) continue;
    const theirs = `${file.directory ?? ''}/${file.path}`
      .split('/')
      .filter((part) => part !== '' && part !== '.');
    let common = 0;
    while (common < parts.length && parts.at(-1 - common) === theirs.at(-1 - common)) common++;
    if (common > longest) {
      best = file;
      longest = common;
    }
  }
  return best;
}

/** `kernel.S:12`: undefined where the text is no file and line. @throws DebugError where the file or its line has no code */
export function locateLine(symbols: SymbolTable, text: string, here?: SourceLine): Location | undefined {
  const match = /^\s*(.*?):(\d+)\s*$/.exec(text);
  if (match === null) return undefined;
  const [, path = '', digits = ''] = match;
  const file = path === '' ? here?.file : findSourceFile(symbols, path);
  if (file === undefined) {
    if (path !== '' && !/\.\w+$/.test(path)) return undefined;
    const names = [...new Set(symbols.lines.files.map((one) => one.name))];
    throw new DebugError(
      path === '' ? 'no source is known here' : `there is no code from ${path}`,
      names.length > 0
        ? `sources: ${names.slice(0, 8).join(', ')}`
        : 'the image has no line numbers: compile it with -g',
    );
  }
  return placesOfLine(symbols, file, Number(digits));
}

/** @throws DebugError where neither the line nor one after it has code */
export function placesOfLine(symbols: SymbolTable, file: SourceFile, line: number): Location {
  const found = symbols.lines.placesOf(file, line);
  if (found === undefined) throw new DebugError(`${file.name} has no code in line ${line} or after it`);
  return { addresses: found.addresses, source: { file, line: found.line } };
}

/** Whether a hit with that number stops. @throws DebugError where the condition is none */
export function hitStops(condition: string | undefined, hits: number): boolean {
  if (condition === undefined || condition.trim() === '') return true;
  const match = /^\s*(>=|<=|==|=|>|<|%)?\s*(\d+)\s*$/.exec(condition);
  if (match === null) throw new DebugError(`'${condition}' is not a hit condition`, 'such as 5, >5, =5, %5');
  const number = Number(match[2]);
  switch (match[1]) {
    case '>':
      return hits > number;
    case '<':
      return hits < number;
    case '<=':
      return hits <= number;
    case '=':
    case '==':
      return hits === number;
    case '%':
      return number > 0 && hits % number === 0;
    default:
      return hits >= number;
  }
}
