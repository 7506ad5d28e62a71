import { TerrariumError } from '../errors.js';
import type { Loader } from './loaders/headers.js';
import type { ImageKind } from './recognise/index.js';

/** A piece of an image and where it goes. */
export interface ImageSegment {
  /** Guest physical address; in a flat image, counted from the image's start. */
  address: number;
  bytes: Uint8Array;
  /** Bytes in memory: those after `bytes` are zero (.bss). */
  memorySize: number;
}

/** A section of a file with information about its addresses. */
export interface ImageSection {
  /** `.symtab`, `.debug_line` and so on. */
  name: string;
  bytes: Uint8Array;
}

/** The content of a file, as plain data that can be posted to another thread. */
export interface Image {
  format: 'flat' | 'elf32' | 'elf64';
  /** The kind of the file, by its bytes or by the user's choice. Default: by its format and its first sector. */
  kind?: ImageKind;
  /** The evidence in the file; missing where the user chose the kind. */
  evidence?: string;
  /** It is in one of the machine's drives, from which firmware starts; these are its first bytes. */
  drive?: true;
  /** For messages: the file's name. */
  name: string;
  segments: ImageSegment[];
  /** Guest physical address of the first instruction, where the file names it. */
  entry: number | undefined;
  /** How a boot loader starts it, in any format. */
  loader?: Loader;
  /** An ELF file that names no physical addresses of its own: `p_paddr` is `p_vaddr` in all its segments. */
  virtual?: boolean;
  /** Symbols and line numbers from the file; missing where it has none. */
  sections?: ImageSection[];
  /** The difference from the addresses in `sections` to those in memory, for code that is linked for another address. */
  bias?: number;
}

/** A file that cannot be booted: the message names the file, the error and its position; the hint says what to do. */
export class ImageError extends TerrariumError {
  constructor(message: string, hint?: string) {
    super('EIMAGE', message, hint === undefined ? {} : { hint });
  }
}
