/**
 * Reads a WebAssembly binary (WebAssembly core specification, 5): numbers, sections, function bodies. It reads the result of our own build,
 * so unknown content is an error.
 *
 * @module
 */

/** The position of the next read in the bytes. */
export interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
}

/** An unsigned LEB128 number of up to 32 bits. */
export function readU32(cursor: Cursor): number {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = cursor.bytes[cursor.at++]!;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value >>> 0;
  }
}

/** A signed LEB128 number of up to 32 bits. */
export function readS32(cursor: Cursor): number {
  let value = 0;
  for (let shift = 0; ; ) {
    const byte = cursor.bytes[cursor.at++]!;
    value |= (byte & 0x7f) << shift;
    shift += 7;
    if (byte < 0x80) return shift < 32 && (byte & 0x40) !== 0 ? value | (-1 << shift) : value;
  }
}

/** A signed LEB128 number of up to 64 bits. */
export function readS64(cursor: Cursor): bigint {
  let value = 0n;
  for (let shift = 0n; ; ) {
    const byte = cursor.bytes[cursor.at++]!;
    value |= BigInt(byte & 0x7f) << shift;
    shift += 7n;
    if (byte < 0x80) return BigInt.asIntN(64, (byte & 0x40) !== 0 ? value | (-1n << shift) : value);
  }
}

export const Section = {
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  global: 6,
  export: 7,
  element: 9,
  code: 10,
};

/** Where each section's content begins, by its number. Custom sections are left out. */
export function sectionsOf(bytes: Uint8Array): Map<number, number> {
  const cursor: Cursor = { bytes, at: 8 };
  const sections = new Map<number, number>();
  while (cursor.at < bytes.length) {
    const id = bytes[cursor.at++]!;
    const size = readU32(cursor);
    if (id !== 0) sections.set(id, cursor.at);
    cursor.at += size;
  }
  return sections;
}
