import type { DwarfReader } from '../dwarf-reader.js';
import { stringAt } from '../text.js';
import type { Abbreviation, AttributeForm } from './abbreviations.js';
import { type AttributeValue, readForm, type UnitFormat } from './forms.js';
import { Attribute } from './names.js';
import { type DebugSections, numberAt } from './sections.js';

/** An entry of the debug information: a function, a variable, a type. */
export class Entry {
  readonly unit: Unit;
  /** Its place in `.debug_info`. */
  readonly offset: number;
  readonly tag: number;
  readonly parent: Entry | undefined;
  readonly children: Entry[] = [];
  readonly #forms: readonly AttributeForm[];
  readonly #values: readonly AttributeValue[];

  constructor(
    unit: Unit,
    offset: number,
    { tag, forms }: Abbreviation,
    values: readonly AttributeValue[],
    parent: Entry | undefined,
  ) {
    this.unit = unit;
    this.offset = offset;
    this.tag = tag;
    this.parent = parent;
    this.#forms = forms;
    this.#values = values;
  }

  /** The raw value; undefined where it has none. */
  value(attribute: number): AttributeValue | undefined {
    const at = this.#forms.findIndex((form) => form.attribute === attribute);
    return at < 0 ? undefined : this.#values[at];
  }

  number(attribute: number): bigint | undefined {
    const value = this.value(attribute);
    return typeof value === 'bigint' ? value : undefined;
  }

  flag(attribute: number): boolean {
    return this.value(attribute) === true;
  }

  /** A name that a terminal can show. */
  text(attribute: number): string | undefined {
    const value = this.value(attribute);
    if (typeof value === 'string') return value;
    if (typeof value !== 'object') return undefined;
    const { lineStrings, strings } = this.unit.sections;
    if ('stringAt' in value) {
      const section = value.inLines ? lineStrings : strings;
      return section && stringAt(section, value.stringAt);
    }
    if (!('stringIndex' in value)) return undefined;
    const at = this.unit.stringPlace(value.stringIndex);
    return at === undefined || strings === undefined ? undefined : stringAt(strings, at);
  }

  /** The linked address, without the image's bias. */
  address(attribute: number): bigint | undefined {
    const value = this.value(attribute);
    if (typeof value !== 'object') return undefined;
    if ('address' in value) return value.address;
    return 'addressIndex' in value ? this.unit.addressOf(value.addressIndex) : undefined;
  }

  get name(): string | undefined {
    return this.text(Attribute.name);
  }
}

/** The compilation unit of one source file. */
export class Unit implements UnitFormat {
  readonly sections: DebugSections;
  readonly start: number;
  readonly version: 4 | 5;
  readonly wide: boolean;
  readonly addressSize: 4 | 8;
  /** The unit's own entry. */
  root!: Entry;

  constructor(
    sections: DebugSections,
    { start, version, wide, addressSize }: UnitFormat & { version: 4 | 5 },
  ) {
    this.sections = sections;
    this.start = start;
    this.version = version;
    this.wide = wide;
    this.addressSize = addressSize;
  }

  addressOf(index: number): bigint | undefined {
    const base = this.place(Attribute.addressBase) ?? 8;
    return numberAt(this.sections.addresses, base + index * this.addressSize, this.addressSize);
  }

  stringPlace(index: number): number | undefined {
    const size = this.wide ? 8 : 4;
    const base = this.place(Attribute.stringOffsetsBase) ?? 2 * size;
    const at = numberAt(this.sections.stringOffsets, base + index * size, size);
    return at === undefined ? undefined : Number(at);
  }

  /** A base from the unit's own entry. */
  place(attribute: number): number | undefined {
    const value = this.root.value(attribute);
    return typeof value === 'object' && 'list' in value ? value.list : undefined;
  }

  /** The base of the addresses in its lists. */
  get base(): bigint {
    return this.root.address(Attribute.lowPc) ?? 0n;
  }
}

/** The entry at the reader; undefined for the mark that ends a list of children. @throws RangeError where it is broken */
export function readEntry(
  reader: DwarfReader,
  unit: Unit,
  abbreviations: ReadonlyMap<number, Abbreviation>,
  parent: Entry | undefined,
): { entry: Entry; hasChildren: boolean } | undefined {
  const offset = reader.at;
  const code = reader.number();
  if (code === 0) return undefined;
  const abbreviation = abbreviations.get(code);
  if (abbreviation === undefined) throw new RangeError('an abbreviation that is not there');
  const values = abbreviation.forms.map(({ form, constant }) => {
    if (form === 0x21) return constant;
    // DW_FORM_indirect: the form is written here; it cannot be indirect again.
    return readForm(reader, form === 0x16 ? reader.number() : form, unit);
  });
  return {
    entry: new Entry(unit, offset, abbreviation, values, parent),
    hasChildren: abbreviation.hasChildren,
  };
}
