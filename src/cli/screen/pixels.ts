/**
 * Pictures pixel by pixel, for terminals that can: kitty's graphics protocol, and DEC's sixels.
 *
 * @module
 */
import { deflateSync } from 'node:zlib';
import type { Picture } from '../../devices/contract.js';

/** Characters of base64 in one escape sequence: kitty's limit. */
const CHUNK = 4096;
/** The picture's number: one that is sent again takes the place of the one before. */
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

/** Takes kitty's picture away. */
export const kittyEnd = `\x1b_Ga=d,d=I,i=${IMAGE},q=2\x1b\\`;

/** A VGA shows 256 colours at most, and so many registers a sixel terminal has. */
const COLOURS = 256;

/** Sixels: bands of six rows, a colour after the other, each `scale` by `scale` pixels. */
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
  const columns = new Uint8Array(COLOURS * width);
  for (let top = 0; top < height * scale; top += 6) out += band(indices, width, height, scale, top, columns);
  return `${out}\x1b\\`;
}

/** @param columns for each colour, six bits a column; all 0, and left so */
function band(
  indices: Uint8Array,
  width: number,
  height: number,
  scale: number,
  top: number,
  columns: Uint8Array,
): string {
  const used = new Set<number>();
  for (let bit = 0; bit < 6 && top + bit < height * scale; bit++) {
    const row = Math.floor((top + bit) / scale) * width;
    for (let x = 0; x < width; x++) {
      const register = indices[row + x]!;
      used.add(register);
      columns[register * width + x]! |= 1 << bit;
    }
  }
  let out = '';
  for (const register of used) {
    out += `#${register}`;
    for (let x = 0; x < width; ) {
      const bits = columns[register * width + x]!;
      const from = x;
      while (x < width && columns[register * width + x] === bits) x++;
      const character = String.fromCharCode(63 + bits);
      const count = (x - from) * scale;
      out += count > 3 ? `!${count}${character}` : character.repeat(count);
    }
    out += '$';
    columns.fill(0, register * width, (register + 1) * width);
  }
  return `${out}-`;
}
