/**
 * Multiboot 1: the header by which a kernel asks for a loader, and what the loader leaves.
 * Source: "Multiboot Specification version 0.6.96", 3.1 (header), 3.2 (machine state), 3.3 (information).
 *
 * @module
 */
import type { GuestMemory } from '../memory/index.js';
import { ImageError, type ImageSegment } from './image.js';
import { hex } from './numbers.js';

const HEADER_MAGIC = 0x1badb002;
/** What EAX holds at the kernel's first instruction. */
export const LOADER_MAGIC = 0x2badb002;
/** The header lies in the first 8 KiB of the file, aligned to 4 bytes. */
const SEARCHED = 8192;
/** Features that are asked for: modules on pages, the memory's size, a video mode (which stays the text mode that it is). */
const KNOWN_FLAGS = 0b111;
const HAS_ADDRESSES = 1 << 16;

/** A multiboot header. */
export interface MultibootHeader {
  /** Where it lies in the file. */
  offset: number;
  flags: number;
}

/** Where a kernel with addresses in its header goes, in place of what its file's format says. */
export interface MultibootPlacement {
  segment: ImageSegment;
  entry: number;
}

/** The header of a file; undefined where it has none. @throws ImageError where it asks for what Terrarium does not have */
export function findMultiboot(bytes: Uint8Array, name: string): MultibootHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = Math.min(bytes.length, SEARCHED) - 12;
  for (let offset = 0; offset <= end; offset += 4) {
    if (view.getUint32(offset, true) !== HEADER_MAGIC) continue;
    const flags = view.getUint32(offset + 4, true);
    if ((HEADER_MAGIC + flags + view.getUint32(offset + 8, true)) >>> 0 !== 0) continue;
    const unknown = flags & 0xffff & ~KNOWN_FLAGS;
    if (unknown !== 0) {
      throw new ImageError(
        `${name}: the multiboot header at offset ${hex(offset)} requires features that Terrarium does not have: flags ${hex(flags)}`,
        'bits 0 to 2 can be asked for: modules on pages, the memory map, a video mode',
      );
    }
    return { offset, flags };
  }
  return undefined;
}

/** What the header's address fields say; undefined where it has none (flag 16). @throws ImageError where they cannot be */
export function multibootPlacement(
  bytes: Uint8Array,
  { offset, flags }: MultibootHeader,
  name: string,
): MultibootPlacement | undefined {
  if ((flags & HAS_ADDRESSES) === 0) return undefined;
  const fail = (what: string) =>
    new ImageError(
      `${name}: the multiboot header at offset ${hex(offset)}: ${what}`,
      'see header_addr, load_addr, load_end_addr, bss_end_addr and entry_addr in the kernel’s source',
    );
  if (offset + 32 > bytes.length) throw fail('its address fields are cut off');
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, 32);
  const [header, load, loadEnd, bssEnd, entry] = [12, 16, 20, 24, 28].map((at) =>
    view.getUint32(at, true),
  ) as [number, number, number, number, number];
  const start = offset - (header - load);
  if (start < 0 || load > header) {
    throw fail(
      `header_addr ${hex(header)} and load_addr ${hex(load)} lie further apart than the file begins`,
    );
  }
  const length = loadEnd === 0 ? bytes.length - start : loadEnd - load;
  if (length <= 0 || start + length > bytes.length)
    throw fail(
      `load_end_addr ${hex(loadEnd)} asks for ${length} bytes, the file has ${bytes.length - start}`,
    );
  const memorySize = Math.max(length, bssEnd === 0 ? 0 : bssEnd - load);
  if (entry < load || entry >= load + memorySize) throw fail(`entry_addr ${hex(entry)} is outside the image`);
  return {
    segment: { address: load, bytes: bytes.subarray(start, start + length), memorySize },
    entry,
  };
}

/** Bytes of the information with its map and its strings. */
export const INFORMATION_SIZE = 0x200;
const HAS_MEMORY = 1 << 0;
const HAS_COMMAND_LINE = 1 << 2;
const HAS_MAP = 1 << 6;
const HAS_LOADER_NAME = 1 << 9;
const AVAILABLE = 1;
const RESERVED = 2;
const CONVENTIONAL_END = 0x9_fc00;
const VIDEO = 0xa_0000;
const ONE_MIB = 0x10_0000;

/** Writes the information at `at`: memory, its map, a command line (the image's name) and who loaded it. */
export function writeMultibootInformation(memory: GuestMemory, at: number, name: string): void {
  const block = new Uint8Array(INFORMATION_SIZE);
  const view = new DataView(block.buffer);
  const word = (offset: number, value: number) => view.setUint32(offset, value, true);
  const [map, loader, commandLine] = [0x80, 0x140, 0x160];
  const ram = memory.find(0)?.size ?? 0;
  word(0, HAS_MEMORY | HAS_COMMAND_LINE | HAS_MAP | HAS_LOADER_NAME);
  word(4, Math.min(ram, CONVENTIONAL_END) >> 10);
  word(8, Math.max(0, ram - ONE_MIB) >> 10);
  word(16, at + commandLine);
  word(64, at + loader);
  let offset = map;
  for (const [start, end, type] of memoryMap(ram)) {
    // The size does not count itself (3.3).
    word(offset, 20);
    view.setBigUint64(offset + 4, BigInt(start), true);
    view.setBigUint64(offset + 12, BigInt(end - start), true);
    word(offset + 20, type);
    offset += 24;
  }
  word(44, offset - map);
  word(48, at + map);
  block.set(text('Terrarium'), loader);
  block.set(text(name).subarray(0, INFORMATION_SIZE - commandLine - 1), commandLine);
  memory.writeBytes(at, block);
}

/** A PC's map: what is RAM from address 0, less what video and firmware have below 1 MiB. */
function memoryMap(ram: number): [start: number, end: number, type: number][] {
  if (ram <= CONVENTIONAL_END) return [[0, ram, AVAILABLE]];
  const low: [number, number, number][] = [
    [0, CONVENTIONAL_END, AVAILABLE],
    [CONVENTIONAL_END, VIDEO, RESERVED],
    [0xf_0000, ONE_MIB, RESERVED],
  ];
  return ram > ONE_MIB ? [...low, [ONE_MIB, ram, AVAILABLE]] : low;
}

/** As bytes of ASCII; other characters are question marks. */
function text(value: string): Uint8Array {
  return Uint8Array.from(value, (character) => {
    const code = character.charCodeAt(0);
    return code >= 0x20 && code < 0x7f ? code : 0x3f;
  });
}
