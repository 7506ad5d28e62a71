/**
 * Lists of address ranges, and of locations in them (DWARF 5, 2.6.2, 2.17.3, 7.25, 7.29; DWARF 4, 2.6.2, 2.17.3).
 *
 * @module
 */
import { DwarfReader } from '../dwarf-reader.js';
import type { AddressRange } from '../source-lines.js';
import { Attribute } from './names.js';
import { numberAt } from './sections.js';
import type { Entry, Unit } from './unit.js';

/** More pieces than any function or variable has. */
const MAX_PIECES = 1 << 12;

/** An entry of a list: its address range, and the expression of a location list. */
interface Piece extends AddressRange {
  expression?: Uint8Array;
}

/** The linked addresses that an entry covers; none where it has none, or is broken. */
export function rangesOf(entry: Entry): AddressRange[] {
  const low = entry.address(Attribute.lowPc);
  if (low !== undefined) {
    const high = entry.number(Attribute.highPc);
    const to = high === undefined ? entry.address(Attribute.highPc) : low + high;
    if (to !== undefined) return to > low ? [{ from: low, to }] : [];
  }
  const { unit } = entry;
  const value = entry.value(Attribute.ranges);
  if (typeof value !== 'object' || !('list' in value)) return [];
  return unlessBroken(() =>
    unit.version === 4
      ? pieces4(unit, unit.sections.ranges, value.list, false)
      : pieces5(unit, listPlace(unit, value, 'ranges'), 'ranges'),
  );
}

/** The expression of a variable's location while `pc` is the next instruction; undefined where it has none. */
export function locationAt(
  entry: Entry,
  pc: bigint,
  attribute: number = Attribute.location,
): Uint8Array | undefined {
  const { unit } = entry;
  const value = entry.value(attribute);
  if (value instanceof Uint8Array) return value;
  if (typeof value !== 'object' || !('list' in value)) return undefined;
  const pieces = unlessBroken<Piece>(() =>
    unit.version === 4
      ? pieces4(unit, unit.sections.locations, value.list, true)
      : pieces5(unit, listPlace(unit, value, 'locations'), 'locations'),
  );
  const exact = pieces.find(({ from, to }) => pc >= from && pc < to);
  return (exact ?? pieces.find(({ to }) => to === EVERYWHERE))?.expression;
}

/** The end of an entry that is valid where no other is (DW_LLE_default_location). */
const EVERYWHERE = -1n;

function listPlace(
  unit: Unit,
  { list, indexed }: { list: number; indexed: boolean },
  kind: 'ranges' | 'locations',
): number {
  if (!indexed) return list;
  const size = unit.wide ? 8 : 4;
  const section = kind === 'ranges' ? unit.sections.rangeLists : unit.sections.locationLists;
  const header = unit.wide ? 20 : 12;
  const base = unit.place(kind === 'ranges' ? Attribute.rangesBase : Attribute.locationsBase) ?? header;
  const offset = numberAt(section, base + list * size, size);
  if (offset === undefined) throw new RangeError('a list that is not there');
  return base + Number(offset);
}

/** Pairs from a base; a pair with all ones first sets the base. */
function pieces4(unit: Unit, section: Uint8Array | undefined, at: number, located: boolean): Piece[] {
  const reader = readerAt(section, at);
  const wide = unit.addressSize === 8;
  const ones = wide ? (1n << 64n) - 1n : 0xffff_ffffn;
  const word = () => (wide ? reader.u64() : BigInt(reader.u32()));
  const pieces: Piece[] = [];
  for (let { base } = unit; ; ) {
    const [first, second] = [word(), word()];
    if (first === 0n && second === 0n) return pieces;
    if (first === ones) {
      base = second;
      continue;
    }
    if (pieces.length >= MAX_PIECES) throw new RangeError('too many pieces');
    const expression = located ? { expression: reader.block(reader.u16()) } : {};
    pieces.push({ from: base + first, to: base + second, ...expression });
  }
}

/** Kinds of pieces (DW_RLE); location lists (DW_LLE) have one more between `offsetPair` and `base`. */
const Kind = {
  end: 0,
  baseIndex: 1,
  indexPair: 2,
  indexLength: 3,
  offsetPair: 4,
  base: 5,
  pair: 6,
  length: 7,
};
const DW_LLE_DEFAULT_LOCATION = 5;

function pieces5(unit: Unit, at: number, listed: 'ranges' | 'locations'): Piece[] {
  const located = listed === 'locations';
  const reader = readerAt(located ? unit.sections.locationLists : unit.sections.rangeLists, at);
  const expression = () => (located ? { expression: reader.block(reader.number()) } : {});
  const word = () => (unit.addressSize === 8 ? reader.u64() : BigInt(reader.u32()));
  const indexed = () => {
    const address = unit.addressOf(reader.number());
    if (address === undefined) throw new RangeError('an address that is not there');
    return address;
  };
  const pieces: Piece[] = [];
  for (let { base } = unit; pieces.length < MAX_PIECES; ) {
    const code = reader.u8();
    if (code === Kind.end) return pieces;
    if (located && code === DW_LLE_DEFAULT_LOCATION) {
      pieces.push({ from: 0n, to: EVERYWHERE, ...expression() });
      continue;
    }
    const kind = located && code > DW_LLE_DEFAULT_LOCATION ? code - 1 : code;
    if (kind === Kind.baseIndex) base = indexed();
    else if (kind === Kind.base) base = word();
    else pieces.push({ ...readRange(kind, base), ...expression() });
  }
  throw new RangeError('too many pieces');

  function readRange(kind: number, base: bigint): AddressRange {
    if (kind === Kind.offsetPair) return { from: base + reader.uleb(), to: base + reader.uleb() };
    if (kind === Kind.indexPair) return { from: indexed(), to: indexed() };
    if (kind === Kind.pair) return { from: word(), to: word() };
    if (kind !== Kind.indexLength && kind !== Kind.length) throw new RangeError('a piece of no kind');
    const from = kind === Kind.length ? word() : indexed();
    return { from, to: from + reader.uleb() };
  }
}

function readerAt(section: Uint8Array | undefined, at: number): DwarfReader {
  const reader = new DwarfReader(section ?? new Uint8Array(0));
  reader.skip(at);
  return reader;
}

function unlessBroken<T>(read: () => T[]): T[] {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) return [];
    throw error;
  }
}
