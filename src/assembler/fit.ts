/**
 * Whether operands fit a row of the opcode table, and where each of them goes in the encoding.
 *
 * @module
 */
import { type CodeSize, immediateKind, type Opcode, operandBytes } from '../isa/index.js';
import type { Expression } from './expression.js';
import type { Form, Notation } from './forms.js';
import type { AsmInstruction, AsmOperand, Memory, Register } from './operand.js';

/** Returns the value of an expression if it is the same number in every layout: it decides which short forms are possible. */
export type Known = (expression: Expression) => bigint | undefined;

/** An immediate as it will be encoded. */
export interface ImmediateField {
  readonly value: Expression;
  /** In bytes. */
  readonly size: number;
  /** True if the processor sign-extends it to a wider operand. */
  readonly signed: boolean;
}

/** The fields of an encoding. */
export interface Fields {
  /** ModRM.reg. */
  reg: Register | undefined;
  /** ModRM.rm. */
  rm: Register | Memory | undefined;
  /** The register in the opcode's low bits. */
  opcode: Register | undefined;
  vvvv: Register | undefined;
  immediate: ImmediateField | undefined;
  /** The level of ENTER, the selector of a far pointer. */
  second: ImmediateField | undefined;
  /** An address without ModRM. */
  offset: Expression | undefined;
  target: Expression | undefined;
  /** The registers of implicit memory operands determine the address size; their segment may be overridden. */
  implied: Memory | undefined;
}

/** A row with all values to encode. */
export interface Fit {
  readonly form: Form;
  /** In bits; undefined where the row does not depend on it. */
  readonly size: 16 | 32 | 64 | undefined;
  /** The size in bytes that a suffix names; 0 for none. */
  readonly main: number;
  readonly fields: Fields;
}

/** The element of a string instruction, and the accumulator. */
function elementBytes(row: Opcode, size: number): number {
  const letter = row.operands.find((operand) => operand.startsWith('A'))?.[1] ?? row.operands[0]?.[1];
  return operandBytes(letter ?? 'v', size, row);
}

/** The size that a mnemonic's suffix would name. */
function mainBytes(
  row: Opcode,
  notations: readonly Notation[],
  operands: readonly AsmOperand[],
  size: number,
): number {
  if (row.spelling.mnemonic.endsWith('+') || row.immediate === 'far' || /farind$/.test(row.name))
    return size / 8;
  const skipped = row.name === 'crc32' || /^cvtsi2s/.test(row.name) ? 1 : 0;
  for (const [n, written] of notations.entries()) {
    if (n < skipped) continue;
    const notation = alternative(written, operands[n]);
    if (/^(CL|DX|Ib|sIb|Iw|Sw)$/.test(notation)) continue;
    if (notation.startsWith('J')) return size / 8;
    if (/^(X|Y|A)$/.test(notation)) return elementBytes(row, size);
    const bytes = operandBytes(notation[1], size, row);
    if (bytes !== 0) return bytes;
  }
  // Memory of a size for which there is no suffix, such as FXSAVE's.
  return operands.length > 0 ? 0 : size / 8;
}

const alternative = ({ register, memory }: Notation, operand: AsmOperand | undefined) =>
  operand?.kind === 'memory' ? memory : register;

const fitsSigned = (value: bigint, bits: number) => BigInt.asIntN(bits, value) === value;

/** True if a number fits in this many bits, signed or unsigned; the complement of such a number fits too. */
const fitsEither = (value: bigint, bits: number) =>
  value < 1n << BigInt(bits) && value >= -1n << BigInt(bits);

class Matcher {
  readonly fields: Fields = {
    reg: undefined,
    rm: undefined,
    opcode: undefined,
    vvvv: undefined,
    immediate: undefined,
    second: undefined,
    offset: undefined,
    target: undefined,
    implied: undefined,
  };
  readonly #row: Opcode;
  readonly #size: number;
  readonly #code: CodeSize;
  readonly #known: Known;
  readonly #full: boolean;

  constructor(row: Opcode, size: number, code: CodeSize, known: Known, full: boolean) {
    this.#row = row;
    this.#size = size;
    this.#code = code;
    this.#known = known;
    this.#full = full;
  }

  #register(operand: AsmOperand, type: Register['class'], bytes: number): operand is Register {
    return operand.kind === 'register' && operand.class === type && (bytes === 0 || operand.size === bytes);
  }

  #memory(operand: AsmOperand, bytes: number): operand is Memory {
    return operand.kind === 'memory' && (operand.size === undefined || bytes === 0 || operand.size === bytes);
  }

  #rm(operand: AsmOperand, type: Register['class'], bytes: number): boolean {
    // The width of a vector register does not depend on how much of it a row reads.
    if (!this.#register(operand, type, type === 'general' ? bytes : 0) && !this.#memory(operand, bytes))
      return false;
    this.fields.rm = operand as Register | Memory;
    return true;
  }

  #reg(operand: AsmOperand, type: Register['class'], bytes: number): boolean {
    if (!this.#register(operand, type, bytes)) return false;
    this.fields.reg = operand;
    return true;
  }

  /** Memory at a register that the instruction itself names: (E)SI, (E)DI, (E)BX. */
  #implied(operand: AsmOperand, register: number, bytes: number): boolean {
    if (!this.#memory(operand, bytes) || operand.base?.number !== register) return false;
    if (operand.index !== undefined || operand.displacement !== undefined) return false;
    // The destination is always in ES; no prefix overrides it.
    if (register === 7 && operand.segment !== undefined && operand.segment.name !== 'es') return false;
    if (this.fields.implied === undefined || register === 6) {
      this.fields.implied = register === 7 ? { ...operand, segment: undefined } : operand;
    }
    return true;
  }

  #immediate(operand: AsmOperand, notation: string): boolean {
    if (operand.kind !== 'immediate') return false;
    const known = this.#known(operand.value);
    const value = known !== undefined && fitsEither(known, 64) ? BigInt.asIntN(64, known) : known;
    const wide = this.#size === 0 ? operandBytes(notation.at(-1), this.#size, this.#row) * 8 : this.#size;
    if (notation === 'sIb') {
      // A size in the source is the operand's, not the encoding's, unless it is strict.
      const isOther = operand.size !== undefined && operand.size !== 1;
      if (isOther && (operand.strict || operand.size !== this.#size / 8)) return false;
      if (value === undefined) return operand.size === 1 && this.#take(operand.value, 1, true);
      const signed = wide < 64 && fitsEither(value, wide) ? BigInt.asIntN(wide, value) : value;
      return fitsSigned(signed, 8) && this.#take(operand.value, 1, true);
    }
    const bytes = operandBytes(notation[1], this.#size, this.#row);
    if (operand.size !== undefined && operand.size !== bytes && operand.size !== this.#size / 8) return false;
    const extended = notation === 'Iz' && this.#size === 64;
    if (value !== undefined && !(extended ? fitsSigned(value, 32) : fitsEither(value, bytes * 8)))
      return false;
    return this.#take(operand.value, bytes, extended);
  }

  #take(value: Expression, size: number, signed: boolean): boolean {
    this.fields.immediate = { value, size, signed };
    return true;
  }

  /** True if the operand fits the notation; stores it in the fit. */
  one(notation: string, operand: AsmOperand): boolean {
    const { fields } = this;
    const bytes = operandBytes(notation[1], this.#size, this.#row);
    switch (notation[0]) {
      case 'E':
        return this.#rm(operand, 'general', bytes);
      case 'W':
        return this.#rm(operand, 'xmm', bytes);
      case 'Q':
        return this.#rm(operand, 'mmx', bytes);
      case 'M':
        if (!this.#memory(operand, bytes)) return false;
        fields.rm = operand;
        return true;
      case 'U':
      case 'N':
      case 'R': {
        const type = notation[0] === 'U' ? 'xmm' : notation[0] === 'N' ? 'mmx' : 'general';
        const wide = notation === 'Rr' ? (this.#code === 64 ? 8 : 4) : notation[0] === 'R' ? bytes : 0;
        if (!this.#register(operand, type, wide)) return false;
        fields.rm = operand;
        return true;
      }
      case 'G':
        return this.#reg(operand, 'general', bytes);
      case 'V':
        if (notation === 'V0') return operand.kind === 'register' && operand.name === 'xmm0';
        return this.#reg(operand, 'xmm', 0);
      case 'P':
        if (notation !== 'P') return this.#reg(operand, 'mmx', 0);
        return this.#far(operand);
      case 'S':
        return this.#reg(operand, 'segment', 0);
      case 'C':
        if (notation === 'CL') return operand.kind === 'register' && operand.name === 'cl';
        return this.#reg(operand, 'control', 0);
      case 'D':
        if (notation === 'DX') return operand.kind === 'register' && operand.name === 'dx';
        return this.#reg(operand, 'debug', 0);
      case 'B':
        if (!this.#register(operand, 'general', bytes)) return false;
        fields.vvvv = operand;
        return true;
      case 'Z':
        if (!this.#register(operand, 'general', bytes)) return false;
        fields.opcode = operand;
        return true;
      case 'A':
        return (
          this.#register(
            operand,
            'general',
            notation === 'A' ? elementBytes(this.#row, this.#size) : bytes,
          ) && operand.number === 0
        );
      case 'O':
        return notation === 'Op' ? this.#segment(operand) : this.#offset(operand);
      case 'T':
        if (!this.#register(operand, 'x87', 0)) return false;
        if (notation === 'T0') return operand.number === 0;
        fields.rm = operand;
        return true;
      case 'X':
        if (notation === 'Xl') return this.#implied(operand, 3, 1);
        return this.#implied(operand, 6, elementBytes(this.#row, this.#size));
      case 'Y':
        return this.#implied(operand, 7, elementBytes(this.#row, this.#size));
      case 'J':
        return this.#branch(operand, notation);
      case 'L':
        if (operand.kind !== 'immediate') return false;
        fields.second = { value: operand.value, size: 1, signed: false };
        return true;
      case '1':
        return (
          operand.kind === 'immediate' && operand.size === undefined && this.#known(operand.value) === 1n
        );
      case 'I':
      case 's':
        return this.#immediate(operand, notation);
      default:
        return false;
    }
  }

  #far(operand: AsmOperand): boolean {
    if (operand.kind !== 'far') return false;
    this.fields.immediate = { value: operand.offset, size: this.#size === 16 ? 2 : 4, signed: false };
    this.fields.second = { value: operand.selector, size: 2, signed: false };
    return true;
  }

  #segment(operand: AsmOperand): boolean {
    return (
      operand.kind === 'register' &&
      operand.class === 'segment' &&
      operand.number === ((this.#row.opcode >> 3) & 7)
    );
  }

  #offset(operand: AsmOperand): boolean {
    if (operand.kind !== 'memory' || operand.base !== undefined || operand.index !== undefined) return false;
    if (operand.displacement === undefined || operand.relative) return false;
    // In 64-bit code addresses of 64 bits are used where the source requests them, or where 32 bits are not enough.
    const known = this.#known(operand.displacement);
    const long = known !== undefined && !fitsSigned(BigInt.asIntN(64, known), 32);
    if (this.#code === 64 && !this.#full && !long) return false;
    this.fields.offset = operand.displacement;
    this.fields.implied = operand;
    return true;
  }

  #branch(operand: AsmOperand, notation: string): boolean {
    if (operand.kind !== 'target') return false;
    if (operand.distance === (notation === 'Jb' ? 'near' : 'short')) return false;
    this.fields.target = operand.value;
    return true;
  }
}

/** Tries one form with one operand size. */
function fitOne(
  form: Form,
  size: 16 | 32 | 64 | undefined,
  { operands, size: suffix, full = false }: AsmInstruction,
  code: CodeSize,
  known: Known,
): Fit | undefined {
  const { row, notations } = form;
  if (form.size !== undefined && size !== undefined && form.size !== size) return undefined;
  const without = form.implied && operands.length === 0;
  const hasMemory = operands.some(({ kind }) => kind === 'memory');
  if (!without && row.form !== 'any' && row.form !== (hasMemory ? 'memory' : 'register')) return undefined;
  const kind = immediateKind(row);
  if (full && kind !== 'offset' && kind !== 'v') return undefined;
  const main = mainBytes(row, notations, operands, size ?? 0);
  if (suffix !== undefined && main !== 0 && suffix !== main) return undefined;
  const matcher = new Matcher(row, size ?? 0, code, known, full);
  if (!without) {
    for (const [n, notation] of notations.entries()) {
      const operand = operands[n]!;
      if (!matcher.one(alternative(notation, operand), operand)) return undefined;
    }
  }
  return { form, size, main, fields: matcher.fields };
}

/** All ways to encode an instruction. */
export function fitsOf(
  forms: readonly Form[],
  instruction: AsmInstruction,
  code: CodeSize,
  known: Known,
): Fit[] {
  const found: Fit[] = [];
  for (const form of forms) {
    const { row } = form;
    if (code === 64 ? row.no64 : row.only64) continue;
    const { length } = instruction.operands;
    if (form.notations.length !== length && !(form.implied && length === 0)) continue;
    for (const size of form.sizes[code]) {
      const fit = fitOne(form, size, instruction, code, known);
      if (fit !== undefined) found.push(fit);
    }
  }
  return found;
}
