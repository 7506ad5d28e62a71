/**
 * Pictures pixel by pixel, for terminals that can show them: kitty's graphics protocol, and DEC's sixels.
 *
 * @module
 */
import { deflateSync } from 'node:zlib';
import type { Picture } from '../../../devices/contract/index.js';

/** Characters of base64 in one escape sequence: kitty's limit. */
const CHUNK = 4096;
/** The picture's number: the next picture with the same number replaces it. */
const IMAGE = 7;

/** kitty: the whole picture, compressed, drawn over so many columns and rows of cells. */
export function kitty({ width, height, rgba }: Picture, columns: number, rows: number): string {
  const data = deflateSync(rgba, { level: 1 }).toString('base64');
  let out = '';
  for (let at = 0; at < data.length; at += CHUNK) {
    const more = at + CHUNK < data.length ? 1 : 0;
    const what =
      at === 0 ? `a=T,i=${IMAGE},p=1,q=2,C=1,f=32,o=z,s=${width},v=${height},c=${columns},r=${rows},` : '';
    out += `\x1b_G${what}m=${more};${data.slice(at, at + CHUNK)}\x1b\\`;
  }
  return out;
}

/** Deletes kitty's picture. */
export const kittyEnd = `\x1b_Ga=d,d=I,i=${IMAGE},q=2\x1b\\`;

/** A VGA shows 256 colours at most, and a sixel terminal has as many registers. */
const COLOURS = 256;

/** Sixels: bands of six rows, one colour after the other; each pixel is drawn as `scale` by `scale` pixels. */
export function sixel({ width, height, rgba }: Picture, scale: number): string {
  const pixels = new Uint32Array(rgba.buffer, rgba.byteOffset, width * height);
  const registers = new Map<number, number>();
  const indices = new Uint8Array(width * height);
  let out = `\x1bP0;1q"1;1;${width * scale};${height * scale}`;
  for (let i = 0; i < pixels.length; i++) {
    const pixel = pixels[i]!;
    let register = registers.get(pixel);
    if (register === undefined) {
      register = registers.size % COLOURS;
      registers.set(pixel, register);
      const parts = [pixel & 255, (pixel >> 8) & 255, (pixel >> 16) & 255];
      out += `#${register};2;${parts.map((part) => Math.round((part * 100) / 255)).join(';')}`;
    }
    indices[i] = register;
  }
  const work: Band = {
    columns: new Uint8Array(COLOURS * width),
    first: new Int32Array(COLOURS).fill(-1),
    last: new Int32Array(COLOURS),
  };
  for (let top = 0; top < height * scale; top += 6) out += band(indices, width, height, scale, top, work);
  return `${out}\x1b\\`;
}

/** Working memory for one band; it is empty again after the band. */
interface Band {
  /** For each colour, six bits per column. */
  readonly columns: Uint8Array;
  /** The columns of each colour; -1 where it has none. */
  readonly first: Int32Array;
  readonly last: Int32Array;
}

function band(
  indices: Uint8Array,
  width: number,
  height: number,
  scale: number,
  top: number,
  { columns, first, last }: Band,
): string {
  for (let bit = 0; bit < 6 && top + bit < height * scale; bit++) {
    const row = Math.floor((top + bit) / scale) * width;
    for (let x = 0; x < width; x++) {
      const register = indices[row + x]!;
      columns[register * width + x]! |= 1 << bit;
      if (first[register]! < 0) {
        first[register] = x;
        last[register] = x;
      } else if (x < first[register]!) first[register] = x;
      else if (x > last[register]!) last[register] = x;
    }
  }
  let out = '';
  for (let register = 0; register < COLOURS; register++) {
    const from = first[register]!;
    if (from < 0) continue;
    const end = last[register]! + 1;
    out += `#${register}${repeated(0, from * scale)}`;
    for (let x = from; x < end; ) {
      const bits = columns[register * width + x]!;
      const start = x;
      while (x < end && columns[register * width + x] === bits) x++;
      out += repeated(bits, (x - start) * scale);
    }
    out += '$';
    columns.fill(0, register * width + from, register * width + end);
    first[register] = -1;
  }
  return `${out}-`;
}

/** One sixel, several times; a count where that is shorter. */
function repeated(bits: number, count: number): string {
  const character = SIXELS[bits]!;
  return count > 3 ? `!${count}${character}` : character.repeat(count);
}

const SIXELS = Array.from({ length: 64 }, (_, bits) => String.fromCharCode(63 + bits));
