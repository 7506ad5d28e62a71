/**
 * Finds a variable: evaluates the expressions of DWARF (DWARF 5, 2.5 and 2.6) for a stopped function.
 *
 * @module
 */
import { DwarfReader, dwarfRegisters, dwarfVector } from '../../symbols/index.js';
import { littleEndian } from '../code.js';

/** The context of an expression. */
export interface Machine {
  /** Bytes of an address. */
  word: 4 | 8;
  /** The offset to add to the program's addresses. */
  bias: bigint;
  /** A general register of the function; undefined where it is not known. */
  register(name: string): bigint | undefined;
  /** Memory; fewer bytes where not all are mapped. */
  read(address: bigint, length: number): Promise<Uint8Array>;
  /** The stack pointer before the call of the function. */
  cfa(): bigint | undefined;
  /** The base of DW_OP_fbreg. */
  frameBase(): Promise<bigint | undefined>;
  /** The value of a register at the function's start. @param register an expression that names it */
  atEntry(register: Uint8Array): Promise<bigint | undefined>;
}

/** The location of a value, or the value itself. */
export type Location =
  | { kind: 'memory'; address: bigint }
  | { kind: 'register'; name: string }
  | { kind: 'bytes'; bytes: Uint8Array }
  | { kind: 'number'; value: bigint }
  | { kind: 'pieces'; pieces: readonly { location: Location; size: number }[] }
  /** A pointer to an object that has no address any more. */
  | { kind: 'nothing to point to' }
  | { kind: 'optimized out' };

export const GONE: Location = { kind: 'optimized out' };

/** The limit of operations: more than any compiler writes. */
const MAX_STEPS = 10_000;
const DEEPEST = 256;
const MAX_PIECES = 64;

/** The result of an expression; `GONE` where it is broken, or needs an unknown value. */
export async function locate(expression: Uint8Array, machine: Machine): Promise<Location> {
  try {
    return await new Evaluation(expression, machine).run();
  } catch (error) {
    if (error instanceof Unknown || error instanceof RangeError) return GONE;
    throw error;
  }
}

/** The expression needs an unknown value. */
class Unknown extends Error {}

class Evaluation {
  readonly #machine: Machine;
  readonly #reader: DwarfReader;
  readonly #stack: bigint[] = [];
  readonly #pieces: { location: Location; size: number }[] = [];
  /** The location by the operations so far, if it is not memory at the top of the stack. */
  #said: Location | undefined;

  constructor(expression: Uint8Array, machine: Machine) {
    this.#machine = machine;
    this.#reader = new DwarfReader(expression);
  }

  async run(): Promise<Location> {
    for (let steps = 0; this.#reader.left > 0; steps++) {
      if (steps >= MAX_STEPS) throw new RangeError('an expression without end');
      await this.#step(this.#reader.u8());
    }
    if (this.#pieces.length > 0) return { kind: 'pieces', pieces: this.#pieces };
    return this.#result();
  }

  #result(): Location {
    const said = this.#said;
    this.#said = undefined;
    if (said !== undefined) return said;
    const address = this.#stack.pop();
    return address === undefined ? GONE : { kind: 'memory', address };
  }

  async #step(code: number): Promise<void> {
    const reader = this.#reader;
    if (code >= 0x30 && code <= 0x4f) return this.#push(BigInt(code - 0x30)); // DW_OP_lit
    if (code >= 0x50 && code <= 0x6f) return this.#inRegister(code - 0x50); // DW_OP_reg
    if (code >= 0x70 && code <= 0x8f) return this.#push(this.#register(code - 0x70) + reader.sleb()); // DW_OP_breg
    if (this.#constant(code) || this.#arrange(code) || this.#calculate(code)) return;
    switch (code) {
      case 0x06: // DW_OP_deref
        return this.#push(await this.#load(this.#pop(), this.#machine.word));
      case 0x94: // DW_OP_deref_size
        return this.#push(await this.#load(this.#pop(), reader.u8()));
      case 0x90: // DW_OP_regx
        return this.#inRegister(reader.number());
      case 0x91: {
        // DW_OP_fbreg
        const base = await this.#machine.frameBase();
        return this.#push(known(base) + reader.sleb());
      }
      case 0x92: // DW_OP_bregx
        return this.#push(this.#register(reader.number()) + reader.sleb());
      case 0x9c: // DW_OP_call_frame_cfa
        return this.#push(known(this.#machine.cfa()));
      case 0x93: // DW_OP_piece
        return this.#piece(reader.number());
      case 0x96: // DW_OP_nop
        return;
      case 0x9e: // DW_OP_implicit_value
        this.#said = { kind: 'bytes', bytes: reader.block(reader.number()) };
        return;
      case 0x9f: // DW_OP_stack_value
        this.#said = { kind: 'number', value: this.#pop() };
        return;
      case 0xa0: // DW_OP_implicit_pointer
      case 0xf2: // DW_OP_GNU_implicit_pointer
        this.#said = { kind: 'nothing to point to' };
        reader.skip(reader.left);
        return;
      case 0xa3: // DW_OP_entry_value
      case 0xf3: // DW_OP_GNU_entry_value
        return this.#push(known(await this.#machine.atEntry(reader.block(reader.number()))));
      default:
        // Operations that need a type or a thread.
        throw new Unknown();
    }
  }

  #piece(size: number): void {
    if (this.#pieces.length >= MAX_PIECES) throw new RangeError('too many pieces');
    this.#pieces.push({ location: this.#result(), size });
  }

  #inRegister(number: number): void {
    const { word } = this.#machine;
    const name = dwarfRegisters(word === 8)[number] ?? dwarfVector(number, word === 8);
    this.#said = name === undefined ? GONE : { kind: 'register', name };
  }

  #register(number: number): bigint {
    const name = dwarfRegisters(this.#machine.word === 8)[number];
    return known(name === undefined ? undefined : this.#machine.register(name));
  }

  async #load(address: bigint, size: number): Promise<bigint> {
    if (size < 1 || size > this.#machine.word) throw new RangeError('a number too large');
    const bytes = await this.#machine.read(address, size);
    if (bytes.length < size) throw new Unknown();
    return littleEndian(bytes, 0, size);
  }

  #push(value: bigint): void {
    if (this.#stack.length >= DEEPEST) throw new RangeError('a stack too deep');
    this.#stack.push(BigInt.asUintN(this.#machine.word * 8, value));
  }

  #pop(): bigint {
    const value = this.#stack.pop();
    if (value === undefined) throw new RangeError('an empty stack');
    return value;
  }

  #signed(value: bigint): bigint {
    return BigInt.asIntN(this.#machine.word * 8, value);
  }

  #constant(code: number): boolean {
    const reader = this.#reader;
    const { word, bias } = this.#machine;
    const values: Readonly<Record<number, () => bigint>> = {
      3: () => (word === 8 ? reader.u64() : BigInt(reader.u32())) + bias, // DW_OP_addr
      8: () => BigInt(reader.u8()), // DW_OP_const1u and so on
      9: () => BigInt(reader.i8()),
      10: () => BigInt(reader.u16()),
      11: () => BigInt.asIntN(16, BigInt(reader.u16())),
      12: () => BigInt(reader.u32()),
      13: () => BigInt.asIntN(32, BigInt(reader.u32())),
      14: () => reader.u64(),
      15: () => reader.u64(),
      16: () => reader.uleb(),
      17: () => reader.sleb(),
    };
    const value = values[code];
    if (value === undefined) return false;
    this.#push(value());
    return true;
  }

  /** DW_OP_dup to DW_OP_rot, and jumps. */
  #arrange(code: number): boolean {
    const stack = this.#stack;
    const pick = (down: number) => {
      const value = stack.at(-1 - down);
      if (value === undefined) throw new RangeError('an empty stack');
      this.#push(value);
    };
    if (code === 0x12) pick(0);
    else if (code === 0x13) this.#pop();
    else if (code === 0x14) pick(1);
    else if (code === 0x15) pick(this.#reader.u8());
    else if (code === 0x16) {
      const [top, next] = [this.#pop(), this.#pop()];
      stack.push(top, next);
    } else if (code === 0x17) {
      const [top, second, third] = [this.#pop(), this.#pop(), this.#pop()];
      stack.push(top, third, second);
    } else if (code === 0x28) this.#jump(this.#pop() !== 0n);
    else if (code === 0x2f) this.#jump(true);
    else return false;
    return true;
  }

  #jump(taken: boolean): void {
    const distance = Number(BigInt.asIntN(16, BigInt(this.#reader.u16())));
    const to = this.#reader.at + distance;
    if (to < 0 || to > this.#reader.bytes.length) throw new RangeError('a jump out of the expression');
    if (taken) this.#reader.at = to;
  }

  #calculate(code: number): boolean {
    const signed = (value: bigint) => this.#signed(value);
    const one: Readonly<Record<number, (value: bigint) => bigint>> = {
      25: (a) => (signed(a) < 0n ? -signed(a) : a), // DW_OP_abs
      31: (a) => -a, // DW_OP_neg
      32: (a) => ~a, // DW_OP_not
      35: (a) => a + this.#reader.uleb(), // DW_OP_plus_uconst
    };
    const single = one[code];
    if (single !== undefined) {
      this.#push(single(this.#pop()));
      return true;
    }
    const shift = (amount: bigint) => (amount > 64n ? 64n : amount);
    const divided = (b: bigint) => {
      if (b === 0n) throw new RangeError('a division by 0');
      return b;
    };
    const two: Readonly<Record<number, (a: bigint, b: bigint) => bigint | boolean>> = {
      26: (a, b) => a & b,
      27: (a, b) => signed(a) / divided(signed(b)),
      28: (a, b) => a - b,
      29: (a, b) => a % divided(b),
      30: (a, b) => a * b,
      33: (a, b) => a | b,
      34: (a, b) => a + b,
      36: (a, b) => a << shift(b),
      37: (a, b) => a >> shift(b),
      38: (a, b) => signed(a) >> shift(b),
      39: (a, b) => a ^ b,
      41: (a, b) => signed(a) === signed(b),
      42: (a, b) => signed(a) >= signed(b),
      43: (a, b) => signed(a) > signed(b),
      44: (a, b) => signed(a) <= signed(b),
      45: (a, b) => signed(a) < signed(b),
      46: (a, b) => signed(a) !== signed(b),
    };
    const double = two[code];
    if (double === undefined) return false;
    const b = this.#pop();
    this.#push(BigInt(double(this.#pop(), b)));
    return true;
  }
}

function known(value: bigint | undefined): bigint {
  if (value === undefined) throw new Unknown();
  return value;
}
