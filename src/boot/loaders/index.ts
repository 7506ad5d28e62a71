/**
 * Boot protocols: multiboot 1 and 2, Linux, PVH. Each reads a kernel's header, and lays out the information for the kernel.
 *
 * @module
 */
export type { LinuxEntry, Loader } from './headers.js';
export { prepareLinux } from './linux.js';
export { readLinux, vmlinuxHeader } from './linux-header.js';
export {
  type BesideFiles,
  type BootFile,
  type FrameBuffer,
  type LoaderOptions,
  writePieces,
} from './loader.js';
export { entryIn, multibootPlacement, placedBy, readMultiboot } from './multiboot-header.js';
export { readMultiboot2 } from './multiboot2-header.js';
export { Room } from './room.js';
export { loaderSections } from './sections.js';
export { prepareStart } from './start.js';
