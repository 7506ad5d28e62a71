import { type PageRights, type PagingMode, type PagingStep, pagingPlan, readEntry } from './page-walk.js';
import { type CpuSubject, columns, hex, readPhysical, sizeText } from './words.js';

/** Consecutive linear addresses that are mapped to consecutive physical ones, with the same rights and page size. */
export interface PageRange {
  linear: bigint;
  physical: bigint;
  /** In bytes. */
  length: bigint;
  pageSize: bigint;
  rights: PageRights;
}

/** All mapped ranges. */
export interface PageMap {
  mode: PagingMode;
  ranges: PageRange[];
  /** True where the tables hold more than could be read: they are huge, or point to themselves. */
  truncated: boolean;
}

export interface PageMapLimits {
  /** The most entries to read. Default a million, which takes less than a second. */
  entries?: number;
  /** The most ranges to return. Default 4,096. */
  ranges?: number;
}

/** The whole map, in the order of linear addresses. Takes bounded time for any tables. */
export function pageMap(subject: CpuSubject, limits: PageMapLimits = {}): PageMap {
  const { mode, root, steps } = pagingPlan(subject.system);
  const map: PageMap = { mode, ranges: [], truncated: false };
  if (mode === 'off') return map;
  const reader = new MapReader(subject, map, limits);
  const all = { write: true, user: true, execute: true };
  map.truncated = !reader.table(root, steps, 0n, all);
  return map;
}

/** Walks the tables and appends each page to the map's last range where it continues that range. */
class MapReader {
  readonly #subject: CpuSubject;
  readonly #map: PageMap;
  readonly #ranges: number;
  #entries: number;

  constructor(subject: CpuSubject, map: PageMap, { entries = 1 << 20, ranges = 4096 }: PageMapLimits) {
    this.#subject = subject;
    this.#map = map;
    this.#entries = entries;
    this.#ranges = ranges;
  }

  /** One table and all below it; false where a limit was reached. */
  table(at: bigint, [step, ...below]: readonly PagingStep[], from: bigint, allowed: PageRights): boolean {
    if (step === undefined) return true;
    const { system, memory } = this.#subject;
    const { mode } = this.#map;
    const count = 1n << step.bits;
    const bytes = BigInt(step.entryBytes);
    for (let index = 0n; index < count; index++) {
      if (this.#entries-- <= 0) return false;
      const entry = readPhysical(memory, at + index * bytes, step.entryBytes);
      if (entry === undefined) continue;
      const { present, page, target, rights, problem } = readEntry(entry, step, mode, system);
      if (!present || problem !== undefined) continue;
      const linear = signed(from | (index << step.shift), mode);
      const both = {
        write: allowed.write && rights.write,
        user: allowed.user && rights.user,
        execute: allowed.execute && rights.execute,
      };
      if (page) {
        if (
          !this.#add({
            linear,
            physical: target,
            length: 1n << step.shift,
            pageSize: 1n << step.shift,
            rights: both,
          })
        )
          return false;
      } else if (!this.table(target, below, from | (index << step.shift), both)) return false;
    }
    return true;
  }

  #add(range: PageRange): boolean {
    const { ranges } = this.#map;
    const last = ranges.at(-1);
    const goesOn =
      last !== undefined &&
      last.linear + last.length === range.linear &&
      last.physical + last.length === range.physical &&
      last.pageSize === range.pageSize &&
      last.rights.write === range.rights.write &&
      last.rights.user === range.rights.user &&
      last.rights.execute === range.rights.execute;
    if (goesOn) last.length += range.length;
    else if (ranges.length >= this.#ranges) return false;
    else ranges.push(range);
    return true;
  }
}

/** In the upper half, the bits above the translated ones are set (canonical addresses). */
function signed(linear: bigint, mode: PagingMode): bigint {
  const bits = mode === '5-level' ? 57 : mode === '4-level' ? 48 : 64;
  return BigInt.asUintN(64, BigInt.asIntN(bits, linear));
}

/** How many lines of the table are shown; `pageMap` gives all. */
const SHOWN = 64;

/** A map as a table, a range a line. */
export function formatPageMap({ mode, ranges, truncated }: PageMap): string {
  if (mode === 'off') return 'paging is off: linear addresses are physical ones';
  const digits = mode === '32-bit' || mode === 'PAE' ? 8 : 16;
  const lines = [`page map: ${mode} paging, ${ranges.length} range${ranges.length === 1 ? '' : 's'}`];
  const rows = ranges
    .slice(0, SHOWN)
    .map(({ linear, physical, length, pageSize, rights }) => [
      `${linear.toString(16).padStart(digits, '0')}–${(linear + length - 1n).toString(16).padStart(digits, '0')}`,
      `→ ${hex(physical)}`,
      `r${rights.write ? 'w' : '-'}${rights.execute ? 'x' : '-'}`,
      rights.user ? 'user' : 'ring 0',
      `${sizeText(pageSize)} pages`,
    ]);
  lines.push(...columns(rows, '  '));
  if (ranges.length > SHOWN) lines.push(`  … and ${ranges.length - SHOWN} more ranges`);
  if (truncated) lines.push('  … and more that was not read: these tables are huge, or form a cycle');
  if (ranges.length === 0) lines.push('  nothing is mapped');
  return lines.join('\n');
}
