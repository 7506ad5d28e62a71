/**
 * The states of a history, from which it runs to the moments between them: as many as its memory limit allows, close together near the
 * present and far apart in the past.
 *
 * @module
 */
import type { MachineState } from '../../machine/index.js';

/** A position in a run. */
export interface Moment {
  /** Instructions since the CPU was made. */
  readonly instructions: number;
  /** Cycles of the CPU's clock: an input's position. */
  readonly cycles: number;
  /** Exits since the machine was made. */
  readonly exits: number;
}

/** A moment with its state. */
export interface Checkpoint extends Moment {
  readonly state: MachineState;
  /** A run that passes this moment continues with its state: the debugger changed the guest here. */
  readonly changed: boolean;
  /** The pages of RAM that may have been written since the checkpoint before; undefined where that is not known. */
  readonly written?: ReadonlySet<number> | undefined;
}

/** The least size of a state without its pages: bytes. */
const SMALLEST = 4096;

/** See the module's comment. */
export class Checkpoints {
  readonly #most: number;
  readonly #list: Checkpoint[] = [];
  /** How many checkpoints contain a page. */
  readonly #pages = new Map<Uint8Array, number>();
  #bytes = 0;

  /** @param most approximately the most bytes to keep; the first and the last checkpoint are always kept */
  constructor(most: number) {
    this.#most = most;
  }

  /** The approximate size of all states in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  get count(): number {
    return this.#list.length;
  }

  get first(): Checkpoint | undefined {
    return this.#list[0];
  }

  /** The last one that is not after this many instructions. */
  before(instructions: number): Checkpoint | undefined {
    return this.#list[this.#after(instructions) - 1];
  }

  /** The first one that is not before this many instructions. */
  notBefore(instructions: number): Checkpoint | undefined {
    return this.#list[this.#after(instructions - 1)];
  }

  /** The last one with fewer exits. */
  beforeExit(exits: number): Checkpoint | undefined {
    return this.#list.findLast((checkpoint) => checkpoint.exits < exits);
  }

  /** The debugger's first change after this many instructions. */
  nextChange(instructions: number): Checkpoint | undefined {
    for (let at = this.#after(instructions); at < this.#list.length; at++)
      if (this.#list[at]!.changed) return this.#list[at];
    return undefined;
  }

  /** Adds one in order, then drops others down to the limit. */
  add(checkpoint: Checkpoint): void {
    this.#list.splice(this.#after(checkpoint.instructions), 0, checkpoint);
    this.#bytes += sizeOf(checkpoint);
    for (const page of checkpoint.state.memory.pages.values()) {
      const holders = this.#pages.get(page) ?? 0;
      if (holders === 0) this.#bytes += page.length;
      this.#pages.set(page, holders + 1);
    }
    while (this.#bytes > this.#most && this.#list.length > 2) this.#drop(this.#leastMissed());
  }

  /** Drops those after this many instructions, and one at that moment too. */
  cut(instructions: number): void {
    while (this.#list.length > 0 && this.#list.at(-1)!.instructions >= instructions)
      this.#drop(this.#list.length - 1);
  }

  /** Drops the first one. */
  dropFirst(): void {
    this.#drop(0);
  }

  /** The index of the first one after this many instructions. */
  #after(instructions: number): number {
    let [low, high] = [0, this.#list.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#list[middle]!.instructions <= instructions) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The one whose neighbours are closest, relative to its age; the first one, where the others must stay. */
  #leastMissed(): number {
    const list = this.#list;
    const now = list.at(-1)!.instructions;
    let [least, found] = [Number.POSITIVE_INFINITY, 0];
    for (let at = 1; at < list.length - 1; at++) {
      const { instructions, changed } = list[at]!;
      const missed = (list[at + 1]!.instructions - list[at - 1]!.instructions) / (now - instructions + 1);
      if (!changed && missed < least) [least, found] = [missed, at];
    }
    return found;
  }

  #drop(at: number): void {
    const [checkpoint] = this.#list.splice(at, 1);
    if (checkpoint === undefined) return;
    const next = this.#list[at];
    if (next !== undefined && at > 0) this.#list[at] = { ...next, written: together(checkpoint, next) };
    this.#bytes -= sizeOf(checkpoint);
    for (const page of checkpoint.state.memory.pages.values()) {
      const holders = this.#pages.get(page)! - 1;
      if (holders > 0) this.#pages.set(page, holders);
      else {
        this.#pages.delete(page);
        this.#bytes -= page.length;
      }
    }
  }
}

/** The pages written before either of two. */
function together(one: Checkpoint, other: Checkpoint): ReadonlySet<number> | undefined {
  if (one.written === undefined || other.written === undefined) return undefined;
  return new Set([...one.written, ...other.written]);
}

const sizes = new WeakMap<MachineState, number>();

/** The approximate size of a state without its pages in bytes; counted once. */
function sizeOf(checkpoint: Checkpoint): number {
  let size = sizes.get(checkpoint.state);
  if (size === undefined) {
    const { memory, ...rest } = checkpoint.state;
    // A place in the table of pages, and one in the set of those that were written.
    size = SMALLEST + 32 * memory.pages.size + weigh(rest);
    sizes.set(checkpoint.state, size);
  }
  return size;
}

function weigh(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 8;
  if (ArrayBuffer.isView(value)) return value.byteLength;
  return Object.values(value).reduce((sum: number, part) => sum + weigh(part), 16);
}
