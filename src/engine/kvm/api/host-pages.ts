import { ENGINE_AREA, type GuestMemory } from '../../../memory/index.js';
import { errnoNumbers } from './errno.js';
import { callFailed } from './errors.js';
import { libc, MADV_DONTNEED, MADV_MERGEABLE } from './libc.js';

/** A guest's memory as pages of this process. */
export interface HostPages {
  /** Address of the first byte: of the engine area, which RAM follows. */
  readonly base: bigint;
  readonly bytes: Uint8Array;
  /** Whether the kernel may share equal pages. */
  mergeable: boolean;
  /** Checked once: do pages read as zero after they were returned to the kernel? */
  anonymous: boolean;
}

/** A memory serves one VM after another and does not move: one check is valid for all of them. */
const known = new WeakMap<WebAssembly.Memory, HostPages>();

export function hostPages({ wasm, buffer }: GuestMemory): HostPages {
  let pages = known.get(wasm);
  if (pages === undefined) {
    const bytes = new Uint8Array(buffer);
    pages = { base: libc().addressOf(bytes), bytes, mergeable: false, anonymous: false };
    known.set(wasm, pages);
  }
  return pages;
}

/** Lets the kernel store equal pages of RAM of several VMs only once (KSM, where it is switched on). */
export function shareEqual(pages: HostPages): void {
  if (pages.mergeable) return;
  pages.mergeable = true;
  const size = pages.bytes.length - ENGINE_AREA;
  if (libc().madvise(pages.base + BigInt(ENGINE_AREA), size, MADV_MERGEABLE) === 0) return;
  const errno = libc().errno();
  // The kernel is built without KSM: pages are not shared, which is no error.
  if (errno !== errnoNumbers.EINVAL) throw callFailed('madvise', errno);
}

/** Returns RAM to the kernel; see `Engine.discard`. */
export function discardPages({ regions }: GuestMemory, pages: HostPages): boolean {
  const { base, bytes, anonymous } = pages;
  for (const { offset, capacity } of regions) {
    // The check costs two page faults: this byte is 0 afterwards only if the kernel dropped the page, and it is not backed by a
    // file.
    if (!anonymous) bytes[offset] = 0xff;
    if (libc().madvise(base + BigInt(offset), capacity, MADV_DONTNEED) !== 0) return false;
    if (!anonymous && bytes[offset] !== 0) return false;
  }
  pages.anonymous = true;
  return true;
}
