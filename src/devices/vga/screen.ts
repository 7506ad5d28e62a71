/**
 * The monitor's picture, as pixels: each line is drawn and compared with the earlier one, so that a view knows what has
 * changed. Pixels and lines that the VGA shows twice are stored once: mode 13h is 320 by 200.
 *
 * @module
 */
import type { Glance, Picture, PictureArea, Screen, TextPicture } from '../contract/index.js';
import { paletteColours, tableColours } from './colours.js';
import type { Dac } from './dac.js';
import type { DisplayAdapter } from './display.js';
import { drawDisplayLine } from './display-line.js';
import { drawGraphicsLine, graphicsWidth } from './graphics-line.js';
import type { Planes } from './planes.js';
import { Attribute, Crtc, type Registers, Sequencer } from './registers.js';
import { type Line, lineAt, type Walk, walkOf } from './scan.js';
import { drawTextLine, readText, type TextLook, textLook } from './text-line.js';
import { periods } from './timing.js';

/** The parts of a VGA that a screen reads. */
export interface Shown {
  readonly registers: Registers;
  readonly dac: Dac;
  readonly planes: Planes;
  /** Writes to video memory where the mode had none. */
  readonly missed: number;
  /** The display interface, which shows the picture while it is on. */
  readonly display: DisplayAdapter | undefined;
  /** True where the first cells of a text mode, which the guest sees as RAM, are as the machine starts with. */
  isUntouched(cells: number): boolean;
  /** Brings the planes up to date. */
  settle(): void;
}

/** The CRTC's mode of a text screen: cell after cell in memory. */
const WORDS = 0xa3;
/** For how many pictures a cursor is visible, and then invisible; characters blink half as fast. */
const CURSOR_FRAMES = 8;

export class VgaScreen implements Screen {
  readonly #shown: Shown;
  readonly #table = new Uint32Array(256);
  readonly #palette = new Uint32Array(16);
  readonly #line: Line = { counter: 0, rowScan: 0, below: false };
  #width = 0;
  #height = 0;
  #pixels = new Uint32Array(0);
  #rgba = new Uint8ClampedArray(0);
  /** One line, with room for panning. */
  #row = new Uint32Array(0);
  /** The area that differs, collected while lines are drawn. */
  #left = 0;
  #right = 0;
  #top = 0;
  #bottom = 0;

  constructor(shown: Shown) {
    this.#shown = shown;
  }

  look(now?: number): Picture {
    const { registers, dac, planes, display } = this.#shown;
    this.#shown.settle();
    tableColours(dac, this.#table);
    paletteColours(registers, this.#table, this.#palette);
    if (display?.interface.on === true) return this.#drawDisplay(display);
    const walk = walkOf(registers);
    const { isText } = registers;
    const width = isText ? walk.characters * registers.dots : graphicsWidth(registers, walk.characters);
    const resized = this.#resize(width, walk.height);
    this.#nothingDiffers();
    if (isBlank(registers)) this.#blank(walk.height);
    else if (isText) {
      const frame = now === undefined ? 0 : Math.floor(now / periods(registers).frame / CURSOR_FRAMES);
      const look = textLook(registers, frame % 2 === 0, frame % 4 < 2);
      this.#drawText(walk, look);
      return this.#picture(resized, readText(registers, planes.words, walk, look, this.#palette));
    } else this.#drawGraphics(walk);
    return this.#picture(resized);
  }

  glance(): Glance {
    const { registers, dac, planes, missed, display } = this.#shown;
    if (!registers.isText || isBlank(registers) || display?.interface.on === true) return { missed };
    // The end of most runs, which should not be late for it.
    const walk = walkOf(registers);
    const rows = Math.floor((walk.height * walk.repeat) / walk.rowLines);
    const isFirstPage =
      walk.start + walk.preset === 0 &&
      walk.pitch === walk.characters &&
      walk.lineCompare >= walk.height * walk.repeat &&
      registers.crtc[Crtc.mode] === WORDS;
    if (isFirstPage && this.#shown.isUntouched(rows * walk.characters)) return { missed, blank: true };
    this.#shown.settle();
    tableColours(dac, this.#table);
    paletteColours(registers, this.#table, this.#palette);
    const look = textLook(registers, true, true);
    return { missed, text: readText(registers, planes.words, walk, look, this.#palette) };
  }

  #drawDisplay(display: DisplayAdapter): Picture {
    const { width, height } = display.interface;
    const resized = this.#resize(width, height);
    this.#nothingDiffers();
    if (isBlank(this.#shown.registers)) this.#blank(height);
    else
      for (let y = 0; y < height; y++) {
        drawDisplayLine(display.interface, display, y, this.#table, this.#palette, this.#row);
        this.#keep(y, 0);
      }
    return this.#picture(resized);
  }

  #nothingDiffers(): void {
    this.#left = this.#width;
    this.#right = -1;
    this.#top = -1;
  }

  #resize(width: number, height: number): boolean {
    if (width === this.#width && height === this.#height) return false;
    this.#width = width;
    this.#height = height;
    this.#pixels = new Uint32Array(width * height);
    this.#rgba = new Uint8ClampedArray(this.#pixels.buffer);
    this.#row = new Uint32Array(width + 16);
    return true;
  }

  #blank(height: number): void {
    this.#row.fill(this.#table[this.#shown.registers.attribute[Attribute.overscan]!]!);
    for (let y = 0; y < height; y++) this.#keep(y, 0);
  }

  #drawText(walk: Walk, look: TextLook): void {
    const { registers, planes } = this.#shown;
    const doubled = (registers.crtc[Crtc.maximumScanLine]! & 0x80) !== 0;
    // Dots to the left: 8 means none where characters have 9.
    const nine = registers.dots === 9;
    const pan = nine ? (walk.panning >= 8 ? 0 : walk.panning + 1) : walk.panning & 7;
    for (let y = 0; y < walk.height; y++) {
      lineAt(walk, doubled, y, this.#line);
      drawTextLine(registers, planes.words, this.#line, walk.characters, look, this.#palette, this.#row);
      this.#keep(y, this.#line.below && !walk.panBelow ? 0 : pan);
    }
  }

  #drawGraphics(walk: Walk): void {
    const { registers, planes } = this.#shown;
    const doubled = (registers.crtc[Crtc.maximumScanLine]! & 0x80) !== 0;
    const wide = this.#width === walk.characters * 4;
    const pan = wide ? (walk.panning & 7) >> 1 : walk.panning & 7;
    for (let y = 0; y < walk.height; y++) {
      lineAt(walk, doubled, y, this.#line);
      drawGraphicsLine(
        registers,
        planes.words,
        this.#line,
        walk.characters,
        this.#table,
        this.#palette,
        this.#row,
      );
      this.#keep(y, this.#line.below && !walk.panBelow ? 0 : pan);
    }
  }

  /** Copies the drawn line into the picture, from pixel `pan` on, and records where it differs. */
  #keep(y: number, pan: number): void {
    const row = this.#row;
    const pixels = this.#pixels;
    const width = this.#width;
    const at = y * width;
    let first = 0;
    while (first < width && pixels[at + first] === row[pan + first]) first++;
    if (first === width) return;
    let last = width - 1;
    while (pixels[at + last] === row[pan + last]) last--;
    for (let x = first; x <= last; x++) pixels[at + x] = row[pan + x]!;
    if (first < this.#left) this.#left = first;
    if (last > this.#right) this.#right = last;
    if (this.#top < 0) this.#top = y;
    this.#bottom = y;
  }

  #picture(resized: boolean, text?: TextPicture): Picture {
    const [width, height] = [this.#width, this.#height];
    let changed: PictureArea | undefined;
    if (resized) changed = { x: 0, y: 0, width, height };
    else if (this.#right >= 0) {
      const [x, y] = [this.#left, this.#top];
      changed = { x, y, width: this.#right - x + 1, height: this.#bottom - y + 1 };
    }
    return { width, height, rgba: this.#rgba, changed, ...(text && { text }) };
  }
}

/** The screen is off, or the palette belongs to the CPU: only the border's colour is visible. */
function isBlank(registers: Registers): boolean {
  return !registers.paletteInUse || (registers.sequencer[Sequencer.clocking]! & 0x20) !== 0;
}
