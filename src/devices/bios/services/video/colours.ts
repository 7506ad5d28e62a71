/**
 * The DAC's colours for each kind of mode, 6 bits a part.
 *
 * @module
 */
import type { Colours } from './modes.js';

type Rgb = readonly [red: number, green: number, blue: number];

/** The EGA's 64: bits 0 to 2 are blue, green, red at two thirds, bits 3 to 5 the same at one third. */
function ega(number: number): Rgb {
  const part = (bit: number) => ((number >> bit) & 1) * 42 + ((number >> (bit + 3)) & 1) * 21;
  return [part(2), part(1), part(0)];
}

/** The CGA's 16: bit 3 is brightness, and dark yellow is brown. */
function rgbi(number: number): Rgb {
  const bright = number & 8 ? 21 : 0;
  if (number === 6) return [42, 21, 0];
  const part = (bit: number) => ((number >> bit) & 1) * 42 + bright;
  return [part(2), part(1), part(0)];
}

const GREYS = [0, 5, 8, 11, 14, 17, 20, 24, 28, 32, 36, 40, 45, 50, 56, 63];
/**
 * Mode 13h: three brightnesses, each with three saturations of 24 hues: the steps of a part from its lowest to its
 * highest value.
 */
const RAMPS: readonly (readonly number[])[] = [
  [0, 16, 31, 47, 63],
  [31, 39, 47, 55, 63],
  [45, 49, 54, 58, 63],
  [0, 7, 14, 21, 28],
  [14, 17, 21, 24, 28],
  [20, 22, 24, 26, 28],
  [0, 4, 8, 12, 16],
  [8, 10, 12, 14, 16],
  [11, 12, 13, 15, 16],
];

/** From blue over red and green back to blue: where each part is on its ramp, by hue. */
function hue(number: number): Rgb {
  const rising = number % 4;
  switch (number >> 2) {
    case 0:
      return [rising, 0, 4];
    case 1:
      return [4, 0, 4 - rising];
    case 2:
      return [4, rising, 0];
    case 3:
      return [4 - rising, 4, 0];
    case 4:
      return [0, 4, rising];
    default:
      return [0, 4 - rising, 4];
  }
}

function vga(number: number): Rgb {
  if (number < 16) return rgbi(number);
  if (number < 32) {
    const grey = GREYS[number - 16]!;
    return [grey, grey, grey];
  }
  const ramp = RAMPS[Math.floor((number - 32) / 24)];
  if (ramp === undefined) return [0, 0, 0];
  const [red, green, blue] = hue((number - 32) % 24);
  return [ramp[red]!, ramp[green]!, ramp[blue]!];
}

function mono(number: number): Rgb {
  const grey = [0, 42, 21, 63][(number >> 3) & 3]!;
  return [grey, grey, grey];
}

/** The 768 bytes of a mode's colours. A mode that has 64 of them leaves the others black. */
export function coloursOf(kind: Colours): Uint8Array {
  const table = new Uint8Array(768);
  for (let i = 0; i < (kind === 'vga' ? 256 : 64); i++) {
    if (kind === 'ega') table.set(ega(i), i * 3);
    // Bit 4 of a colour is its brightness, and bits 3 and 5 are ignored.
    else if (kind === 'cga') table.set(rgbi((i & 7) | ((i & 0x10) >> 1)), i * 3);
    else table.set(kind === 'mono' ? mono(i) : vga(i), i * 3);
  }
  return table;
}

/** A colour's brightness, as INT 10h AX=101Bh computes it: 30 % red, 59 % green, 11 % blue. */
export function greyOf(red: number, green: number, blue: number): number {
  return Math.min(63, (77 * red + 151 * green + 28 * blue + 128) >> 8);
}
