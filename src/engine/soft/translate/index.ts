/**
 * The translator: hot guest code becomes WebAssembly functions. docs/translator.md says how.
 *
 * @module
 */
import type { Program } from '../host/program.js';
import * as L from '../layout.js';
import type { Body } from './builder.js';
import { functionOf } from './function.js';
import { Listing } from './listing/listing.js';
import { moduleOf } from './module.js';
import { Preparation } from './preparation.js';
import { ProgramCode } from './program.js';
import { type BlockEnd, isOfNow, type Region, regionOf } from './region.js';
import { Templates } from './templates.js';

export { ProgramCode } from './program.js';

/** `eager` translates code that has run once, for tests. */
export type TranslateMode = 'off' | 'on' | 'eager';

/**
 * How often a block is entered by `enter` before it is translated, and the number of instructions of runs that end in
 * it.
 */
const heat = { on: 4000, eager: 1 };
const ending = { on: 600_000, eager: 1 };
/** The factor for a block that is part of a translation: runs mostly end in it because the translation runs. */
const COVERED = 4;
/**
 * A function that was left early this often because of TLB misses is translated again: the new one calls `refill` and
 * continues. That is slower where misses are rare.
 */
const leftEarly = { on: 256, eager: 2 };
/** The largest function: its blocks, and their instructions. */
const largest = { on: { blocks: 32, instructions: 200 }, eager: { blocks: 5, instructions: 24 } };
/** Functions of one module, and their bytes: the host compiles it at once. */
const MOST_TOGETHER = 8;
const MOST_BYTES_TOGETHER = 8000;
/** The limits of stored code; beyond them all blocks are dropped. */
const MOST_FUNCTIONS = 10_000;
const MOST_BYTES = 8 * 1024 * 1024;
/**
 * Translation must be worth its cost. The cost is estimated in instructions that could be interpreted meanwhile, so
 * that it does not depend on the host's load: for each instruction, each new kind of operation, and each module.
 */
const price = { instruction: 4000, template: 40_000, module: 40_000 };
/**
 * The budget of translation: a fixed part, a part of all instructions that ran, and a part of those that ran
 * translated.
 */
const HEAD_START = 1_500_000;
const PART_OF_ALL = 1 / 12;
const PART_OF_TRANSLATED = 1 / 3;
/** No run is longer than the longest slice: time beyond it was skipped. */
const LONGEST_RUN = 1 << 20;
/** Milliseconds of translation at a time, so that no pause is noticeable. */
const PAUSE_MS = 1;
/** For how many instructions an overwritten page is not translated: twice as many each time. */
const firstWait = { on: 1_000_000, eager: 50 };
const longestWait = { on: 1_000_000_000, eager: 400 };

/** The most reported places. */
const MOST_PLACES = 10;

/** The translator's statistics. */
export interface TranslationStats {
  functions: number;
  modules: number;
  /** Bytes of WebAssembly. */
  bytes: number;
  /** Guest instructions in translated functions. */
  instructions: number;
  /** Milliseconds spent translating, the host's compiler included. */
  ms: number;
  /** How often all translations were dropped because there were too many. */
  forgotten: number;
  /** The reason, if no more is translated. */
  stopped: string | undefined;
}

/** The history of a page's translations. */
interface PageHistory {
  /** One of its translated blocks: its start becomes invalid when the page is overwritten. */
  block: number;
  losses: number;
  /** It is not translated until this many instructions have run. */
  until: number;
}

/** Makes templates from the program's bytes at their first use: most guests end before that. */
export function templatesOf(bytes: () => Uint8Array): () => Templates {
  let templates: Templates | undefined;
  return () => {
    templates ??= new Templates(new ProgramCode(bytes()));
    return templates;
  };
}

/** The translator of one CPU. */
export class Translator {
  readonly #program: Program;
  readonly #templates: () => Templates;
  readonly #memory: WebAssembly.Memory;
  readonly #view: DataView;
  readonly #samples = new Map<number, number>();
  readonly #wanted = new Set<number>();
  /** Blocks whose translations are not left at a TLB miss. */
  readonly #resuming = new Set<number>();
  readonly #ends = new Map<number, BlockEnd>();
  /** Blocks that are part of a translation, with the instructions of the translation that begins with them. */
  readonly #covered = new Map<number, number>();
  readonly #pages = new Map<number, PageHistory>();
  readonly #mode: 'on' | 'eager';
  readonly #first: number;
  /** Unfinished work. */
  #preparation: Preparation | undefined;
  #next: number;
  #generation = -1;
  /** The low half of CLOCK at the last check. */
  #clock = 0;
  /** The approximate number of instructions that ran; and the time for translation. */
  #seen = 0;
  #spent = 0;
  #bytes = 0;
  /** The functions, as listings. */
  readonly listing: Listing;
  readonly stats: TranslationStats = {
    functions: 0,
    modules: 0,
    bytes: 0,
    instructions: 0,
    ms: 0,
    forgotten: 0,
    stopped: undefined,
  };

  constructor(
    program: Program,
    templates: () => Templates,
    memory: WebAssembly.Memory,
    mode: 'on' | 'eager',
  ) {
    this.#program = program;
    this.#templates = templates;
    this.#memory = memory;
    this.#view = new DataView(memory.buffer);
    this.listing = new Listing(this.#view);
    this.#mode = mode;
    this.#first = program.table.length;
    this.#next = this.#first;
    this.#view.setUint32(L.FIRST_TRANSLATION, this.#first, true);
    this.#view.setUint32(L.HOT_HEAT, heat[mode], true);
    this.#view.setBigInt64(L.TRANSLATED_INSTRUCTIONS, 0n, true);
    this.#view.setBigInt64(L.LEFT_COUNT, 0n, true);
    new Uint8Array(memory.buffer, L.LEFT_PLACES, L.MAX_LEFT_PLACES * L.LEFT_PLACE).fill(0);
  }

  /** Guest instructions that ran translated. */
  get ran(): bigint {
    return this.#view.getBigInt64(L.TRANSLATED_INSTRUCTIONS, true);
  }

  /** How often translated code was left before its end. */
  get left(): number {
    return Number(this.#view.getBigInt64(L.LEFT_COUNT, true));
  }

  /** The most frequent places of that, and those where it continued in code that is not translated. */
  get places(): { rip: bigint; times: number; enters: boolean }[] {
    const view = this.#view;
    const places = Array.from({ length: L.MAX_LEFT_PLACES }, (_, n) => {
      const at = L.LEFT_PLACES + n * L.LEFT_PLACE;
      const handler = view.getUint32(at + 8, true);
      return {
        rip: view.getBigUint64(at, true),
        times: view.getUint32(at + 12, true),
        enters: handler === 0,
      };
    });
    return places
      .filter(({ times }) => times > 0)
      .sort((a, b) => b.times - a.times)
      .slice(0, MOST_PLACES);
  }

  /**
   * Finds hot code, between two runs, and translates it.
   *
   * @param isSample true if the run used up its budget: then it ended at a frequent place
   */
  look(isSample: boolean): void {
    const view = this.#view;
    const count = view.getUint32(L.HOT_COUNT, true);
    if (this.stats.stopped !== undefined || !(isSample || count !== 0 || this.#wanted.size !== 0)) return;
    const generation = view.getUint32(L.GENERATION, true);
    if (generation !== this.#generation) this.#startAnew(generation);
    this.#sample(isSample);
    for (let n = 0; n < count; n++) this.#note(view.getUint32(L.HOT_BLOCKS + 4 * n, true));
    if (count !== 0) view.setUint32(L.HOT_COUNT, 0, true);
    if (this.#wanted.size === 0) return;
    if (this.#mode === 'eager') this.#translateAll();
    else if (this.#spent < this.#allowed()) this.#translate(performance.now() + PAUSE_MS);
  }

  /** A hot block; or one whose translation was left early too often and is made again. */
  #note(block: number): void {
    const view = this.#view;
    const own = block + L.BLOCK_OPS;
    const first = view.getUint32(block + L.BLOCK_FIRST, true);
    if (view.getUint32(block + L.BLOCK_START, true) !== 0 && first !== own) {
      if (view.getUint32(first + L.TRANSLATION_LEFT, true) < leftEarly[this.#mode]) return;
      this.#resuming.add(block);
      view.setUint32(block + L.BLOCK_FIRST, own, true);
    }
    this.#wanted.add(block);
  }

  /** For tests: all requested code, except on pages that wait. */
  #translateAll(): void {
    for (let before = Number.POSITIVE_INFINITY; this.#wanted.size < before; ) {
      before = this.#wanted.size;
      this.#translate(Number.POSITIVE_INFINITY);
    }
  }

  #allowed(): number {
    return HEAD_START + PART_OF_ALL * this.#seen + PART_OF_TRANSLATED * Number(this.ran);
  }

  /** All blocks were dropped, and the translations with them. */
  #startAnew(generation: number): void {
    const { table } = this.#program;
    for (let index = this.#first; index < this.#next; index++) table.set(index, null);
    this.#generation = generation;
    this.#next = this.#first;
    this.#bytes = 0;
    this.#preparation = undefined;
    this.#samples.clear();
    this.#wanted.clear();
    this.#resuming.clear();
    this.#ends.clear();
    this.#covered.clear();
    this.#pages.clear();
    this.listing.clear();
  }

  #sample(isSample: boolean): void {
    const view = this.#view;
    const clock = view.getUint32(L.CLOCK, true);
    const instructions = Math.min((clock - this.#clock) >>> 0, LONGEST_RUN);
    this.#clock = clock;
    this.#seen += instructions;
    const block = isSample ? this.#program.blockAtRip() : 0;
    if (block === 0) return;
    const before = this.#samples.get(block) ?? 0;
    const seen = before + instructions;
    this.#samples.set(block, seen);
    const enough = ending[this.#mode] * (this.#covered.has(block) ? COVERED : 1);
    if (before < enough && seen >= enough) this.#wanted.add(block);
  }

  /** Translates some of the requested code, until `deadline`. */
  #translate(deadline: number): void {
    const began = performance.now();
    const templates = this.#templates();
    const { made } = templates;
    const regions: Region[] = [];
    const bodies: Body[] = [];
    let bytes = 0;
    for (const block of this.#hottestFirst()) {
      if (!this.#isTranslatable(block)) {
        this.#wanted.delete(block);
        continue;
      }
      if (!this.#isQuiet(block)) continue;
      const region = this.#prepare(templates, block, deadline);
      if (region === undefined) break;
      this.#wanted.delete(block);
      const body = functionOf(region, templates, this.#view);
      regions.push(region);
      bodies.push(body);
      bytes += body.bytes.length;
      if (regions.length === MOST_TOGETHER || bytes > MOST_BYTES_TOGETHER || performance.now() > deadline)
        break;
    }
    if (regions.length > 0) this.#compile(regions, bodies);
    this.#spent += price.template * (templates.made - made);
    this.stats.ms += performance.now() - began;
  }

  /** The requested blocks: the one that is in work, then those in which most instructions ran. */
  #hottestFirst(): number[] {
    const inWork = this.#preparation?.region.entry.block;
    const rank = (block: number) =>
      block === inWork ? Number.POSITIVE_INFINITY : (this.#samples.get(block) ?? 0);
    return [...this.#wanted].sort((a, b) => rank(b) - rank(a));
  }

  /** The prepared region of a block; undefined where there was not enough time. */
  #prepare(templates: Templates, block: number, deadline: number): Region | undefined {
    const { blocks, instructions } = largest[this.#mode];
    let preparation = this.#preparation;
    if (preparation?.region.entry.block !== block || !isOfNow(preparation.region, this.#view)) {
      this.#preparation = undefined;
      const mostLeft = this.#resuming.has(block) ? 0 : leftEarly[this.#mode];
      const limits = [blocks, instructions, mostLeft, deadline] as const;
      const region = regionOf(templates, this.#view, block, this.#ends, this.#covered, ...limits);
      if (region === undefined) return undefined;
      preparation = new Preparation(region, templates, this.#view);
    }
    const isReady = preparation.goOn(deadline);
    this.#preparation = isReady ? undefined : preparation;
    return isReady ? preparation.region : undefined;
  }

  /** It may have been overwritten or translated since it was found hot. */
  #isTranslatable(block: number): boolean {
    const view = this.#view;
    return (
      view.getUint32(block + L.BLOCK_START, true) !== 0 &&
      view.getUint32(block + L.BLOCK_FIRST, true) === block + L.BLOCK_OPS
    );
  }

  /** False for a page whose translations were lost by a write not long ago. */
  #isQuiet(block: number): boolean {
    const view = this.#view;
    const page = view.getUint32(block + L.BLOCK_START, true) >>> 12;
    const history = this.#pages.get(page);
    if (history === undefined) {
      this.#pages.set(page, { block, losses: 0, until: 0 });
      return true;
    }
    if (history.block !== block && view.getUint32(history.block + L.BLOCK_START, true) === 0) {
      history.block = block;
      history.until =
        this.#seen + Math.min(firstWait[this.#mode] * 2 ** history.losses++, longestWait[this.#mode]);
    }
    return this.#seen >= history.until;
  }

  #compile(regions: readonly Region[], bodies: readonly Body[]): void {
    const bytes = moduleOf(bodies.map((body) => body.bytes));
    const { goOn, perform, refill, callThrough, leaveAt, table } = this.#program;
    let exports: WebAssembly.Exports;
    try {
      const module = new WebAssembly.Module(bytes);
      const soft = { memory: this.#memory, goOn, perform, refill, callThrough, leaveAt };
      ({ exports } = new WebAssembly.Instance(module, { soft }));
      if (this.#next + regions.length > table.length) table.grow(Math.max(256, regions.length));
    } catch (error) {
      // The guest continues interpreted, for example where the host has no memory left for code.
      this.stats.stopped = (error as Error).message;
      return;
    }
    for (const [index, region] of regions.entries()) {
      table.set(this.#next, exports[String(index)] as () => number);
      this.#attach(region, this.#next++);
      this.listing.add(region, bodies[index]!);
    }
    this.stats.modules++;
    this.#spent += price.module;
    this.stats.bytes += bytes.length;
    this.#bytes += bytes.length;
    if (this.#next - this.#first < MOST_FUNCTIONS && this.#bytes < MOST_BYTES) return;
    this.stats.forgotten++;
    this.#wanted.clear();
    this.#program.forgetCode();
  }

  /** Makes the translation's record, if the pool has room, and makes the block start with it. */
  #attach({ entry, nodes, mostLeft }: Region, handler: number): void {
    const view = this.#view;
    const record = view.getUint32(L.POOL_NEXT, true);
    const end = record + L.TRANSLATION_LIST + 4 * nodes.length;
    if (end > view.getUint32(L.POOL_LIMIT, true)) return;
    view.setUint32(L.POOL_NEXT, (end + 7) & ~7, true);
    view.setUint16(record + L.OP_HANDLER, handler, true);
    view.setUint32(record + L.TRANSLATION_LEFT, 0, true);
    view.setUint32(record + L.TRANSLATION_MOST_LEFT, mostLeft, true);
    view.setUint32(record + L.TRANSLATION_BLOCKS, nodes.length, true);
    for (const [index, { block }] of nodes.entries())
      view.setUint32(record + L.TRANSLATION_LIST + 4 * index, block, true);
    view.setUint32(entry.block + L.BLOCK_FIRST, record, true);
    const instructions = nodes.reduce((sum, { count }) => sum + count, 0);
    for (const { block } of nodes) if (!this.#covered.has(block)) this.#covered.set(block, 0);
    this.#covered.set(entry.block, instructions);
    this.stats.functions++;
    this.stats.instructions += instructions;
    this.#spent += price.instruction * instructions;
  }
}
