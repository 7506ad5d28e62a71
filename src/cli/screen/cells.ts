/**
 * A picture as the cells of a terminal. Text is text again, in its colours; graphics are half blocks: the upper half of a
 * cell in the character's colour, the lower in the background's, so that a cell is two pixels.
 *
 * @module
 */
import type { Picture, TextPicture } from '../../devices/contract.js';

/** Cells of a terminal. Colours are 24 bits, red highest. */
export interface Cells {
  readonly columns: number;
  readonly rows: number;
  /** A character each. */
  readonly characters: readonly string[];
  readonly ink: Uint32Array;
  readonly paper: Uint32Array;
}

const LOW = ' ☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼';
const HIGH =
  '⌂ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■ ';

/** The characters of code page 437 as Unicode has them. */
export const codePage437: readonly string[] = Array.from({ length: 256 }, (_, code) =>
  code < 32 ? LOW[code]! : code < 127 ? String.fromCharCode(code) : HIGH[code - 127]!,
);

const UPPER_HALF = '▀';

/** The cells of a picture in a terminal of that size. */
export function cellsOf(picture: Picture, columns: number, rows: number): Cells {
  const { text } = picture;
  if (text !== undefined && text.columns <= columns && text.rows <= rows) return textCells(text);
  return halfBlocks(picture, columns, rows);
}

/** From dark to bright, for a terminal that shall have no colours. */
const SHADES = ' ░▒▓█';

/** As `cellsOf`, without colours: text as it is, graphics in shades. */
export function plainCellsOf(picture: Picture, columns: number, rows: number): Cells {
  const { text } = picture;
  if (text !== undefined && text.columns <= columns && text.rows <= rows)
    return withoutColours(textCells(text));
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

function textCells({ columns, rows, cells, palette, cursor }: TextPicture): Cells {
  const colours = Array.from({ length: 16 }, (_, i) => rgbAt(palette, i * 4));
  const characters = new Array<string>(cells.length);
  const ink = new Uint32Array(cells.length);
  const paper = new Uint32Array(cells.length);
  for (const [i, cell] of cells.entries()) {
    characters[i] = codePage437[cell & 0xff]!;
    const [front, back] = [colours[(cell >> 8) & 15]!, colours[cell >> 12]!];
    ink[i] = i === cursor ? back : front;
    paper[i] = i === cursor ? front : back;
  }
  return { columns, rows, characters, ink, paper };
}

/** No number that a colour has: the terminal's own. */
const NO_COLOUR = 0xff000000;

/** A monitor is four wide and three high, whatever a mode's pixels are; half a cell is about as wide as high. */
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

/** Each target pixel is the mean of those it stands for. */
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

/** Turns cells into what a terminal is sent: only those that differ from what it shows already. */
export class CellPainter {
  #shown: Cells | undefined;

  /** Forgets what the terminal shows: it was cleared, or has another size. */
  forget(): void {
    this.#shown = undefined;
  }

  /** What to write for these cells, from row 1 of the screen on; empty where nothing differs. */
  paint(cells: Cells): string {
    const known =
      this.#shown?.columns === cells.columns && this.#shown.rows === cells.rows ? this.#shown : undefined;
    let out = known === undefined ? '\x1b[0m\x1b[2J' : '';
    let [ink, paper] = [-1, -1];
    /** Where the terminal's cursor is after what was written last. */
    let at = -1;
    const { columns, characters } = cells;
    for (let i = 0; i < characters.length; i++) {
      const [front, back] = [cells.ink[i]!, cells.paper[i]!];
      if (
        known !== undefined &&
        known.ink[i] === front &&
        known.paper[i] === back &&
        known.characters[i] === characters[i]
      )
        continue;
      if (at !== i || i % columns === 0) out += `\x1b[${Math.floor(i / columns) + 1};${(i % columns) + 1}H`;
      if (ink !== front) out += colour(38, front);
      if (paper !== back) out += colour(48, back);
      [ink, paper, at] = [front, back, i + 1];
      out += characters[i];
    }
    this.#shown = cells;
    return out === '' ? '' : `${out}\x1b[0m`;
  }
}

/** The cells as lines, for a terminal that goes on behind them. */
export function linesOf({ columns, rows, characters, ink, paper }: Cells): string {
  let out = '';
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const i = y * columns + x;
      if (x === 0 || ink[i] !== ink[i - 1]) out += colour(38, ink[i]!);
      if (x === 0 || paper[i] !== paper[i - 1]) out += colour(48, paper[i]!);
      out += characters[i];
    }
    out += '\x1b[0m\n';
  }
  return out;
}

/** Select Graphic Rendition with 24 bits (ISO 8613-6): 38 for characters, 48 for backgrounds. */
function colour(what: 38 | 48, rgb: number): string {
  if (rgb === NO_COLOUR) return '';
  return `\x1b[${what};2;${rgb >> 16};${(rgb >> 8) & 255};${rgb & 255}m`;
}
