/**
 * An ELF file's sections for a multiboot kernel: the table of headers, and the sections that no segment loads, such as the symbols. Source:
 * "Multiboot Specification version 0.6.96" 3.3 (flag 5), "System V ABI" chapter 4.
 *
 * @module
 */
import type { LoaderSections } from './headers.js';
import type { Piece } from './loader.js';
import type { Room } from './room.js';

const SHT_NULL = 0;
const SHT_NOBITS = 8;
const SHF_ALLOC = 2;
/** More than any kernel has; a damaged file may name any number. */
const MAX_SECTIONS = 4096;
/** The largest sections that are loaded: debug information of large kernels is not. */
const MAX_BYTES = 64 * 1024 * 1024;

/** The sections of a file whose header was checked before; undefined where the table is damaged or too large to load. */
export function loaderSections(bytes: Uint8Array): LoaderSections | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wide = bytes[4] === 2;
  const table = wide ? Number(view.getBigUint64(40, true)) : view.getUint32(32, true);
  const entrySize = view.getUint16(wide ? 58 : 46, true);
  const count = view.getUint16(wide ? 60 : 48, true);
  const names = view.getUint16(wide ? 62 : 50, true);
  if (table === 0 || count === 0 || count > MAX_SECTIONS || names >= count) return undefined;
  if (entrySize !== (wide ? 64 : 40) || table + count * entrySize > bytes.length) return undefined;
  const loose: LoaderSections['loose'] = [];
  let sum = 0;
  for (let index = 0; index < count; index++) {
    const at = table + index * entrySize;
    const type = view.getUint32(at + 4, true);
    const flags = wide ? Number(view.getBigUint64(at + 8, true) & 0xffn) : view.getUint32(at + 8, true);
    const offset = wide ? Number(view.getBigUint64(at + 24, true)) : view.getUint32(at + 16, true);
    const size = wide ? Number(view.getBigUint64(at + 32, true)) : view.getUint32(at + 20, true);
    if (type === SHT_NULL || type === SHT_NOBITS || (flags & SHF_ALLOC) !== 0 || size === 0) continue;
    sum += size;
    if (offset + size > bytes.length || sum > MAX_BYTES) return undefined;
    loose.push({ index, bytes: bytes.subarray(offset, offset + size) });
  }
  const headers = bytes.subarray(table, table + count * entrySize);
  return { count, entrySize, names, headers, loose, wide };
}

/** Finds addresses for sections outside of segments, and returns the table with them; undefined where RAM is short. */
export function placeSections(
  sections: LoaderSections,
  room: Room,
  from: number,
): { headers: Uint8Array; pieces: Piece[] } | undefined {
  // Not by slice(): a Buffer's shares its memory.
  const headers = new Uint8Array(sections.headers);
  const view = new DataView(headers.buffer);
  const pieces: Piece[] = [];
  for (const { index, bytes } of sections.loose) {
    const address = room.tryTake('a section of the kernel', bytes.length, { align: 16, from });
    if (address === undefined) return undefined;
    pieces.push({ address, bytes });
    const at = index * sections.entrySize;
    if (sections.wide) view.setBigUint64(at + 16, BigInt(address), true);
    else view.setUint32(at + 12, address, true);
  }
  return { headers, pieces };
}
