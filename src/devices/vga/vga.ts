/**
 * A VGA: the display adapter of a PC of 1987, with which every later PC starts. Registers as state machines with their
 * index and data ports, 256 KiB of memory in four planes, a colour table, and the position of the beam.
 *
 * There is no BIOS here, so it starts in the state after one: text of 80 columns and 25 rows at B8000, the font loaded.
 * Where the mode allows it, video memory is RAM to the guest and drawing costs no exit (see `window.ts`).
 *
 * With a display adapter (see `display.ts`) it has megabytes of memory and modes up to 1920 by 1080 and more, too.
 *
 * docs/vga.md is its manual.
 *
 * @module
 */
import { MILLISECOND } from '../../time/index.js';
import type {
  Access,
  AccessSize,
  AccessWords,
  Device,
  DeviceHost,
  MemoryRange,
  PortRange,
  Screen,
} from '../contract/index.js';
import type { ConfigSpace, PciBus } from '../pci/index.js';
import { Dac } from './dac.js';
import { Dispi, Enable } from './dispi.js';
import { DisplayAdapter, displayPorts } from './display.js';
import { GLYPH_ROWS, GLYPHS, romFont } from './font.js';
import { Planes } from './planes.js';
import { Attribute, Registers } from './registers.js';
import { VgaScreen } from './screen.js';
import { loadVga, saveVga, type VgaSaved } from './state.js';
import { beamAt } from './timing.js';
import {
  APERTURE,
  gather,
  LARGEST_WINDOW,
  type Layout,
  layoutOf,
  type Range,
  rangeOf,
  scatter,
} from './window.js';

import { dacEntry, displayRegister, unitRegister, vgaPorts } from './words.js';

/** Bytes between two glyphs in plane 2. */
const GLYPH_STRIDE = 32;
/** Cells of text in planes 0 and 1. */
const BLANKS = 0x4000;

let first: Uint32Array | undefined;

/** Two blanks in light grey on black, as the guest sees them. */
const TWO_BLANKS = 0x0720_0720;

/**
 * The planes as a BIOS leaves them: the font, and an empty screen. Made once, since that takes as long as the rest of a
 * machine's lifecycle.
 */
function firstPlanes(): Uint32Array {
  if (first !== undefined) return first;
  // Spaces in light grey on black, in each second word.
  const cells = new BigUint64Array(BLANKS).fill(0x0720n);
  first = new Uint32Array(cells.buffer);
  const font = romFont();
  for (let glyph = 0; glyph < GLYPHS; glyph++) {
    for (let row = 0; row < GLYPH_ROWS; row++)
      first[glyph * GLYPH_STRIDE + row]! |= font[glyph * GLYPH_ROWS + row]! << 16;
  }
  return first;
}

const vgaRanges: readonly PortRange[] = [
  { first: 0x3b4, count: 2, width: 1 },
  { first: 0x3ba, count: 1, width: 1 },
  { first: 0x3c0, count: 16, width: 1 },
  { first: 0x3d4, count: 2, width: 1 },
  { first: 0x3da, count: 1, width: 1 },
];

export interface VgaOptions {
  /**
   * It is a display adapter with Bochs' interface and a linear frame buffer: on this PCI bus, or `alone` with the frame buffer at
   * E0000000.
   */
  display?: PciBus | 'alone';
  /** Bytes of a display adapter's memory: a power of two from 256 KiB on. Default 16 MiB. */
  videoMemory?: number;
}

/** See the module's comment. */
export class Vga implements Device {
  readonly name = 'vga';
  readonly ports: readonly PortRange[];
  readonly memory: readonly [MemoryRange, ...MemoryRange[]];
  /** Undefined for a VGA of 1987. */
  readonly display: DisplayAdapter | undefined;
  readonly registers = new Registers();
  readonly dac = new Dac();
  readonly planes = new Planes(this.registers);
  /** The next byte at port 3C0 is a register's number, not its value. */
  addressNext = true;
  /** Writes to the aperture where the mode had no memory: for hints, not a part of the state. */
  missed = 0;
  /** Port 3C3: enables the whole VGA. Stored, without effect, as on an adapter. */
  enabled = 1;
  #host: DeviceHost | undefined;
  #linear: Uint8Array = new Uint8Array(LARGEST_WINDOW);
  /** What the guest sees as RAM now. */
  #layout: Layout | undefined;
  #range: Range = rangeOf(this.registers);

  constructor({ display, videoMemory }: VgaOptions = {}) {
    const window: MemoryRange = { ...APERTURE, width: 1, coalesce: true, window: LARGEST_WINDOW };
    if (display === undefined) {
      this.ports = vgaRanges;
      this.memory = [window];
    } else {
      this.display = new DisplayAdapter(display === 'alone' ? undefined : display, videoMemory);
      this.ports = [...vgaRanges, displayPorts.index, displayPorts.data];
      this.memory = [window, this.display.range];
      this.planes.words = this.display.words;
    }
    this.planes.words.set(firstPlanes());
  }

  /** The registers of its PCI function, for a display adapter that is on a bus. */
  get config(): ConfigSpace | undefined {
    return this.display?.config;
  }

  attach(host: DeviceHost): void {
    this.#host = host;
    if (this.display !== undefined) {
      this.display.attach(host);
      this.planes.words = this.display.words;
      this.planes.written = this.display.written;
      const first = firstPlanes();
      this.planes.words.set(first);
      this.display.written(0, first.byteLength);
    }
    this.#linear = host.windows?.bytes(this.memory[0]) ?? this.#linear;
    this.#update();
  }

  screen(): Screen {
    return new VgaScreen(this);
  }

  /** Switches a display adapter's picture on, as firmware does when a loader has requested graphics. */
  showDisplay({ width, height, bits }: { width: number; height: number; bits: number }): void {
    if (this.display === undefined) return;
    const { index, data } = displayPorts;
    for (const [register, value] of [
      [Dispi.enable, 0],
      [Dispi.width, width],
      [Dispi.height, height],
      [Dispi.bits, bits],
      [Dispi.enable, Enable.on | Enable.linear],
    ] as const) {
      this.#writeDisplay(this.display, index.first, register);
      this.#writeDisplay(this.display, data.first, value);
    }
  }

  isUntouched(cells: number): boolean {
    if (this.#layout !== 'text') return false;
    const pairs = new Uint32Array(this.#linear.buffer, this.#linear.byteOffset, cells >> 1);
    for (let i = 0; i < pairs.length; i++) if (pairs[i] !== TWO_BLANKS) return false;
    return (cells & 1) === 0;
  }

  /** Updates the planes with the guest's writes to its window. */
  settle(): void {
    if (this.#layout === undefined) return;
    const { size } = this.#range;
    scatter(this.#layout, this.#linear, this.planes.words, size);
    // Four planes' bytes for each address.
    this.planes.written(0, 4 * size);
  }

  readPort(port: number, size: AccessSize = 1): number {
    const { registers, dac, display } = this;
    if (display !== undefined && port < vgaRanges[0]!.first) {
      const value = port === displayPorts.index.first ? display.interface.index : display.interface.read();
      return size === 1 ? value & 0xff : value;
    }
    switch (port) {
      case 0x3c0:
        return registers.index.attribute | (registers.paletteInUse ? 0x20 : 0);
      case 0x3c1:
        return registers.read('attribute');
      case 0x3c2:
        // Input status 0: a colour monitor is there, no interrupt is pending.
        return 0x10;
      case 0x3c3:
        return this.enabled;
      case 0x3c4:
        return registers.index.sequencer;
      case 0x3c5:
        return registers.read('sequencer');
      case 0x3c6:
        return dac.mask;
      case 0x3c7:
        return dac.state;
      case 0x3c8:
        return dac.writeAddress;
      case 0x3c9:
        return dac.read();
      case 0x3ca:
        return 0;
      case 0x3cc:
        return registers.miscellaneous;
      case 0x3ce:
        return registers.index.graphics;
      case 0x3cf:
        return registers.read('graphics');
    }
    if (!this.#isThere(port)) return 0xff;
    if ((port & 0x0f) === 0x04) return registers.index.crtc;
    return (port & 0x0f) === 0x05 ? registers.read('crtc') : this.#inputStatus1();
  }

  writePort(port: number, size: AccessSize, value: number): void {
    const { registers, dac } = this;
    if (this.display !== undefined && port < vgaRanges[0]!.first) {
      // Only words: a byte has no effect.
      if (size === 2) this.#writeDisplay(this.display, port, value);
      return;
    }
    const byte = value & 0xff;
    switch (port) {
      case 0x3c0:
        this.#writeAttribute(byte);
        break;
      case 0x3c2:
        registers.miscellaneous = byte & 0xef;
        break;
      case 0x3c3:
        this.enabled = byte & 1;
        break;
      case 0x3c4:
        registers.index.sequencer = byte;
        break;
      case 0x3c5:
        registers.write('sequencer', byte);
        break;
      case 0x3c6:
        dac.mask = byte;
        break;
      case 0x3c7:
        dac.startReading(byte);
        break;
      case 0x3c8:
        dac.startWriting(byte);
        break;
      case 0x3c9:
        dac.write(byte);
        break;
      case 0x3ce:
        registers.index.graphics = byte;
        break;
      case 0x3cf:
        registers.write('graphics', byte);
        break;
      default:
        if (!this.#isThere(port)) return;
        if ((port & 0x0f) === 0x04) registers.index.crtc = byte;
        else if ((port & 0x0f) === 0x05) registers.write('crtc', byte);
    }
    this.#update();
  }

  readMemory(address: number, size: AccessSize = 1): number {
    const inside = this.#inside(address);
    const direct = this.#direct(address, inside);
    if (direct >= 0) return littleEndian(this.display!.bytes, direct, size);
    if (inside < 0) return 0xff;
    return this.#layout === undefined ? this.planes.read(inside) : this.#linear[inside]!;
  }

  writeMemory(address: number, size: AccessSize, value: number): void {
    const inside = this.#inside(address);
    const direct = this.#direct(address, inside);
    if (direct >= 0) {
      const { bytes, written } = this.display!;
      written(direct, Math.min(size, bytes.length - direct));
      for (let i = 0; i < size && direct + i < bytes.length; i++) bytes[direct + i] = value >>> (8 * i);
      return;
    }
    if (inside < 0) {
      this.missed++;
      return;
    }
    if (this.#layout === undefined) this.planes.write(inside, value & 0xff);
    else this.#linear[inside] = value;
  }

  describeAccess({ space, address, write }: Access): AccessWords | undefined {
    if (space === 'memory') return vgaPorts.memory;
    const { registers, dac, display } = this;
    const { index } = registers;
    if (display !== undefined && address < vgaRanges[0]!.first)
      return displayRegister(address === displayPorts.index.first ? undefined : display.interface.index);
    switch (address) {
      case 0x3c0:
        return unitRegister('attribute', write && !this.addressNext ? index.attribute : undefined);
      case 0x3c1:
        return unitRegister('attribute', index.attribute);
      case 0x3c2:
        return write ? vgaPorts.miscellaneous : vgaPorts.inputStatus0;
      case 0x3c3:
        return vgaPorts.enable;
      case 0x3c4:
        return unitRegister('sequencer');
      case 0x3c5:
        return unitRegister('sequencer', index.sequencer);
      case 0x3c6:
        return vgaPorts.dacMask;
      case 0x3c7:
        return write ? vgaPorts.dacRead : vgaPorts.dacState;
      case 0x3c8:
        return vgaPorts.dacWrite;
      case 0x3c9:
        return dacEntry(write ? dac.writeAddress : dac.readAddress, dac.part);
      case 0x3ca:
        return vgaPorts.feature;
      case 0x3cc:
        return vgaPorts.miscellaneous;
      case 0x3ce:
        return unitRegister('graphics');
      case 0x3cf:
        return unitRegister('graphics', index.graphics);
    }
    if (!this.#isThere(address)) return undefined;
    if ((address & 0x0f) === 0x04) return unitRegister('crtc');
    if ((address & 0x0f) === 0x05) return unitRegister('crtc', index.crtc);
    return write ? vgaPorts.feature : vgaPorts.inputStatus1;
  }

  save(): VgaSaved {
    this.settle();
    return saveVga(this);
  }

  load(state: unknown): void {
    loadVga(this, state);
    // Drops the earlier window, and shows that of the state.
    if (this.#layout !== undefined) this.#host?.windows?.show(this.memory[0], APERTURE.address, 0);
    this.#layout = undefined;
    this.#update();
  }

  /** Port 3C0 takes a register's number and its value in turn; after a read of input status 1 the number is next. */
  #writeAttribute(byte: number): void {
    const { registers } = this;
    if (this.addressNext) {
      registers.index.attribute = byte & 0x1f;
      registers.paletteInUse = (byte & 0x20) !== 0;
    } else if (registers.index.attribute <= Attribute.colourSelect) registers.write('attribute', byte);
    this.addressNext = !this.addressNext;
  }

  #writeDisplay(display: DisplayAdapter, port: number, value: number): void {
    const it = display.interface;
    if (port === displayPorts.index.first) {
      it.index = value;
      return;
    }
    const isEmpty = it.write(value);
    this.dac.isWide = it.wideColours;
    this.planes.bank = it.on && it.bits === 4 ? it.bank : 0;
    if (it.on) display.describeIn(this.registers);
    // The guest's writes in VGA modes go to video memory first.
    this.#update();
    if (!isEmpty) return;
    const size = Math.min(display.bytes.length, it.height * it.pitch);
    display.bytes.fill(0, 0, size);
    display.written(0, size);
  }

  /**
   * The offset of an access in a display adapter's memory, where it is not translated; -1 where it goes to the VGA's
   * planes.
   */
  #direct(address: number, inside: number): number {
    const { display } = this;
    if (display === undefined) return -1;
    return inside >= 0
      ? display.banked(inside)
      : address < APERTURE.address + APERTURE.size
        ? -1
        : display.inside(address);
  }

  #inputStatus1(): number {
    this.addressNext = true;
    const { blank, retrace } = beamAt(this.registers, (this.#host?.clock.now() ?? 0) / MILLISECOND);
    return (blank ? 0x01 : 0) | (retrace ? 0x08 : 0);
  }

  /** CRTC and input status 1 are at 3B4 or at 3D4: the miscellaneous output register chooses. */
  #isThere(port: number): boolean {
    return (port & 0x3f0) === (this.registers.miscellaneous & 1 ? 0x3d0 : 0x3b0);
  }

  /** The offset of an address in the part of the aperture that answers; -1 where it is outside. */
  #inside(address: number): number {
    const { from, size } = this.#range;
    const inside = address - APERTURE.address - from;
    return inside >= 0 && inside < size && this.registers.miscellaneous & 2 ? inside : -1;
  }

  /** A register was written: video memory may be RAM now, or no longer, or at another address. */
  #update(): void {
    const layout = this.display?.interface.on === true ? undefined : layoutOf(this.registers);
    const range = rangeOf(this.registers);
    if (layout === this.#layout && range === this.#range) return;
    const wasShown = this.#layout !== undefined;
    this.settle();
    this.#layout = layout;
    this.#range = range;
    const address = APERTURE.address + range.from;
    if (layout !== undefined) {
      gather(layout, this.planes.words, this.#linear, range.size);
      this.#host?.windows?.show(this.memory[0], address, range.size);
    } else if (wasShown) this.#host?.windows?.show(this.memory[0], address, 0);
  }
}

function littleEndian(bytes: Uint8Array, at: number, size: number): number {
  let value = 0;
  for (let i = size - 1; i >= 0; i--) value = value * 256 + (bytes[at + i] ?? 0xff);
  return value;
}
