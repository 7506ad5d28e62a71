/**
 * The sections of an ELF file with information about its addresses: symbols, line numbers, call frames, types and variables. They are not
 * needed to run it, so a file with broken sections has none. Source: "System V ABI", chapter 4.
 *
 * @module
 */
import type { ImageSection } from './image.js';

/** SHF_COMPRESSED: not supported, nothing here decompresses them. */
const COMPRESSED = 0x800n;
const SHT_NOBITS = 8;
/** More than any kernel has; a damaged file may name any number. */
const MAX_SECTIONS = 4096;
const LONGEST_NAME = 64;

/** The sections that are kept. */
const wanted = new Set([
  '.symtab',
  '.strtab',
  '.debug_line',
  '.debug_line_str',
  '.debug_str',
  '.debug_str_offsets',
  '.debug_frame',
  '.debug_info',
  '.debug_abbrev',
  '.debug_addr',
  '.debug_ranges',
  '.debug_rnglists',
  '.debug_loc',
  '.debug_loclists',
]);

/** The sections of `bytes`, whose header was checked before. */
export function readSections(bytes: Uint8Array, bits: 32 | 64): ImageSection[] {
  try {
    return read(bytes, bits).filter(({ name }) => wanted.has(name));
  } catch (error) {
    if (error instanceof RangeError) return [];
    throw error;
  }
}

interface Header {
  name: number;
  type: number;
  flags: bigint;
  offset: number;
  size: number;
}

function read(bytes: Uint8Array, bits: 32 | 64): ImageSection[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wide = bits === 64;
  const word = (at: number) => (wide ? view.getBigUint64(at, true) : BigInt(view.getUint32(at, true)));
  const table = Number(word(wide ? 40 : 32));
  const entrySize = view.getUint16(wide ? 58 : 46, true);
  const count = view.getUint16(wide ? 60 : 48, true);
  const names = view.getUint16(wide ? 62 : 50, true);
  if (table === 0 || entrySize < (wide ? 64 : 40) || count > MAX_SECTIONS || names >= count) return [];
  const header = (index: number): Header => {
    const at = table + index * entrySize;
    return {
      name: view.getUint32(at, true),
      type: view.getUint32(at + 4, true),
      flags: word(at + 8),
      offset: Number(word(at + (wide ? 24 : 16))),
      size: Number(word(at + (wide ? 32 : 20))),
    };
  };
  const content = ({ offset, size }: Header) => {
    if (offset + size > bytes.length) throw new RangeError('a section goes beyond the file');
    return bytes.subarray(offset, offset + size);
  };
  const strings = content(header(names));
  const sections: ImageSection[] = [];
  for (let index = 0; index < count; index++) {
    const one = header(index);
    if (one.type === SHT_NOBITS || one.flags & COMPRESSED) continue;
    const text = strings.subarray(one.name, one.name + LONGEST_NAME);
    const end = text.indexOf(0);
    const name = String.fromCharCode(...text.subarray(0, Math.max(0, end)));
    if (wanted.has(name)) sections.push({ name, bytes: content(one) });
  }
  return sections;
}
