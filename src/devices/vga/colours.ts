/** From a pixel's number in memory to a colour: attribute controller, then colour table. */
import type { Dac } from './dac.js';
import { Attribute, type Registers } from './registers.js';

/** Six bits as eight: 0 and 63 become the ends of the range. */
function eight(part: number): number {
  return ((part & 0x3f) << 2) | ((part >> 4) & 3);
}
const whole = (part: number) => part;

/** The 256 colours as pixels: bytes red, green, blue, 255 in memory, on a little-endian machine as all are that run this. */
export function tableColours({ table, mask, isWide }: Dac, into: Uint32Array): void {
  const byte = isWide ? whole : eight;
  for (let i = 0; i < 256; i++) {
    const at = (i & mask) * 3;
    into[i] =
      (0xff000000 | (byte(table[at + 2]!) << 16) | (byte(table[at + 1]!) << 8) | byte(table[at]!)) >>> 0;
  }
}

/** The attribute controller's translation of the four planes' 16 numbers: indexes in the colour table. */
export function paletteColours({ attribute }: Registers, table: Uint32Array, into: Uint32Array): void {
  const select = attribute[Attribute.colourSelect]!;
  const short = (attribute[Attribute.mode]! & 0x80) !== 0;
  for (let i = 0; i < 16; i++) {
    const six = attribute[i & attribute[Attribute.planeEnable]! & 0x0f]!;
    const low = short ? (six & 0x0f) | ((select & 0x03) << 4) : six;
    into[i] = table[low | ((select & 0x0c) << 4)]!;
  }
}
