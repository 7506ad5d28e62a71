/**
 * One random test: an instruction, and registers with which it has an interesting effect.
 *
 * @module
 */
import { type CodeSize, type Encoding, type Opcode, type Random, randomInstruction } from '../isa/index.js';
import { DATA, DATA_SIZE, type Mode } from './modes.js';
import { randomVectors, usesVectors, type VectorState } from './vectors.js';

/** A test. `place` fills in the parts that depend on its address. */
export interface Test {
  readonly row: Opcode;
  readonly encoding: Encoding;
  readonly bytes: Uint8Array;
  /** General registers in the order of their encoding. */
  readonly registers: bigint[];
  readonly flags: number;
  /** XMM registers and MXCSR, for the instructions that use them. */
  readonly vectors: VectorState | undefined;
  /** The displacement of a RIP-relative operand. */
  readonly ripTarget: number | undefined;
  /** Receives the address after the marker: a register, or memory. */
  readonly landing: { register: number } | { address: number } | undefined;
}

const RSP = 4;
const RBP = 5;
const arithmetic = 0x8d5;
const DIRECTION = 0x400;

/** The code between a branch and its target: it increments the first register, so that both paths differ. */
export const markers: Record<CodeSize, readonly number[]> = {
  16: [0x67, 0x8d, 0x40, 0x01],
  32: [0x8d, 0x40, 0x01],
  64: [0x48, 0x8d, 0x40, 0x01],
};

const edges = [
  0n,
  1n,
  2n,
  0x7fn,
  0x80n,
  0xffn,
  0x7fffn,
  0x8000n,
  0xffffn,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x7fffffffffffffffn,
  0x8000000000000000n,
  0xffffffffffffffffn,
];

function randomValue(random: Random): bigint {
  switch (random(4)) {
    case 0:
      return edges[random(edges.length)]!;
    case 1:
      return BigInt(random(256));
    case 2:
      return BigInt(random(2 ** 32));
    default:
      return (BigInt(random(2 ** 32)) << 32n) | BigInt(random(2 ** 32));
  }
}

/** An offset in the middle of the data window. */
function target(random: Random): number {
  const offset = DATA + DATA_SIZE / 4 + random(DATA_SIZE / 2);
  return random(2) === 0 ? offset & ~15 : offset;
}

/** Makes tests for one mode. */
export class TestMaker {
  readonly #mode: Mode;
  readonly #random: Random;

  constructor(mode: Mode, random: Random) {
    this.#mode = mode;
    this.#random = random;
  }

  /** A test of that row; undefined where the random choice gave a form that does not exist. */
  make(row: Opcode): Test | undefined {
    const random = this.#random;
    const memory = random(2) === 0;
    const prefixes = this.#prefixes(row, memory);
    const rex = this.#mode.code === 64 && random(2) === 0 ? 0x40 | random(16) : 0;
    const sample = randomInstruction({ row, code: this.#mode.code, memory, prefixes, rex }, random);
    if (sample === undefined) return undefined;
    const draft = new Draft(this.#mode, random, sample.bytes, sample.encoding);
    const test = draft.finish();
    return hasResult(test) && !draft.mayBeSplit ? test : undefined;
  }

  #prefixes(row: Opcode, memory: boolean): number[] {
    const random = this.#random;
    const prefixes: number[] = [];
    const isBranch = row.meaning.kind === 'branch';
    // With 66, the effect of a near branch in 64-bit code depends on the processor's vendor, and in 32-bit code it jumps into the
    // first 64 KiB (SDM 2A JMP, Jcc).
    if (random(3) === 0 && !(isBranch && this.#mode.code !== 16)) prefixes.push(0x66);
    if (random(8) === 0) prefixes.push(0x67);
    // In real mode CS has another base: the tests' code.
    const segments = [0x26, 0x36, 0x3e, 0x64, 0x65, ...(this.#mode.name === 'real' ? [] : [0x2e])];
    if (random(8) === 0) prefixes.push(segments[random(segments.length)]!);
    // LOCK raises #UD where it is not allowed; a KVM that emulates often does not.
    const lock = row.lock && memory ? 4 : this.#mode.name === 'long' ? 64 : 0;
    if (lock > 0 && random(lock) === 0) prefixes.push(0xf0);
    const repeats = row.meaning.kind === 'repeat';
    // Before 0F they may select an instruction of newer processors.
    if (row.map === 0 && random(repeats ? 2 : 32) === 0) prefixes.push(0xf2 + random(2));
    return prefixes;
  }
}

/** The count of a shift, as the processor masks it: five bits of it, or six (SDM 2B SAL/SAR/SHL/SHR). */
export function shiftCount({ row, encoding, registers }: Test, size: number): number {
  const last = row.operands.at(-1);
  const count = last === '1' ? 1n : last === 'CL' ? registers[1]! : encoding.immediate;
  return Number(count & (size === 64 ? 63n : 31n));
}

/** False where the manuals leave the whole result undefined: a double shift of 16 bits by more (SDM 2B SHLD). */
function hasResult(test: Test): boolean {
  const { row, encoding } = test;
  if (!/^sh[lr]d$/.test(row.name) || encoding.operandSize !== 16) return true;
  return shiftCount(test, 16) <= 16;
}

/** Bytes of a cache line. */
const LINE = 64;
/** Bytes of the widest operand that LOCK can stand before: CMPXCHG16B's. */
const WIDEST_LOCKED = 16;

/** True where the processor locks the memory operand: with LOCK, and always for XCHG (SDM 3A 9.1.2.1). */
const isLocked = ({ row, lock, memory }: Encoding) => memory !== undefined && (lock || row.name === 'xchg');

/** True where a register says how far from the memory operand's address the bit is (SDM 2A BT). */
const hasBitOffset = ({ row }: Encoding) => /^bt[src]?$/.test(row.name);

/** A test that is being made. */
class Draft {
  readonly #mode: Mode;
  readonly #random: Random;
  readonly #bytes: Uint8Array;
  readonly #encoding: Encoding;
  readonly #registers: bigint[];
  readonly #vectors: VectorState | undefined;
  #ripTarget: number | undefined;
  #memory = 0;

  constructor(mode: Mode, random: Random, bytes: Uint8Array, encoding: Encoding) {
    this.#mode = mode;
    this.#random = random;
    this.#bytes = bytes;
    this.#encoding = encoding;
    this.#vectors = usesVectors(encoding.row) ? randomVectors(encoding, random) : undefined;
    this.#registers = Array.from({ length: mode.registers }, () => randomValue(random));
    this.#registers[RSP] = BigInt(this.#stack());
    if (mode.code !== 64) {
      for (const [n, value] of this.#registers.entries()) {
        this.#registers[n] = BigInt.asUintN(32, value);
      }
    }
  }

  finish(): Test {
    this.#impliedOperands();
    if (this.#encoding.memory !== undefined) this.#memoryOperand();
    const random = this.#random;
    return {
      row: this.#encoding.row,
      encoding: this.#encoding,
      bytes: this.#bytes,
      registers: this.#registers,
      flags: (random(0x1000) & arithmetic) | (random(4) === 0 ? DIRECTION : 0) | 2,
      vectors: this.#vectors,
      ripTarget: this.#ripTarget,
      landing: this.#landing(),
    };
  }

  /** The address of an operand: rarely an inaccessible one. */
  #place(): number {
    const { forbidden } = this.#mode;
    const random = this.#random;
    if (forbidden.length === 0 || random(64) > 0) return target(random);
    return forbidden[random(forbidden.length)]! + random(64);
  }

  /** RET needs a valid return address on the stack. */
  #stack(): number {
    const place = this.#encoding.row.name === 'ret' ? target(this.#random) : this.#place();
    return place & ~7;
  }

  /** The address of the memory operand: mostly aligned to 16 for vectors. */
  #target(): number {
    const random = this.#random;
    const { addressSize, memory } = this.#encoding;
    // Not canonical, or not at its end.
    if (addressSize === 64 && memory!.base >= 0 && random(128) === 0) return 2 ** 47 - 16 + random(64);
    const place = this.#place();
    if (isLocked(this.#encoding)) {
      if (hasBitOffset(this.#encoding)) return place & ~(WIDEST_LOCKED - 1);
      return (place & ~(LINE - 1)) + random(LINE - WIDEST_LOCKED + 1);
    }
    return this.#vectors !== undefined && random(64) > 0 ? place & ~15 : place;
  }

  /**
   * True where a locked access may lie over the end of a cache line. A host that detects split locks makes each of them wait for
   * milliseconds, or ends the program (split_lock_detect in Linux' kernel-parameters.txt): a guest full of them "does not end".
   */
  get mayBeSplit(): boolean {
    if (!isLocked(this.#encoding)) return false;
    return hasBitOffset(this.#encoding)
      ? this.#memory % WIDEST_LOCKED !== 0
      : this.#memory % LINE > LINE - WIDEST_LOCKED;
  }

  /** Sets as much of a register as addresses use. */
  #point(register: number, value: number): void {
    const { addressSize } = this.#encoding;
    const kept =
      addressSize === 64 ? 0n : (this.#registers[register]! >> BigInt(addressSize)) << BigInt(addressSize);
    this.#registers[register] = kept | BigInt.asUintN(addressSize, BigInt(value));
  }

  #store(at: number, value: number, bytes: number): void {
    for (let n = 0; n < bytes; n++) this.#bytes[at + n] = (value >> (8 * n)) & 255;
  }

  /** Instructions that use registers without naming them. */
  #impliedOperands(): void {
    const random = this.#random;
    const { row, repeat, modrm, immediateAt, memory, operandSize } = this.#encoding;
    const registers = this.#registers;
    switch (row.name) {
      case 'xlat':
        this.#point(3, this.#place());
        break;
      case 'maskmovdqu':
        this.#point(7, this.#place());
        break;
      case 'enter':
        this.#store(immediateAt, random(0x200), 2);
        this.#store(immediateAt + 2, random(8) === 0 ? random(256) & 0xe3 : 0, 1);
        registers[RBP] = BigInt(this.#place());
        break;
      case 'leave':
        registers[RBP] = BigInt(this.#place());
        break;
      case 'div':
      case 'idiv':
        // A quotient that fits, in most cases.
        if (random(4) > 0) registers[2] = BigInt(random(3));
        if (random(4) > 0) registers[0] = BigInt.asUintN(16, registers[0]!);
        break;
      case 'cmpxchg':
        if (random(2) === 0 && memory === undefined) registers[0] = registers[modrm & 7]!;
        break;
    }
    if (row.meaning.kind === 'repeat') {
      this.#point(6, this.#place());
      this.#point(7, this.#place());
      if (repeat !== 0) this.#point(1, random(5));
    }
    if (hasBitOffset(this.#encoding) && memory !== undefined) {
      // The register selects a bit at any distance: keep it near.
      const number = ((modrm >> 3) & 7) | ((this.#encoding.rex & 4) << 1);
      // The stack pointer points into the window anyway.
      if (number !== RSP) {
        registers[number] = BigInt.asUintN(Math.max(operandSize, 32), BigInt(random(0x8000) - 0x4000));
      }
    }
    if (/^loop/.test(row.name)) this.#point(1, random(3));
  }

  /** Moves the memory operand's address into the window. */
  #memoryOperand(): void {
    const { memory, displacementAt, immediateAt } = this.#encoding;
    const random = this.#random;
    const form = memory!;
    const place = this.#target();
    this.#memory = place;
    const bytes = immediateAt - displacementAt;
    if (form.ripRelative) {
      this.#ripTarget = place;
      return;
    }
    if (form.base < 0) {
      let rest = place;
      if (form.index >= 0) {
        const index = random(64);
        this.#point(form.index, index);
        rest -= index * form.scale;
      }
      this.#storeOffset(displacementAt, rest, bytes);
      return;
    }
    let displacement = Number(form.displacement);
    if (bytes > 1) {
      displacement = random(0x800) - 0x400;
      this.#store(displacementAt, displacement, bytes);
    }
    if (form.index === form.base) {
      const value = Math.floor((place - displacement) / (1 + form.scale));
      this.#point(form.base, value);
      this.#memory = value * (1 + form.scale) + displacement;
      return;
    }
    let index = 0;
    if (form.index >= 0) {
      index = random(64);
      this.#point(form.index, index);
    }
    this.#point(form.base, place - displacement - index * form.scale);
  }

  /** A displacement or a moffs address: those are as wide as addresses. */
  #storeOffset(displacementAt: number, value: number, bytes: number): void {
    if (bytes > 0) {
      this.#store(displacementAt, value, bytes);
      return;
    }
    const { immediateAt, addressSize } = this.#encoding;
    this.#bytes.fill(0, immediateAt, immediateAt + addressSize / 8);
    this.#store(immediateAt, value, 2);
  }

  /** The target of a branch: after the marker. */
  #landing(): Test['landing'] {
    const { row, code, modrm, rex, memory, immediateAt } = this.#encoding;
    if (row.operands[0] === 'Jb' || row.operands[0] === 'Jz') {
      const size = this.#bytes.length - immediateAt;
      this.#bytes.fill(0, immediateAt);
      this.#store(immediateAt, markers[code].length, size);
      return undefined;
    }
    if (row.name === 'ret') return { address: Number(this.#registers[RSP]! & 0xffffn) };
    if (row.name !== 'callind' && row.name !== 'jmpind') return undefined;
    if (memory === undefined) return { register: (modrm & 7) | ((rex & 1) << 3) };
    // Memory that is read-only for a test is so for its setup code too.
    return this.#memory < DATA + DATA_SIZE ? { address: this.#memory } : undefined;
  }
}
