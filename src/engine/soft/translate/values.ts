/**
 * The known values while an operation is translated.
 *
 * An operation's code is written once for all records of its form (`template.ts`), so a value from the record is not a
 * number but a formula, which is evaluated for each record. `Formula.value` is its value for the current record. Where
 * the code depends on that number, the template is valid only for records with the same bytes: see `RecordForm.pin`.
 *
 * @module
 */
import * as L from '../layout.js';
import { foldOne, foldTwo, type Plain } from './numeric.js';
import { type Access, readNow } from './state.js';

/**
 * Operators of a formula in addition to WebAssembly's instructions: a load from the record, the record's address, the
 * block's place.
 */
const Leaf = { load: -1, record: -2, delta: -3 } as const;

const I64_ADD = 0x7c;

/** The place of an operation. */
export interface Place {
  readonly view: DataView;
  record: number;
  /** Bytes from the start of the region's first block to that of the operation's. */
  delta: bigint;
}

export class Formula {
  readonly op: number;
  readonly a: Value | undefined;
  readonly b: Value | undefined;
  /** For a load: its offset from the record's start. */
  readonly offset: number;
  readonly access: Access | undefined;
  readonly value: Plain;

  private constructor(
    op: number,
    value: Plain,
    more: { a?: Value; b?: Value; offset?: number; access?: Access } = {},
  ) {
    this.op = op;
    this.value = value;
    this.a = more.a;
    this.b = more.b;
    this.offset = more.offset ?? 0;
    this.access = more.access;
  }

  static load({ view, record }: Place, offset: number, access: Access): Formula {
    return new Formula(Leaf.load, readNow(view, record + offset, access), { offset, access });
  }

  static record({ record }: Place): Formula {
    return new Formula(Leaf.record, record);
  }

  static delta({ delta }: Place): Formula {
    return new Formula(Leaf.delta, delta);
  }

  /** A formula, or a number where nothing depends on the record; undefined where it is not computed here. */
  static one(op: number, a: Value): Value | undefined {
    const value = foldOne(op, plain(a));
    return value === undefined || !(a instanceof Formula) ? value : new Formula(op, value, { a });
  }

  static two(op: number, a: Value, b: Value): Value | undefined {
    const value = foldTwo(op, plain(a), plain(b));
    if (value === undefined || !(a instanceof Formula || b instanceof Formula)) return value;
    return new Formula(op, value, { a, b });
  }

  /** The number for the operation at `place`. */
  at(place: Place): Plain {
    switch (this.op) {
      case Leaf.load:
        return readNow(place.view, place.record + this.offset, this.access!);
      case Leaf.record:
        return place.record;
      case Leaf.delta:
        return place.delta;
    }
    const a = valueAt(this.a!, place);
    return this.b === undefined ? foldOne(this.op, a)! : foldTwo(this.op, a, valueAt(this.b, place))!;
  }

  /** The number as a double, if it and all its parts are integers that fit; else undefined. Faster than `at`. */
  small(place: Place): number | undefined {
    switch (this.op) {
      case Leaf.load: {
        const { view } = place;
        const at = place.record + this.offset;
        const { bytes, signed } = this.access!;
        if (bytes === 1) return signed ? view.getInt8(at) : view.getUint8(at);
        if (bytes === 2) return signed ? view.getInt16(at, true) : view.getUint16(at, true);
        if (bytes !== 8) return undefined;
        const low = view.getInt32(at, true);
        return view.getInt32(at + 4, true) === low >> 31 ? low : undefined;
      }
      case Leaf.delta:
        return Number(place.delta);
      case I64_ADD: {
        const a = smallOf(this.a!, place);
        const b = a === undefined ? undefined : smallOf(this.b!, place);
        return b === undefined ? undefined : a! + b;
      }
      default:
        return undefined;
    }
  }

  /** The offset of the single byte of the record on which it depends; -1 where it depends on more, or on none. */
  onlyField(): number {
    let field = -1;
    let loads = 0;
    this.forEachLoad(({ offset, access }) => {
      loads++;
      field = access!.bytes === 1 ? offset : -1;
    });
    return loads === 1 ? field : -1;
  }

  /** The number if `onlyField` were `field`. */
  withField(field: number): Plain {
    if (this.op === Leaf.load) return this.access!.long ? BigInt(field) : field;
    const part = (value: Value) => (value instanceof Formula ? value.withField(field) : value);
    if (this.op < 0) return this.value;
    const a = part(this.a!);
    return this.b === undefined ? foldOne(this.op, a)! : foldTwo(this.op, a, part(this.b))!;
  }

  /** Calls `visit` with each load from the record. */
  forEachLoad(visit: (load: Formula) => void): void {
    if (this.op === Leaf.load) visit(this);
    if (this.a instanceof Formula) this.a.forEachLoad(visit);
    if (this.b instanceof Formula) this.b.forEachLoad(visit);
  }
}

export type Value = Plain | Formula;

function smallOf(value: Value, place: Place): number | undefined {
  if (value instanceof Formula) return value.small(place);
  return value >= -0x8000_0000 && value <= 0x7fff_ffff ? Number(value) : undefined;
}

/** An entry of the stack or a local: a value, or an offset from the region's first instruction. */
export class AfterRip {
  readonly offset: Value;
  constructor(offset: Value) {
    this.offset = offset;
  }
}

export type Known = Value | AfterRip;

export function plain(value: Value): Plain {
  return value instanceof Formula ? value.value : value;
}

export function valueAt(value: Value, place: Place): Plain {
  return value instanceof Formula ? value.at(place) : value;
}

/** True if two are equal for every record of the form. */
export function same(a: Known | undefined, b: Known | undefined): boolean {
  if (a === b) return true;
  if (a instanceof AfterRip && b instanceof AfterRip) return same(a.offset, b.offset);
  if (!(a instanceof Formula && b instanceof Formula)) return false;
  return (
    a.op === b.op &&
    a.offset === b.offset &&
    a.access === b.access &&
    a.value === b.value &&
    same(a.a, b.a) &&
    same(a.b, b.b)
  );
}

/** Fields that name a general register, as an offset from REGS. */
const registerFields = [L.OP_RM, L.OP_REG, L.OP_BASE, L.OP_INDEX, L.OP_VEX];
/** Fields that are part of each form. */
const formFields = [L.OP_SCALE, L.OP_SEGMENT, L.OP_ADDRESS, L.OP_FLAGS, L.OP_WIDTH];
/** The highest value of a register's field: REGS + 120 is R15. */
export const LAST_REGISTER = 120;

/** True if a field is the same for all records of a form. */
export function isFixed(offset: number, { bytes }: Access, value: Plain): boolean {
  if (bytes === 2 && offset === L.OP_HANDLER) return true;
  if (bytes !== 1) return false;
  return (
    formFields.includes(offset) || (registerFields.includes(offset) && Number(value) > LAST_REGISTER + 7)
  );
}

/** The form of a register's field: the byte within a register, without the register's number. */
function registerForm(field: number): number {
  return field <= LAST_REGISTER + 7 ? field & 7 : field;
}

/** The records of one handler that have the same code. */
export class RecordForm {
  /**
   * A bit for each byte from the previous record to the end of this one, in two words: the bytes on which the code
   * depends.
   */
  readonly #pinned = [0, 0];

  /** The code depends on the lazy flags' kind. */
  readsFlags = false;

  /** The common properties of the records of one form, as text. */
  keyOf(view: DataView, record: number, mode: number, flags: number | undefined): string {
    let key = `${mode},${this.readsFlags ? flags : ''},${hasDisplacement(view, record) ? 1 : 0}`;
    for (const field of formFields) key += `,${view.getUint8(record + field)}`;
    for (const field of registerFields) key += `,${registerForm(view.getUint8(record + field))}`;
    for (let word = 0; word < 2; word++) {
      for (let rest = this.#pinned[word]!; rest !== 0; rest &= rest - 1) {
        const byte = 32 * (word - 1) + 31 - Math.clz32(rest & -rest);
        key += `;${view.getUint8(record + byte)}`;
      }
    }
    return key;
  }

  /**
   * Makes the code depend on the formula's number. False if it already did; else the code so far is valid for too many
   * records.
   */
  pin(formula: Formula): boolean {
    let isNew = false;
    formula.forEachLoad(({ offset, access }) => {
      for (let byte = offset; byte < offset + access!.bytes; byte++) {
        if (byte >= 0 && formFields.includes(byte)) continue;
        const word = byte < 0 ? 0 : 1;
        const bit = 1 << (byte & 31);
        if ((this.#pinned[word]! & bit) !== 0) continue;
        this.#pinned[word]! |= bit;
        isNew = true;
      }
    });
    return isNew;
  }
}

export function hasDisplacement(view: DataView, record: number): boolean {
  return (
    view.getUint32(record + L.OP_DISPLACEMENT, true) !== 0 ||
    view.getUint32(record + L.OP_DISPLACEMENT + 4, true) !== 0
  );
}

/**
 * True if the formula names a register, a general one or a vector's, by one field of the record, and stays within
 * `from` and `to` for each of them.
 */
export function staysWithin(formula: Formula, place: Place, from: number, to: number): boolean {
  const value = (formula.value as number) >>> 0;
  if (value < from || value >= to) return false;
  const field = formula.onlyField();
  if (field === -1 || !registerFields.includes(field)) return false;
  const now = place.view.getUint8(place.record + field);
  if (now > LAST_REGISTER + 7) return false;
  const first = (formula.withField(now & 7) as number) >>> 0;
  const last = (formula.withField(LAST_REGISTER | (now & 7)) as number) >>> 0;
  return first >= from && last >= from && first < to && last < to;
}
