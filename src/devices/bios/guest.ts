import type { GuestMemory } from '../../memory/index.js';
import type { SystemBus } from '../contract/index.js';

/** One more than the last address of real mode, FFFF:FFFF. */
export const linear = (segment: number, offset: number) => segment * 16 + offset;

/** The size of pieces in which a block is copied that is not in one region of RAM. */
const PIECE = 4096;

/**
 * Guest memory as a BIOS reaches it: RAM, video memory that may be a device's, and ROM, which ignores writes. Addresses
 * are guest physical; any number is allowed.
 */
export class Guest {
  readonly #memory: GuestMemory;
  readonly #bus: SystemBus;

  constructor(memory: GuestMemory, bus: SystemBus) {
    this.#memory = memory;
    this.#bus = bus;
  }

  read8(at: number): number {
    return this.#bus.load(at);
  }
  read16(at: number): number {
    if (this.#memory.contains(at, 2)) return this.#memory.read16(at);
    return this.read8(at) | (this.read8(at + 1) << 8);
  }
  read32(at: number): number {
    if (this.#memory.contains(at, 4)) return this.#memory.read32(at);
    return (this.read16(at) | (this.read16(at + 2) << 16)) >>> 0;
  }
  write8(at: number, value: number): void {
    this.#bus.store(at, value & 0xff);
  }
  write16(at: number, value: number): void {
    this.write8(at, value);
    this.write8(at + 1, value >> 8);
  }
  write32(at: number, value: number): void {
    this.write16(at, value & 0xffff);
    this.write16(at + 2, value >>> 16);
  }

  /** The guest's own bytes where all of them lie in one piece of RAM that can be written; undefined elsewhere. */
  view(at: number, length: number): Uint8Array | undefined {
    const region = this.#memory.find(at, length);
    return region === undefined || region.readOnly ? undefined : this.#memory.view(at, length);
  }

  /** A copy. */
  read(at: number, length: number): Uint8Array {
    if (this.#memory.contains(at, length)) return this.#memory.readBytes(at, length);
    return Uint8Array.from({ length }, (_, i) => this.read8(at + i));
  }

  write(at: number, bytes: Uint8Array): void {
    const view = this.view(at, bytes.length);
    if (view !== undefined) view.set(bytes);
    else if (bytes.length > PIECE) {
      for (let from = 0; from < bytes.length; from += PIECE)
        this.write(at + from, bytes.subarray(from, from + PIECE));
    } else for (const [i, byte] of bytes.entries()) this.write8(at + i, byte);
  }
}
