/**
 * The operand stack while a function of the program is followed: known values stay off WebAssembly's own stack until
 * they are needed there.
 *
 * @module
 */
import { Local, MOST_INTEGERS } from './locals.js';
import { absorbs, keepsFirst, mayExchange, type Plain, shapeOf } from './numeric.js';
import { Op, Type } from './program.js';
import type { TemplateWriter } from './template.js';
import { AfterRip, Formula, type Known, type Place, type RecordForm, type Value } from './values.js';

/** The interpreter must execute the operation. */
export class CannotFold extends Error {}

/** The code depends on more of the record than assumed: it is written again. */
export class DependsOnMore extends Error {}

const I32_ADD = 0x6a;
const I32_AND = 0x71;
const I64_ADD = 0x7c;
const I64_SUB = 0x7d;
const I64_AND = 0x83;
const I64_SHR_U = 0x88;
const I32_WRAP = 0xa7;
const I64_EXTEND_U = 0xad;
/** `i64.const 32`, `i64.shl`. */
const SHIFTED_32 = [Op.i64Const, 32, 0x86];

export interface Entry {
  type: number;
  /** Undefined where it is on WebAssembly's own stack. */
  value: Known | undefined;
  /** It is the TLB's addend, or an address in memory, which is not 0. */
  is?: 'addend' | 'place' | undefined;
}

/** The operation for which code is written, and its conditions. */
export interface Subject {
  readonly writer: TemplateWriter;
  readonly place: Place;
  readonly form: RecordForm;
  readonly mode: number;
  /** It leaves at a TLB miss. */
  readonly leaves: boolean;
}

export class Operands {
  readonly entries: Entry[] = [];
  readonly #writer: TemplateWriter;
  readonly #form: RecordForm;

  constructor({ writer, form }: Subject) {
    this.#writer = writer;
    this.#form = form;
  }

  get length(): number {
    return this.entries.length;
  }

  set length(length: number) {
    this.entries.length = length;
  }

  push(type: number, value?: Known, is?: Entry['is']): void {
    this.entries.push({ type, value, is });
  }

  pop(): Entry {
    return this.entries.pop()!;
  }

  top(): Entry {
    return this.entries.at(-1)!;
  }

  /** The entry as a number, on which the code depends from here on; undefined where it is not known. */
  decide(known: Known | undefined): number | bigint | undefined {
    if (known instanceof AfterRip) return undefined;
    if (!(known instanceof Formula)) return known;
    if (this.#form.pin(known)) throw new DependsOnMore();
    return known.value;
  }

  temporary(type: number): number {
    const local = this.#writer.temporary(type);
    if (local === undefined) throw new CannotFold(`more than ${MOST_INTEGERS} values at once`);
    return local;
  }

  /** Puts a known value onto WebAssembly's stack. */
  constant(value: Known): void {
    const writer = this.#writer;
    if (value instanceof AfterRip) {
      writer.local(Op.localGet, Local.rip);
      this.constant(value.offset);
      writer.op(I64_ADD);
    } else if (typeof value === 'number' || (value instanceof Formula && typeof value.value === 'number'))
      writer.i32(value as number | Formula);
    else writer.i64(value as bigint | Formula);
  }

  /** Puts the top entries onto WebAssembly's stack, in their order. */
  realise(count: number): void {
    const entries = this.entries;
    const first = entries.findIndex(({ value }, n) => n >= entries.length - count && value !== undefined);
    if (first === -1) return;
    const aside: number[] = [];
    for (let n = entries.length - 1; n > first; n--) {
      const { value, type } = entries[n]!;
      if (value !== undefined) continue;
      aside[n] = this.temporary(type);
      this.#writer.local(Op.localSet, aside[n]!);
    }
    for (let n = first; n < entries.length; n++) {
      const { value, type } = entries[n]!;
      if (aside[n] === undefined) this.constant(value!);
      else this.#writer.local(Op.localGet, aside[n]!);
      entries[n] = { type, value: undefined };
    }
  }

  /** An instruction of one or two operands without any immediate. */
  numeric(op: number): void {
    const { operands, to } = shapeOf(op);
    if (operands === 1) {
      const { value } = this.top();
      const result = value === undefined || value instanceof AfterRip ? undefined : Formula.one(op, value);
      if (result === undefined) {
        this.realise(1);
        if (op === I32_WRAP) this.#writer.wrap();
        else this.#writer.op(op);
      }
      this.entries[this.length - 1] = { type: to, value: result };
      return;
    }
    const [a, b] = this.entries.slice(-2) as [Entry, Entry];
    const value = resultOf(op, a.value, b.value);
    const isPlace = op === I32_ADD && (a.is === 'addend' || b.is === 'addend');
    if (value === undefined) {
      if (typeof b.value !== 'object' && b.value !== undefined && keepsFirst(op, b.value)) {
        this.entries.pop();
        return;
      }
      const absorbed = absorbs(op, numberOf(a), numberOf(b));
      if (absorbed !== undefined) {
        if (a.value === undefined || b.value === undefined) this.#writer.op(Op.drop);
        this.length -= 2;
        this.push(to, absorbed);
        return;
      }
      if (a.value === undefined && this.#masks(op, numberOf(b))) {
        this.length -= 2;
        this.push(to);
        return;
      }
      if (a.value !== undefined && b.value === undefined && mayExchange(op)) this.constant(a.value);
      else this.realise(2);
      this.#writer.op(op);
    }
    this.length -= 2;
    this.push(to, value, isPlace ? 'place' : undefined);
  }

  /** Writes the low half of the top operand of WebAssembly's stack in a form that its compiler optimizes. */
  #masks(op: number, b: Plain | undefined): boolean {
    const writer = this.#writer;
    if (op === I64_AND && b === 0xffff_ffffn) {
      writer.wrap();
      writer.op(I64_EXTEND_U);
      return true;
    }
    if (op === I64_SHR_U && b === 32n && writer.takeBack(SHIFTED_32)) {
      writer.wrap();
      writer.op(I64_EXTEND_U);
      return true;
    }
    // Bits that are masked out need not be a copy of the sign.
    if ((op === I32_AND || op === I64_AND) && b !== undefined && b >= 0 && b <= 255)
      writer.takeBack(op === I32_AND ? [0xc0] : [0xc2]);
    return false;
  }

  select(): void {
    const [a, b, condition] = this.entries.slice(-3) as [Entry, Entry, Entry];
    if (condition.value !== undefined && a.value !== undefined && b.value !== undefined) {
      const chosen = this.decide(condition.value) !== 0 ? a : b;
      this.length -= 3;
      this.entries.push(chosen);
      return;
    }
    this.realise(3);
    this.#writer.op(Op.select);
    this.length -= 3;
    this.push(a.type);
  }
}

/** The number that an entry is for all records; undefined where it is not constant. */
function numberOf({ value }: Entry): Plain | undefined {
  return typeof value === 'object' ? undefined : value;
}

/** The result for two operands, if it is known; also undefined where an operand is on WebAssembly's stack. */
function resultOf(op: number, a: Known | undefined, b: Known | undefined): Known | undefined {
  if (a === undefined || b === undefined) return undefined;
  if (!(a instanceof AfterRip || b instanceof AfterRip)) return Formula.two(op, a, b);
  const sum = (offset: Value, by: Known): Known | undefined =>
    by instanceof AfterRip ? undefined : new AfterRip(Formula.two(op, offset, by)!);
  if (op === I64_ADD) return a instanceof AfterRip ? sum(a.offset, b) : sum((b as AfterRip).offset, a);
  return op === I64_SUB && a instanceof AfterRip ? sum(a.offset, b) : undefined;
}

/** The initial value of a function's local, if it is an integer. */
export function zeroOf(type: number): Known | undefined {
  return type === Type.i32 ? 0 : type === Type.i64 ? 0n : undefined;
}
