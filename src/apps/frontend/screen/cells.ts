/**
 * A picture as the cells of a terminal. Text stays text, in its colours; graphics are half blocks: the upper half of a cell has
 * the character's colour, the lower the background's, so that a cell is two pixels.
 *
 * @module
 */
import type { Picture, TextPicture } from '../../../devices/contract/index.js';

/** Cells of a terminal. Colours are 24 bits, red highest, or `NO_COLOUR`, or one of `paletteColour`. */
export interface Cells {
  readonly columns: number;
  readonly rows: number;
  /** A character each. */
  readonly characters: readonly string[];
  readonly ink: Uint32Array;
  readonly paper: Uint32Array;
  /** Bits of `Attribute`; none where it is missing. */
  readonly attributes?: Uint8Array;
}

/** How a character is drawn, apart from its colours. */
export const Attribute = { bold: 1, dim: 2, underlined: 4, inverse: 8 } as const;

/** The terminal's default colour: a number that no colour has. */
export const NO_COLOUR = 0xff000000;

/** One of the sixteen colours of the terminal's palette: 0 to 7, and their bright forms from 8 on. */
export function paletteColour(index: number): number {
  return 0x1000000 | index;
}

const LOW = ' ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼';
const HIGH =
  '⌂ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ ';

/** The characters of code page 437 as Unicode has them. */
export const codePage437: readonly string[] = Array.from({ length: 256 }, (_, code) =>
  code < 32 ? LOW[code]! : code < 127 ? String.fromCharCode(code) : HIGH[code - 127]!,
);

const UPPER_HALF = '▀';

/** The cells of a picture in a terminal of that size. Text that does not fit is cut: see `cropOf`. */
export function cellsOf(picture: Picture, columns: number, rows: number): Cells {
  const { text } = picture;
  return text === undefined
    ? halfBlocks(picture, columns, rows)
    : textCells(text, cropOf(text, columns, rows));
}

/** The part of a text that a terminal shows. */
export interface Crop {
  left: number;
  top: number;
  columns: number;
  rows: number;
}

/**
 * Which part of a text a terminal of that size shows: from the top left, moved only as far as the cursor requires. Without a
 * cursor, empty rows are left out first.
 */
export function cropOf(text: TextPicture, most: number, mostRows: number): Crop {
  const columns = Math.min(text.columns, Math.max(1, most));
  const rows = Math.min(text.rows, Math.max(1, mostRows));
  const cursor = Math.max(text.cursor, 0);
  const shift = (at: number, shown: number) => Math.max(0, at - shown + 1);
  let top = shift(Math.floor(cursor / text.columns), rows);
  if (text.cursor < 0)
    while (top + rows < text.rows && isBlank(text, top) && !isBlank(text, top + rows)) top++;
  return { left: shift(cursor % text.columns, columns), top, columns, rows };
}

/** A row of blanks, in any colours. */
function isBlank({ columns, cells }: TextPicture, row: number): boolean {
  return cells
    .subarray(row * columns, (row + 1) * columns)
    .every((cell) => [0, 0x20, 0xff].includes(cell & 0xff));
}

/** From dark to bright, for a terminal without colours. */
const SHADES = ' ░▒▓█';

/** As `cellsOf`, without colours: text as it is, graphics in shades. */
export function plainCellsOf(picture: Picture, columns: number, rows: number): Cells {
  const { text } = picture;
  if (text !== undefined) return withoutColours(textCells(text, cropOf(text, columns, rows)));
  const cells = halfBlocks(picture, columns, rows);
  const brightness = (rgb: number) => 0.3 * (rgb >> 16) + 0.59 * ((rgb >> 8) & 255) + 0.11 * (rgb & 255);
  const characters = cells.characters.map((_, i) => {
    const mean = (brightness(cells.ink[i]!) + brightness(cells.paper[i]!)) / 2;
    return SHADES[Math.min(4, Math.floor(mean / 51.2))]!;
  });
  return withoutColours({ ...cells, characters });
}

function withoutColours(cells: Cells): Cells {
  const none = new Uint32Array(cells.ink.length).fill(NO_COLOUR);
  return { ...cells, ink: none, paper: none };
}

function textCells({ columns: pitch, cells, palette, cursor }: TextPicture, cut: Crop): Cells {
  const { left, top, columns, rows } = cut;
  const colours = Array.from({ length: 16 }, (_, i) => rgbAt(palette, i * 4));
  const characters = new Array<string>(columns * rows);
  const ink = new Uint32Array(columns * rows);
  const paper = new Uint32Array(columns * rows);
  for (let i = 0; i < characters.length; i++) {
    const from = (top + Math.floor(i / columns)) * pitch + left + (i % columns);
    const cell = cells[from]!;
    characters[i] = codePage437[cell & 0xff]!;
    const [front, back] = [colours[(cell >> 8) & 15]!, colours[cell >> 12]!];
    ink[i] = from === cursor ? back : front;
    paper[i] = from === cursor ? front : back;
  }
  return { columns, rows, characters, ink, paper };
}

/** A monitor has the proportions 4:3 in every mode; half a cell is about as wide as high. */
function halfBlocks(picture: Picture, most: number, rows: number): Cells {
  const columns = Math.max(1, Math.min(most, Math.floor((rows * 2 * 4) / 3)));
  const lines = Math.max(1, Math.min(rows, Math.ceil((columns * 3) / 8)));
  const shrunk = shrink(picture, columns, lines * 2);
  const characters = new Array<string>(columns * lines).fill(UPPER_HALF);
  const ink = new Uint32Array(columns * lines);
  const paper = new Uint32Array(columns * lines);
  for (let y = 0; y < lines; y++) {
    ink.set(shrunk.subarray(2 * y * columns, (2 * y + 1) * columns), y * columns);
    paper.set(shrunk.subarray((2 * y + 1) * columns, (2 * y + 2) * columns), y * columns);
  }
  return { columns, rows: lines, characters, ink, paper };
}

/** Each target pixel is the mean of the source pixels that it covers. */
function shrink({ rgba, width, height }: Picture, columns: number, rows: number): Uint32Array {
  const result = new Uint32Array(columns * rows);
  for (let y = 0; y < rows; y++) {
    const top = Math.floor((y * height) / rows);
    const bottom = Math.max(top + 1, Math.floor(((y + 1) * height) / rows));
    for (let x = 0; x < columns; x++) {
      const left = Math.floor((x * width) / columns);
      const right = Math.max(left + 1, Math.floor(((x + 1) * width) / columns));
      let [red, green, blue] = [0, 0, 0];
      for (let v = top; v < bottom; v++) {
        for (let at = (v * width + left) * 4; at < (v * width + right) * 4; at += 4) {
          red += rgba[at]!;
          green += rgba[at + 1]!;
          blue += rgba[at + 2]!;
        }
      }
      const count = (bottom - top) * (right - left);
      result[y * columns + x] =
        (Math.round(red / count) << 16) | (Math.round(green / count) << 8) | Math.round(blue / count);
    }
  }
  return result;
}

function rgbAt(bytes: Uint8ClampedArray, at: number): number {
  return (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
}
