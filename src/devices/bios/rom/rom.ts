/**
 * The ROM at F0000 to FFFFF: the code of bios.S, and the fonts.
 *
 * @module
 */
import { decodeBase64 } from '../../base64.js';
import { GLYPH_ROWS, GLYPHS, romFont } from '../../vga/font.js';
import { pieces, vbeCode } from './image.js';
import { lowFont } from './low-font.js';

export { labels } from './image.js';

export const ROM_SEGMENT = 0xf000;
export const ROM_SIZE = 0x1_0000;

/** Offsets of the fonts of 8, 14 and 16 rows. An IBM AT has the lower half of the small one at FA6E, too. */
export const Fonts = { high: 0x8000, middle: 0x9000, low: 0xa000 } as const;
const IBM_LOW_FONT = 0xfa6e;
/** A text that VBE's information points to. */
export const VbeTexts = 0xb000;
/** The procedure that moves VBE's window by a far call: BX and DX as for AX=4F05h. */
export const VbeWindow = 0xb010;
/** VBE's interface for protected mode: vbe.S. */
export const VbeInterface = { offset: 0xb200, length: vbeCode.length } as const;

let made: Uint8Array | undefined;

/** Made once; not to be changed. */
export function romImage(): Uint8Array {
  if (made !== undefined) return made;
  made = new Uint8Array(ROM_SIZE);
  for (const [offset, length, text] of pieces) made.set(decodeBase64(text, length)!, offset);
  const high = romFont();
  made.set(high, Fonts.high);
  for (let glyph = 0; glyph < GLYPHS; glyph++) {
    // The first and last row of a cell are empty, except in lines that cross it.
    const rows = high.subarray(glyph * GLYPH_ROWS + 1, (glyph + 1) * GLYPH_ROWS - 1);
    made.set(rows, Fonts.middle + glyph * rows.length);
  }
  const low = lowFont();
  made.set(low, Fonts.low);
  made.set(low.subarray(0, 128 * 8), IBM_LOW_FONT);
  made.set(new TextEncoder().encode('Terrarium\0'), VbeTexts);
  // MOV AX, 4F05h; INT 10h; RETF
  made.set([0xb8, 0x05, 0x4f, 0xcd, 0x10, 0xcb], VbeWindow);
  made.set(decodeBase64(vbeCode.text, vbeCode.length)!, VbeInterface.offset);
  return made;
}
