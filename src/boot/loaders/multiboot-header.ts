/**
 * Multiboot 1: the header by which a kernel asks for a loader.
 * Source: "Multiboot Specification version 0.6.96", 3.1.
 *
 * @module
 */
import { ImageError, type ImageSegment } from '../image.js';
import { hex } from '../numbers.js';
import { hasMultiboot } from '../recognise/index.js';
import type { HeaderAddresses, MultibootHeader } from './headers.js';

/** The whole header is in the first 8 KiB of the file. */
const SEARCHED = 8192;
/** Features that a kernel may request: modules on pages, the memory's size, a video mode. */
const KNOWN_FLAGS = 0b111;
const WANTS_VIDEO = 1 << 2;
const HAS_ADDRESSES = 1 << 16;

/** The addresses in a kernel's header, which are used instead of those in its file format. */
export interface HeaderPlacement {
  segment: ImageSegment;
  entry: number;
}

/** The header of a file. @throws ImageError where it has none, it is cut off, or requires a feature that Terrarium lacks */
export function readMultiboot(bytes: Uint8Array, name: string): MultibootHeader {
  const found = hasMultiboot(bytes);
  if (found === undefined)
    throw new ImageError(
      `${name}: there is no multiboot header in its first 8 KiB`,
      'the header is aligned to 4 bytes, and its magic number, flags and checksum add up to 0',
    );
  const { offset } = found;
  const view = new DataView(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, SEARCHED));
  const flags = view.getUint32(offset + 4, true);
  const unknown = flags & 0xffff & ~KNOWN_FLAGS;
  if (unknown !== 0) {
    throw new ImageError(
      `${name}: the multiboot header at offset ${hex(offset)} requires features that Terrarium does not have: flags ${hex(flags)}`,
      'bits 0 to 2 can be requested: modules on pages, the memory map, a video mode',
    );
  }
  if ((flags & WANTS_VIDEO) === 0) return { offset, flags };
  if (offset + 48 > view.byteLength)
    throw new ImageError(
      `${name}: the multiboot header at offset ${hex(offset)}: its video fields are cut off`,
      'all 48 bytes of it must be in the first 8 KiB of the file',
    );
  const [type, width, height, bits] = [32, 36, 40, 44].map((at) => view.getUint32(offset + at, true)) as [
    number,
    number,
    number,
    number,
  ];
  if (type > 1)
    throw new ImageError(
      `${name}: the multiboot header at offset ${hex(offset)}: there is no video mode_type ${type}`,
      'mode_type is 0 for graphics, 1 for text',
    );
  return { offset, flags, video: { text: type === 1, width, height, bits } };
}

/** The header's address fields; undefined where it has none (flag 16). @throws ImageError where they are invalid */
export function multibootPlacement(
  bytes: Uint8Array,
  { offset, flags }: MultibootHeader,
  name: string,
): HeaderPlacement | undefined {
  if ((flags & HAS_ADDRESSES) === 0) return undefined;
  if (offset + 32 > Math.min(bytes.length, SEARCHED))
    throw new ImageError(
      `${name}: the multiboot header at offset ${hex(offset)}: its address fields are cut off`,
      'all 32 bytes of it must be in the first 8 KiB of the file',
    );
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, 32);
  const word = (at: number) => view.getUint32(at, true);
  const segment = placedBy(
    bytes,
    { header: word(12), load: word(16), loadEnd: word(20), bssEnd: word(24) },
    offset,
    `${name}: the multiboot header at offset ${hex(offset)}`,
  );
  return {
    segment,
    entry: entryIn(segment, word(28), `${name}: the multiboot header at offset ${hex(offset)}`),
  };
}

/** The place of the file by these addresses. @param offset of the header in the file @throws ImageError where they are invalid */
export function placedBy(
  bytes: Uint8Array,
  { header, load, loadEnd, bssEnd }: HeaderAddresses,
  offset: number,
  where: string,
): ImageSegment {
  const fail = (what: string) =>
    new ImageError(
      `${where}: ${what}`,
      'see header_addr, load_addr, load_end_addr and bss_end_addr in the kernel’s source',
    );
  const start = offset - (header - load);
  if (start < 0 || load > header)
    throw fail(
      `header_addr ${hex(header)} and load_addr ${hex(load)} are further apart than the header's offset in the file`,
    );
  const length = loadEnd === 0 ? bytes.length - start : loadEnd - load;
  if (length <= 0 || start + length > bytes.length)
    throw fail(
      `load_end_addr ${hex(loadEnd)} asks for ${length} bytes, the file has ${bytes.length - start}`,
    );
  if (bssEnd !== 0 && bssEnd < load + length)
    throw fail(`bss_end_addr ${hex(bssEnd)} is before the end of the loaded part, ${hex(load + length)}`);
  const memorySize = bssEnd === 0 ? length : bssEnd - load;
  return { address: load, bytes: bytes.subarray(start, start + length), memorySize };
}

export function entryIn({ address, memorySize }: ImageSegment, entry: number, where: string): number {
  if (entry >= address && entry < address + memorySize) return entry;
  throw new ImageError(
    `${where}: entry_addr ${hex(entry)} is outside of the image`,
    'see entry_addr in the kernel’s source: a physical address',
  );
}
