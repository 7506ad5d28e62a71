/**
 * Which pages of RAM were written from outside of the CPUs: by devices, by DMA, by the monitor. What the CPUs write, the engine
 * tells (`EngineVm.takeDirtyPages`).
 *
 * The marks lie in the memory itself, at the end of the engine area: each thread that has the memory adds to the same ones.
 *
 * @module
 */
import { setBits, takeBits } from './page-bits.js';

const PAGE_SHIFT = 12;
/** Bytes of marks: a bit for each page of the largest memory, with room for the word that says whether they are kept. */
export const MARKS_SIZE = 128 * 1024;

/** The log of a memory's writes from outside of its CPUs. It is off until somebody asks, and then costs a bit for each write. */
export class HostWrites {
  /** The words of all marks; the last one is not 0 while the log is on. */
  readonly #words: Int32Array;
  readonly #flag: number;
  /** Where page 0 begins, and how many pages there are. */
  readonly #start: number;
  readonly #count: number;
  /** Pages whose bytes a device holds: it may write them at any time. */
  readonly #held = new Set<number>();

  /** @param start where RAM begins in the buffer, in bytes: right after the marks */
  constructor(buffer: SharedArrayBuffer, start: number, size: number) {
    this.#words = new Int32Array(buffer, start - MARKS_SIZE, MARKS_SIZE / 4);
    this.#flag = this.#words.length - 1;
    this.#start = start;
    this.#count = size >>> PAGE_SHIFT;
  }

  get on(): boolean {
    return this.#words[this.#flag] !== 0;
  }

  /** Begins an empty log, or ends it. */
  log(on: boolean): void {
    if (on) this.take();
    Atomics.store(this.#words, this.#flag, on ? 1 : 0);
  }

  /** `length` bytes at this offset in the buffer are written, or may be from now on until the log is read next. */
  note(offset: number, length: number): void {
    if (!this.on || length === 0) return;
    const at = offset - this.#start;
    setBits(this.#words, at >>> PAGE_SHIFT, (at + length - 1) >>> PAGE_SHIFT);
  }

  /** A device holds these bytes from now on: their pages always count as written. */
  hold(offset: number, length: number): void {
    const at = offset - this.#start;
    for (let page = at >>> PAGE_SHIFT; page <= (at + length - 1) >>> PAGE_SHIFT; page++) this.#held.add(page);
  }

  /** True if a device holds bytes of the page. */
  holds(page: number): boolean {
    return this.#held.has(page);
  }

  /**
   * The numbers of the pages that were written since the last call; they count through the regions, in the order of their
   * slots. Those that a device holds are among them each time.
   */
  take(): Set<number> {
    return new Set([...takeBits(this.#words, 0, this.#count), ...this.#held]);
  }
}
