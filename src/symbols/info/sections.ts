import { DwarfReader } from '../dwarf-reader.js';

/** The sections of the debug information, as far as the file has them. */
export interface DebugSections {
  info: Uint8Array;
  abbreviations: Uint8Array;
  strings: Uint8Array | undefined;
  lineStrings: Uint8Array | undefined;
  stringOffsets: Uint8Array | undefined;
  addresses: Uint8Array | undefined;
  /** Of DWARF 4, and of DWARF 5. */
  ranges: Uint8Array | undefined;
  rangeLists: Uint8Array | undefined;
  locations: Uint8Array | undefined;
  locationLists: Uint8Array | undefined;
}

/** Undefined where the file has no debug information. */
export function debugSections(section: (name: string) => Uint8Array | undefined): DebugSections | undefined {
  const info = section('.debug_info');
  const abbreviations = section('.debug_abbrev');
  if (info === undefined || abbreviations === undefined) return undefined;
  return {
    info,
    abbreviations,
    strings: section('.debug_str'),
    lineStrings: section('.debug_line_str'),
    stringOffsets: section('.debug_str_offsets'),
    addresses: section('.debug_addr'),
    ranges: section('.debug_ranges'),
    rangeLists: section('.debug_rnglists'),
    locations: section('.debug_loc'),
    locationLists: section('.debug_loclists'),
  };
}

/** A number in a section; undefined where it has none there. */
export function numberAt(section: Uint8Array | undefined, at: number, size: 4 | 8): bigint | undefined {
  if (section === undefined || !(at >= 0) || at + size > section.length) return undefined;
  const reader = new DwarfReader(section);
  reader.skip(at);
  return size === 8 ? reader.u64() : BigInt(reader.u32());
}
