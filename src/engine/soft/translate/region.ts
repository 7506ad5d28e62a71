/**
 * The unit of translation: the blocks that jumps reach from a first one within its page.
 *
 * @module
 */
import * as L from '../layout.js';
import { HoleKind, SAME_FLAGS, type Template } from './template.js';
import type { Templates } from './templates.js';

/** The known facts about a block's end. */
export interface BlockEnd {
  /** The slots of its branches, once for each branch. */
  slots: number[];
  /** It continues elsewhere, and may return after it. */
  calls: boolean;
}

export interface Node {
  block: number;
  /** Its operations, without the one that marks the end. */
  count: number;
  /** Bytes from the start of the region's first block. */
  delta: bigint;
  /** The target block by the branch's slot. */
  edges: Map<number, Node>;
  /** The block after it, to which a call returns. */
  after: Node | undefined;
  /** Its successors, once for each path. */
  next: Node[];
  /** Its position in reverse postorder. */
  order: number;
  dominator: Node | undefined;
  /** It is the target of back edges, from blocks that it dominates. */
  isLoop: boolean;
  /** Several paths join here, without the back edges. */
  isMerge: boolean;
  /** The most instructions from its beginning to the next check of the budget. */
  longest: number;
}

export interface Region {
  entry: Node;
  /** In reverse postorder. */
  nodes: Node[];
  mode: number;
  /** The translator is notified if the function was left early this often; 0: it is not left at a TLB miss. */
  mostLeft: number;
}

/** True if all of a region's blocks are still valid. */
export function isOfNow({ nodes }: Region, view: DataView): boolean {
  return nodes.every(
    ({ block }) => view.getUint32(block + L.BLOCK_START, true) !== 0 && unchanged(view, block),
  );
}

/** True if the block's bytes are the same as when it was decoded. */
function unchanged(view: DataView, block: number): boolean {
  const start = view.getUint32(block + L.BLOCK_START, true);
  const copy = block + L.BLOCK_OPS + (view.getUint32(block + L.BLOCK_COUNT, true) + 1) * L.OP_SIZE;
  const length = view.getUint32(block + L.BLOCK_LENGTH, true);
  for (let n = 0; n < length; n++) if (view.getUint8(start + n) !== view.getUint8(copy + n)) return false;
  return true;
}

/** How a block continues: by its last operation, or by the one that marks its end. */
function endOf(templates: Templates, view: DataView, mode: number, block: number, leaves: boolean): BlockEnd {
  const end = block + L.BLOCK_OPS + view.getUint32(block + L.BLOCK_COUNT, true) * L.OP_SIZE;
  const get = (record: number, flags?: number) =>
    templates.get({ view, record, delta: 0n }, mode, flags, leaves);
  const last = get(end - L.OP_SIZE, flagsBefore(get, block + L.BLOCK_OPS, end - L.OP_SIZE));
  const slots = last === null ? [] : slotsOf(last, end - L.OP_SIZE);
  const mark = last === null || last.goesOn || last.performs ? get(end) : null;
  if (mark !== null) slots.push(...slotsOf(mark, end));
  return { slots, calls: last?.calls ?? false };
}

/** The lazy flags' kind before the operation at `record`, if the operations since `first` determine it. */
function flagsBefore(
  get: (record: number) => Template | null,
  first: number,
  record: number,
): number | undefined {
  for (let at = record - L.OP_SIZE; at >= first; at -= L.OP_SIZE) {
    const before = get(at);
    if (before === null || before.performs) return undefined;
    if (before.flags !== SAME_FLAGS) return before.flags;
  }
  return undefined;
}

function slotsOf({ holes }: Template, record: number): number[] {
  return holes
    .filter(({ kind, slot }) => kind === HoleKind.go && slot !== 0)
    .map(({ slot }) => record + slot);
}

/** The most blocks of a page that are examined. */
const LONGEST_WALK = 64;

/** The valid block that starts at a place in memory; 0 where there is none. */
function blockAt(view: DataView, start: number, mode: number): number {
  let block = view.getUint32(L.PAGES + ((start - L.RAM) >>> 12) * L.PAGE_RECORD + L.PAGE_BLOCKS, true);
  for (let left = LONGEST_WALK; left > 0 && block !== 0; left--) {
    const isIt =
      view.getUint32(block + L.BLOCK_START, true) === start &&
      view.getUint32(block + L.BLOCK_MODE, true) === mode;
    if (isIt) return block;
    block = view.getUint32(block + L.BLOCK_NEXT, true);
  }
  return 0;
}

/**
 * Already translated code is not translated again as part of another region, if its translation has more instructions.
 */
const MOST_TWICE = 64;

/**
 * The region of a valid block.
 *
 * @param ends the known ends of blocks so far
 * @param covered the instructions of translations by their first block
 * @param mostBlocks how many blocks it may have
 * @param mostInstructions how many instructions they may have, where it is more than one block
 * @param mostLeft see `Region`
 * @param deadline milliseconds of `performance.now()`
 * @returns undefined where there was no time left; the results so far are in `ends`
 */
export function regionOf(
  templates: Templates,
  view: DataView,
  entry: number,
  ends: Map<number, BlockEnd>,
  covered: ReadonlyMap<number, number>,
  mostBlocks: number,
  mostInstructions: number,
  mostLeft: number,
  deadline: number,
): Region | undefined {
  const mode = view.getUint32(entry + L.BLOCK_MODE, true);
  const start = view.getUint32(entry + L.BLOCK_START, true);
  const nodes = new Map<number, Node>();
  const { made } = templates;
  let instructions = 0;
  const add = (block: number): Node => {
    const known = nodes.get(block);
    if (known !== undefined) return known;
    const node: Node = {
      block,
      count: view.getUint32(block + L.BLOCK_COUNT, true),
      delta: BigInt(view.getUint32(block + L.BLOCK_START, true) - start),
      edges: new Map(),
      after: undefined,
      next: [],
      order: -1,
      dominator: undefined,
      isLoop: false,
      isMerge: false,
      longest: 0,
    };
    nodes.set(block, node);
    instructions += node.count;
    return node;
  };
  const belongs = (block: number) =>
    block >= L.POOL &&
    block < L.POOL_END &&
    view.getUint32(block + L.BLOCK_START, true) >>> 12 === start >>> 12 &&
    view.getUint32(block + L.BLOCK_MODE, true) === mode &&
    (covered.get(block) ?? 0) <= MOST_TWICE &&
    (nodes.has(block) || (nodes.size < mostBlocks && instructions < mostInstructions)) &&
    unchanged(view, block);
  const first = add(entry);
  // The set grows during the iteration.
  for (const node of nodes.values()) {
    const { block } = node;
    let end = ends.get(block);
    if (end === undefined) {
      if (templates.made !== made && performance.now() > deadline) return undefined;
      end = endOf(templates, view, mode, block, mostLeft !== 0);
      ends.set(block, end);
    }
    if (end.calls) {
      const behind =
        view.getUint32(block + L.BLOCK_START, true) + view.getUint32(block + L.BLOCK_LENGTH, true);
      const after = behind >>> 12 === start >>> 12 ? blockAt(view, behind, mode) : 0;
      if (after === 0 || !belongs(after)) continue;
      node.after = add(after);
      node.next.push(node.after);
      continue;
    }
    for (const slot of end.slots) {
      const word = view.getUint32(slot, true);
      if ((word & 1) === 0 || !belongs(word - 1)) continue;
      const to = add(word - 1);
      node.edges.set(slot, to);
      node.next.push(to);
    }
  }
  return { entry: first, nodes: arrange(first), mode, mostLeft };
}

/** Puts the nodes in reverse postorder, and computes dominators, loops and joins. */
function arrange(entry: Node): Node[] {
  const nodes: Node[] = [];
  const seen = new Set<Node>();
  const visit = (node: Node) => {
    seen.add(node);
    for (const next of node.next) if (!seen.has(next)) visit(next);
    nodes.push(node);
  };
  visit(entry);
  nodes.reverse();
  for (const [order, node] of nodes.entries()) node.order = order;
  const before = new Map<Node, Node[]>(nodes.map((node) => [node, []]));
  for (const node of nodes) for (const next of node.next) before.get(next)!.push(node);
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

/** True if `over` dominates `node`. */
export function dominates(over: Node, node: Node): boolean {
  let at: Node | undefined = node;
  while (at !== undefined && at !== over) at = at.dominator;
  return at === over;
}
