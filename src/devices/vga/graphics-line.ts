/** A line of graphics: bytes of four planes become pixels, in one of three ways. */
import { Graphics, type Registers } from './registers.js';
import { addressOf, type Line } from './scan.js';

const COLOURS_256 = 0x40;
const INTERLEAVED = 0x20;

/** Pixels in a line: a character's eight dots are four pixels where they have 256 colours. */
export function graphicsWidth({ graphics }: Registers, characters: number): number {
  return characters * (graphics[Graphics.mode]! & COLOURS_256 ? 4 : 8);
}

/** Draws one character more than is visible: panning shows a part of it. */
export function drawGraphicsLine(
  registers: Registers,
  words: Uint32Array,
  { counter, rowScan }: Line,
  characters: number,
  table: Uint32Array,
  palette: Uint32Array,
  row: Uint32Array,
): void {
  const mode = registers.graphics[Graphics.mode]!;
  let x = 0;
  for (let i = 0; i <= characters; i++) {
    const word = words[addressOf(registers, counter + i, rowScan)]!;
    if (mode & COLOURS_256) {
      row[x] = table[word & 0xff]!;
      row[x + 1] = table[(word >>> 8) & 0xff]!;
      row[x + 2] = table[(word >>> 16) & 0xff]!;
      row[x + 3] = table[word >>> 24]!;
      x += 4;
    } else if (mode & INTERLEAVED) {
      // CGA's four colours: two bits of a byte are a pixel; planes 0 and 2 have the first four, 1 and 3 the others.
      for (let k = 0; k < 8; k++) {
        const shift = (k < 4 ? 0 : 8) + 6 - 2 * (k & 3);
        row[x++] = palette[((word >>> shift) & 3) | (((word >>> (shift + 16)) & 3) << 2)]!;
      }
    } else {
      for (let bit = 7; bit >= 0; bit--) {
        const pixel = word >>> bit;
        row[x++] = palette[(pixel & 1) | ((pixel >>> 7) & 2) | ((pixel >>> 14) & 4) | ((pixel >>> 21) & 8)]!;
      }
    }
  }
}
