/** A line of a display adapter's picture: pixels lie one after the other, in 4 to 32 bits. */
import type { DisplayInterface } from './dispi.js';

/** Video memory by bytes and by words. */
export interface VideoMemory {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
}

const OPAQUE = 0xff00_0000;
const five = (part: number) => (part << 3) | (part >> 2);
const six = (part: number) => (part << 2) | (part >> 4);

/** @param table 256 colours @param palette the 16 of four planes @param row gets the pixels */
export function drawDisplayLine(
  { bits, start, pitch, width }: DisplayInterface,
  { bytes, words }: VideoMemory,
  y: number,
  table: Uint32Array,
  palette: Uint32Array,
  row: Uint32Array,
): void {
  let at = start + y * pitch;
  switch (bits) {
    case 4:
      at >>= 2;
      for (let x = 0; x < width; at++) {
        const word = words[at]!;
        for (let bit = 7; bit >= 0; bit--) {
          const pixel = word >>> bit;
          row[x++] =
            palette[(pixel & 1) | ((pixel >>> 7) & 2) | ((pixel >>> 14) & 4) | ((pixel >>> 21) & 8)]!;
        }
      }
      break;
    case 8:
      for (let x = 0; x < width; x++) row[x] = table[bytes[at + x]!]!;
      break;
    case 15:
    case 16: {
      const [green, red] = bits === 15 ? [five, 10] : [six, 11];
      const greenMask = bits === 15 ? 31 : 63;
      for (let x = 0; x < width; x++, at += 2) {
        const pixel = bytes[at]! | (bytes[at + 1]! << 8);
        row[x] =
          (OPAQUE |
            (five(pixel & 31) << 16) |
            (green((pixel >> 5) & greenMask) << 8) |
            five((pixel >> red) & 31)) >>>
          0;
      }
      break;
    }
    case 24:
      for (let x = 0; x < width; x++, at += 3)
        row[x] = (OPAQUE | (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!) >>> 0;
      break;
    default:
      at >>= 2;
      for (let x = 0; x < width; x++) {
        const pixel = words[at + x]!;
        row[x] = (OPAQUE | ((pixel & 0xff) << 16) | (pixel & 0xff00) | ((pixel >> 16) & 0xff)) >>> 0;
      }
  }
}
