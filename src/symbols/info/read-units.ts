import { DwarfReader } from '../dwarf-reader.js';
import { type Abbreviation, readAbbreviations } from './abbreviations.js';
import { Attribute } from './names.js';
import type { DebugSections } from './sections.js';
import { type Entry, readEntry, Unit } from './unit.js';

/** More units, and more entries in all that are kept, than a kernel of a course or a class has. */
const MAX_UNITS = 1 << 14;
const MAX_ENTRIES = 1 << 19;
const DEEPEST = 256;
/** DW_LANG_Mips_Assembler: assemblers write a unit with labels, which adds nothing to the symbols. */
const DW_LANG_ASSEMBLER = 0x8001n;
/** DW_UT_compile and DW_UT_partial: other units belong to other files, or have only types. */
const unitTypes: ReadonlySet<number> = new Set([1, 3]);

/** The units of a file; their content is read on demand, and cached up to a limit. */
export class Units {
  readonly list: readonly Unit[];
  readonly #sections: DebugSections;
  readonly #places = new Map<Unit, { at: number; end: number; abbreviations: number }>();
  readonly #abbreviations = new Map<number, ReadonlyMap<number, Abbreviation>>();
  readonly #entries = new Map<Unit, ReadonlyMap<number, Entry>>();
  #left = MAX_ENTRIES;

  constructor(sections: DebugSections) {
    this.#sections = sections;
    const units: Unit[] = [];
    const reader = new DwarfReader(sections.info);
    try {
      while (reader.left > 4 && units.length < MAX_UNITS) {
        const unit = this.#readHeader(reader);
        if (unit !== undefined) units.push(unit);
      }
    } catch (error) {
      // The units so far are valid.
      if (!(error instanceof RangeError)) throw error;
    }
    this.list = units;
  }

  /** The entries of a unit by their places; those before the place where it is broken, or where the bound is met. */
  entriesOf(unit: Unit): ReadonlyMap<number, Entry> {
    let entries = this.#entries.get(unit);
    if (entries === undefined) {
      entries = this.#read(unit);
      this.#entries.set(unit, entries);
    }
    return entries;
  }

  /** The entry at a place in `.debug_info`. */
  entryAt(offset: number): Entry | undefined {
    let [low, high] = [0, this.list.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.list[middle]!.start <= offset) low = middle + 1;
      else high = middle;
    }
    const unit = this.list[low - 1];
    return unit && this.entriesOf(unit).get(offset);
  }

  /** Undefined for a unit that is not read. */
  #readHeader(reader: DwarfReader): Unit | undefined {
    const start = reader.at;
    let length: number = reader.u32();
    const wide = length === 0xffff_ffff;
    if (wide) length = Number(reader.u64());
    const end = reader.at + length;
    if (!(end <= reader.bytes.length)) throw new RangeError('a unit past the end');
    const version = reader.u16();
    try {
      if (version !== 4 && version !== 5) return undefined;
      if (version === 5 && !unitTypes.has(reader.u8())) return undefined;
      let [abbreviations, addressSize] = [0, 0];
      if (version === 5) addressSize = reader.u8();
      abbreviations = reader.offset(wide);
      if (version === 4) addressSize = reader.u8();
      if (addressSize !== 4 && addressSize !== 8) return undefined;
      const unit = new Unit(this.#sections, { start, version, wide, addressSize });
      const root = readEntry(reader, unit, this.#abbreviationsAt(abbreviations), undefined);
      if (root === undefined || root.entry.number(Attribute.language) === DW_LANG_ASSEMBLER) return undefined;
      unit.root = root.entry;
      this.#places.set(unit, { at: root.entry.offset, end, abbreviations });
      return unit;
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    } finally {
      reader.at = end;
    }
  }

  #abbreviationsAt(offset: number): ReadonlyMap<number, Abbreviation> {
    let found = this.#abbreviations.get(offset);
    if (found === undefined) {
      found = readAbbreviations(this.#sections.abbreviations, offset);
      this.#abbreviations.set(offset, found);
    }
    return found;
  }

  #read(unit: Unit): ReadonlyMap<number, Entry> {
    const entries = new Map<number, Entry>();
    const { at, end, abbreviations } = this.#places.get(unit)!;
    const reader = new DwarfReader(this.#sections.info.subarray(0, end));
    reader.at = at;
    try {
      const known = this.#abbreviationsAt(abbreviations);
      const above: Entry[] = [];
      do {
        if (this.#left-- <= 0) break;
        const read = readEntry(reader, unit, known, above.at(-1));
        if (read === undefined) {
          above.pop();
          continue;
        }
        // The unit's own entry is known, and others hold it.
        const entry = above.length === 0 ? unit.root : read.entry;
        above.at(-1)?.children.push(entry);
        entries.set(entry.offset, entry);
        if (!read.hasChildren) continue;
        if (above.length >= DEEPEST) throw new RangeError('entries too deep');
        above.push(entry);
      } while (above.length > 0 && reader.left > 0);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
    return entries;
  }
}
