import { DwarfReader } from '../dwarf-reader.js';

/** The encoding of an attribute: its name, its form, and its value where the abbreviation has it (DW_FORM_implicit_const). */
export interface AttributeForm {
  attribute: number;
  form: number;
  constant: bigint;
}

/** The shape that entries of one code have (DWARF 5, 7.5.3). */
export interface Abbreviation {
  tag: number;
  hasChildren: boolean;
  forms: readonly AttributeForm[];
}

const DW_FORM_IMPLICIT_CONST = 0x21;
/** More than any compiler writes for one unit. */
const MAX_ABBREVIATIONS = 1 << 14;
const MAX_FORMS = 1 << 8;

/** The abbreviations of a unit by their codes. @throws RangeError where they are broken */
export function readAbbreviations(section: Uint8Array, offset: number): ReadonlyMap<number, Abbreviation> {
  const reader = new DwarfReader(section);
  reader.skip(offset);
  const found = new Map<number, Abbreviation>();
  for (let code = reader.number(); code !== 0; code = reader.number()) {
    if (found.size >= MAX_ABBREVIATIONS) throw new RangeError('too many abbreviations');
    const tag = reader.number();
    const hasChildren = reader.u8() !== 0;
    found.set(code, { tag, hasChildren, forms: readForms(reader) });
  }
  return found;
}

function readForms(reader: DwarfReader): AttributeForm[] {
  const forms: AttributeForm[] = [];
  for (;;) {
    const attribute = reader.number();
    const form = reader.number();
    const constant = form === DW_FORM_IMPLICIT_CONST ? reader.sleb() : 0n;
    if (attribute === 0 && form === 0) return forms;
    if (forms.length >= MAX_FORMS) throw new RangeError('too many attributes');
    forms.push({ attribute, form, constant });
  }
}
