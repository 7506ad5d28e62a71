/**
 * Multiboot 1: the information that a kernel finds at EBX.
 * Source: "Multiboot Specification version 0.6.96", 3.3.
 *
 * @module
 */
import { type MapEntry, memorySizes } from '../memory-map.js';
import { Block, type FrameBuffer, zeroEnded } from './loader.js';

/** EAX at the kernel's first instruction. */
export const MULTIBOOT_MAGIC = 0x2badb002;
export const LOADER_NAME = 'Terrarium';

const Has = {
  memory: 1 << 0,
  commandLine: 1 << 2,
  modules: 1 << 3,
  sections: 1 << 5,
  map: 1 << 6,
  loaderName: 1 << 9,
  frameBuffer: 1 << 12,
};
/** Bytes of the structure, to the end of the frame buffer's colours. */
const SIZE = 116;
const EGA_TEXT = 2;
const RGB = 1;

/** A module in memory. */
export interface PlacedModule {
  address: number;
  size: number;
  text: string;
}

/** The information of both versions of multiboot for a kernel. */
export interface InformationContents {
  commandLine: string;
  map: readonly MapEntry[];
  modules: readonly PlacedModule[];
  frameBuffer?: FrameBuffer | undefined;
  sections?: { count: number; entrySize: number; names: number; headers: Uint8Array } | undefined;
  /** The address of the table of section headers, for multiboot 1. */
  headersAt?: number;
}

/** The information at address `base`, on which no size in it depends. */
export function multibootInformation(contents: InformationContents, base: number): Uint8Array {
  const { map, modules, frameBuffer, sections, headersAt = 0 } = contents;
  const block = new Block();
  block.grow(SIZE);
  const sizes = memorySizes(map);
  let flags = Has.memory | Has.commandLine | Has.map | Has.loaderName;
  block.words(4, sizes.lower, sizes.upper);
  block.words(16, base + block.add(zeroEnded(contents.commandLine, 'the command line')));
  block.words(64, base + block.add(zeroEnded(LOADER_NAME, 'the loader’s name')));
  if (modules.length > 0) {
    flags |= Has.modules;
    const list = block.grow(16 * modules.length, 4);
    block.words(20, modules.length, base + list);
    for (const [n, { address, size, text }] of modules.entries()) {
      const string = base + block.add(zeroEnded(text, 'a module’s arguments'));
      block.words(list + 16 * n, address, address + size, string, 0);
    }
  }
  if (sections !== undefined) {
    flags |= Has.sections;
    block.words(28, sections.count, sections.entrySize, headersAt, sections.names);
  }
  const entries = block.grow(24 * map.length, 4);
  block.words(44, 24 * map.length, base + entries);
  for (const [n, { address, size, type }] of map.entries()) {
    const at = entries + 24 * n;
    // The size does not count itself (3.3).
    block.words(at, 20);
    block.wide(at + 4, address);
    block.wide(at + 12, size);
    block.words(at + 20, type);
  }
  if (frameBuffer !== undefined) {
    flags |= Has.frameBuffer;
    block.wide(88, frameBuffer.address);
    block.words(96, frameBuffer.pitch, frameBuffer.width, frameBuffer.height);
    block.byte(108, ...frameBufferEnd(frameBuffer));
  }
  block.words(0, flags);
  return block.bytes;
}

/** Bits of a pixel, type, and the positions of red, green and blue in it. */
export function frameBufferEnd({ bits, kind }: FrameBuffer): number[] {
  if (kind === 'text') return [bits, EGA_TEXT];
  const colours = bits === 15 ? [10, 5, 5, 5, 0, 5] : bits === 16 ? [11, 5, 5, 6, 0, 5] : [16, 8, 8, 8, 0, 8];
  return [bits, RGB, ...colours];
}
