/**
 * Finds the header by which a kernel requests a multiboot loader.
 * Source: "Multiboot Specification version 0.6.96" 3.1, "Multiboot2 Specification version 2.0" 3.1.
 *
 * @module
 */

/** A header that was found. */
export interface FoundHeader {
  /** Its offset in the file. */
  offset: number;
  /** It has the kernel's addresses, so that the file may be of any format. */
  placed: boolean;
}

const MAGIC_1 = 0x1badb002;
const MAGIC_2 = 0xe85250d6;
const SEARCHED_1 = 8192;
const SEARCHED_2 = 32768;
const HAS_ADDRESSES = 1 << 16;
/** Multiboot 2: protected mode of i386, and the tag of addresses. */
const I386 = 0;
const ADDRESS_TAG = 2;

/** Multiboot 1: aligned to 4 bytes in the first 8 KiB, and its checksum holds. */
export function hasMultiboot(bytes: Uint8Array): FoundHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = Math.min(bytes.length, SEARCHED_1) - 12;
  for (let offset = 0; offset <= end; offset += 4) {
    if (view.getUint32(offset, true) !== MAGIC_1) continue;
    const flags = view.getUint32(offset + 4, true);
    if ((MAGIC_1 + flags + view.getUint32(offset + 8, true)) >>> 0 === 0)
      return { offset, placed: (flags & HAS_ADDRESSES) !== 0 };
  }
  return undefined;
}

/** Multiboot 2: aligned to 8 bytes in the first 32 KiB, for i386, and its checksum holds. */
export function hasMultiboot2(bytes: Uint8Array): FoundHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = Math.min(bytes.length, SEARCHED_2) - 16;
  for (let offset = 0; offset <= end; offset += 8) {
    if (view.getUint32(offset, true) !== MAGIC_2) continue;
    const [architecture, length, checksum] = [4, 8, 12].map((at) => view.getUint32(offset + at, true));
    if ((MAGIC_2 + architecture! + length! + checksum!) >>> 0 !== 0 || architecture !== I386) continue;
    return { offset, placed: hasTag(view, offset, length!, ADDRESS_TAG) };
  }
  return undefined;
}

function hasTag(view: DataView, offset: number, length: number, wanted: number): boolean {
  const end = Math.min(offset + length, SEARCHED_2, view.byteLength) - 8;
  for (let at = offset + 16; at <= end; ) {
    const [type, size] = [view.getUint16(at, true), view.getUint32(at + 4, true)];
    if (type === wanted) return true;
    if (type === 0 || size < 8) return false;
    at += Math.ceil(size / 8) * 8;
  }
  return false;
}
