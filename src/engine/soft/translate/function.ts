/**
 * A region as one WebAssembly function with structured control flow (Ramsey: Beyond Relooper, 2022).
 *
 * The function is a handler: it gets its record, and returns the operation to go on with. Whoever called it has charged the
 * first block's instructions; each branch inside charges those of the block that it goes to, as the interpreter does. So at each
 * moment the state is that of the interpreter at the same operation, but for what is in locals. The budget is looked at where
 * the function begins and where a loop goes back: there it has to be enough for the longest way to the next look.
 *
 * @module
 */
import * as L from '../layout.js';
import { Builder, Local } from './builder.js';
import { CannotFold, Fold, type Surroundings } from './fold.js';
import { Op, type ProgramCode, Type } from './program.js';
import { dominates, type Node, type Region } from './region.js';

/** The functions that a module of translations imports, by their index. */
export const Imported = { enter: 0, perform: 1, count: 2 } as const;

const LOAD32 = 0x28;
const LOAD64 = 0x29;
const STORE32 = 0x36;
const STORE64 = 0x37;

/** The body of a region's function, with declarations of its locals. */
export function functionOf(region: Region, program: ProgramCode, view: DataView): Uint8Array {
  return new FunctionWriter(region, program, view).write();
}

class FunctionWriter {
  readonly #region: Region;
  readonly #program: ProgramCode;
  readonly #view: DataView;
  readonly #builder = new Builder();
  /** Levels of the blocks that lead to a node, and of loops. */
  readonly #ahead = new Map<Node, number>();
  readonly #back = new Map<Node, number>();

  constructor(region: Region, program: ProgramCode, view: DataView) {
    this.#region = region;
    this.#program = program;
    this.#view = view;
  }

  write(): Uint8Array {
    const builder = this.#builder;
    const { entry } = this.#region;
    this.#begin(entry);
    builder.through = builder.open(Op.block, Type.none);
    builder.plain = builder.open(Op.block, Type.none);
    this.#tree(entry);
    builder.op(Op.unreachable);
    builder.close();
    this.#storeAll();
    builder.get(Local.next);
    builder.op(Op.return);
    builder.close();
    this.#storeAll();
    builder.get(Local.target);
    builder.get(Local.slot);
    builder.call(Imported.enter);
    builder.op(Op.end);
    return builder.finish();
  }

  #begin({ block, longest, count }: Node): void {
    const builder = this.#builder;
    this.#load(LOAD64, L.BUDGET);
    builder.tee(Local.budget);
    builder.i64(BigInt(longest - count));
    builder.op(0x53); // i64.lt_s
    builder.open(Op.if, Type.none);
    builder.i32(block + L.BLOCK_OPS);
    builder.op(Op.return);
    builder.close();
    this.#load(LOAD64, L.BLOCK_RIP);
    builder.set(Local.rip);
    this.#load(LOAD32, L.TLB_NOW);
    builder.set(Local.tlb);
    builder.sync(true);
  }

  #load(opcode: number, address: number): void {
    this.#builder.i32(0);
    this.#builder.access(opcode, address);
  }

  /** Stores what is in locals; `Local.block` is the block that the function is in. */
  #storeAll(): void {
    const builder = this.#builder;
    builder.sync(false);
    builder.i32(0);
    builder.get(Local.budget);
    builder.access(STORE64, L.BUDGET);
    builder.i32(0);
    builder.get(Local.block);
    builder.access(STORE32, L.BLOCK);
    builder.i32(0);
    // As far behind the first block as it lies behind it in memory.
    builder.get(Local.rip);
    builder.get(Local.block);
    builder.access(LOAD32, L.BLOCK_START);
    builder.i32(this.#view.getUint32(this.#region.entry.block + L.BLOCK_START, true));
    builder.op(0x6b); // i32.sub
    builder.op(0xac); // i64.extend_i32_s
    builder.op(0x7c); // i64.add
    builder.access(STORE64, L.BLOCK_RIP);
  }

  /** A node, and all that it dominates. */
  #tree(node: Node): void {
    const builder = this.#builder;
    if (node.isLoop) {
      this.#back.set(node, builder.open(Op.loop, Type.none));
      builder.kind = undefined;
    }
    const merges = this.#region.nodes.filter(({ dominator, isMerge }) => dominator === node && isMerge);
    for (const merge of [...merges].reverse()) this.#ahead.set(merge, builder.open(Op.block, Type.none));
    this.#operations(node);
    for (const merge of merges) {
      builder.close();
      builder.kind = undefined;
      this.#tree(merge);
    }
    if (node.isLoop) builder.close();
    builder.op(Op.unreachable);
  }

  #operations(node: Node): void {
    const builder = this.#builder;
    builder.i32(node.block);
    builder.set(Local.block);
    for (let index = 0; index <= node.count; index++) {
      const record = node.block + L.BLOCK_OPS + index * L.OP_SIZE;
      const around: Surroundings = {
        edge: (slot) => this.#edge(node, slot),
        leave: () => this.#leave(record),
        goThrough: (slot) => this.#goThrough(slot),
      };
      if (!this.#operation(node, record, index, around)) return;
    }
  }

  #operation(node: Node, record: number, index: number, around: Surroundings): boolean {
    const builder = this.#builder;
    if (index === node.count - 1 && node.performsLast) {
      this.#perform(node, record);
      return true;
    }
    const mark = builder.mark();
    try {
      const fold = new Fold(builder, this.#program, this.#view, this.#region.mode);
      return fold.operation(record, node.delta, around);
    } catch (error) {
      if (!(error instanceof CannotFold)) throw error;
      builder.rollBack(mark);
      this.#perform(node, record);
      return true;
    }
  }

  /** The interpreter goes on with the operation at `record`. */
  #leave(record: number): void {
    const builder = this.#builder;
    builder.i32(record);
    builder.set(Local.next);
    builder.branch(builder.plain);
  }

  #goThrough(slot: number): void {
    const builder = this.#builder;
    builder.i32(slot);
    builder.set(Local.slot);
    builder.branch(builder.through);
  }

  /** A branch to a block of the region. False where it has to leave. */
  #edge(node: Node, slot: number): boolean {
    const target = node.edges.get(slot);
    if (target === undefined) return false;
    const builder = this.#builder;
    if (target.order <= node.order) {
      if (!dominates(target, node)) return false;
      builder.get(Local.budget);
      builder.i64(BigInt(target.longest));
      builder.op(0x53); // i64.lt_s
      builder.open(Op.if, Type.none);
      this.#goThrough(0);
      builder.close();
      this.#charge(target);
      builder.branch(this.#back.get(target)!);
      return true;
    }
    this.#charge(target);
    if (target.isMerge) builder.branch(this.#ahead.get(target)!);
    else this.#tree(target);
    return true;
  }

  #charge({ count }: Node): void {
    const builder = this.#builder;
    builder.get(Local.budget);
    builder.i64(BigInt(count));
    builder.op(0x7d); // i64.sub
    builder.set(Local.budget);
  }

  /** The interpreter's handler does the operation. Where it goes on elsewhere, or something is due, the function ends. */
  #perform(node: Node, record: number): void {
    const builder = this.#builder;
    this.#storeAll();
    builder.i32(record);
    builder.call(Imported.perform);
    builder.tee(Local.next);
    builder.i32(record + L.OP_SIZE);
    builder.op(0x47); // i32.ne
    this.#load(LOAD32, L.EVENTS);
    builder.op(0x72); // i32.or
    this.#load(LOAD32, L.MODE);
    builder.i32(this.#region.mode);
    builder.op(0x73); // i32.xor
    builder.op(0x72);
    // The rounds of a repeated instruction are charged one by one.
    this.#load(LOAD64, L.BUDGET);
    builder.tee(Local.budget);
    builder.i64(BigInt(node.longest - node.count));
    builder.op(0x53); // i64.lt_s
    builder.op(0x72);
    builder.open(Op.if, Type.none);
    builder.get(Local.next);
    builder.op(Op.return);
    builder.close();
    this.#load(LOAD32, L.TLB_NOW);
    builder.set(Local.tlb);
    builder.sync(true);
    builder.kind = undefined;
  }
}
