/**
 * The code around a test: it sets every register, runs the instruction, and stores every register in the test's record. Tests
 * run one after the other, so that exits are rare.
 *
 * @module
 */
import type { GuestMemory } from '../memory/index.js';
import type { Mode } from './modes.js';
import { markers, type Test } from './tests.js';
import { KEPT_VECTORS, keepVectors, loadVectors } from './vectors.js';

/** Writes the bytes of a program, from an address on. */
class Emitter {
  at = 0;
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.#view = new DataView(this.bytes.buffer);
  }

  byte(...values: number[]): void {
    for (const value of values) this.bytes[this.at++] = value;
  }

  copy(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }

  word(value: number): void {
    this.#view.setInt16(this.at, value, true);
    this.at += 2;
  }

  dword(value: number): void {
    this.#view.setInt32(this.at, value, true);
    this.at += 4;
  }

  qword(value: bigint): void {
    this.#view.setBigUint64(this.at, value, true);
    this.at += 8;
  }
}

/** The record of test `n`, and the end of the values that are pushed there. */
const recordOf = (mode: Mode, n: number) => mode.records + n * mode.recordBytes;
const pushedBytes = (mode: Mode) => (mode.code === 64 ? 16 * 8 : 9 * 4);

/** After the stack pointer: the vector registers of test `n`. */
const vectorsOf = (mode: Mode, n: number) => recordOf(mode, n) + pushedBytes(mode) + 8;
const VECTOR_BYTES = 8 + 16 * KEPT_VECTORS;

/** The address of test `n`'s instruction, in the code segment. */
export const instructionOf = (mode: Mode, n: number) => mode.start + n * mode.stride + mode.instruction;

/** Tests as code: bytes for `Mode.start`, and the entry of each test; the last entry is that of the end. */
export interface Program {
  bytes: Uint8Array;
  entries: number[];
}

/** A sequence of tests. */
export function assemble(mode: Mode, tests: readonly Test[]): Program {
  const block = new BlockWriter(mode, tests.length);
  for (const [n, test] of tests.entries()) block.write(test, n);
  return block.finish();
}

class BlockWriter {
  readonly #mode: Mode;
  readonly #to: Emitter;
  readonly #entries: number[] = [];

  constructor(mode: Mode, count: number) {
    this.#mode = mode;
    this.#to = new Emitter(count * mode.stride + 16);
  }

  /** The length of the setup code depends on the registers' values, so it is written first and then moved to its place. */
  write(test: Test, n: number): void {
    const to = this.#to;
    const start = n * this.#mode.stride;
    to.at = start;
    this.#before(test, n);
    const length = to.at - start;
    const instruction = start + this.#mode.instruction;
    to.bytes.copyWithin(instruction - length, start, to.at);
    const entry = instruction - length;
    to.at = instruction;
    this.#test(test);
    if (test.vectors !== undefined) to.byte(...keepVectors(test.vectors, vectorsOf(this.#mode, n)));
    this.#keep(n);
    this.#entries.push(this.#mode.start + entry);
    // The previous block continues here.
    const end = to.at;
    if (n > 0) this.#link(entry);
    this.#jumpAt = end;
  }

  /** The position of the last block's jump. */
  #jumpAt = 0;

  #link(target: number): void {
    const to = this.#to;
    to.at = this.#jumpAt;
    to.byte(0xe9);
    if (this.#mode.code === 16) to.word(target - to.at - 2);
    else to.dword(target - to.at - 4);
  }

  finish(): Program {
    const end = this.#entries.length * this.#mode.stride;
    this.#link(end);
    // HLT: an exit in ring 0, a #GP in ring 3.
    this.#to.bytes[end] = 0xf4;
    return { bytes: this.#to.bytes, entries: [...this.#entries, this.#mode.start + end] };
  }

  #before(test: Test, n: number): void {
    const { code } = this.#mode;
    const to = this.#to;
    const landing = this.#landing(test, n);
    if (test.landing !== undefined && 'address' in test.landing) this.#poke(test.landing.address, landing);
    this.#setStack(recordOf(this.#mode, n) + pushedBytes(this.#mode));
    if (code === 16) to.byte(0x66);
    to.byte(0x68);
    to.dword(test.flags);
    if (code === 16) to.byte(0x66);
    to.byte(0x9d);
    if (test.vectors !== undefined) to.byte(...loadVectors(test.vectors));
    for (const [number, value] of test.registers.entries()) this.#setRegister(number, value);
    if (test.landing !== undefined && 'register' in test.landing) {
      this.#setRegister(test.landing.register, BigInt(landing));
    }
  }

  /** After the instruction and the marker. */
  #landing({ row, bytes }: Test, n: number): number {
    const marker = row.meaning.kind === 'branch' ? markers[this.#mode.code].length : 0;
    return instructionOf(this.#mode, n) + bytes.length + marker;
  }

  #test({ row, bytes, encoding, ripTarget }: Test): void {
    const to = this.#to;
    const start = to.at;
    to.copy(bytes);
    const end = to.at;
    if (ripTarget !== undefined) {
      to.at = start + encoding.displacementAt;
      to.dword(ripTarget - this.#mode.start - end);
      to.at = end;
    }
    if (row.meaning.kind === 'branch') to.byte(...markers[this.#mode.code]);
  }

  /** MOV of 32 bits (64-bit code: sign-extended to 64) to a known address. */
  #poke(address: number, value: number): void {
    const to = this.#to;
    if (this.#mode.code === 64) to.byte(0x48, 0xc7, 0x04, 0x25);
    else if (this.#mode.code === 32) to.byte(0xc7, 0x05);
    else to.byte(0x66, 0xc7, 0x06);
    if (this.#mode.code === 16) to.word(address);
    else to.dword(address);
    to.dword(value);
  }

  #setStack(value: number): void {
    const to = this.#to;
    if (this.#mode.code === 64) to.byte(0x48, 0xc7, 0xc4);
    else if (this.#mode.code === 32) to.byte(0xbc);
    else to.byte(0x66, 0xbc);
    to.dword(value);
  }

  #setRegister(number: number, value: bigint): void {
    const to = this.#to;
    const high = number >> 3;
    if (this.#mode.code === 64 && value > 0xffffffffn) {
      to.byte(0x48 | high, 0xb8 + (number & 7));
      to.qword(value);
      return;
    }
    // The short form clears the upper half.
    if (high > 0) to.byte(0x41);
    else if (this.#mode.code === 16) to.byte(0x66);
    to.byte(0xb8 + (number & 7));
    to.dword(Number(value));
  }

  /** Stores the stack pointer, then pushes all registers and the flags. */
  #keep(n: number): void {
    const { code } = this.#mode;
    const to = this.#to;
    const top = recordOf(this.#mode, n) + pushedBytes(this.#mode);
    if (code === 64) to.byte(0x48, 0x89, 0x24, 0x25);
    else if (code === 32) to.byte(0x89, 0x25);
    else to.byte(0x66, 0x89, 0x26);
    if (code === 16) to.word(top);
    else to.dword(top);
    this.#setStack(top);
    if (code === 16) to.byte(0x66, 0x60, 0x66, 0x9c);
    else if (code === 32) to.byte(0x60, 0x9c);
    else to.byte(...pushes64);
  }
}

/** PUSH of all registers but RSP, then PUSHFQ. */
const pushes64 = [0x50, 0x51, 0x52, 0x53, 0x55, 0x56, 0x57].concat(
  [0, 1, 2, 3, 4, 5, 6, 7].flatMap((number) => [0x41, 0x50 + number]),
  [0x9c],
);

/** The result of a test. */
export interface Left {
  registers: bigint[];
  flags: number;
  /** MXCSR and the XMM registers that the test stores. */
  vectors?: bigint[];
}

/** Reads the record of test `n`. */
export function readRecord(mode: Mode, memory: GuestMemory, n: number): Left {
  const at = mode.dataBase + recordOf(mode, n);
  const top = at + pushedBytes(mode);
  if (mode.code === 64) {
    const order = [15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 3, 2, 1, 0];
    const registers: bigint[] = [];
    for (const [place, number] of order.entries()) registers[number] = memory.read64(at + 8 + 8 * place);
    registers[4] = memory.read64(top);
    const from = vectorsOf(mode, n);
    const vectors = [BigInt(memory.read32(from))];
    for (let place = from + 8; place < from + VECTOR_BYTES; place += 16) {
      vectors.push((memory.read64(place + 8) << 64n) | memory.read64(place));
    }
    return { registers, flags: memory.read32(at), vectors };
  }
  // PUSHA ends with EDI.
  const registers = Array.from({ length: 8 }, (_, number) => BigInt(memory.read32(top - 4 - 4 * number)));
  registers[4] = BigInt(memory.read32(top));
  return { registers, flags: memory.read32(at) };
}

/** The length of a record in 32-bit words: flags, registers, stack pointer, vector registers. */
export const recordWords = (mode: Mode) =>
  (pushedBytes(mode) + (mode.code === 64 ? 8 + VECTOR_BYTES : 4)) / 4;
