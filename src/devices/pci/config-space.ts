import { DeviceStateError } from '../state.js';
import type { Bar } from './bar.js';
import { CONFIG_SIZE, Config } from './header.js';

/** I/O, memory, bus master, parity, SERR, interrupt disable. */
const COMMAND_BITS = 0x547;
const STATUS_CAPABILITIES = 0x10;
const STATUS_INTERRUPT = 0x08;
/** Errors, which writing a 1 clears. */
const STATUS_CLEARED = 0xf900;

/** A function's identity. */
export interface PciIdentity {
  vendor: number;
  device: number;
  /** Class, subclass and programming interface, as a number of 24 bits. */
  class: number;
  revision?: number;
  subsystemVendor?: number;
  subsystem?: number;
  /** 1 to 4 for INTA# to INTD#; 0 (default) for none. */
  pin?: number;
  /** This slot has more functions. */
  multiFunction?: boolean;
}

/**
 * One function's configuration registers: the bits that a guest can set, and the resulting addresses of its memory and
 * ports.
 */
export class ConfigSpace {
  readonly bytes = new Uint8Array(CONFIG_SIZE);
  readonly #writable = new Uint8Array(CONFIG_SIZE);
  readonly #bars: Bar[] = [];
  #nextCapability = 0x40;
  /** Called after each write by a guest. */
  onWrite: (offset: number, size: number) => void = () => {};
  /** Called before each read by a guest: a register's value may have to be computed. */
  onRead: (offset: number, size: number) => void = () => {};

  constructor(identity: PciIdentity) {
    const { vendor, device, revision = 0, subsystemVendor = 0, subsystem = 0, pin = 0 } = identity;
    this.set(Config.vendor, 2, vendor);
    this.set(Config.device, 2, device);
    this.set(Config.revision, 1, revision);
    this.set(Config.programming, 2, identity.class & 0xffff);
    this.set(Config.class, 1, identity.class >> 16);
    this.set(Config.headerType, 1, identity.multiFunction === true ? 0x80 : 0);
    this.set(Config.subsystemVendor, 2, subsystemVendor);
    this.set(Config.subsystem, 2, subsystem);
    this.set(Config.interruptPin, 1, pin);
    this.allow(Config.command, 2, COMMAND_BITS);
    for (const offset of [Config.cacheLine, Config.latency, Config.interruptLine])
      this.allow(offset, 1, 0xff);
  }

  /** The slot has other functions: bit 7 of the header type. */
  get bars(): readonly Bar[] {
    return this.#bars;
  }

  get command(): number {
    return this.bytes[Config.command]! | (this.bytes[Config.command + 1]! << 8);
  }

  get pin(): number {
    return this.bytes[Config.interruptPin]!;
  }

  /** Makes these bits writable for the guest. */
  allow(offset: number, size: number, mask: number): void {
    for (let i = 0; i < size; i++) this.#writable[offset + i] = (mask >>> (8 * i)) & 0xff;
  }

  /** A write by the device itself: any bits. */
  set(offset: number, size: number, value: number): void {
    for (let i = 0; i < size; i++) this.bytes[offset + i] = (value >>> (8 * i)) & 0xff;
  }

  /** Adds a base address register. @throws RangeError where there is no room */
  addBar(bar: Bar): void {
    this.#bars.push(bar);
    if (bar.offset + 4 * bar.registers > Config.bars + 24)
      throw new RangeError('a function has six base addresses');
    this.set(bar.offset, 4, bar.flags);
    const { low, high } = bar.mask;
    this.allow(bar.offset, 4, low);
    if (bar.registers === 2) this.allow(bar.offset + 4, 4, high);
  }

  /** Adds a capability and returns its offset; its first two bytes are set. */
  addCapability(id: number, length: number): number {
    const offset = this.#nextCapability;
    this.#nextCapability = (offset + length + 3) & ~3;
    if (this.#nextCapability > CONFIG_SIZE) throw new RangeError('no room for another capability');
    this.set(offset, 1, id);
    this.set(offset + 1, 1, this.bytes[Config.capabilities]!);
    this.set(Config.capabilities, 1, offset);
    this.bytes[Config.status]! |= STATUS_CAPABILITIES;
    return offset;
  }

  /** Status bit 3: the function's interrupt is asserted. */
  showInterrupt(level: boolean): void {
    if (level) this.bytes[Config.status]! |= STATUS_INTERRUPT;
    else this.bytes[Config.status]! &= ~STATUS_INTERRUPT;
  }

  read(offset: number, size: number): number {
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = value * 256 + (this.bytes[(offset + i) & 0xff] ?? 0);
    return value;
  }

  write(offset: number, size: number, value: number): void {
    for (let i = 0; i < size && offset + i < CONFIG_SIZE; i++) {
      const at = offset + i;
      const byte = (value >>> (8 * i)) & 0xff;
      const cleared = at === Config.status + 1 ? byte & (STATUS_CLEARED >> 8) : 0;
      const mask = this.#writable[at]!;
      this.bytes[at] = ((this.bytes[at]! & ~mask) | (byte & mask)) & ~cleared & 0xff;
    }
    this.follow();
    this.onWrite(offset, size);
  }

  /** Moves the claims of ports and memory to the base addresses. */
  follow(): void {
    for (const bar of this.#bars)
      bar.follow(
        this.command,
        this.read(bar.offset, 4),
        bar.registers === 2 ? this.read(bar.offset + 4, 4) : 0,
      );
  }

  save(): number[] {
    return [...this.bytes];
  }

  /** Loads the bits that a guest can set; the rest belongs to this function. */
  restore(device: string, field: string, state: unknown): void {
    if (
      !Array.isArray(state) ||
      state.length !== CONFIG_SIZE ||
      !state.every((byte) => Number.isInteger(byte) && byte >= 0 && byte < 256)
    )
      throw new DeviceStateError(device, `'${field}' is not a list of ${CONFIG_SIZE} bytes`);
    for (const [at, byte] of (state as number[]).entries()) {
      const mask = at === Config.status + 1 ? STATUS_CLEARED >> 8 : this.#writable[at]!;
      this.bytes[at] = (this.bytes[at]! & ~mask) | (byte & mask);
    }
    this.follow();
    this.onWrite(0, CONFIG_SIZE);
  }
}
