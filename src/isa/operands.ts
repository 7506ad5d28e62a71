/**
 * The operands of an instruction as values, for text and for explanations of faults.
 *
 * @module
 */
import { segmentNames } from '../x86/index.js';
import type { Encoding } from './decode.js';
import { operandBytes } from './notation.js';
import { notationOf, stringSize } from './spelling.js';

/** A memory operand. Registers by name; undefined is none. */
export interface MemoryOperand {
  kind: 'memory';
  /** In bytes; 0 where the instruction takes an address and no memory. */
  size: number;
  /** The segment register, where it is named by a prefix or by the instruction itself. */
  segment: string | undefined;
  base: string | undefined;
  index: string | undefined;
  scale: number;
  /** With its sign; without base and index, the address. */
  displacement: bigint;
  /** The address, where it is relative to the next instruction. */
  target: bigint | undefined;
  addressSize: 16 | 32 | 64;
}

/** One operand. */
export type Operand =
  | { kind: 'register'; name: string; size: number }
  | MemoryOperand
  /** `value` has the width of its destination, without sign; size 0: it is in the opcode and not after it. */
  | { kind: 'immediate'; value: bigint; size: number }
  /** A branch's target: the offset in the code segment. */
  | { kind: 'target'; address: bigint }
  | { kind: 'far'; selector: number; offset: bigint };

const wide = 'ax cx dx bx sp bp si di'.split(' ');
const low = 'al cl dl bl ah ch dh bh'.split(' ');
const lowRex = 'al cl dl bl spl bpl sil dil'.split(' ');

/** The name of a general register of this many bytes. With REX, 4 to 7 are not high bytes (SDM 2A 2.2.1.2). */
export function registerName(number: number, size: number, rex: boolean): string {
  if (number >= 8) return `r${number}${{ 1: 'b', 2: 'w', 4: 'd' }[size] ?? ''}`;
  if (size === 1) return (rex ? lowRex : low)[number]!;
  return (size === 2 ? '' : size === 4 ? 'e' : 'r') + wide[number]!;
}

class Operands {
  readonly #it: Encoding;
  readonly #address: bigint;

  constructor(encoding: Encoding, address: bigint) {
    this.#it = encoding;
    this.#address = address;
  }

  /** Bytes by the second letter of SDM 2D A.2.2, and by VEX for vectors. */
  #size(letter: string | undefined): number {
    const { operandSize, row, wide, long } = this.#it;
    switch (letter) {
      case 'x':
        return wide ? 32 : 16;
      case 'f':
        return long ? 8 : 4;
      case 'h':
        return wide ? 16 : 8;
      case 'e':
        return wide ? 8 : 4;
      case 'g':
        return wide ? 4 : 2;
      case 'o':
        return 16;
      default:
        return operandBytes(letter, operandSize, row);
    }
  }

  #register(number: number, size: number): Operand {
    return { kind: 'register', name: registerName(number, size, this.#it.rex !== 0), size };
  }

  #named(name: string, size: number): Operand {
    return { kind: 'register', name, size };
  }

  /** An XMM register, or a YMM register where the notation says so and VEX.L is set. */
  #vector(notation: string, number: number): Operand {
    const isWide = notation[1] === 'x' && this.#it.wide;
    return this.#named(`${isWide ? 'ymm' : 'xmm'}${number}`, isWide ? 32 : 16);
  }

  #mmx(number: number): Operand {
    return this.#named(`mm${number}`, 8);
  }

  #memory(size: number): Operand {
    const { memory, addressSize, segment, length } = this.#it;
    const form = memory!;
    const name = (number: number) => (number < 0 ? undefined : registerName(number, addressSize / 8, true));
    const absolute = form.base < 0 && form.index < 0 && !form.ripRelative;
    const next = this.#address + BigInt(length) + form.displacement;
    const ip = addressSize === 64 ? 'rip' : 'eip';
    return {
      kind: 'memory',
      size,
      segment: segment >= 0 ? segmentNames[segment] : undefined,
      base: form.ripRelative ? ip : name(form.base),
      index: name(form.index),
      scale: form.scale,
      displacement: absolute ? BigInt.asUintN(addressSize, form.displacement) : form.displacement,
      target: form.ripRelative ? BigInt.asUintN(addressSize, next) : undefined,
      addressSize,
    };
  }

  /** Memory at a register that the instruction itself names. */
  #implied(register: number, size: number, segment: string): Operand {
    const { addressSize } = this.#it;
    return {
      kind: 'memory',
      size,
      segment,
      base: registerName(register, addressSize / 8, true),
      index: undefined,
      scale: 1,
      displacement: 0n,
      target: undefined,
      addressSize,
    };
  }

  #source(): string {
    const { segment } = this.#it;
    return segmentNames[segment < 0 ? 3 : segment]!;
  }

  /** The target of a near branch: the instruction pointer has the operand's size (SDM 2A CALL, JMP, Jcc). */
  #target(): Operand {
    const { code, operandSize, length, immediate } = this.#it;
    const bits = code === 64 ? 64 : operandSize;
    return { kind: 'target', address: BigInt.asUintN(bits, this.#address + BigInt(length) + immediate) };
  }

  #immediate(notation: string): Operand {
    const { row, immediate } = this.#it;
    let bytes = this.#size(notation.at(-1));
    if (notation === 'sIb') {
      bytes = row.operands.length === 1 ? this.#size('v') : this.#size(row.operands[0]?.at(-1));
    }
    if (notation === 'Iz') bytes = this.#size('v');
    return { kind: 'immediate', value: BigInt.asUintN(bytes * 8, immediate), size: bytes };
  }

  one(notation: string): Operand {
    const { row, rex, vvvv, modrm, opcode, memory, second, immediate, code } = this.#it;
    const reg = ((modrm >> 3) & 7) | ((rex & 4) << 1);
    const rm = (modrm & 7) | ((rex & 1) << 3);
    const size = this.#size(notation[1]);
    switch (notation[0]) {
      case 'E':
        return memory === undefined ? this.#register(rm, size) : this.#memory(size);
      case 'V':
        return notation === 'V0' ? this.#named('xmm0', 16) : this.#vector(notation, reg);
      case 'U':
        return this.#vector(notation, rm);
      case 'H':
        return this.#vector(notation, vvvv);
      case 'K':
        return this.#vector(notation, Number(BigInt.asUintN(8, immediate) >> 4n) & (code === 64 ? 15 : 7));
      case 'W':
        return memory === undefined ? this.#vector(notation, rm) : this.#memory(size);
      case 'N':
        return this.#mmx(rm & 7);
      case 'Q':
        return memory === undefined ? this.#mmx(rm & 7) : this.#memory(size);
      case 'G':
        return this.#register(reg, size);
      case 'B':
        return this.#register(vvvv, size);
      case 'M':
      case 'O':
        if (notation === 'Op') return this.#named(segmentNames[(opcode >> 3) & 7]!, 2);
        // The other operand, the accumulator, has the size.
        return this.#memory(notation[0] === 'O' ? 0 : size);
      case 'Z':
        return this.#register((opcode & 7) | ((rex & 1) << 3), size);
      case 'A':
        return this.#register(0, notation === 'A' ? this.#size(this.#ofRow()) : size);
      case 'R':
        return this.#register(rm, notation[1] === 'v' ? size : code === 64 && notation !== 'Rd' ? 8 : 4);
      case 'C':
        if (notation === 'CL') return this.#named('cl', 1);
        return this.#named(`cr${reg}`, code === 64 ? 8 : 4);
      case 'D':
        if (notation === 'DX') return this.#named('dx', 2);
        return this.#named(`dr${reg}`, code === 64 ? 8 : 4);
      case 'S':
        return this.#named(segmentNames[reg & 7]!, 2);
      case 'X':
        if (notation === 'Xl') return this.#implied(3, 1, this.#source());
        return this.#implied(6, this.#size(this.#ofRow()), this.#source());
      case 'Y':
        return this.#implied(7, this.#size(this.#ofRow()), 'es');
      case 'T':
        return this.#named(notation === 'T0' ? 'st' : `st(${modrm & 7})`, 10);
      case 'J':
        return this.#target();
      case 'P':
        if (notation !== 'P') return this.#mmx(reg & 7);
        return { kind: 'far', selector: second, offset: immediate };
      case 'L':
        return { kind: 'immediate', value: BigInt(second), size: 1 };
      case '1':
        return { kind: 'immediate', value: 1n, size: 0 };
      case 'I':
      case 's':
        return this.#immediate(notation);
      default:
        throw new Error(`opcode table: ${row.name} has an operand '${notation}' that cannot be written`);
    }
  }

  /** The size of a string instruction's elements, or of the accumulator's of IN and OUT. */
  #ofRow(): string {
    const { row } = this.#it;
    return row.operands.find((operand) => operand.startsWith('A'))?.[1] ?? stringSize(row);
  }
}

/** The operands of the instruction at `address`, in the order of the manual: destination first. */
export function operandsOf(encoding: Encoding, address: bigint): Operand[] {
  const operands = new Operands(encoding, address);
  return notationOf(encoding).map((notation) => operands.one(notation));
}
