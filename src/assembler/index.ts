/**
 * An assembler from the one opcode table: GNU as in both syntaxes, with C's preprocessor, and NASM.
 *
 * ```ts
 * const program = assemble('.code16\n mov $0x42, %al\n hlt\n', { file: 'k.S', syntax: 'gas-cpp', base: 0x7c00n });
 * const bytes = flatImage(program);
 * ```
 *
 * @module
 */
export {
  type Assembled,
  type AssembleOptions,
  assemble,
  flatImage,
  type SourceFile,
  type SourceSyntax,
} from './assemble.js';
export { type ElfOptions, elfImage } from './elf-image.js';
export { mnemonics } from './forms.js';
export { manualName } from './gas/att.js';
export {
  type AssembledGuest,
  assembleGuest,
  BOOT_SECTOR_LOAD,
  DEFAULT_ELF_LOAD,
  type GuestMode,
  type GuestOptions,
  type GuestSource,
  type GuestTarget,
  guestTarget,
  isBootSector,
  isElf,
  NOT_LOADED,
  nasmWidth,
  placesItself,
  toSegment,
} from './guest.js';
export type { Placed, PlacedLine } from './layout.js';
export { AssemblerError, type Complaint, complaintText, type Origin } from './source.js';
