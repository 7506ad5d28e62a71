/**
 * Reads back what `NdjsonEncoder` and `ChromeEncoder` wrote, a line at a time. A file is not trusted: all its content is checked, and
 * nothing of it reaches a terminal unescaped.
 *
 * @module
 */

import { command } from '../command.js';
import { exitKindNames } from '../engine/contract/index.js';
import { TerrariumError } from '../errors.js';

export const directions = ['in', 'out', 'read', 'write'] as const;

/** One exit of a trace. Times are in microseconds. */
export interface TraceRecord {
  /** Its number in the run, from 1. */
  exit: number;
  /** The CPU that left the guest; 0 in traces that do not say. */
  cpu: number;
  timeUs: number;
  runUs: number;
  handleUs: number;
  kind: string;
  coalesced: boolean;
  /** The port or guest physical address; null where the exit is no access. */
  address: number | null;
  direction: '' | (typeof directions)[number];
  /** Bytes of one element, and how many there are; 0 where the exit is no access. */
  size: number;
  count: number;
  device: string | null;
  register: string | null;
}

/** A file that is no trace, or a broken one. */
export class TraceFileError extends TerrariumError {
  constructor(message: string, hint?: string) {
    super('ETRACEFILE', message, hint === undefined ? {} : { hint });
  }
}

const CHROME_HEAD = '{"displayTimeUnit":"ns","traceEvents":[';
/** Larger times are invalid: 31 years in microseconds. */
const MAX_US = 1e15;
/** Names longer than this are cut. */
const LONGEST_NAME = 80;
const kinds: ReadonlySet<unknown> = new Set(exitKindNames.filter((name) => name !== undefined));

/** Reads the lines of one file, in order. */
export class TraceParser {
  #format: 'ndjson' | 'chrome' | undefined;
  #line = 0;
  /** Names come again and again: each is cleaned once. */
  readonly #names = new Map<string, string>();

  /** The format, once a line was read. */
  get format(): 'ndjson' | 'chrome' | undefined {
    return this.#format;
  }

  /** The record of a line; undefined where the line holds no exit. @throws TraceFileError */
  read(line: string): TraceRecord | undefined {
    this.#line++;
    if (this.#format === undefined && line.trim() !== '') {
      this.#format = formatOf(line);
      if (this.#format === 'chrome') return undefined;
    }
    if (line.trim() === '' || (this.#format === 'chrome' && line.startsWith(']'))) return undefined;
    let value: unknown;
    try {
      value = JSON.parse(this.#format === 'chrome' && line.endsWith(',') ? line.slice(0, -1) : line);
    } catch {
      throw this.#broken('is no JSON');
    }
    if (typeof value !== 'object' || value === null) throw this.#broken('is no object');
    if (this.#format === 'ndjson') return this.#record(value as Record<string, unknown>);
    const { ph, cat, args } = value as Record<string, unknown>;
    if (ph !== 'X' || cat === 'guest') return undefined;
    if (typeof args !== 'object' || args === null) throw this.#broken("has no 'args'");
    return this.#record(args as Record<string, unknown>);
  }

  #record(fields: Record<string, unknown>): TraceRecord {
    const { kind, port, address, direction, coalesced } = fields;
    if (!kinds.has(kind)) throw this.#broken("has no 'kind' of an exit");
    const place = port ?? address;
    if (direction !== undefined && !directions.includes(direction as 'in'))
      throw this.#broken(`has the direction ${cut(JSON.stringify(direction))}`);
    return {
      exit: this.#number(fields, 'exit', Number.MAX_SAFE_INTEGER),
      cpu: fields.cpu === undefined ? 0 : this.#number(fields, 'cpu', 255),
      timeUs: this.#number(fields, 'time_us', MAX_US),
      runUs: this.#number(fields, 'run_us', MAX_US),
      handleUs: this.#number(fields, 'handle_us', MAX_US),
      kind: kind as string,
      coalesced: coalesced === true,
      address: place === undefined ? null : this.#address(place),
      direction: (direction ?? '') as TraceRecord['direction'],
      size: place === undefined ? 0 : this.#number(fields, 'size', 64),
      count:
        place === undefined ? 0 : fields.count === undefined ? 1 : this.#number(fields, 'count', 2 ** 32),
      device: this.#name(fields, 'device'),
      register: this.#name(fields, 'register'),
    };
  }

  #number(fields: Record<string, unknown>, name: string, most: number): number {
    const value = fields[name];
    if (typeof value === 'number' && value >= 0 && value <= most) return value;
    throw this.#broken(`has ${value === undefined ? 'no' : 'no number as'} '${name}'`);
  }

  #address(text: unknown): number {
    const value = typeof text === 'string' && /^0x[\da-f]{1,14}$/.test(text) ? Number(text) : Number.NaN;
    if (Number.isSafeInteger(value)) return value;
    throw this.#broken('has an invalid address');
  }

  #name(fields: Record<string, unknown>, name: string): string | null {
    const value = fields[name];
    if (value === undefined) return null;
    if (typeof value !== 'string') throw this.#broken(`has no text as '${name}'`);
    let known = this.#names.get(value);
    if (known === undefined) {
      known = cut(value.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '·'));
      if (this.#names.size >= 4096) this.#names.clear();
      this.#names.set(value, known);
    }
    return known;
  }

  #broken(what: string): TraceFileError {
    return new TraceFileError(
      `line ${this.#line} ${what}`,
      `a trace is written by ${command('run IMAGE --trace FILE.ndjson')} (or FILE.json)`,
    );
  }
}

function cut(text: string): string {
  return text.length > LONGEST_NAME ? `${text.slice(0, LONGEST_NAME - 1)}…` : text;
}

function formatOf(line: string): 'ndjson' | 'chrome' {
  if (line === CHROME_HEAD) return 'chrome';
  if (line.startsWith('{"exit":')) return 'ndjson';
  const text = /^ +exit +(cpu +)?time +rip/.test(line);
  throw new TraceFileError(
    text ? 'this is a trace for people to read' : 'this is not a trace of terrarium',
    `write one with ${command('run IMAGE --trace FILE.ndjson')} (or FILE.json)`,
  );
}
