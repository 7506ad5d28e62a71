/**
 * Finds, reads and writes the characters and pixels of the current mode, as the data area describes it.
 *
 * @module
 */
import { Data } from '../../data-area.js';
import { linear } from '../../guest.js';
import type { Pc } from '../../pc.js';
import type { Box, Canvas } from './canvas.js';
import { DisplayPorts } from './display-ports.js';
import { drawGlyph, readGlyph, readPixel, scrollPixels, writePixel } from './graphics.js';
import { type Mode, modes } from './modes.js';
import { presentVbeMode, VBE_MODE } from './vbe-set-mode.js';
import { VgaPorts } from './vga-ports.js';

/** A character with its attribute. */
export interface Cell {
  character: number;
  attribute: number;
}

/** Vectors that point to fonts. */
const GRAPHICS_FONT = 0x43;
const UPPER_FONT = 0x1f;

export class VideoScreen implements Canvas {
  readonly pc: Pc;
  readonly ports: VgaPorts;
  readonly mode: Mode;

  constructor(pc: Pc) {
    this.pc = pc;
    this.ports = new VgaPorts(pc.bus);
    // A guest may have written anything there.
    const number = pc.guest.read8(Data.mode);
    this.mode =
      (number === VBE_MODE ? presentVbeMode(pc, new DisplayPorts(pc.bus)) : modes[number & 0x7f]) ??
      modes[3]!;
  }

  get columns(): number {
    return this.pc.guest.read16(Data.columns) || this.mode.columns;
  }
  get rows(): number {
    return this.pc.guest.read8(Data.rows) + 1;
  }
  get height(): number {
    return this.pc.guest.read16(Data.characterHeight) & 0xff || this.mode.height;
  }
  get page(): number {
    return this.pc.guest.read8(Data.page) & 7;
  }

  cursor(page: number): { row: number; column: number } {
    const word = this.pc.guest.read16(Data.cursors + 2 * (page & 7));
    return { row: word >> 8, column: word & 0xff };
  }

  setCursor(page: number, row: number, column: number): void {
    this.pc.guest.write16(Data.cursors + 2 * (page & 7), ((row & 0xff) << 8) | (column & 0xff));
    if ((page & 7) === this.page) this.showCursor();
  }

  /** The CRTC's cursor follows the data area's. */
  showCursor(): void {
    if (this.mode.memory !== 'text') return;
    const { row, column } = this.cursor(this.page);
    const start = this.pc.guest.read16(Data.pageStart) >> 1;
    this.ports.crtcWord(0x0e, start + row * this.columns + column);
  }

  /** The guest physical address of a page's first byte. */
  base(page: number): number {
    const size = this.pc.guest.read16(Data.pageSize) || this.mode.pageSize;
    return linear(this.mode.segment, this.mode.pages > 1 ? size * (page & 7) : 0);
  }

  cellAddress(page: number, row: number, column: number): number {
    return this.base(page) + (row * this.columns + column) * 2;
  }

  read(page: number, row: number, column: number): Cell {
    if (this.mode.memory !== 'text') return { character: readGlyph(this, page, row, column), attribute: 0 };
    const word = this.pc.guest.read16(this.cellAddress(page, row, column));
    return { character: word & 0xff, attribute: word >> 8 };
  }

  /** Writes a character; without an attribute the current one stays, in graphics modes colour 7 is used. */
  write(page: number, row: number, column: number, character: number, attribute?: number): void {
    if (this.mode.memory !== 'text') {
      drawGlyph(this, page, row, column, character, attribute ?? 7);
      return;
    }
    const at = this.cellAddress(page, row, column);
    this.pc.guest.write8(at, character);
    if (attribute !== undefined) this.pc.guest.write8(at + 1, attribute);
  }

  /** Moves a box up, or down by a negative number, by `lines`; 0 clears it. */
  scroll(page: number, box: Box, lines: number, attribute: number): void {
    const { columns, rows } = this;
    const right = Math.min(box.right, columns - 1);
    const bottom = Math.min(box.bottom, rows - 1);
    const { top, left } = box;
    if (left > right || top > bottom) return;
    const tall = bottom - top + 1;
    const by = Math.abs(lines) >= tall ? 0 : lines;
    const area = { top, left, bottom, right };
    if (this.mode.memory === 'text') this.#scrollCells(page, area, by, attribute);
    else scrollPixels(this, page, area, by, attribute);
  }

  #scrollCells(page: number, { top, left, bottom, right }: Box, by: number, attribute: number): void {
    const { guest } = this.pc;
    const width = (right - left + 1) * 2;
    const blank = new Uint8Array(width);
    for (let i = 0; i < width; i += 2) blank.set([0x20, attribute], i);
    const down = by < 0;
    for (let row = down ? bottom : top; down ? row >= top : row <= bottom; row += down ? -1 : 1) {
      const from = row + by;
      const inside = by !== 0 && from >= top && from <= bottom;
      const line = inside ? guest.read(this.cellAddress(page, from, left), width) : blank;
      guest.write(this.cellAddress(page, row, left), line);
    }
  }

  readPixel(page: number, x: number, y: number): number {
    return readPixel(this, page, x, y);
  }

  writePixel(page: number, x: number, y: number, colour: number): void {
    writePixel(this, page, x, y, colour);
  }

  /** Where a character's rows are in graphics modes: the fonts' vectors point there. */
  glyph(character: number): Uint8Array {
    const { guest } = this.pc;
    const cga = this.mode.memory === 'cga4' || this.mode.memory === 'cga2';
    const upper = cga && character >= 128;
    const vector = upper ? UPPER_FONT : GRAPHICS_FONT;
    const font = linear(guest.read16(vector * 4 + 2), guest.read16(vector * 4));
    return guest.read(font + (upper ? character - 128 : character) * this.height, this.height);
  }

  /**
   * Writes as a teletype does: bell, backspace, line feed and carriage return are executed, and the last line scrolls.
   */
  type(page: number, character: number, colour?: number): void {
    let { row, column } = this.cursor(page);
    switch (character) {
      case 7:
        break;
      case 8:
        if (column > 0) column--;
        break;
      case 10:
        row++;
        break;
      case 13:
        column = 0;
        break;
      default:
        this.write(page, row, column, character, colour);
        column++;
    }
    if (column >= this.columns) {
      column = 0;
      row++;
    }
    if (row >= this.rows) {
      const last = this.rows - 1;
      const { attribute } = this.mode.memory === 'text' ? this.read(page, last, 0) : { attribute: 0 };
      this.scroll(page, { top: 0, left: 0, bottom: last, right: this.columns - 1 }, 1, attribute);
      row = last;
    }
    this.setCursor(page, row, column);
  }
}
