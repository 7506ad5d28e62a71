/**
 * Extends a VGA to a display adapter of the years after 1990: megabytes of video memory, all of which the guest sees as
 * RAM at once (a linear frame buffer), and Bochs' display interface. On a PCI bus it is QEMU's `-vga std`: 1234:1111,
 * the frame buffer at base address 0.
 *
 * @module
 */
import type { Claim, DeviceHost, MemoryRange, PortRange } from '../contract/index.js';
import { Bar, ConfigSpace, type PciBus, QEMU_SUBSYSTEM, QEMU_VENDOR } from '../pci/index.js';
import { DisplayInterface } from './dispi.js';
import { Crtc, Graphics, type Registers, Sequencer } from './registers.js';

/** Bytes of video memory, as in QEMU. */
export const VIDEO_MEMORY = 16 * 1024 * 1024;
/** The frame buffer's address until it is moved, and always without a PCI bus: as in the first Bochs. */
export const FRAME_BUFFER = 0xe000_0000;

/** Ports of the display interface: its data are at 1CF and, for processors that cannot access odd words, at 1D0. */
export const displayPorts = {
  index: { first: 0x1ce, count: 1, width: 2 },
  data: { first: 0x1cf, count: 2, width: 2 },
} as const satisfies Record<string, PortRange>;

const CHAIN_4 = 0x08;

/** Video memory with its frame buffer. */
export class DisplayAdapter {
  readonly interface: DisplayInterface;
  /** Where the guest sees video memory as RAM. */
  readonly range: MemoryRange;
  /** The PCI function; undefined without a bus. */
  readonly config: ConfigSpace | undefined;
  bytes: Uint8Array;
  words: Uint32Array;
  /** The machine saves video memory: it is not part of the device's state. */
  isLent = false;
  /** Called for each write to video memory that the guest does not make as RAM. */
  written: (at: number, length: number) => void = () => {};
  #claim: Claim | undefined;

  /** @param size bytes of video memory: a power of two, of at least 256 KiB */
  constructor(bus: PciBus | undefined, size = VIDEO_MEMORY) {
    this.interface = new DisplayInterface(size);
    this.bytes = new Uint8Array(size);
    this.words = new Uint32Array(this.bytes.buffer);
    const place = { address: FRAME_BUFFER, size, window: size };
    this.range = bus === undefined ? place : { ...place, hidden: true, priority: bus.priority() };
    if (bus === undefined) return;
    this.config = new ConfigSpace({
      vendor: 0x1234,
      device: 0x1111,
      class: 0x03_00_00,
      revision: 2,
      subsystemVendor: QEMU_VENDOR,
      subsystem: QEMU_SUBSYSTEM,
    });
    this.config.addBar(new Bar(0, 'memory', size, () => this.#claim));
  }

  /** Where the frame buffer is, or will be once the machine is made; as firmware leaves it. */
  get address(): number {
    return this.config?.bars[0]?.address ?? this.range.address;
  }

  attach(host: DeviceHost): void {
    const { windows } = host;
    const tracked = windows?.tracked?.(this.range);
    const lent = tracked?.bytes ?? windows?.bytes(this.range);
    if (lent !== undefined) {
      this.isLent = true;
      this.bytes = lent;
      this.words = new Uint32Array(lent.buffer, lent.byteOffset, lent.length / 4);
    }
    if (tracked !== undefined) this.written = tracked.written;
    this.#claim = host.claim(this.range);
    host.windows?.show(this.range, this.#claim.address, this.range.size);
    this.config?.follow();
  }

  /** The offset of an address in the frame buffer, where the guest cannot see it as RAM; -1 for addresses outside. */
  inside(address: number): number {
    const claim = this.#claim;
    if (claim === undefined || !claim.isHeld) return -1;
    const inside = address - claim.address;
    return inside >= 0 && inside < this.bytes.length ? inside : -1;
  }

  /** The offset in video memory of a byte of the window at A0000, where the mode has no planes; -1 where it has. */
  banked(inside: number): number {
    const { on, bits, bank } = this.interface;
    return on && bits > 4 ? (bank + inside) % this.bytes.length : -1;
  }

  /** The VGA's registers while the display interface is on: programs read the size there. */
  describeIn(registers: Registers): void {
    const { on, bits, width, height, pitch } = this.interface;
    if (!on) return;
    const { graphics, crtc, sequencer } = registers;
    const set = (unit: Uint8Array, index: number, mask: number, value: number) => {
      unit[index] = (unit[index]! & ~mask) | (value & mask);
    };
    set(graphics, Graphics.miscellaneous, 0x0f, 0x05);
    set(crtc, Crtc.mode, 0x03, 0x03);
    set(crtc, Crtc.offset, 0xff, pitch >> 3);
    set(crtc, Crtc.horizontalDisplayEnd, 0xff, (width >> 3) - 1);
    const last = height - 1;
    set(crtc, Crtc.verticalDisplayEnd, 0xff, last);
    set(crtc, Crtc.overflow, 0x52, 0x10 | ((last >> 7) & 0x02) | ((last >> 3) & 0x40));
    set(crtc, Crtc.lineCompare, 0xff, 0xff);
    set(crtc, Crtc.maximumScanLine, 0xdf, 0x40);
    if (bits === 4) set(sequencer, Sequencer.clocking, 0x08, 0);
    else {
      set(sequencer, Sequencer.memoryMode, CHAIN_4, CHAIN_4);
      set(sequencer, Sequencer.mapMask, 0x0f, 0x0f);
    }
    set(graphics, Graphics.mode, 0x60, bits === 4 ? 0 : 0x40);
  }
}
