/** The VGA's ROM at C0000: the code of vga.S, and the fonts and tables where the BIOS's ROM has them. */
import { decodeBase64 } from '../../base64.js';
import { STATIC_TABLE, staticTable } from '../services/video/information.js';
import { vgaCode } from './image.js';
import { Fonts, romImage } from './rom.js';

export const VGA_ROM_SEGMENT = 0xc000;
/** INT 10h, in the segment. */
export const VGA_ENTRY = 0x10;
const SIZE = 0xc000;
const UNIT = 512;
/** The offset of an option ROM's size (BIOS Boot Specification 1.01, 3.3). */
const SIZE_BYTE = 2;

let made: Uint8Array | undefined;

/** Made once; not to be changed. Its bytes add up to 0, as firmware requires. */
export function vgaRom(): Uint8Array {
  if (made !== undefined) return made;
  made = new Uint8Array(SIZE);
  made.set(romImage().subarray(Fonts.high, SIZE), Fonts.high);
  made.set(staticTable(), STATIC_TABLE);
  made.set(decodeBase64(vgaCode.text, vgaCode.length)!);
  made[SIZE_BYTE] = SIZE / UNIT;
  const sum = made.reduce((total, byte) => total + byte, 0);
  made[SIZE - 1] = -sum & 0xff;
  return made;
}
