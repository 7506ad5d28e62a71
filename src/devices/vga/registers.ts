/**
 * The registers of a VGA except the DAC's, and their values after a BIOS. Names and numbers: IBM's "Personal System/2
 * Hardware Interface Technical Reference: Video Subsystem" (VGA).
 *
 * @module
 */

/** The units that are reached through an index and a data port, and how many registers each has. */
export const units = ['sequencer', 'crtc', 'graphics', 'attribute'] as const;
export type Unit = (typeof units)[number];

export const Sequencer = { reset: 0, clocking: 1, mapMask: 2, font: 3, memoryMode: 4 } as const;
export const Crtc = {
  horizontalTotal: 0x00,
  horizontalDisplayEnd: 0x01,
  verticalTotal: 0x06,
  overflow: 0x07,
  presetRowScan: 0x08,
  maximumScanLine: 0x09,
  cursorStart: 0x0a,
  cursorEnd: 0x0b,
  startHigh: 0x0c,
  startLow: 0x0d,
  cursorHigh: 0x0e,
  cursorLow: 0x0f,
  retraceStart: 0x10,
  retraceEnd: 0x11,
  verticalDisplayEnd: 0x12,
  offset: 0x13,
  underline: 0x14,
  mode: 0x17,
  lineCompare: 0x18,
} as const;
export const Graphics = {
  setReset: 0,
  enableSetReset: 1,
  colourCompare: 2,
  dataRotate: 3,
  readMap: 4,
  mode: 5,
  miscellaneous: 6,
  colourDontCare: 7,
  bitMask: 8,
} as const;
export const Attribute = {
  mode: 0x10,
  overscan: 0x11,
  planeEnable: 0x12,
  panning: 0x13,
  colourSelect: 0x14,
} as const;

/** The bits that each register has; registers that are not listed do not exist. */
export const masks: Readonly<Record<Unit, readonly number[]>> = {
  sequencer: [0x03, 0x3d, 0x0f, 0x3f, 0x0e],
  crtc: new Array<number>(0x19).fill(0xff),
  graphics: [0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff],
  attribute: [...new Array<number>(16).fill(0x3f), 0xef, 0xff, 0x3f, 0x0f, 0x0f],
};

/** Mode 3: text of 80 columns and 25 rows, 720 by 400 dots, 70 pictures a second. */
const mode3: Readonly<Record<Unit, readonly number[]>> = {
  sequencer: [0x03, 0x00, 0x03, 0x00, 0x02],
  crtc: [
    0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e, 0x00, 0x00, 0x00, 0x00, 0x9c,
    0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff,
  ],
  graphics: [0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0e, 0x00, 0xff],
  attribute: [
    0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x0c,
    0x00, 0x0f, 0x08, 0x00,
  ],
};

/**
 * All registers with an index, and the miscellaneous output register. A guest's writes are limited to the existing
 * bits.
 */
export class Registers implements Readonly<Record<Unit, Uint8Array>> {
  readonly sequencer = Uint8Array.from(mode3.sequencer);
  readonly crtc = Uint8Array.from(mode3.crtc);
  readonly graphics = Uint8Array.from(mode3.graphics);
  readonly attribute = Uint8Array.from(mode3.attribute);
  /** Which register of each unit the data port reaches. */
  readonly index: Record<Unit, number> = { sequencer: 0, crtc: 0, graphics: 0, attribute: 0 };
  /** Bit 0: the CRTC is at 3D4, not 3B4; bit 1: memory answers; bits 2–3: the dot clock; bit 5: the odd/even page. */
  miscellaneous = 0x67;
  /** Bit 5 of the attribute controller's address: the palette belongs to the picture and not to the CPU. */
  paletteInUse = true;

  read(unit: Unit): number {
    return this[unit][this.index[unit]] ?? 0;
  }

  write(unit: Unit, value: number): void {
    const index = this.index[unit];
    const mask = masks[unit][index];
    if (mask === undefined) return;
    if (unit === 'crtc' && index <= Crtc.overflow && this.crtc[Crtc.retraceEnd]! & 0x80) {
      // Timing is protected, except bit 8 of the line compare value.
      if (index === Crtc.overflow) this.crtc[index] = (this.crtc[index]! & ~0x10) | (value & 0x10);
      return;
    }
    this[unit][index] = value & mask;
  }

  /** Memory is shown as characters. */
  get isText(): boolean {
    return (this.graphics[Graphics.miscellaneous]! & 1) === 0;
  }

  /** The visible scan lines. */
  get lines(): number {
    const overflow = this.crtc[Crtc.overflow]!;
    return 1 + (this.crtc[Crtc.verticalDisplayEnd]! | ((overflow & 0x02) << 7) | ((overflow & 0x40) << 3));
  }

  /** The last scan line before memory starts again from 0. */
  get lineCompare(): number {
    const { crtc } = this;
    return (
      crtc[Crtc.lineCompare]! |
      ((crtc[Crtc.overflow]! & 0x10) << 4) |
      ((crtc[Crtc.maximumScanLine]! & 0x40) << 3)
    );
  }

  /** Dots of one character in text: 8 or 9. */
  get dots(): number {
    return this.sequencer[Sequencer.clocking]! & 1 ? 8 : 9;
  }
}
