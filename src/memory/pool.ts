/**
 * Memories that serve one VM after another.
 *
 * A `WebAssembly.Memory` is freed by the garbage collector alone, and a loop that creates VMs without a pause never
 * lets it run: 10,000 VMs would leave 20,000 mappings. So a memory whose contents were dropped is kept for the next VM
 * of the same size.
 *
 * @module
 */
import { TerrariumError } from '../errors.js';

/** How many idle memories are kept; each costs address space, not RAM, since its pages were given back. */
const KEEP = 8;
const idle: { pages: number; wasm: WebAssembly.Memory }[] = [];

/** A memory of exactly `pages` WebAssembly pages (64 KiB each) that reads as zero. */
export function acquirePages(pages: number): WebAssembly.Memory {
  const index = idle.findIndex((entry) => entry.pages === pages);
  if (index >= 0) return idle.splice(index, 1)[0]!.wasm;
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  } catch (cause) {
    throw new TerrariumError('ENOMEM', `the host could not reserve ${pages / 16} MiB for a guest's memory`, {
      hint: 'give the guest less memory (--memory), or end other programs',
      cause,
    });
  }
}

/** Takes back a memory that reads as zero. */
export function releasePages(wasm: WebAssembly.Memory): void {
  idle.push({ pages: wasm.buffer.byteLength / 65536, wasm });
  if (idle.length > KEEP) idle.shift();
}
