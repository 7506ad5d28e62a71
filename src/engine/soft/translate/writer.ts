/**
 * WebAssembly instructions one after the other: the code of an operation (`template.ts`) and of a function
 * (`builder.ts`) is written with this class.
 *
 * @module
 */
import { Bytes } from './bytes.js';
import { LOCAL_OF_PLACE } from './locals.js';
import { Op, SATURATING, VECTOR } from './program.js';

export class Writer {
  readonly bytes = new Bytes();
  /** Blocks that are open. */
  depth = 0;
  /** The kind of the lazy flags, where it is known. */
  flags: number | undefined;
  /** Bits for the places of the CPU's state that were read or written, and for those that were written. */
  protected uses = 0;
  protected writes = 0;
  /** The end of the last instruction, if it has no immediate. */
  #last = -1;

  /** An instruction without immediates, or the beginning of one. */
  op(opcode: number): void {
    if (opcode < VECTOR) this.bytes.byte(opcode);
    else {
      this.bytes.byte(opcode < SATURATING ? Op.vector : Op.saturating);
      this.bytes.u32(opcode - (opcode < SATURATING ? VECTOR : SATURATING));
    }
    this.#last = opcode < VECTOR ? this.bytes.length : -1;
  }

  /** Removes instructions if they are the last ones, and the last of them has no immediate. */
  takeBack(instructions: readonly number[]): boolean {
    const { bytes } = this;
    const from = bytes.length - instructions.length;
    if (this.#last !== bytes.length || from < 0) return false;
    if (!instructions.every((byte, n) => bytes.view()[from + n] === byte)) return false;
    bytes.length = from;
    return true;
  }

  local(opcode: number, local: number): void {
    this.bytes.byte(opcode);
    this.bytes.u32(local);
  }

  /** Reads or writes the local of a place of the CPU's state; `opcode` is `local.get`, `local.set` or `local.tee`. */
  state(opcode: number, index: number): void {
    this.uses |= 1 << index;
    if (opcode !== Op.localGet) this.writes |= 1 << index;
    this.local(opcode, LOCAL_OF_PLACE + index);
  }

  /** A load or store; the address is on the stack. */
  access(opcode: number, offset: number): void {
    this.op(opcode);
    this.bytes.byte(0);
    this.bytes.u32(offset);
  }

  /** Opens a block, loop or if; gives its level, for `branch`. */
  open(opcode: number, type: number): number {
    this.bytes.byte(opcode);
    this.bytes.byte(type);
    return ++this.depth;
  }

  close(): void {
    this.bytes.byte(Op.end);
    this.depth--;
  }

  branch(level: number, opcode: number = Op.br): void {
    this.bytes.byte(opcode);
    this.bytes.u32(this.depth - level);
  }

  call(index: number): void {
    this.bytes.byte(Op.call);
    this.bytes.u32(index);
  }
}
