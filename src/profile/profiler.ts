import { type CpuView, type Frame, FrameMemo, framesAt, type Search } from '../debug/index.js';
import type { EngineCpu } from '../engine/contract/index.js';
import { type CpuSubject, type PhysicalMemory, readLinear } from '../inspect/index.js';
import type { SymbolTable } from '../symbols/index.js';
import type { Profile } from './profile.js';

/** Instructions between the first samples, and how many samples are taken before that doubles. */
const FIRST_INTERVAL = 256;
const SAMPLES_OF_INTERVAL = 1024;
/** Callers that are looked for. */
const MAX_DEPTH = 100;
/** The most separate call chains; later ones are counted without their callers, and then only by the function. */
const MAX_STACKS = 50_000;
const search: Search = { bytes: 512, words: 64 };
/** Code without a name is counted by pieces of so many bytes. */
const UNNAMED_PIECE = 64n;

export interface ProfilerParts {
  cpus: readonly EngineCpu[];
  memory: PhysicalMemory;
  symbols: SymbolTable;
}

/**
 * Takes samples of a CPU: of each, the call chain and the instructions since the last one. Samples are close together at first
 * and then further apart, so that a short guest has enough of them and a long one does not wait for them. The distances vary, since a loop
 * may be as long as a fixed one; they vary in the same way each time.
 */
export class Profiler {
  readonly #parts: ProfilerParts;
  readonly #memo = new FrameMemo();
  readonly #numbers = new Map<string, number>();
  readonly #counts = new Map<string, number>();
  #samples = 0;
  #began: number;
  #last: number;
  #random = 1;

  constructor(parts: ProfilerParts) {
    this.#parts = parts;
    this.#began = this.#now;
    this.#last = this.#began;
  }

  /** Begins. @returns false for a CPU that does not count its instructions */
  start(): boolean {
    const any = this.#parts.cpus.find(({ sample }) => sample !== undefined);
    if (any?.sample === undefined) return false;
    any.sample({ first: this.#distance(), take: (running) => this.#take(running) });
    return true;
  }

  /** What was found so far. */
  profile(): Profile {
    const functions = [...this.#numbers.keys()];
    const stacks = [...this.#counts].map(([key, instructions]) => ({
      frames: key.split(' ').map(Number),
      instructions,
    }));
    stacks.sort((a, b) => b.instructions - a.instructions);
    return { instructions: this.#last - this.#began, samples: this.#samples, functions, stacks };
  }

  get #now(): number {
    return this.#parts.cpus.find(({ clock }) => clock)?.clock?.instructions ?? 0;
  }

  #take(running: number): number {
    const { cpus, memory, symbols } = this.#parts;
    const cpu = cpus[running]!;
    const now = this.#now;
    const ran = now - this.#last;
    this.#last = now;
    this.#samples++;
    // A kernel unpacks itself: its names are not there at the beginning.
    if (this.#samples % SAMPLES_OF_INTERVAL === 0) symbols.refresh();
    const view: CpuView = { registers: cpu.getRegisters(), system: cpu.getSystemRegisters() };
    const read = readerOf({ system: view.system, memory });
    const depth = this.#counts.size < MAX_STACKS ? MAX_DEPTH : 1;
    this.#count(framesAt(read, { symbols, view, search, memo: this.#memo }, depth), ran);
    return this.#distance();
  }

  #count(frames: readonly Frame[], ran: number): void {
    const numbers = frames.map((frame) => this.#numberOf(nameOf(frame)));
    const key = numbers.reverse().join(' ');
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + ran);
  }

  /** Instructions until the next sample: within a quarter of the interval around it (xorshift, Marsaglia 2003). */
  #distance(): number {
    let random = this.#random;
    random ^= random << 13;
    random ^= random >>> 17;
    random ^= random << 5;
    this.#random = random;
    const interval = FIRST_INTERVAL * 2 ** Math.floor(this.#samples / SAMPLES_OF_INTERVAL);
    return Math.max(1, Math.round(interval * (0.75 + (random >>> 0) / 2 ** 33)));
  }

  #numberOf(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    this.#numbers.set(name, this.#numbers.size);
    return this.#numbers.size - 1;
  }
}

/** Reads memory by pages, each of which is looked up once: a call chain is found by many small reads of few pages. */
function readerOf(subject: CpuSubject): (address: bigint, length: number) => Uint8Array {
  const pages = new Map<bigint, Uint8Array>();
  return (address, length) => {
    const start = address & ~0xfffn;
    const at = Number(address - start);
    if (at + length > 4096) return readLinear(subject, address, length);
    let page = pages.get(start);
    if (page === undefined) {
      page = readLinear(subject, start, 4096);
      pages.set(start, page);
    }
    return page.subarray(at, at + length);
  };
}

/** A function's name; without one, the piece of code. */
function nameOf({ symbol, pc }: Frame): string {
  if (symbol !== undefined) return symbol.replace(/\+0x[0-9a-f]+$/, '');
  return `0x${(pc - (pc % UNNAMED_PIECE)).toString(16)}`;
}
