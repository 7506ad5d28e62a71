/**
 * From an image to a guest that can run: the image's bytes in RAM, and the first state of its CPU.
 *
 * `parseImage` reads a file (flat or ELF); `boot` places it, writes the tables that the mode needs and returns the
 * state. docs/cpu-modes.md describes how each mode is set up, docs/images.md the kinds of images.
 *
 * @module
 */
export {
  busyTss,
  CR0,
  CR4,
  decodeDescriptor,
  EFER,
  encodeDescriptor,
  encodeSystemDescriptor64,
  flatCode32,
  flatCode64,
  flatData,
  noLdt,
  PTE,
  RFLAGS,
  realSegment,
  SegmentType,
  SystemType,
} from '../x86/index.js';
export { type BootOptions, type BootPlan, boot, type ImagePlace } from './boot.js';
export { type Image, ImageError, type ImageSection, type ImageSegment } from './image.js';
export type { BesideFiles, BootFile, FrameBuffer, Loader, LoaderOptions } from './loaders/index.js';
export { type MapEntry, memoryMap, memorySizes } from './memory-map.js';
export { autoMode, BOOT_SECTOR_ADDRESS, type BootMode, isBootSector, type Mode, modes } from './modes.js';
export { parseImage } from './parse.js';
export {
  type ImageBytes,
  type ImageKind,
  imageBytes,
  imageKinds,
  kindWords,
  type Recognised,
  recognise,
} from './recognise/index.js';
export { realAddress } from './state.js';
export { Selector } from './tables.js';
