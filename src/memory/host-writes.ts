/**
 * The pages of RAM that were written from outside the CPUs: by devices, by DMA, by the monitor. The engine reports the CPUs' writes
 * (`EngineVm.takeDirtyPages`).
 *
 * The marks are in the memory itself, at the end of the engine area: all threads with the memory use the same ones.
 *
 * @module
 */
import { setBits, takeBits } from './page-bits.js';

const PAGE_SHIFT = 12;
/** Bytes of marks: a bit for each page of the largest memory, and the word that switches the log on. */
export const MARKS_SIZE = 128 * 1024;

/** The log of a memory's writes from outside of its CPUs. It is off until it is requested, and then costs a bit for each write. */
export class HostWrites {
  /** The words of all marks; the last one is not 0 while the log is on. */
  readonly #words: Int32Array;
  readonly #flag: number;
  /** The start of page 0, and the number of pages. */
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
