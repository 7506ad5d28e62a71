/**
 * The common parts of the loaders of all protocols: the kernel's header, the files that are loaded with it, and their addresses.
 *
 * @module
 */
import { ConfigError } from '../../errors.js';
import type { GuestMemory } from '../../memory/index.js';

/** A file that a loader puts into memory with the kernel. */
export interface BootFile {
  /** The text about it for the kernel: its name and its arguments. */
  text: string;
  bytes: Uint8Array;
}

/** The files that are loaded with a kernel. */
export interface BesideFiles {
  /** Linux's initial file system: one file, or several in a row. */
  initrds?: readonly BootFile[];
  /** Modules of multiboot and PVH. */
  modules?: readonly BootFile[];
}

/** A screen that the machine has when the kernel starts. */
export interface FrameBuffer {
  address: number;
  /** Bytes of a line. */
  pitch: number;
  /** Pixels, or characters of `text`. */
  width: number;
  height: number;
  /** Bits of a pixel, or of a character with its colours. */
  bits: number;
  kind: 'text' | 'rgb';
}

/** The inputs of a kernel. */
export interface LoaderOptions extends BesideFiles {
  /** The kernel's command line. */
  append?: string;
  frameBuffer?: FrameBuffer;
  /** Guest physical address of the ACPI tables' root pointer. */
  rsdp?: number;
}

/** Bytes that a loader writes, and their address. */
export interface Piece {
  address: number;
  bytes: Uint8Array;
}

const encoder = new TextEncoder();

/** A text for a kernel: UTF-8 that ends in a zero. @throws ConfigError for a text with a zero in it */
export function zeroEnded(text: string, what: string): Uint8Array {
  if (text.includes('\0'))
    throw new ConfigError(`${what} has a character 0 in it`, 'a kernel’s command line ends there');
  return encoder.encode(`${text}\0`);
}

export function writePieces(memory: GuestMemory, pieces: readonly Piece[]): void {
  for (const { address, bytes } of pieces) memory.writeBytes(address, bytes);
}

/** Bytes of a structure that grows at its end, with numbers in it that are set later. */
export class Block {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Adds `size` zeros at a multiple of `align`, and returns their offset. */
  grow(size: number, align = 1): number {
    const at = Math.ceil(this.#length / align) * align;
    this.#length = at + size;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(2 ** Math.ceil(Math.log2(this.#length)));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }

  add(bytes: Uint8Array, align = 1): number {
    const at = this.grow(bytes.length, align);
    this.#bytes.set(bytes, at);
    return at;
  }

  /** Words of 32 bits. */
  words(at: number, ...values: readonly number[]): void {
    for (const [n, value] of values.entries()) this.#view.setUint32(at + 4 * n, value >>> 0, true);
  }

  wide(at: number, value: number): void {
    this.#view.setBigUint64(at, BigInt(value), true);
  }

  byte(at: number, ...values: readonly number[]): void {
    this.#bytes.set(values, at);
  }
}
