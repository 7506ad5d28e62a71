import type { Pc } from '../../pc.js';
import type { Mode } from './modes.js';
import type { VgaPorts } from './vga-ports.js';

/** A rectangle of cells, ends included. */
export interface Box {
  top: number;
  left: number;
  bottom: number;
  right: number;
}

/** The part of the screen that drawing in graphics modes needs. */
export interface Canvas {
  readonly pc: Pc;
  readonly ports: VgaPorts;
  readonly mode: Mode;
  /** Lines of a character. */
  readonly height: number;
  /** The guest physical address of a page's first byte. */
  base(page: number): number;
  /** The rows of a character's glyph. */
  glyph(character: number): Uint8Array;
}
