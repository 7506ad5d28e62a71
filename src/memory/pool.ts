/**
 * Memories for one VM after another.
 *
 * Only the garbage collector frees a `WebAssembly.Memory`, and a loop that creates VMs without a pause never
 * lets it run: 10,000 VMs would leave 20,000 mappings. So a memory whose contents were dropped is kept for the next VM
 * of the same size.
 *
 * @module
 */
import { TerrariumError } from '../errors.js';

/** Bytes of WebAssembly's pages. */
export const WASM_PAGE = 65536;

/** How many idle memories are kept; each costs address space, not RAM, since its pages were returned. */
const KEEP = 8;
const idle: Pages[] = [];
let keep = KEEP;

/** For a process that is about to run its last machine: clearing a memory for the next one would be for nothing. */
export function keepNoMemory(): void {
  keep = 0;
  idle.length = 0;
}

/** A memory and two views of its bytes. The views are reused with it: making them costs 1 % of a machine's life. */
export interface Pages {
  readonly wasm: WebAssembly.Memory;
  readonly view: DataView;
  readonly bytes: Uint8Array;
}

/** The bytes of an existing memory. */
export function pagesOf(wasm: WebAssembly.Memory): Pages {
  return { wasm, view: new DataView(wasm.buffer), bytes: new Uint8Array(wasm.buffer) };
}

/** A memory of exactly `pages` WebAssembly pages (64 KiB each) that reads as zero. */
export function acquirePages(pages: number): Pages {
  const index = idle.findIndex(({ bytes }) => bytes.length === pages * WASM_PAGE);
  if (index >= 0) return idle.splice(index, 1)[0]!;
  try {
    return pagesOf(new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }));
  } catch (cause) {
    throw new TerrariumError('ENOMEM', `the host could not reserve ${pages / 16} MiB for a guest's memory`, {
      hint: 'give the guest less memory (--memory), or end other programs',
      cause,
    });
  }
}

/** False where enough memories of this size are idle: clearing one more would be useless. */
export function isWanted({ bytes }: Pages): boolean {
  return idle.filter((pages) => pages.bytes.length === bytes.length).length < keep;
}

/** Takes back a memory that reads as zero. */
export function releasePages(pages: Pages): void {
  idle.push(pages);
  if (idle.length > keep) idle.shift();
}
