/**
 * A region as one WebAssembly function with structured control flow (Ramsey: Beyond Relooper, 2022).
 *
 * The function is a handler: it gets its record, and returns the next operation. Its caller has charged the first
 * block's instructions; each branch inside charges those of the block that it goes to, as the interpreter does. So at
 * each moment the state is that of the interpreter at the same operation, except for the values in locals. The budget
 * is checked where the function begins and where a loop goes back: there it has to be enough for the longest path to
 * the next check.
 *
 * @module
 */
import * as L from '../layout.js';
import { type Body, Builder } from './builder.js';
import { Local } from './locals.js';
import { Imported, Op, Type } from './program.js';
import { dominates, type Node, type Region } from './region.js';
import { fill, type Surroundings, type Template } from './template.js';
import type { Templates } from './templates.js';

const LOAD32 = 0x28;
const LOAD64 = 0x29;
const STORE32 = 0x36;
const STORE64 = 0x37;
const I32_NE = 0x47;
const I64_LT_S = 0x53;
const I64_GT_U = 0x56;
const I64_GE_U = 0x5a;
const I32_OR = 0x72;
const I32_XOR = 0x73;
const I64_ADD = 0x7c;
const I64_SUB = 0x7d;
const I32_SUB = 0x6b;
const I64_EXTEND_S = 0xac;
const I64_EXTEND_U = 0xad;

/** 48-bit canonical addresses reach this far up and down from 0; and a distance beyond any displacement. */
const HALF_OF_CANONICAL = 1n << 47n;
const REACH = 1n << 33n;

/** The result of `callThrough` where a call returned to the block after it. */
const CAME_BACK = 1;

/** The body of a region's function. */
export function functionOf(region: Region, templates: Templates, view: DataView): Body {
  return new FunctionWriter(region, templates, view).write();
}

class FunctionWriter {
  readonly #region: Region;
  readonly #templates: Templates;
  readonly #view: DataView;
  readonly #builder = new Builder();
  /** Levels of the blocks that lead to a node, and of loops. */
  readonly #ahead = new Map<Node, number>();
  readonly #back = new Map<Node, number>();

  constructor(region: Region, templates: Templates, view: DataView) {
    this.#region = region;
    this.#templates = templates;
    this.#view = view;
  }

  write(): Body {
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
    builder.get(Local.record);
    builder.get(Local.counted);
    builder.get(Local.budget);
    builder.op(I64_SUB);
    builder.call(Imported.leaveAt);
    builder.op(Op.return);
    builder.close();
    this.#storeAll();
    builder.get(Local.target);
    builder.get(Local.slot);
    builder.call(Imported.goOn);
    builder.op(Op.end);
    return builder.finish();
  }

  #begin({ block, longest, count }: Node): void {
    const builder = this.#builder;
    this.#load(LOAD64, L.BUDGET);
    builder.tee(Local.budget);
    builder.i64(BigInt(longest - count));
    builder.op(I64_LT_S);
    this.#load(LOAD64, L.BLOCK_RIP);
    builder.set(Local.rip);
    this.#count(count);
    if ((this.#region.mode & L.MODE_CODE64) !== 0) this.#checkCanonical();
    else if ((this.#region.mode & L.MODE_FLAT) === 0) this.#checkSegment();
    builder.open(Op.if, Type.none);
    builder.i32(block + L.BLOCK_OPS);
    builder.op(Op.return);
    builder.close();
    this.#load(LOAD32, L.TLB_NOW);
    builder.set(Local.tlb);
    builder.sync(true);
  }

  /** Not entered where a target relative to an instruction might not be canonical: see NEAR_IS_WITHIN. */
  #checkCanonical(): void {
    const builder = this.#builder;
    builder.get(Local.rip);
    builder.i64(HALF_OF_CANONICAL - REACH);
    builder.op(I64_ADD);
    builder.i64(2n * (HALF_OF_CANONICAL - REACH));
    builder.op(I64_GE_U);
    builder.op(I32_OR);
  }

  /** Not entered where the code segment ends within the page, or where a 16-bit jump would wrap to its beginning. */
  #checkSegment(): void {
    const builder = this.#builder;
    const { nodes, mode } = this.#region;
    const starts = nodes.map(({ delta }) => Number(delta));
    const lengths = nodes.map(({ block }) => this.#view.getUint32(block + L.BLOCK_LENGTH, true));
    const first = BigInt(Math.min(...starts));
    const last = BigInt(Math.max(...starts.map((start, n) => start + lengths[n]!)) - 1);
    for (const offset of [first, last]) {
      builder.get(Local.rip);
      builder.i64(offset);
      builder.op(I64_ADD);
      this.#load(LOAD32, L.SEGMENTS + L.SEG_CS * L.SEGMENT_SIZE + L.SEG_LIMIT);
      builder.op(I64_EXTEND_U);
      builder.op(I64_GT_U);
      builder.op(I32_OR);
    }
    if ((mode & L.MODE_CODE32) !== 0) return;
    builder.get(Local.rip);
    builder.i64(last);
    builder.op(I64_ADD);
    builder.i64(0xffffn);
    builder.op(I64_GT_U);
    builder.op(I32_OR);
  }

  #load(opcode: number, address: number): void {
    this.#builder.i32(0);
    this.#builder.access(opcode, address);
  }

  /** Stores the locals; `Local.block` is the function's current block. */
  #storeAll(): void {
    const builder = this.#builder;
    builder.sync(false);
    this.#addToCount(() => {
      builder.get(Local.counted);
      builder.get(Local.budget);
      builder.op(I64_SUB);
    });
    // Its RIP is as far after the first block's as it is in memory.
    this.#storePlace(() => {
      builder.get(Local.block);
      builder.access(LOAD32, L.BLOCK_START);
      builder.i32(this.#view.getUint32(this.#region.entry.block + L.BLOCK_START, true));
      builder.op(I32_SUB);
      builder.op(I64_EXTEND_S);
    });
  }

  /** Stores the budget, the block and its RIP; `delta` is the distance from the first block's RIP. */
  #storePlace(delta: () => void): void {
    const builder = this.#builder;
    builder.i32(0);
    builder.get(Local.budget);
    builder.access(STORE64, L.BUDGET);
    builder.i32(0);
    builder.get(Local.block);
    builder.access(STORE32, L.BLOCK);
    builder.i32(0);
    builder.get(Local.rip);
    delta();
    builder.op(I64_ADD);
    builder.access(STORE64, L.BLOCK_RIP);
  }

  #addToCount(instructions: () => void): void {
    const builder = this.#builder;
    builder.i32(0);
    this.#load(LOAD64, L.TRANSLATED_INSTRUCTIONS);
    instructions();
    builder.op(I64_ADD);
    builder.access(STORE64, L.TRANSLATED_INSTRUCTIONS);
  }

  /** Instructions are counted from here on: this many are already charged. */
  #count(charged: number): void {
    const builder = this.#builder;
    builder.get(Local.budget);
    builder.i64(BigInt(charged));
    builder.op(I64_ADD);
    builder.set(Local.counted);
  }

  /** A node, and all nodes that it dominates. */
  #tree(node: Node): void {
    const builder = this.#builder;
    if (node.isLoop) {
      this.#back.set(node, builder.open(Op.loop, Type.none));
      builder.flags = undefined;
    }
    const merges = this.#region.nodes.filter(({ dominator, isMerge }) => dominator === node && isMerge);
    for (const merge of [...merges].reverse()) this.#ahead.set(merge, builder.open(Op.block, Type.none));
    this.#operations(node);
    for (const merge of merges) {
      builder.close();
      builder.flags = undefined;
      this.#tree(merge);
    }
    if (node.isLoop) builder.close();
    builder.op(Op.unreachable);
  }

  #operations(node: Node): void {
    const builder = this.#builder;
    builder.i32(node.block);
    builder.set(Local.block);
    const end = node.block + L.BLOCK_OPS + node.count * L.OP_SIZE;
    for (let record = node.block + L.BLOCK_OPS; record <= end; record += L.OP_SIZE) {
      builder.mark(record);
      const template = this.#templateOf(node, record, builder.flags);
      if (template !== null) {
        if (!this.#operation(node, record, template)) return;
        continue;
      }
      const first = record;
      while (record < end && this.#templateOf(node, record + L.OP_SIZE, undefined) === null)
        record += L.OP_SIZE;
      this.#perform(node, first, record);
    }
  }

  #templateOf({ delta }: Node, record: number, flags: number | undefined): Template | null {
    const { mode, mostLeft } = this.#region;
    return this.#templates.get({ view: this.#view, record, delta }, mode, flags, mostLeft !== 0);
  }

  /** True if some path continues with the following operation. */
  #operation(node: Node, record: number, template: Template): boolean {
    const builder = this.#builder;
    const place = { view: this.#view, record, delta: node.delta };
    const around: Surroundings = {
      leave: () => this.#leave(record),
      go: (slot) => {
        if (template.calls) this.#call(node, slot);
        else if (!this.#edge(node, slot)) this.#goThrough(slot);
      },
      performLevel: 0,
    };
    if (!template.performs) {
      fill(template, builder, place, around);
      return template.goesOn;
    }
    const done = builder.open(Op.block, Type.none);
    around.performLevel = builder.open(Op.block, Type.none);
    fill(template, builder, place, around);
    builder.branch(done);
    builder.close();
    this.#perform(node, record, record);
    builder.close();
    return true;
  }

  /** The interpreter continues with the operation at `record`. */
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

  /** A branch to a block of the region. False where it leaves the region. */
  #edge(node: Node, slot: number): boolean {
    const target = node.edges.get(slot);
    if (target === undefined || !canBranch(node, target)) return false;
    const builder = this.#builder;
    if (target.order <= node.order) {
      builder.get(Local.budget);
      builder.i64(BigInt(target.longest));
      builder.op(I64_LT_S);
      builder.open(Op.if, Type.none);
      this.#goThrough(0);
      builder.close();
    }
    this.#charge(target);
    this.#branch(node, target);
    return true;
  }

  #branch(node: Node, target: Node): void {
    const builder = this.#builder;
    if (target.order <= node.order) builder.branch(this.#back.get(target)!);
    else if (target.isMerge) builder.branch(this.#ahead.get(target)!);
    else this.#tree(target);
  }

  /** Continues at the CPU's new RIP, and after the call if it returns there. */
  #call(node: Node, slot: number): void {
    const { after } = node;
    if (after === undefined || !canBranch(node, after)) {
      this.#goThrough(slot);
      return;
    }
    const builder = this.#builder;
    builder.sync(false);
    this.#storePlace(() => builder.i64(node.delta));
    builder.get(Local.target);
    builder.i32(slot);
    builder.i32(after.block);
    builder.i32(after.longest - after.count);
    builder.call(Imported.callThrough);
    builder.set(Local.next);
    // The current instructions, which are not counted yet.
    builder.get(Local.counted);
    builder.get(Local.budget);
    builder.op(I64_SUB);
    builder.set(Local.counted);
    builder.get(Local.next);
    builder.i32(CAME_BACK);
    builder.op(I32_NE);
    builder.open(Op.if, Type.none);
    this.#addToCount(() => builder.get(Local.counted));
    builder.get(Local.next);
    builder.op(Op.return);
    builder.close();
    this.#load(LOAD64, L.BUDGET);
    builder.tee(Local.budget);
    builder.get(Local.counted);
    builder.op(I64_ADD);
    builder.i64(BigInt(after.count));
    builder.op(I64_ADD);
    builder.set(Local.counted);
    this.#load(LOAD64, L.BLOCK_RIP);
    builder.i64(after.delta);
    builder.op(I64_SUB);
    builder.set(Local.rip);
    this.#takeUp();
    this.#branch(node, after);
  }

  #charge({ count }: Node): void {
    const builder = this.#builder;
    builder.get(Local.budget);
    builder.i64(BigInt(count));
    builder.op(I64_SUB);
    builder.set(Local.budget);
  }

  /**
   * The interpreter's handlers execute the operations from `first` to `last`. Where one continues elsewhere, or an
   * event is due after them, the function ends.
   */
  #perform(node: Node, first: number, last: number): void {
    const builder = this.#builder;
    this.#storeAll();
    for (let record = first; record < last; record += L.OP_SIZE) {
      this.#performOne(record);
      builder.op(I32_NE);
      this.#returnNextIf();
    }
    this.#performOne(last);
    builder.op(I32_NE);
    this.#load(LOAD32, L.EVENTS);
    builder.op(I32_OR); // i32.or
    this.#load(LOAD32, L.MODE);
    builder.i32(this.#region.mode);
    builder.op(I32_XOR);
    builder.op(I32_OR);
    // The iterations of a repeated instruction are charged one by one.
    this.#load(LOAD64, L.BUDGET);
    builder.tee(Local.budget);
    builder.i64(BigInt(node.longest - node.count));
    builder.op(I64_LT_S);
    builder.op(I32_OR);
    this.#returnNextIf();
    this.#count(0);
    this.#takeUp();
  }

  /** Pushes the handler's result, and the next operation, onto the stack. */
  #performOne(record: number): void {
    const builder = this.#builder;
    builder.mark(record);
    builder.i32(record);
    builder.call(Imported.perform);
    builder.tee(Local.next);
    builder.i32(record + L.OP_SIZE);
  }

  #returnNextIf(): void {
    const builder = this.#builder;
    builder.open(Op.if, Type.none);
    builder.get(Local.next);
    builder.op(Op.return);
    builder.close();
  }

  /** Loads the values that other functions may have changed. */
  #takeUp(): void {
    const builder = this.#builder;
    this.#load(LOAD32, L.TLB_NOW);
    builder.set(Local.tlb);
    builder.sync(true);
    builder.flags = undefined;
  }
}

/** Forward, or back to the beginning of a loop that contains the branch. */
function canBranch(from: Node, to: Node): boolean {
  return to.order > from.order || dominates(to, from);
}
