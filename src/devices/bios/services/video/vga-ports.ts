import type { SystemBus } from '../../../contract/index.js';
import { coloursOf } from './colours.js';
import type { Mode } from './modes.js';

/** The VGA by its ports. */
export class VgaPorts {
  readonly #bus: SystemBus;

  constructor(bus: SystemBus) {
    this.#bus = bus;
  }

  /** 3D4, or 3B4 where the miscellaneous output register selects a monochrome display. */
  get crtcPort(): number {
    return this.#bus.in(0x3cc, 1) & 1 ? 0x3d4 : 0x3b4;
  }

  set(port: number, index: number, value: number): void {
    this.#bus.out(port, 1, index);
    this.#bus.out(port + 1, 1, value);
  }

  get(port: number, index: number): number {
    this.#bus.out(port, 1, index);
    return this.#bus.in(port + 1, 1);
  }

  crtc(index: number, value: number): void {
    this.set(this.crtcPort, index, value);
  }

  crtcWord(high: number, value: number): void {
    this.crtc(high, (value >> 8) & 0xff);
    this.crtc(high + 1, value & 0xff);
  }

  getCrtc(index: number): number {
    return this.get(this.crtcPort, index);
  }

  sequencer(index: number, value: number): void {
    this.set(0x3c4, index, value);
  }

  graphics(index: number, value: number): void {
    this.set(0x3ce, index, value);
  }

  /** The attribute controller's index and value share a port; after a read of input status 1 the index is next. */
  attribute(index: number, value: number): void {
    this.#bus.in(this.crtcPort + 6, 1);
    this.#bus.out(0x3c0, 1, index | 0x20);
    this.#bus.out(0x3c0, 1, value);
    this.#bus.in(this.crtcPort + 6, 1);
  }

  getAttribute(index: number): number {
    this.#bus.in(this.crtcPort + 6, 1);
    this.#bus.out(0x3c0, 1, index | 0x20);
    const value = this.#bus.in(0x3c1, 1);
    this.#bus.in(this.crtcPort + 6, 1);
    return value;
  }

  colour(index: number, red: number, green: number, blue: number): void {
    this.#bus.out(0x3c8, 1, index);
    for (const part of [red, green, blue]) this.#bus.out(0x3c9, 1, part & 0x3f);
  }

  getColour(index: number): [number, number, number] {
    this.#bus.out(0x3c7, 1, index);
    return [this.#bus.in(0x3c9, 1), this.#bus.in(0x3c9, 1), this.#bus.in(0x3c9, 1)];
  }

  /** Sets all registers. @param colours false does not change the DAC */
  setMode(
    { miscellaneous, sequencer, crtc, graphics, attribute, colours: kind }: Mode,
    colours: boolean,
  ): void {
    // The screen is off meanwhile, and the timing registers may be written.
    this.attribute(0x10, 0);
    this.#bus.in(this.crtcPort + 6, 1);
    this.#bus.out(0x3c0, 1, 0);
    this.#bus.out(0x3c2, 1, miscellaneous);
    this.sequencer(0, 1);
    for (const [i, value] of sequencer.entries()) this.sequencer(i + 1, value);
    this.sequencer(0, 3);
    this.crtc(0x11, 0);
    for (const [i, value] of crtc.entries()) this.crtc(i, value);
    for (const [i, value] of graphics.entries()) this.graphics(i, value);
    for (const [i, value] of attribute.entries()) this.attribute(i, value);
    this.#bus.out(0x3c6, 1, 0xff);
    if (colours) this.setColours(coloursOf(kind));
  }

  /** The 256 colours of a mode. */
  setColours(table: Uint8Array): void {
    this.#bus.out(0x3c8, 1, 0);
    for (const part of table) this.#bus.out(0x3c9, 1, part);
  }

  /** A colour of 8 bits per part; the DAC takes as many bits as it has. */
  wideColour(index: number, ...parts: readonly [red: number, green: number, blue: number]): void {
    this.#bus.out(0x3c8, 1, index);
    for (const part of parts) this.#bus.out(0x3c9, 1, part);
  }

  /** Makes plane 2 alone readable and writable at A0000, for fonts; `restore` undoes that. */
  openFont(): () => void {
    const before = {
      sequencer: [2, 4].map((i) => [i, this.get(0x3c4, i)] as const),
      graphics: [4, 5, 6].map((i) => [i, this.get(0x3ce, i)] as const),
    };
    this.sequencer(2, 4);
    this.sequencer(4, 7);
    this.graphics(4, 2);
    this.graphics(5, 0);
    this.graphics(6, 4);
    return () => {
      for (const [i, value] of before.sequencer) this.sequencer(i, value);
      for (const [i, value] of before.graphics) this.graphics(i, value);
    };
  }
}
