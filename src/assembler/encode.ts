/**
 * Encodes a fit as bytes (SDM 2A 2.1, 2.2): prefixes, opcode, ModRM, SIB, displacement, immediate.
 *
 * @module
 */
import { type CodeSize, hasModrm, immediateKind, type Opcode } from '../isa/index.js';
import { type Expression, number } from './expression.js';
import type { Fit, Known } from './fit.js';
import type { AsmInstruction, Memory, Register } from './operand.js';

/** A number that is written into the bytes when it is known. */
export interface Fixup {
  /** From the first byte of the instruction. */
  readonly at: number;
  /** In bytes. */
  readonly size: number;
  readonly value: Expression;
  /** The base of the number: 0, or the end of the instruction. */
  readonly relative: boolean;
  /** It is sign-extended when the instruction runs. */
  readonly signed: boolean;
}

export interface Encoded {
  readonly bytes: Uint8Array;
  readonly fixups: readonly Fixup[];
}

/** The differences between the assemblers. */
export interface Dialect {
  /** The order of prefixes: `gas` puts a segment first and REP and LOCK last, `nasm` the other way round. */
  readonly prefixes: 'gas' | 'nasm';
  /** How an operand without a size is treated: as the code's size, or as an error. */
  readonly guess: boolean;
}

/** An instruction that cannot be encoded. */
export class EncodeError extends Error {
  /** What to do. */
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

const mandatory = { any: -1, none: -1, '66': 0x66, f3: 0xf3, f2: 0xf2 } as const;
const escapes = [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]] as const;
const compressed = { any: 0, none: 0, '66': 1, f3: 2, f2: 3 } as const;
const segmentPrefixes = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65];

/** BX+SI, BX+DI, BP+SI, BP+DI, SI, DI, BP, BX as base and index (SDM 2A table 2-1). */
const pairs = new Map([
  ['3,6', 0],
  ['3,7', 1],
  ['5,6', 2],
  ['5,7', 3],
  ['6,', 4],
  ['7,', 5],
  ['5,', 6],
  ['3,', 7],
]);

/** Whether an instruction needs REX, or cannot have it, and REX's bits. */
class Rex {
  bits = 0;
  needed = false;
  forbidden: string | undefined;

  register(register: Register | undefined, bit: number): void {
    if (register === undefined) return;
    if (register.number >= 8 && register.class !== 'segment') this.bits |= bit;
    if (register.rex) this.needed = true;
    if (register.high) this.forbidden = register.name;
  }
}

const low = (register: Register | undefined) => (register?.number ?? 0) & 7;

class Encoder {
  readonly #code: CodeSize;
  readonly #known: Known;
  readonly #dialect: Dialect;
  readonly #rex = new Rex();
  readonly #tail: number[] = [];
  readonly #fixups: { at: number; size: number; value: Expression; relative: boolean; signed: boolean }[] =
    [];
  #addressPrefix = false;
  #segment = -1;

  constructor(code: CodeSize, known: Known, dialect: Dialect) {
    this.#code = code;
    this.#known = known;
    this.#dialect = dialect;
  }

  #number(value: Expression, size: number, { signed = false, relative = false } = {}): void {
    const known = relative ? undefined : this.#known(value);
    if (known === undefined) {
      this.#fixups.push({ at: this.#tail.length, size, value, relative, signed });
      for (let n = 0; n < size; n++) this.#tail.push(0);
      return;
    }
    for (let n = 0; n < size; n++) this.#tail.push(Number((known >> BigInt(8 * n)) & 0xffn));
  }

  /** Notes a segment override, unless the address has this segment by default. */
  #override({ segment, base }: Memory): void {
    if (segment === undefined) return;
    const stack = base !== undefined && (base.number === 5 || (base.number === 4 && base.size > 2));
    if (this.#code !== 64 || segment.number >= 4) {
      if (segment.number !== (stack ? 2 : 3)) this.#segment = segment.number;
    } else if (segment.number !== 3) this.#segment = segment.number;
  }

  /** Notes the address size of a memory operand's registers. @returns it, in bits */
  addressSize(memory: Memory | undefined): CodeSize {
    const register = memory?.base ?? memory?.index;
    const size = register === undefined ? this.#code : ((register.size * 8) as CodeSize);
    if (size !== this.#code) {
      if (this.#code === 64 && size === 16) throw new EncodeError('64-bit code has no 16-bit addresses');
      if (this.#code !== 64 && size === 64)
        throw new EncodeError(`${register!.name} is a register of 64-bit code`);
      this.#addressPrefix = true;
    }
    if (memory !== undefined) this.#override(memory);
    return size;
  }

  /** ModRM, SIB and displacement. */
  modrm(reg: number, rm: Register | Memory | undefined): void {
    if (rm === undefined || rm.kind === 'register') {
      this.#rex.register(rm, 1);
      this.#tail.push(0xc0 | (reg << 3) | low(rm));
      return;
    }
    const size = this.addressSize(rm);
    if (size === 16) this.#memory16(reg, rm);
    else this.#memory32(reg, rm);
  }

  /** The encoding of a displacement: none, a byte, or the full size. */
  #mod({ displacement, displacementSize }: Memory, mayLack: boolean, bits: number): 0 | 1 | 2 {
    if (displacementSize !== undefined) return displacementSize === 1 ? 1 : 2;
    if (displacement === undefined) return mayLack ? 0 : 1;
    const known = this.#known(displacement);
    if (known === undefined) return 2;
    const value = BigInt.asIntN(bits, known);
    if (value === 0n && mayLack) return 0;
    return value >= -128n && value <= 127n ? 1 : 2;
  }

  #displacement(memory: Memory, mod: 0 | 1 | 2, full: number): void {
    const value = memory.displacement ?? number(0n);
    if (mod !== 0) this.#number(value, mod === 1 ? 1 : full, { signed: true });
  }

  #memory16(reg: number, memory: Memory): void {
    const { base, index, displacement } = memory;
    if (base === undefined && index === undefined) {
      this.#tail.push((reg << 3) | 6);
      this.#number(displacement ?? number(0n), 2);
      return;
    }
    if (memory.scale !== 1) throw new EncodeError('16-bit addresses have no scale');
    const pair = [base, index].flatMap((one) => (one === undefined ? [] : [one.number]));
    // BX and BP come first, in any order of the source.
    if (pair.length === 2 && pair[0]! > pair[1]!) pair.reverse();
    const rm = pairs.get(`${pair[0]},${pair[1] ?? ''}`);
    if (rm === undefined) {
      throw new EncodeError(
        `${[base, index].flatMap((one) => one?.name ?? []).join(' and ')} form no 16-bit address`,
        'one of bx and bp, one of si and di, or one of each',
      );
    }
    const mod = this.#mod(memory, rm !== 6, 16);
    this.#tail.push((mod << 6) | (reg << 3) | rm);
    this.#displacement(memory, mod, 2);
  }

  #memory32(reg: number, memory: Memory): void {
    const { base, index, scale, displacement, relative } = memory;
    const known = displacement === undefined ? undefined : this.#known(displacement);
    if (this.#code === 64 && known !== undefined && BigInt.asIntN(32, known) !== BigInt.asIntN(64, known)) {
      const short = base === undefined && index === undefined ? false : base?.size === 4 || index?.size === 4;
      if (!short) throw new EncodeError(`the displacement 0x${known.toString(16)} has more than 32 bits`);
    }
    if (relative || base?.class === 'ip') {
      if (this.#code !== 64)
        throw new EncodeError('only 64-bit code has addresses relative to the instruction');
      this.#tail.push((reg << 3) | 5);
      this.#number(displacement ?? number(0n), 4, {
        relative: relative && displacement !== undefined,
        signed: true,
      });
      return;
    }
    if (index !== undefined && index.number === 4) throw new EncodeError(`${index.name} cannot be an index`);
    this.#rex.register(base, 1);
    this.#rex.register(index, 2);
    const sib = (log: number, i: number, b: number) => this.#tail.push((log << 6) | (i << 3) | b);
    const log = Math.log2(scale);
    if (base === undefined) {
      if (index === undefined && this.#code !== 64) this.#tail.push((reg << 3) | 5);
      else {
        this.#tail.push((reg << 3) | 4);
        sib(index === undefined ? 0 : log, index === undefined ? 4 : low(index), 5);
      }
      this.#number(displacement ?? number(0n), 4, { signed: true });
      return;
    }
    const mod = this.#mod(memory, low(base) !== 5, 32);
    const withSib = index !== undefined || low(base) === 4;
    this.#tail.push((mod << 6) | (reg << 3) | (withSib ? 4 : low(base)));
    if (withSib) sib(log, index === undefined ? 4 : low(index), low(base));
    this.#displacement(memory, mod, 4);
  }

  /** Everything after the opcode. */
  operands({ form, size, fields }: Fit): void {
    const { row } = form;
    const { reg, rm, immediate, second, offset, target, implied } = fields;
    this.#rex.register(reg, 4);
    this.#rex.register(fields.opcode, 1);
    if (hasModrm(row)) {
      // A row that selects by the whole of ModRM has register fields that name no registers.
      if (row.rm >= 0) this.#tail.push(0xc0 | (Math.max(row.reg, 0) << 3) | row.rm);
      else this.modrm(row.reg >= 0 ? row.reg : low(reg), rm);
    }
    if (offset !== undefined) {
      this.addressSize(implied);
      this.#number(offset, this.#code / 8);
    } else if (implied !== undefined) this.addressSize(implied);
    if (form.address !== undefined && form.address !== this.#code) {
      if (form.address === 64 || (this.#code === 64 && form.address === 16)) {
        throw new EncodeError(`${this.#code}-bit code cannot count in a register of ${form.address} bits`);
      }
      this.#addressPrefix = true;
    }
    if (target !== undefined) {
      const short = immediateKind(row) === 'b';
      this.#number(target, short ? 1 : (size ?? this.#code) === 16 ? 2 : 4, { relative: true, signed: true });
    }
    if (row.immediate === 'enter' && immediate !== undefined) this.#number(immediate.value, 2);
    else if (immediate !== undefined)
      this.#number(immediate.value, immediate.size, { signed: immediate.signed });
    if (second !== undefined) this.#number(second.value, second.size);
  }

  /** Whether prefix 66 sets the operand size, and whether REX.W does. */
  #sizePrefixes({ form: { row }, size, fields }: Fit): { operand: boolean; wide: boolean } {
    // The upper part of a register that is copied to a segment register does not matter: it needs no size prefix.
    if (size === undefined || row.name === 'movtosegment') return { operand: false, wide: false };
    const wide =
      size === 64 && !row.default64 && !row.force64 && !narrow[this.#dialect.prefixes].test(row.name);
    if (!hasPrefixedSize(row)) return { operand: false, wide };
    // NOP needs no REX.W in 64-bit code.
    const isNop = row.name === 'xchg' && row.opcode === 0x90 && fields.opcode?.number === 0;
    return { operand: size !== 64 && (this.#code === 16) === (size === 32), wide: wide && !isNop };
  }

  /** All bytes. */
  finish(fit: Fit, instruction: AsmInstruction): Encoded {
    const { row } = fit.form;
    const { operand, wide } = this.#sizePrefixes(fit);
    this.#rex.register(fit.fields.vvvv, 0);
    const prefixes = this.#prefixes(row, operand, instruction);
    const bits = this.#rex.bits | (wide ? 8 : 0);
    const rex = bits !== 0 || this.#rex.needed;
    if (rex && this.#code !== 64) throw new EncodeError('these registers are those of 64-bit code');
    if (rex && this.#rex.forbidden !== undefined) {
      throw new EncodeError(
        `${this.#rex.forbidden} cannot be named beside a register or a size that needs REX`,
      );
    }
    const opcode = row.opcode | low(fit.fields.opcode);
    const head = row.vex
      ? [...prefixes, ...vex(row, bits, fit.fields.vvvv?.number ?? 0), row.opcode]
      : [...prefixes, ...(rex ? [0x40 | bits] : []), ...escapes[row.map], opcode];
    const fixups = this.#fixups.map((fixup) => ({ ...fixup, at: fixup.at + head.length }));
    return { bytes: Uint8Array.from([...head, ...this.#tail]), fixups };
  }

  #prefixes(row: Opcode, operand: boolean, { prefixes }: AsmInstruction): number[] {
    const own = row.vex ? -1 : mandatory[row.prefix];
    const has = (byte: number) => prefixes.includes(byte);
    const segments = prefixes.filter((byte) => segmentPrefixes.includes(byte));
    if (this.#segment >= 0) segments.push(segmentPrefixes[this.#segment]!);
    const address = this.#addressPrefix || has(0x67) ? [0x67] : [];
    const size = (operand && (own !== 0x66 || notY(row))) || has(0x66) ? [0x66] : [];
    const repeat = prefixes.filter((byte) => byte === 0xf2 || byte === 0xf3);
    const needed = own > 0 && !(own === 0x66 && size.length > 0) ? [own] : [];
    const lock = has(0xf0) ? [0xf0] : [];
    const wait = has(0x9b) ? [0x9b] : [];
    if (this.#dialect.prefixes === 'gas') {
      // GNU as emits 66 before F2 and F3, independent of their meaning.
      const [all66, others] = own === 0x66 ? [[0x66], []] : [size, needed];
      return [...wait, ...segments, ...address, ...all66, ...repeat, ...others, ...lock];
    }
    return [...wait, ...repeat, ...lock, ...segments, ...size, ...address, ...needed];
  }
}

function vex({ map, prefix }: Opcode, bits: number, vvvv: number): number[] {
  return [0xc4, ((~bits & 7) << 5) | map, ((bits & 8) << 4) | ((~vvvv & 15) << 3) | compressed[prefix]];
}

/** Rows whose mandatory prefix is 66 although it does not set the size, and the opposite (MOVBE). */
export function isConsistent({ form: { row }, size }: Fit, code: CodeSize): boolean {
  if (size === undefined || row.vex) return true;
  const operand = code === 16 ? size === 32 : size === 16;
  if (row.prefix === 'none' && notY(row)) return !operand;
  return !(row.prefix === '66' && notY(row)) || operand;
}

/** XCHG EAX, EAX clears the upper half of RAX in 64-bit code: its short form is NOP, which does not. */
export function isFalseNop({ form: { row }, size, fields }: Fit, code: CodeSize): boolean {
  return (
    code === 64 && size === 32 && row.opcode === 0x90 && row.name === 'xchg' && fields.opcode?.number === 0
  );
}

/** Instructions that always clear the upper half of a 64-bit register: REX.W adds nothing. */
const narrow = { gas: /^(movfromsegment|sldt|str|movmskp[sd]|pmovmskb)$/, nasm: /^(movfromsegment|sldt)$/ };

const notY = (row: Opcode) => row.operands.some((one) => /^.v$/.test(one));

/** True if 66 changes the size: with `y` operands are 32 bits at least. */
const hasPrefixedSize = (row: Opcode) => !row.operands.some((one) => /^.y$/.test(one)) || notY(row);

export function encodeFit(
  fit: Fit,
  instruction: AsmInstruction,
  code: CodeSize,
  known: Known,
  dialect: Dialect,
): Encoded {
  const encoder = new Encoder(code, known, dialect);
  encoder.operands(fit);
  return encoder.finish(fit, instruction);
}
