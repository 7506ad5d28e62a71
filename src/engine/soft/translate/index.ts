/**
 * The translator: hot guest code becomes WebAssembly functions. docs/translator.md says how.
 *
 * @module
 */
import type { Program } from '../host/program.js';
import * as L from '../layout.js';
import { functionOf } from './function.js';
import { moduleOf } from './module.js';
import type { ProgramCode } from './program.js';
import { type BlockEnd, type Region, regionOf } from './region.js';

export { ProgramCode } from './program.js';

/** `eager` translates what ran once, for tests. */
export type TranslateMode = 'off' | 'on' | 'eager';

/** How often `enter` comes to a block before it is translated, and how often a budget ends there. */
const heat = { on: 300, eager: 1 };
const samples = { on: 2, eager: 1 };
/** Blocks of one function. */
const mostBlocks = { on: 32, eager: 5 };
/** Functions of one module. */
const MOST_TOGETHER = 16;
/** Translated functions that are kept; then all blocks are forgotten. */
const MOST_FUNCTIONS = 12_000;

/** What the translator did so far. */
export interface TranslationStats {
  functions: number;
  modules: number;
  /** Bytes of WebAssembly. */
  bytes: number;
  /** Guest instructions in translated functions. */
  instructions: number;
  /** Milliseconds spent translating, the host's compiler included. */
  ms: number;
  /** Why no more is translated, if so. */
  stopped: string | undefined;
}

/** The translator of one CPU. */
export class Translator {
  readonly #program: Program;
  readonly #code: ProgramCode;
  readonly #memory: WebAssembly.Memory;
  readonly #view: DataView;
  readonly #samples = new Map<number, number>();
  readonly #wanted = new Set<number>();
  readonly #leastSamples: number;
  readonly #ends = new Map<number, BlockEnd>();
  readonly #mode: 'on' | 'eager';
  readonly #first: number;
  #next: number;
  #generation = -1;
  readonly stats: TranslationStats = {
    functions: 0,
    modules: 0,
    bytes: 0,
    instructions: 0,
    ms: 0,
    stopped: undefined,
  };

  constructor(program: Program, code: ProgramCode, memory: WebAssembly.Memory, mode: 'on' | 'eager') {
    this.#program = program;
    this.#code = code;
    this.#memory = memory;
    this.#view = new DataView(memory.buffer);
    this.#leastSamples = samples[mode];
    this.#mode = mode;
    this.#first = program.table.length;
    this.#next = this.#first;
    this.#view.setUint32(L.HOT_HEAT, heat[mode], true);
  }

  /** Looks where the CPU is, between two runs, and translates what is hot. */
  look(): void {
    const view = this.#view;
    if (this.stats.stopped !== undefined) return;
    const generation = view.getUint32(L.GENERATION, true);
    if (generation !== this.#generation) {
      this.#generation = generation;
      this.#next = this.#first;
      this.#samples.clear();
      this.#wanted.clear();
      this.#ends.clear();
    }
    this.#sample();
    const count = view.getUint32(L.HOT_COUNT, true);
    for (let n = 0; n < count; n++) this.#wanted.add(view.getUint32(L.HOT_BLOCKS + 4 * n, true));
    view.setUint32(L.HOT_COUNT, 0, true);
    do this.#translate();
    while (this.#mode === 'eager' && this.#wanted.size > 0);
  }

  #sample(): void {
    const block = this.#program.blockAtRip();
    if (block === 0) return;
    const seen = (this.#samples.get(block) ?? 0) + 1;
    this.#samples.set(block, seen);
    if (seen === this.#leastSamples) this.#wanted.add(block);
  }

  #translate(): void {
    if (this.#wanted.size === 0) return;
    const began = performance.now();
    const regions: Region[] = [];
    for (const block of this.#wanted) {
      if (regions.length === MOST_TOGETHER) break;
      this.#wanted.delete(block);
      if (this.#isTranslatable(block))
        regions.push(regionOf(this.#code, this.#view, block, this.#ends, mostBlocks[this.#mode]));
    }
    if (regions.length > 0) this.#compile(regions);
    this.stats.ms += performance.now() - began;
  }

  #isTranslatable(block: number): boolean {
    const view = this.#view;
    return (
      view.getUint32(block + L.BLOCK_START, true) !== 0 &&
      view.getUint32(block + L.BLOCK_FIRST, true) === block + L.BLOCK_OPS &&
      (view.getUint32(block + L.BLOCK_MODE, true) & (L.MODE_CODE64 | L.MODE_FLAT)) !== 0
    );
  }

  #compile(regions: readonly Region[]): void {
    const bodies = regions.map((region) => functionOf(region, this.#code, this.#view));
    const bytes = moduleOf(bodies);
    const { enter, perform, table } = this.#program;
    let exports: WebAssembly.Exports;
    try {
      const module = new WebAssembly.Module(bytes);
      ({ exports } = new WebAssembly.Instance(module, { soft: { memory: this.#memory, enter, perform } }));
      if (this.#next + regions.length > table.length) table.grow(Math.max(256, regions.length));
    } catch (error) {
      // The guest goes on interpreted, for example where the host has no memory left for code.
      this.stats.stopped = (error as Error).message;
      return;
    }
    for (const [index, region] of regions.entries()) {
      table.set(this.#next, exports[String(index)] as () => number);
      this.#attach(region, this.#next++);
    }
    this.stats.modules++;
    this.stats.bytes += bytes.length;
    if (this.#next - this.#first > MOST_FUNCTIONS)
      this.stats.stopped = `${MOST_FUNCTIONS} functions are kept`;
  }

  /** Makes the translation's record, where the pool has room, and lets the block begin with it. */
  #attach({ entry, nodes }: Region, handler: number): void {
    const view = this.#view;
    const record = view.getUint32(L.POOL_NEXT, true);
    const end = record + L.TRANSLATION_LIST + 4 * nodes.length;
    if (end > L.POOL_END) return;
    view.setUint32(L.POOL_NEXT, (end + 7) & ~7, true);
    view.setUint16(record + L.OP_HANDLER, handler, true);
    view.setUint32(record + L.TRANSLATION_BLOCKS, nodes.length, true);
    for (const [index, { block }] of nodes.entries())
      view.setUint32(record + L.TRANSLATION_LIST + 4 * index, block, true);
    view.setUint32(entry.block + L.BLOCK_FIRST, record, true);
    this.stats.functions++;
    this.stats.instructions += nodes.reduce((sum, { count }) => sum + count, 0);
  }
}
