/**
 * What is translated together: the blocks that jumps reach from one of them without leaving its page.
 *
 * @module
 */
import * as L from '../layout.js';
import { Builder } from './builder.js';
import { CannotFold, Fold } from './fold.js';
import type { ProgramCode } from './program.js';

/** What is known of a block's end: the slots of its branches, and whether the interpreter does its last operation. */
export interface BlockEnd {
  slots: number[];
  performsLast: boolean;
}

export interface Node {
  block: number;
  /** Operations, without the one that marks the end. */
  count: number;
  /** Bytes from the start of the region's first block. */
  delta: bigint;
  /** The block by the slot of the branch that goes there. */
  edges: Map<number, Node>;
  /** The last operation is left to the interpreter's handler. */
  performsLast: boolean;
  /** Place in reverse postorder. */
  order: number;
  dominator: Node | undefined;
  /** Branches come back to it, from blocks that it dominates. */
  isLoop: boolean;
  /** Several ways meet here, besides those that come back. */
  isMerge: boolean;
  /** Most instructions from its beginning to the next look at the budget. */
  longest: number;
}

export interface Region {
  entry: Node;
  /** In reverse postorder. */
  nodes: Node[];
  mode: number;
}

/** True if the block's bytes are what they were when it was decoded. */
function unchanged(view: DataView, block: number): boolean {
  const start = view.getUint32(block + L.BLOCK_START, true);
  const copy = block + L.BLOCK_OPS + (view.getUint32(block + L.BLOCK_COUNT, true) + 1) * L.OP_SIZE;
  const length = view.getUint32(block + L.BLOCK_LENGTH, true);
  for (let n = 0; n < length; n++) if (view.getUint8(start + n) !== view.getUint8(copy + n)) return false;
  return true;
}

/** The slots of the last operation's branches, and whether it cannot be translated. */
function endOf(program: ProgramCode, view: DataView, mode: number, block: number, count: number): BlockEnd {
  const slots: number[] = [];
  let performsLast = false;
  const builder = new Builder();
  const start = builder.mark();
  const around = {
    edge(slot: number) {
      slots.push(slot);
      return true;
    },
    leave() {},
    goThrough() {},
  };
  const last = block + L.BLOCK_OPS + (count - 1) * L.OP_SIZE;
  const fold = (record: number) => {
    builder.rollBack(start);
    return new Fold(builder, program, view, mode).operation(record, 0n, around);
  };
  let goesOn = true;
  try {
    goesOn = fold(last);
  } catch (error) {
    if (!(error instanceof CannotFold)) throw error;
    performsLast = true;
    slots.length = 0;
  }
  if (goesOn) fold(last + L.OP_SIZE);
  return { slots, performsLast };
}

/**
 * The region of a block, which is of now.
 *
 * @param ends what is known of blocks' ends so far
 * @param mostBlocks how many blocks it may have
 */
export function regionOf(
  program: ProgramCode,
  view: DataView,
  entry: number,
  ends: Map<number, BlockEnd>,
  mostBlocks: number,
): Region {
  const mode = view.getUint32(entry + L.BLOCK_MODE, true);
  const start = view.getUint32(entry + L.BLOCK_START, true);
  const nodes = new Map<number, Node>();
  const add = (block: number): Node => {
    const known = nodes.get(block);
    if (known !== undefined) return known;
    const node: Node = {
      block,
      count: view.getUint32(block + L.BLOCK_COUNT, true),
      delta: BigInt(view.getUint32(block + L.BLOCK_START, true) - start),
      edges: new Map(),
      performsLast: false,
      order: -1,
      dominator: undefined,
      isLoop: false,
      isMerge: false,
      longest: 0,
    };
    nodes.set(block, node);
    return node;
  };
  const belongs = (block: number) =>
    block >= L.POOL &&
    block < L.POOL_END &&
    view.getUint32(block + L.BLOCK_START, true) >>> 12 === start >>> 12 &&
    view.getUint32(block + L.BLOCK_MODE, true) === mode &&
    (nodes.has(block) || nodes.size < mostBlocks) &&
    unchanged(view, block);
  const first = add(entry);
  // The set grows while it is gone through.
  for (const node of nodes.values()) {
    let end = ends.get(node.block);
    if (end === undefined) {
      end = endOf(program, view, mode, node.block, node.count);
      ends.set(node.block, end);
    }
    const { slots, performsLast } = end;
    node.performsLast = performsLast;
    for (const slot of slots) {
      const word = view.getUint32(slot, true);
      if ((word & 1) === 1 && belongs(word - 1)) node.edges.set(slot, add(word - 1));
    }
  }
  return { entry: first, nodes: arrange(first), mode };
}

/** Puts the nodes in reverse postorder, and works out dominators, loops and where ways meet. */
function arrange(entry: Node): Node[] {
  const nodes: Node[] = [];
  const seen = new Set<Node>();
  const visit = (node: Node) => {
    seen.add(node);
    for (const next of node.edges.values()) if (!seen.has(next)) visit(next);
    nodes.push(node);
  };
  visit(entry);
  nodes.reverse();
  for (const [order, node] of nodes.entries()) node.order = order;
  const before = new Map<Node, Node[]>(nodes.map((node) => [node, []]));
  for (const node of nodes) for (const next of node.edges.values()) before.get(next)!.push(node);
  findDominators(nodes, before);
  for (const node of nodes) {
    const forward = before.get(node)!.filter(({ order }) => order < node.order);
    node.isMerge = forward.length > 1;
    node.isLoop = before.get(node)!.some((from) => from.order >= node.order && dominates(node, from));
  }
  for (const node of [...nodes].reverse()) {
    const ahead = [...node.edges.values()].filter(({ order }) => order > node.order);
    node.longest = node.count + Math.max(0, ...ahead.map(({ longest }) => longest));
  }
  return nodes;
}

/** Cooper, Harvey, Kennedy: A Simple, Fast Dominance Algorithm. */
function findDominators(nodes: readonly Node[], before: Map<Node, Node[]>): void {
  const [entry] = nodes;
  entry!.dominator = entry;
  for (let changed = true; changed; ) {
    changed = false;
    for (const node of nodes.slice(1)) {
      let found: Node | undefined;
      for (const from of before.get(node)!) {
        if (from.dominator !== undefined) found = found === undefined ? from : common(found, from);
      }
      if (found === node.dominator) continue;
      node.dominator = found;
      changed = true;
    }
  }
  entry!.dominator = undefined;
}

function common(a: Node, b: Node): Node {
  let [x, y] = [a, b];
  while (x !== y) {
    while (x.order > y.order) x = x.dominator!;
    while (y.order > x.order) y = y.dominator!;
  }
  return x;
}

/** True if every way to `node` comes by `over`. */
export function dominates(over: Node, node: Node): boolean {
  let at: Node | undefined = node;
  while (at !== undefined && at !== over) at = at.dominator;
  return at === over;
}
