import type { SystemBus } from '../../../contract/index.js';
import { Dispi, Enable } from '../../../vga/dispi.js';

const INDEX = 0x1ce;
const DATA = 0x1cf;
const SOME_VERSION = 0xb0c0;
const DISPLAY_CLASS = 0x03_00_00;
const BANK = 0x1_0000;

/** A display adapter by its ports; there may be none. */
export class DisplayPorts {
  readonly #bus: SystemBus;

  constructor(bus: SystemBus) {
    this.#bus = bus;
  }

  get(register: number): number {
    this.#bus.out(INDEX, 2, register);
    return this.#bus.in(DATA, 2);
  }

  set(register: number, value: number): void {
    this.#bus.out(INDEX, 2, register);
    this.#bus.out(DATA, 2, value & 0xffff);
  }

  /** The interface answers. */
  get isThere(): boolean {
    return (this.get(Dispi.id) & 0xfff0) === SOME_VERSION;
  }

  get on(): boolean {
    return (this.get(Dispi.enable) & Enable.on) !== 0;
  }

  /** Bytes of video memory. */
  get memory(): number {
    return this.get(Dispi.memory) * BANK;
  }

  /** The VGA's modes are visible from now on. */
  off(): void {
    this.set(Dispi.enable, 0);
  }

  /** Where the linear frame buffer is, by the first display adapter's base address 0; 0 where there is none. */
  get frameBuffer(): number {
    const bus = this.#bus;
    const before = bus.in(0xcf8, 4);
    const read = (slot: number, register: number) => {
      bus.out(0xcf8, 4, (0x8000_0000 | (slot << 11) | register) >>> 0);
      return bus.in(0xcfc, 4);
    };
    let address = 0;
    for (let slot = 0; slot < 32 && address === 0; slot++)
      if (read(slot, 0) !== 0xffff_ffff && read(slot, 8) >>> 8 === DISPLAY_CLASS)
        address = (read(slot, 0x10) & ~15) >>> 0;
    bus.out(0xcf8, 4, before);
    return address;
  }
}
