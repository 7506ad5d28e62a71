/** A line of text: character, attribute and font become dots. */
import type { TextPicture } from '../contract/index.js';
import { Attribute, Crtc, type Registers, Sequencer } from './registers.js';
import { addressOf, type Line, lineAt, type Walk } from './scan.js';

/** The values that are constant for a picture of text. */
export interface TextLook {
  readonly dots: number;
  /** The places in plane 2 of the glyphs of characters with attribute bit 3 clear, and set. */
  readonly fonts: readonly [number, number];
  /** Attribute bit 7 makes a character blink; else it is a brighter background. */
  readonly blinks: boolean;
  /** Blinking characters are visible now. */
  readonly lit: boolean;
  /** Characters C0 to DF continue into the ninth dot, so that lines meet. */
  readonly lineGraphics: boolean;
  /** The row scan that underlines monochrome's attributes; -1 where it is a colour mode. */
  readonly underline: number;
  /** The counter at the cursor, -1 where it is not visible now. */
  readonly cursor: number;
  readonly cursorFirst: number;
  readonly cursorLast: number;
}

export function textLook(registers: Registers, cursorLit: boolean, lit: boolean): TextLook {
  const { crtc, sequencer, attribute } = registers;
  const font = sequencer[Sequencer.font]!;
  const mode = attribute[Attribute.mode]!;
  const start = crtc[Crtc.cursorStart]!;
  const on = cursorLit && (start & 0x20) === 0;
  return {
    dots: registers.dots,
    fonts: [fontAt((font & 3) | ((font >> 2) & 4)), fontAt(((font >> 2) & 3) | ((font >> 3) & 4))],
    blinks: (mode & 0x08) !== 0,
    lit,
    lineGraphics: (mode & 0x04) !== 0,
    underline: mode & 0x02 ? crtc[Crtc.underline]! & 0x1f : -1,
    cursor: on ? (crtc[Crtc.cursorHigh]! << 8) | crtc[Crtc.cursorLow]! : -1,
    cursorFirst: start & 0x1f,
    cursorLast: crtc[Crtc.cursorEnd]! & 0x1f,
  };
}

/** Fonts 0 to 3 are 16 KiB apart, 4 to 7 lie between them. */
function fontAt(number: number): number {
  return (number & 3) * 0x4000 + (number >> 2) * 0x2000;
}

/** Draws one character more than is visible: panning shows a part of it. */
export function drawTextLine(
  registers: Registers,
  words: Uint32Array,
  { counter, rowScan }: Line,
  characters: number,
  look: TextLook,
  palette: Uint32Array,
  row: Uint32Array,
): void {
  const { dots, fonts, blinks, lit } = look;
  let x = 0;
  for (let i = 0; i <= characters; i++) {
    const cell = words[addressOf(registers, counter + i, rowScan)]!;
    const character = cell & 0xff;
    const attribute = (cell >>> 8) & 0xff;
    let glyph = (words[fonts[(attribute >> 3) & 1]! + character * 32 + rowScan]! >>> 16) & 0xff;
    if (blinks && attribute & 0x80 && !lit) glyph = 0;
    if (rowScan === look.underline && (attribute & 0x77) === 0x01) glyph = 0xff;
    let ninth = look.lineGraphics && (character & 0xe0) === 0xc0 ? glyph & 1 : 0;
    if (counter + i === look.cursor && rowScan >= look.cursorFirst && rowScan <= look.cursorLast) {
      glyph = 0xff;
      ninth = 1;
    }
    const ink = palette[attribute & 0x0f]!;
    const paper = palette[(attribute >> 4) & (blinks ? 0x07 : 0x0f)]!;
    row[x] = glyph & 0x80 ? ink : paper;
    row[x + 1] = glyph & 0x40 ? ink : paper;
    row[x + 2] = glyph & 0x20 ? ink : paper;
    row[x + 3] = glyph & 0x10 ? ink : paper;
    row[x + 4] = glyph & 0x08 ? ink : paper;
    row[x + 5] = glyph & 0x04 ? ink : paper;
    row[x + 6] = glyph & 0x02 ? ink : paper;
    row[x + 7] = glyph & 0x01 ? ink : paper;
    if (dots === 9) row[x + 8] = ninth ? ink : paper;
    x += dots;
  }
}

/** The characters of all complete rows. */
export function readText(
  registers: Registers,
  words: Uint32Array,
  walk: Walk,
  look: TextLook,
  palette: Uint32Array,
): TextPicture {
  const columns = walk.characters;
  const rows = Math.floor((walk.height * walk.repeat) / walk.rowLines);
  const cells = new Uint16Array(columns * rows);
  const doubled = (registers.crtc[Crtc.maximumScanLine]! & 0x80) !== 0;
  const line: Line = { counter: 0, rowScan: 0, below: false };
  let cursor = -1;
  for (let y = 0; y < rows; y++) {
    lineAt(walk, doubled, (y * walk.rowLines) / walk.repeat, line);
    const { counter } = line;
    for (let x = 0; x < columns; x++) {
      const cell = words[addressOf(registers, counter + x, 0)]! & 0xffff;
      const hidden = look.blinks && cell & 0x8000 && !look.lit;
      const value = hidden ? (cell & 0x7f00) | 0x20 : look.blinks ? cell & 0x7fff : cell;
      cells[y * columns + x] = value;
      if (counter + x === look.cursor) cursor = y * columns + x;
    }
  }
  return { columns, rows, cells, cursor, palette: new Uint8ClampedArray(palette.slice().buffer) };
}
