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

/** A section of a file that says what its addresses are called. */
export interface ImageSection {
  /** `.symtab`, `.debug_line` and so on. */
  name: string;
  bytes: Uint8Array;
}

/** What a file holds, as plain data that can be posted to another thread. */
export interface Image {
  format: 'flat' | 'elf32' | 'elf64';
  /** What the file is, by its bytes or by its user's word. Default: what its format and its first sector say. */
  kind?: ImageKind;
  /** What in the file says so; missing where its user said it. */
  evidence?: string;
  /** One of the machine's drives holds it, and firmware starts what is on the drives; the bytes are its first. */
  drive?: true;
  /** For messages: the file's name. */
  name: string;
  segments: ImageSegment[];
  /** Guest physical address of the first instruction, where the file names it. */
  entry: number | undefined;
  /** How a loader's protocol starts it, in any format. */
  loader?: Loader;
  /** An ELF file that names no physical addresses of its own: `p_paddr` is `p_vaddr` in all its segments. */
  virtual?: boolean;
  /** Symbols and line numbers as the file has them; missing where it has none. */
  sections?: ImageSection[];
  /** What the addresses in `sections` are short of those in memory, for code that is linked for another place. */
  bias?: number;
}

/** A file that cannot be booted: the message names the file, what is wrong and where; the hint says what to do. */
export class ImageError extends TerrariumError {
  constructor(message: string, hint?: string) {
    super('EIMAGE', message, hint === undefined ? {} : { hint });
  }
}
