/**
 * The contents of a VM's RAM by pages, as plain data: copied where they differ from an older copy, and shared with it where
 * not.
 *
 * Without a log of written pages, all are compared, which takes a third of a millisecond per MiB. With a log (`GuestMemory.hostWrites` and
 * `EngineVm.takeDirtyPages`), only the pages that may differ are compared.
 *
 * @module
 */
import { ENGINE_AREA, type GuestMemory, GuestMemoryError, PAGE_SIZE } from './guest-memory.js';

/** A copy of all RAM. It survives `structuredClone`; do not write to its pages, which other copies may share. */
export interface PagesState {
  /** Bytes of all regions, including hidden ones. */
  size: number;
  /** The pages that are not all zeros, by their number: pages count through the regions, in the order of their slots. */
  pages: ReadonlyMap<number, Uint8Array>;
}

const WORDS = PAGE_SIZE / 4;

/**
 * Copies RAM. A page that is unchanged since `before` is shared with it.
 *
 * @param dirty the pages that may differ from `before`: only these are compared. Default: all
 */
export function capturePages(memory: GuestMemory, before?: PagesState, dirty?: Iterable<number>): PagesState {
  const pages = new Map(dirty === undefined ? [] : before?.pages);
  eachPage(memory, dirty, (number, page) => {
    const old = before?.pages.get(number);
    if (page.is(undefined)) pages.delete(number);
    else pages.set(number, old !== undefined && page.is(old) ? old : page.copy());
  });
  return { size: sizeOf(memory), pages };
}

/** A copy of this memory with all zeros. */
export function zeroPages(memory: GuestMemory): PagesState {
  return { size: sizeOf(memory), pages: new Map() };
}

/** The pages in which two copies may differ: those that they do not share. */
export function differentPages(one: PagesState, other: PagesState): Set<number> {
  const different = new Set<number>();
  if (one === other) return different;
  for (const [number, page] of one.pages) if (other.pages.get(number) !== page) different.add(number);
  for (const number of other.pages.keys()) if (!one.pages.has(number)) different.add(number);
  return different;
}

/** The numbers of the pages that differ from a copy, lowest first. */
export function dirtyPages(memory: GuestMemory, from: PagesState): number[] {
  requireFit(memory, from);
  const dirty: number[] = [];
  eachPage(memory, undefined, (number, page) => {
    if (!page.is(from.pages.get(number))) dirty.push(number);
  });
  return dirty;
}

/**
 * Restores RAM from a copy. With `dirty`, only these pages are restored. @throws GuestMemoryError for a copy of another memory, and for an
 * invalid copy
 */
export function restorePages(memory: GuestMemory, from: PagesState, dirty?: Iterable<number>): void {
  if (!known.has(from) || from.size !== sizeOf(memory)) requireFit(memory, from);
  known.add(from);
  eachPage(memory, dirty, (number, page) => {
    const wanted = from.pages.get(number);
    // Zeros are written only if needed: a written page costs host memory. Other pages are not compared first: the host would bring
    // in a page of zeros to read, and then another one to write.
    if (wanted !== undefined || !page.is(undefined)) page.set(wanted);
  });
}

/** Copies that were checked: thousands of resets to the same one need not check all of its pages. */
const known = new WeakSet<PagesState>();

function sizeOf({ regions }: GuestMemory): number {
  return regions.reduce((sum, { capacity }) => sum + capacity, 0);
}

/** A page of RAM; one object is reused for all. */
class Page {
  readonly #words: Int32Array;
  #from = 0;

  /** The regions lie one after the other. */
  constructor(memory: GuestMemory) {
    // A memory that was released throws here.
    memory.bytesOf(memory.regions[0]!);
    this.#words = new Int32Array(memory.buffer, ENGINE_AREA, sizeOf(memory) / 4);
  }

  get count(): number {
    return this.#words.length / WORDS;
  }

  set number(number: number) {
    this.#from = number * WORDS;
  }

  /** Whether it contains these bytes; undefined: zeros. */
  is(bytes: Uint8Array | undefined): boolean {
    const [words, from] = [this.#words, this.#from];
    if (bytes === undefined) {
      let any = 0;
      for (let at = from; at < from + WORDS && any === 0; at += 8)
        any =
          words[at]! |
          words[at + 1]! |
          words[at + 2]! |
          words[at + 3]! |
          words[at + 4]! |
          words[at + 5]! |
          words[at + 6]! |
          words[at + 7]!;
      return any === 0;
    }
    const others = wordsOf(bytes);
    for (let i = 0; i < WORDS; i++) if (words[from + i] !== others[i]) return false;
    return true;
  }

  copy(): Uint8Array {
    return new Uint8Array(this.#words.slice(this.#from, this.#from + WORDS).buffer);
  }

  set(bytes: Uint8Array | undefined): void {
    if (bytes === undefined) this.#words.fill(0, this.#from, this.#from + WORDS);
    else this.#words.set(wordsOf(bytes), this.#from);
  }
}

/** Visits these pages of RAM, or all of them, lowest first. */
function eachPage(
  memory: GuestMemory,
  numbers: Iterable<number> | undefined,
  visit: (number: number, page: Page) => void,
): void {
  const page = new Page(memory);
  for (const number of numbers ?? Array(page.count).keys()) {
    page.number = number;
    visit(number, page);
  }
}

function requireFit(memory: GuestMemory, { size, pages }: PagesState): void {
  const here = sizeOf(memory);
  if (size !== here)
    throw new GuestMemoryError(
      `the copy is of ${String(size)} bytes of memory, and this machine has ${here}`,
      'make the machine with the same memory as the one that was copied',
    );
  for (const [number, page] of pages) {
    const fits = Number.isInteger(number) && number >= 0 && number < here / PAGE_SIZE;
    if (!fits || !(page instanceof Uint8Array) || page.length !== PAGE_SIZE)
      throw new GuestMemoryError(`the copy's page ${String(number)} is no page of this memory`);
  }
}

function wordsOf(page: Uint8Array): Int32Array {
  // A copy from elsewhere may be at any offset of its buffer.
  const whole = page.byteOffset % 4 === 0 ? page : page.slice();
  return new Int32Array(whole.buffer, whole.byteOffset, WORDS);
}
