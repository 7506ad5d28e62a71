/**
 * Helpers for the VGA's tests: the registers of its modes, and a VGA whose guest memory is accessed as by an engine,
 * without the device where the device shows RAM.
 *
 * @module
 */
import { AlarmClock, MILLISECOND } from '../../time/index.js';
import type { DeviceHost } from '../contract/index.js';
import { Vga } from './vga.js';

/** Registers of a mode in the order of a BIOS's tables: miscellaneous, sequencer, CRTC, graphics, attribute. */
export interface ModeTable {
  miscellaneous: number;
  sequencer: readonly number[];
  crtc: readonly number[];
  graphics: readonly number[];
  attribute: readonly number[];
}

const EGA_PALETTE = [0, 1, 2, 3, 4, 5, 0x14, 7, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f];
const STRAIGHT = EGA_PALETTE.map((_, i) => i);
const TIMING_200 = [0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0];
const RETRACE_400 = [0x9c, 0x8e, 0x8f, 0x28];

export const modes: Readonly<Record<string, ModeTable>> = {
  'text 80x25': {
    miscellaneous: 0x67,
    sequencer: [3, 0, 3, 0, 2],
    crtc: [
      0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0, 0x4f, 0x0d, 0x0e, 0, 0, 0, 0, 0x9c, 0x8e, 0x8f, 0x28,
      0x1f, 0x96, 0xb9, 0xa3, 0xff,
    ],
    graphics: [0, 0, 0, 0, 0, 0x10, 0x0e, 0, 0xff],
    attribute: [...EGA_PALETTE, 0x0c, 0, 0x0f, 8, 0],
  },
  '320x200, chain-4': {
    miscellaneous: 0x63,
    sequencer: [3, 1, 15, 0, 14],
    crtc: [...TIMING_200, 0x41, 0, 0, 0, 0, 0, 0, ...RETRACE_400, 0x40, 0x96, 0xb9, 0xa3, 0xff],
    graphics: [0, 0, 0, 0, 0, 0x40, 5, 15, 0xff],
    attribute: [...STRAIGHT, 0x41, 0, 15, 0, 0],
  },
  '320x200, mode X': {
    miscellaneous: 0x63,
    sequencer: [3, 1, 15, 0, 6],
    crtc: [...TIMING_200, 0x41, 0, 0, 0, 0, 0, 0, ...RETRACE_400, 0, 0x96, 0xb9, 0xe3, 0xff],
    graphics: [0, 0, 0, 0, 0, 0x40, 5, 15, 0xff],
    attribute: [...STRAIGHT, 0x41, 0, 15, 0, 0],
  },
  '640x480, 16 colours': {
    miscellaneous: 0xe3,
    sequencer: [3, 1, 15, 0, 6],
    crtc: [
      0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0b, 0x3e, 0, 0x40, 0, 0, 0, 0, 0, 0, 0xea, 0x8c, 0xdf, 0x28, 0,
      0xe7, 4, 0xe3, 0xff,
    ],
    graphics: [0, 0, 0, 0, 0, 0, 5, 15, 0xff],
    attribute: [...EGA_PALETTE, 1, 0, 15, 0, 0],
  },
  '320x200, 4 colours (CGA)': {
    miscellaneous: 0x63,
    sequencer: [3, 9, 3, 0, 2],
    crtc: [
      0x2d, 0x27, 0x28, 0x90, 0x2b, 0x80, 0xbf, 0x1f, 0, 0xc1, 0, 0, 0, 0, 0, 0, 0x9c, 0x8e, 0x8f, 0x14, 0,
      0x96, 0xb9, 0xa2, 0xff,
    ],
    graphics: [0, 0, 0, 0, 0, 0x30, 0x0f, 0, 0xff],
    attribute: [
      0, 0x13, 0x15, 0x17, 2, 4, 6, 7, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 1, 0, 3, 0, 0,
    ],
  },
};

/** A VGA with the memory that it shows, and a clock that a test sets. */
export class VgaRig {
  readonly vga = new Vga();
  clock = 0;
  /** What the guest sees as RAM. */
  shown = { address: 0, size: 0 };
  readonly #window: Uint8Array = new Uint8Array(0x10000);

  constructor() {
    const host: Partial<DeviceHost> = {
      clock: new AlarmClock(() => Math.round(this.clock * MILLISECOND)),
      windows: {
        bytes: () => this.#window,
        show: (_range, address, size) => {
          this.shown = { address, size };
        },
      },
    };
    this.vga.attach(host as DeviceHost);
  }

  out(port: number, value: number): void {
    this.vga.writePort(port, 1, value);
  }

  in(port: number): number {
    return this.vga.readPort(port);
  }

  /** Index and value, as `outw` writes them. */
  set(port: number, index: number, value: number): void {
    this.out(port, index);
    this.out(port + 1, value);
  }

  write(address: number, byte: number): void {
    const inside = address - this.shown.address;
    if (inside >= 0 && inside < this.shown.size) this.#window[inside] = byte;
    else this.vga.writeMemory(address, 1, byte);
  }

  read(address: number): number {
    const inside = address - this.shown.address;
    return inside >= 0 && inside < this.shown.size ? this.#window[inside]! : this.vga.readMemory(address);
  }

  setMode({ miscellaneous, sequencer, crtc, graphics, attribute }: ModeTable): void {
    this.out(0x3c2, miscellaneous);
    for (const [i, value] of sequencer.entries()) this.set(0x3c4, i, value);
    this.set(0x3d4, 0x11, 0);
    for (const [i, value] of crtc.entries()) this.set(0x3d4, i, value);
    for (const [i, value] of graphics.entries()) this.set(0x3ce, i, value);
    this.in(0x3da);
    for (const [i, value] of attribute.entries()) {
      this.out(0x3c0, i);
      this.out(0x3c0, value);
    }
    this.out(0x3c0, 0x20);
  }
}
