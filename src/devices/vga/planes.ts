/**
 * Four planes of 64 KiB, and their data path. For writes: map mask, set/reset, rotation, logic, bit mask, four write
 * modes; for reads: latches and two read modes. A 32-bit word holds the four planes' bytes of one address, plane 0
 * lowest, so that a plane's byte is bits `8 × plane` and what hardware does in parallel is one operation here.
 *
 * @module
 */
import { Graphics, type Registers, Sequencer } from './registers.js';

export const PLANE_SIZE = 0x10000;

/** Bits 0–3 as planes: bit n set is plane n's byte all ones. */
const spread = Uint32Array.from({ length: 16 }, (_, planes) => {
  let word = 0;
  for (let plane = 0; plane < 4; plane++) if (planes & (1 << plane)) word |= 0xff << (8 * plane);
  return word >>> 0;
});

/** The same byte for all four planes. */
function everywhere(byte: number): number {
  return Math.imul(byte, 0x01010101);
}

/** A byte's plane, and its place there. */
interface Place {
  offset: number;
  /** Planes that can be written, or -1 for all. */
  planes: number;
  /** The plane that a read returns. */
  readPlane: number;
}

export class Planes {
  /** Four bytes of video memory are a word: 64 Ki of them, or all that a display adapter has. */
  words: Uint32Array = new Uint32Array(PLANE_SIZE);
  /** The first word in the window, where there are more words than it shows at once. */
  bank = 0;
  /** Called for each write, with its range in bytes of `words`. */
  written: (at: number, length: number) => void = () => {};
  /** The last read's bytes of all four planes. */
  latch = 0;
  readonly #registers: Registers;
  readonly #place: Place = { offset: 0, planes: 15, readPlane: 0 };

  constructor(registers: Registers) {
    this.#registers = registers;
  }

  /** Reads a byte for the CPU, `inside` bytes from the window's start. */
  read(inside: number): number {
    const { graphics } = this.#registers;
    const { offset, readPlane } = this.#locate(inside);
    const word = this.words[this.bank + offset] ?? 0;
    this.latch = word;
    if ((graphics[Graphics.mode]! & 0x08) === 0) return (word >>> (8 * readPlane)) & 0xff;
    // Read mode 1: a bit is set where all planes that "colour don't care" selects match the colour.
    const cared = spread[graphics[Graphics.colourDontCare]!]!;
    const different = (word ^ spread[graphics[Graphics.colourCompare]!]!) & cared;
    return ~(different | (different >>> 8) | (different >>> 16) | (different >>> 24)) & 0xff;
  }

  write(inside: number, byte: number): void {
    const { graphics, sequencer } = this.#registers;
    const { offset, planes } = this.#locate(inside);
    const mask = spread[planes & sequencer[Sequencer.mapMask]!]!;
    const at = this.bank + offset;
    if (at >= this.words.length) return;
    this.words[at] = (this.words[at]! & ~mask) | (this.#result(graphics, byte) & mask);
    this.written(at * 4, 4);
  }

  /** The data for the four planes, before the map mask. */
  #result(graphics: Uint8Array, byte: number): number {
    const writeMode = graphics[Graphics.mode]! & 3;
    if (writeMode === 1) return this.latch;
    const setReset = spread[graphics[Graphics.setReset]!]!;
    const bits = everywhere(graphics[Graphics.bitMask]!);
    if (writeMode === 2) return this.#combine(graphics, spread[byte & 15]!, bits);
    const count = graphics[Graphics.dataRotate]! & 7;
    const rotated = ((byte >>> count) | (byte << (8 - count))) & 0xff;
    if (writeMode === 3) return this.#combine(graphics, setReset, bits & everywhere(rotated));
    const enabled = spread[graphics[Graphics.enableSetReset]!]!;
    return this.#combine(graphics, (everywhere(rotated) & ~enabled) | (setReset & enabled), bits);
  }

  /** The logical function with the latches, where the bit mask has ones; the latches where it has none. */
  #combine(graphics: Uint8Array, data: number, bits: number): number {
    const { latch } = this;
    let value = data;
    switch ((graphics[Graphics.dataRotate]! >> 3) & 3) {
      case 1:
        value &= latch;
        break;
      case 2:
        value |= latch;
        break;
      case 3:
        value ^= latch;
    }
    return (value & bits) | (latch & ~bits);
  }

  /** Chain-4 takes the plane from address bits 0–1, odd/even from bit 0; else an address is the same in all planes. */
  #locate(inside: number): Place {
    const { graphics, sequencer, miscellaneous } = this.#registers;
    const place = this.#place;
    const memoryMode = sequencer[Sequencer.memoryMode]!;
    const readMap = graphics[Graphics.readMap]!;
    if (memoryMode & 0x08) {
      place.offset = inside & 0xfffc;
      place.readPlane = inside & 3;
      place.planes = 1 << place.readPlane;
      return place;
    }
    const odd = inside & 1;
    place.offset = inside & 0xffff;
    // Chain odd/even: bit 0 is the page's, from bit 16 of a window of 128 KiB, else from the miscellaneous register.
    if (graphics[Graphics.miscellaneous]! & 0x02) {
      const whole = (graphics[Graphics.miscellaneous]! & 0x0c) === 0;
      const page = whole ? (inside >> 16) & 1 : miscellaneous & 0x20 ? 0 : 1;
      place.offset = (inside & 0xfffe) | page;
    }
    place.planes = memoryMode & 0x04 ? 15 : odd ? 0b1010 : 0b0101;
    place.readPlane = graphics[Graphics.mode]! & 0x10 ? (readMap & 2) | odd : readMap;
    return place;
  }
}
