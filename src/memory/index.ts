/**
 * Guest RAM: bytes that the host and the guest share, with every access from the host's side checked.
 *
 * @module
 */
export {
  ENGINE_AREA,
  GuestMemory,
  GuestMemoryError,
  MAX_GUEST_MEMORY,
  type MemoryRegion,
  PAGE_SIZE,
  type RegionConfig,
} from './guest-memory.js';
export { HostWrites } from './host-writes.js';
export { setBits, takeBits } from './page-bits.js';
export {
  capturePages,
  differentPages,
  dirtyPages,
  type PagesState,
  restorePages,
  zeroPages,
} from './pages.js';
export { keepNoMemory } from './pool.js';
