/**
 * A machine's exits for a page: the last ones, by their numbers, with their moments.
 *
 * @module
 */
import type { Access, AccessWords, Device } from '../devices/contract/index.js';
import { type Exit, exitKindNames, isAccess } from '../engine/contract/index.js';
import type { ExitObserver } from '../machine/index.js';
import type { ExitRow, ExitTimeline } from './messages.js';

/** How many exits are kept: a power of two. */
const CAPACITY = 1 << 16;
const MASK = CAPACITY - 1;
/** Rows of a timeline; all others share one row. */
const MAX_ROWS = 8;
/** The most rows and columns of one answer. */
const MOST_ROWS = 1000;
const MOST_COLUMNS = 4096;

/** The columns of the ring: an object for each exit would keep the garbage collector busy. */
class Columns {
  readonly kinds = new Uint8Array(CAPACITY);
  readonly writes = new Uint8Array(CAPACITY);
  readonly sizes = new Uint8Array(CAPACITY);
  readonly counts = new Uint32Array(CAPACITY);
  readonly addresses = new Float64Array(CAPACITY);
  readonly instructions = new Float64Array(CAPACITY);
  readonly devices = new Int16Array(CAPACITY);
  readonly data = new DataView(new ArrayBuffer(8 * CAPACITY));
  readonly ripLow = new Uint32Array(CAPACITY);
  readonly ripHigh = new Uint32Array(CAPACITY);
  readonly words = new Array<AccessWords | undefined>(CAPACITY);
}

/** The observer of a machine that can go back: exits on a new path replace those recorded before. */
export class ExitList implements ExitObserver {
  readonly #ring = new Columns();
  readonly #names: readonly string[];
  readonly #number: () => number;
  #total = 0;
  #first = 0;
  #words: AccessWords | undefined;

  /** @param number the number of the exit that is recorded, from 1 */
  constructor(names: readonly string[], number: () => number) {
    this.#names = names;
    this.#number = number;
  }

  get total(): number {
    return this.#total;
  }

  begin(): void {}

  flush(): void {}

  access(device: Device, access: Access, offset: number): void {
    this.#words = offset === 0 ? device.describeAccess?.(access) : this.#words;
  }

  record(exit: Exit, device: number, _started: number, _ended: number, instructions = 0): void {
    const number = this.#number();
    if (number !== this.#total + 1) this.#first = Math.max(0, Math.min(this.#first, number - 1));
    this.#total = number;
    this.#first = Math.max(this.#first, number - CAPACITY);
    const at = (number - 1) & MASK;
    const ring = this.#ring;
    const access = isAccess(exit.kind);
    ring.kinds[at] = exit.kind;
    ring.writes[at] = access && exit.write ? 1 : 0;
    ring.sizes[at] = access ? exit.size : 0;
    ring.counts[at] = access ? exit.count : 0;
    ring.addresses[at] = access ? exit.address : 0;
    ring.instructions[at] = instructions;
    ring.devices[at] = device;
    ring.ripLow[at] = exit.ripLow;
    ring.ripHigh[at] = exit.ripHigh;
    ring.words[at] = access ? this.#words : undefined;
    const bytes = access ? Math.min(exit.size, 8) : 0;
    for (let i = 0; i < 8; i++)
      ring.data.setUint8(8 * at + i, i < bytes ? exit.data.getUint8(exit.offset + i) : 0);
    this.#words = undefined;
  }

  /** Up to `count` exits from number `from` on. */
  rows(from: number, count: number): ExitRow[] {
    const rows: ExitRow[] = [];
    const first = Math.max(this.#first, Math.trunc(from) - 1 || 0);
    const end = Math.min(this.#total, first + Math.min(count, MOST_ROWS));
    for (let i = first; i < end; i++) rows.push(this.#rowOf(i));
    return rows;
  }

  /**
   * Columns over a part of the guest's time, in instructions.
   *
   * @param until the last moment
   * @param part all of it by default
   */
  timeline(columns: number, until: number, part: { from?: number; to?: number } = {}): ExitTimeline {
    const width = Math.max(1, Math.min(MOST_COLUMNS, Math.trunc(columns) || 1));
    const end = Math.max(until, 1);
    const from = Math.max(0, Math.min(Math.trunc(part.from ?? 0) || 0, end - 1));
    const to = Math.max(from + 1, Math.min(Math.trunc(part.to ?? end) || end, end));
    const rows = new Map<string, { counts: number[]; firsts: number[] }>();
    for (let i = this.#first; i < this.#total; i++) {
      const at = this.#ring.instructions[i & MASK]!;
      if (at > until) continue;
      let name = this.#nameOf(i & MASK);
      // All have their rows, so that these do not change with the part.
      if (!rows.has(name) && rows.size >= MAX_ROWS) name = 'others';
      let row = rows.get(name);
      if (row === undefined) {
        row = { counts: new Array<number>(width).fill(0), firsts: new Array<number>(width).fill(0) };
        rows.set(name, row);
      }
      if (at < from || at > to) continue;
      const column = Math.min(width - 1, Math.floor(((at - from) / (to - from)) * width));
      if (row.counts[column]!++ === 0) row.firsts[column] = i + 1;
    }
    const list = [...rows].map(([name, row]) => ({ name, ...row }));
    return { from, to, until: end, rows: list, first: this.#first + 1, total: this.#total };
  }

  #nameOf(at: number): string {
    const kind = this.#ring.kinds[at]!;
    const device = this.#ring.devices[at]!;
    if (!isAccess(kind)) return exitKindNames[kind] ?? 'unknown';
    return device < 0 ? '(nobody)' : (this.#names[device] ?? `device ${device}`);
  }

  #rowOf(index: number): ExitRow {
    const at = index & MASK;
    const ring = this.#ring;
    const [size, data] = [ring.sizes[at]!, ring.data.getBigUint64(8 * at, true)];
    return {
      number: index + 1,
      kind: exitKindNames[ring.kinds[at]!] ?? 'unknown',
      write: ring.writes[at] === 1,
      address: ring.addresses[at]!,
      size,
      count: ring.counts[at]!,
      data,
      device: this.#nameOf(at),
      words: wordsOf(ring.words[at], size, data),
      rip: (BigInt(ring.ripHigh[at]!) << 32n) | BigInt(ring.ripLow[at]!),
      instructions: ring.instructions[at]!,
    };
  }
}

function wordsOf(words: AccessWords | undefined, size: number, data: bigint): string {
  if (words === undefined) return '';
  const says = size <= 4 ? (words.says?.(Number(data)) ?? '') : '';
  return says === '' ? words.register : `${words.register}: ${says}`;
}
