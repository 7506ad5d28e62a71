/**
 * The kernel's own table of symbols (`kernel/kallsyms.c`, written by `scripts/kallsyms.c`): names as tokens of a table of 256, addresses as
 * offsets from a base. A stock kernel has it in its RAM, where a debugger outside of the guest has no System.map.
 *
 * The guest may write anything there: each length is checked, and a table that contradicts itself is none.
 *
 * @module
 */
import type { ElfSymbol } from '../../symbols/index.js';
import type { Ram, Window } from './ram.js';

/** KSYM_NAME_LEN. */
const LONGEST_NAME = 512;
/** The most symbols; Debian's kernel has 90,000. */
const MOST_SYMBOLS = 1 << 19;
/** All names together, in characters. */
const MOST_TEXT = 1 << 25;
/** A marker is the offset of each 256th name. */
const MARKED = 256;
/** Tables that look like one, and places where the names may begin: a guest can write as many as it likes. */
const MOST_CANDIDATES = 64;
/** The kernel is linked above this address (`Documentation/x86/x86_64/mm.rst`). */
export const KERNEL_MAP = 0xffff_ffff_8000_0000n;

/** A symbol table in the guest's memory. */
export interface Kallsyms {
  /** Guest physical address of the table of tokens. */
  readonly at: number;
  readonly symbols: readonly ElfSymbol[];
  /** Addresses within each CPU's own memory, from its beginning. */
  readonly perCpu: ReadonlyMap<string, bigint>;
}

/** A table of tokens: 256 strings, and then the offset of each. */
interface Tokens {
  readonly at: number;
  readonly end: number;
  readonly texts: readonly Uint8Array[];
}

/** All symbol tables in RAM; while a kernel boots there may be a second copy. */
export function* findKallsyms(ram: Ram): Generator<Kallsyms> {
  let candidates = 0;
  for (const at of ram.findDigits()) {
    if (++candidates > MOST_CANDIDATES) return;
    const tokens = readTokens(ram, at);
    const names = tokens && findNames(ram, tokens);
    const found = names && readSymbols(ram, tokens, names);
    if (found !== undefined) yield found;
  }
}

const align = (value: number, to = 8) => Math.ceil(value / to) * to;

/** @param digits where the tokens `0` to `9` are: all of them are the characters themselves */
function readTokens(ram: Ram, digits: number): Tokens | undefined {
  const before = ram.tail(digits - 0x30 * 64, digits);
  if (before === undefined) return undefined;
  let start = digits - before.from;
  // 48 tokens end with a NUL; the one before them ends a marker, or is padding.
  for (let ends = 0; ends <= 0x30; ends++) {
    start = before.bytes.lastIndexOf(0, start - 1);
    if (start < 0) return undefined;
    if (start === 0 && ends < 0x30) return undefined;
  }
  const at = before.from + start + 1;
  const table = ram.head(at, at + 256 * 64);
  if (at % 8 !== 0 || table === undefined) return undefined;
  const texts: Uint8Array[] = [];
  const offsets: number[] = [];
  let next = 0;
  for (let n = 0; n < 256; n++) {
    const end = table.bytes.indexOf(0, next);
    if (end < 0) return undefined;
    offsets.push(next);
    texts.push(table.bytes.slice(next, end));
    next = end + 1;
  }
  const index = align(at + next);
  const indexes = ram.window(index, index + 512);
  if (indexes === undefined || offsets.some((offset, n) => indexes.u16(index + 2 * n) !== offset))
    return undefined;
  return { at, end: index + 512, texts };
}

interface Names {
  readonly at: number;
  readonly count: number;
}

/**
 * Their number, the names and the markers precede the tokens; between these, from 6.2 on and in stable 6.1, are the names' positions in
 * alphabetical order, 3 bytes each. So the distance of the markers from the tokens follows from the number, which is searched.
 */
function findNames(ram: Ram, tokens: Tokens): Names | undefined {
  const least = Math.max(0, tokens.at - markersBefore(MOST_SYMBOLS, true));
  const area = ram.tail(least, tokens.at);
  if (area === undefined) return undefined;
  let candidates = 0;
  for (const sorted of [true, false]) {
    let last = 0;
    for (let count = MARKED + 1; count <= MOST_SYMBOLS; count++) {
      const at = tokens.at - markersBefore(count, sorted);
      if (at === last) continue;
      last = at;
      if (at < area.from) break;
      if (area.u32(at) !== 0 || area.u32(at + 4) < 2 * MARKED) continue;
      if (++candidates > MOST_CANDIDATES) return undefined;
      const names = namesBefore(ram, area, at, Math.ceil(count / MARKED));
      if (names !== undefined && at === tokens.at - markersBefore(names.count, sorted)) return names;
    }
  }
  return undefined;
}

/** How far before the tokens the markers of so many names begin. */
function markersBefore(count: number, sorted: boolean): number {
  return align(4 * Math.ceil(count / MARKED)) + (sorted ? align(3 * count) : 0);
}

/** The names whose markers are at an address: the highest marker says roughly where they begin. */
function namesBefore(ram: Ram, area: Window, at: number, markers: number): Names | undefined {
  for (let n = 1; n < markers; n++) if (area.u32(at + 4 * n) <= area.u32(at + 4 * n - 4)) return undefined;
  const size = area.u32(at + 4 * (markers - 1));
  const highest = Math.floor((at - size) / 8) * 8;
  const lowest = Math.max(16, highest - MARKED * (LONGEST_NAME + 2));
  const all = size > MOST_TEXT ? undefined : ram.window(lowest - 16, at + 4 * markers);
  if (all === undefined) return undefined;
  let candidates = 0;
  for (let start = highest; start >= lowest; start -= 8) {
    const count = all.u32(start - 8);
    if (count === 0 || count > MOST_SYMBOLS || Math.ceil(count / MARKED) !== markers) continue;
    if (++candidates > MOST_CANDIDATES) return undefined;
    if (marksFit(all, { at: start, count }, at)) return { at: start, count };
  }
  return undefined;
}

/** A name's length, of one byte or two (since 6.1), and where its tokens are. */
function lengthAt(bytes: Uint8Array, at: number): { length: number; from: number } {
  const first = bytes[at] ?? 0;
  return first & 0x80
    ? { length: (first & 0x7f) | ((bytes[at + 1] ?? 0) << 7), from: at + 2 }
    : { length: first, from: at + 1 };
}

/** True if walking the names passes each marker: one that does not fit ends the walk. */
function marksFit(area: Window, { at, count }: Names, markers: number): boolean {
  let next = at;
  for (let n = 0; n < count; n++) {
    if (n % MARKED === 0 && area.u32(markers + (n / MARKED) * 4) !== next - at) return false;
    const { length, from } = lengthAt(area.bytes, next - area.from);
    next = area.from + from + length;
    if (length === 0 || length > LONGEST_NAME || next > markers) return false;
  }
  return true;
}

/** Offsets precede the number of names until 6.3, and follow the tokens from 6.4 on. */
function readSymbols(ram: Ram, tokens: Tokens, names: Names): Kallsyms | undefined {
  const size = align(names.count * 4);
  const places = [
    { offsets: names.at - 16 - size, base: names.at - 16 },
    { offsets: tokens.end, base: tokens.end + size },
  ];
  for (const { offsets, base } of places) {
    const area = ram.window(offsets, base + 8);
    const from = area?.u64(base);
    if (area === undefined || from === undefined || from < KERNEL_MAP) continue;
    return decode(ram, tokens, names, addressesOf(area, offsets, names.count, from));
  }
  return undefined;
}

/**
 * With CONFIG_KALLSYMS_ABSOLUTE_PERCPU a positive offset is the address itself, of something in each CPU's own memory, and a negative one
 * counts from the base, less one; otherwise all are from the base. The first kind is below 0.
 */
function addressesOf(area: Window, at: number, count: number, base: bigint): BigInt64Array {
  const offsets = new Int32Array(count).map((_, n) => area.u32(at + 4 * n));
  const split = offsets.some((offset) => offset < 0);
  const addresses = new BigInt64Array(count);
  for (const [n, offset] of offsets.entries()) {
    const value = split
      ? offset < 0
        ? base - 1n - BigInt(offset)
        : BigInt(offset)
      : base + BigInt(offset >>> 0);
    addresses[n] = BigInt.asIntN(64, value);
  }
  return addresses;
}

/** `nm`'s letters of data and of absolute values. */
const DATA = /[BDRVGSC]/i;

function decode(ram: Ram, tokens: Tokens, names: Names, addresses: BigInt64Array): Kallsyms | undefined {
  const area = ram.window(names.at, tokens.at);
  if (area === undefined) return undefined;
  const texts = tokens.texts.map((bytes) => String.fromCharCode(...bytes));
  const symbols: ElfSymbol[] = [];
  const perCpu = new Map<string, bigint>();
  let next = 0;
  let total = 0;
  for (let n = 0; n < names.count; n++) {
    const { length, from } = lengthAt(area.bytes, next);
    let name = '';
    for (let at = from; at < from + length && name.length <= LONGEST_NAME; at++)
      name += texts[area.bytes[at]!]!;
    next = from + length;
    total += name.length;
    if (name.length > LONGEST_NAME || name.length < 2 || total > MOST_TEXT) return undefined;
    const address = addresses[n]!;
    if (address >= 0n) perCpu.set(name.slice(1), address);
    else
      symbols.push({
        address: BigInt.asUintN(64, address),
        size: 0n,
        name: name.slice(1),
        kind: DATA.test(name[0]!) ? 'variable' : 'function',
      });
  }
  symbols.sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
  return { at: tokens.at, symbols, perCpu };
}
