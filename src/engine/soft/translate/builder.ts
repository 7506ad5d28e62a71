/**
 * A translated function under construction: its bytes, its locals, and which of the CPU's state is in them.
 *
 * The general registers and the lazy flags are in locals as far as the function uses them. They are stored where the function
 * ends, and around operations that the interpreter's own functions do (`sync`): which those are is known at the end, so their
 * places are noted and filled in by `finish`.
 *
 * @module
 */
import * as L from '../layout.js';
import { Bytes } from './bytes.js';
import { Op, Type } from './program.js';

/** Locals that each function has. Local 0 is its parameter, the record that it was called for. */
export const Local = {
  record: 0,
  next: 1,
  block: 2,
  slot: 3,
  tlb: 4,
  budget: 5,
  rip: 6,
  target: 7,
} as const;
const fixed = [Type.i32, Type.i32, Type.i32, Type.i32, Type.i32, Type.i64, Type.i64, Type.i64];

/** Places of the CPU's state that are in locals: 16 registers, then the flags. */
const places = [
  ...Array.from({ length: 16 }, (_, n) => ({ at: L.REGS + 8 * n, type: Type.i64 as number })),
  { at: L.FLAG_KIND, type: Type.i32 },
  { at: L.FLAG_CARRY, type: Type.i32 },
  { at: L.FLAG_A, type: Type.i64 },
  { at: L.FLAG_B, type: Type.i64 },
  { at: L.FLAG_RESULT, type: Type.i64 },
];
const FLAGS = 16;

/** Which place an address is in; undefined where it is no state that is kept in locals. */
export function placeOf(address: number): { index: number; byte: number; type: number } | undefined {
  if (address >= L.REGS && address < L.REGS + 128) {
    return { index: (address - L.REGS) >> 3, byte: address & 7, type: Type.i64 };
  }
  for (let index = FLAGS; index < places.length; index++) {
    const { at, type } = places[index]!;
    const byte = address - at;
    if (byte >= 0 && byte < (type === Type.i64 ? 8 : 4)) return { index, byte, type };
  }
  return undefined;
}

interface Sync {
  at: number;
  load: boolean;
}

/** Where a builder was, to go back to. */
export interface Mark {
  length: number;
  depth: number;
  kind: number | undefined;
  syncs: number;
}

export class Builder {
  readonly bytes = new Bytes();
  /** Blocks that are open. */
  depth = 0;
  /** The kind of the lazy flags, where it is known. */
  kind: number | undefined;
  /** The levels of the blocks around all: leaving them goes on with `next`, or with `enter`. */
  plain = 0;
  through = 0;
  readonly #types: number[] = [...fixed];
  readonly #localOf = new Int32Array(places.length).fill(-1);
  readonly #written = new Uint8Array(places.length);
  readonly #pools = new Map<number, number[]>();
  readonly #taken = new Map<number, number>();
  #syncs: Sync[] = [];

  mark(): Mark {
    return { length: this.bytes.length, depth: this.depth, kind: this.kind, syncs: this.#syncs.length };
  }

  /** Forgets what was added since the mark. */
  rollBack({ length, depth, kind, syncs }: Mark): void {
    this.bytes.length = length;
    this.depth = depth;
    this.kind = kind;
    this.#syncs.length = syncs;
  }

  op(opcode: number): void {
    this.bytes.byte(opcode);
  }

  i32(value: number): void {
    this.bytes.byte(Op.i32Const);
    this.bytes.s32(value);
  }

  i64(value: bigint): void {
    this.bytes.byte(Op.i64Const);
    this.bytes.s64(value);
  }

  get(local: number): void {
    this.bytes.byte(Op.localGet);
    this.bytes.u32(local);
  }

  set(local: number): void {
    this.bytes.byte(Op.localSet);
    this.bytes.u32(local);
  }

  tee(local: number): void {
    this.bytes.byte(Op.localTee);
    this.bytes.u32(local);
  }

  /** A load or store; the address is on the stack. */
  access(opcode: number, offset: number): void {
    this.bytes.byte(opcode);
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

  /** A local for a value of an operation, until `release`. */
  temporary(type: number): number {
    let pool = this.#pools.get(type);
    if (pool === undefined) {
      pool = [];
      this.#pools.set(type, pool);
    }
    const taken = this.#taken.get(type) ?? 0;
    this.#taken.set(type, taken + 1);
    if (pool[taken] === undefined) pool[taken] = this.#types.push(type) - 1;
    return pool[taken];
  }

  /** All temporary locals are free again. */
  release(): void {
    this.#taken.clear();
  }

  /** How many temporary locals of each type are taken. */
  temporaries(): ReadonlyMap<number, number> {
    return new Map(this.#taken);
  }

  restoreTemporaries(taken: ReadonlyMap<number, number>): void {
    for (const [type, count] of taken) this.#taken.set(type, count);
  }

  /** The local that holds a place of the CPU's state. */
  state(index: number, written: boolean): number {
    if (this.#localOf[index] === -1) this.#localOf[index] = this.#types.push(places[index]!.type) - 1;
    if (written) this.#written[index] = 1;
    return this.#localOf[index]!;
  }

  /** Here the state that is in locals goes to memory, or comes from there. */
  sync(load: boolean): void {
    this.#syncs.push({ at: this.bytes.length, load });
  }

  /** The function's body with declarations of its locals: what is noted is filled in. */
  finish(): Uint8Array {
    const out = new Bytes();
    this.#declare(out);
    let from = 0;
    for (const { at, load } of this.#syncs) {
      out.append(this.bytes.view(from, at));
      from = at;
      if (load) this.#loadState(out);
      else this.#storeState(out);
    }
    out.append(this.bytes.view(from));
    return out.view();
  }

  #declare(out: Bytes): void {
    const runs: [number, number][] = [];
    for (const type of this.#types.slice(1)) {
      const last = runs.at(-1);
      if (last?.[1] === type) last[0]++;
      else runs.push([1, type]);
    }
    out.u32(runs.length);
    for (const [count, type] of runs) {
      out.u32(count);
      out.byte(type);
    }
  }

  #loadState(out: Bytes): void {
    for (const [index, { at, type }] of places.entries()) {
      if (this.#localOf[index] === -1) continue;
      out.byte(Op.i32Const);
      out.s32(0);
      out.byte(type === Type.i64 ? 0x29 : 0x28);
      out.byte(0);
      out.u32(at);
      out.byte(Op.localSet);
      out.u32(this.#localOf[index]!);
    }
  }

  #storeState(out: Bytes): void {
    for (const [index, { at, type }] of places.entries()) {
      if (this.#written[index] === 0) continue;
      out.byte(Op.i32Const);
      out.s32(0);
      out.byte(Op.localGet);
      out.u32(this.#localOf[index]!);
      out.byte(type === Type.i64 ? 0x37 : 0x36);
      out.byte(0);
      out.u32(at);
    }
  }
}
