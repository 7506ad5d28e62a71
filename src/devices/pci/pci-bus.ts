/**
 * A PCI bus behind configuration mechanism 1: ports CF8 and CFC (PCI 3.0 3.2.2.3.2), and the interrupt pins of its
 * functions, which lead to the interrupt requests that the bridge to ISA selects (82371SB 2.2.11).
 *
 * @module
 */
import type {
  Access,
  AccessSize,
  AccessWords,
  Device,
  DeviceHost,
  Line,
  PortRange,
} from '../contract/index.js';
import { booleanField, DeviceStateError, stateFields } from '../state.js';
import type { BarKind } from './bar.js';
import type { ConfigSpace } from './config-space.js';
import { Command, Config } from './header.js';
import { configWords } from './words.js';

const ADDRESS = 0xcf8;
const DATA = 0xcfc;
const ENABLE = 0x8000_0000;
/** Bits of the address that are kept: enable, bus, device, function, register. */
const ADDRESS_BITS = 0x80ff_fffc;
const IRQS = 16;
/** A route with this bit leads nowhere. */
export const ROUTE_OFF = 0x80;

/** A function on the bus: its registers, and its interrupt. */
export interface PciFunction {
  readonly config: ConfigSpace;
  /** Could its interrupt rise without an action of the guest? See `LineListener.canRise`. */
  canRise?(): boolean;
}

/** A function's place on the bus. */
export interface PciSlot {
  /** Drives the function's interrupt pin. */
  setInterrupt(level: boolean): void;
}

interface Seated {
  readonly slot: number;
  readonly number: number;
  readonly it: PciFunction;
  level: boolean;
}

export interface PciState {
  address: number;
  /** By `slot.function`. */
  functions: Record<string, { config: number[]; level: boolean }>;
}

/** See the module's comment. */
export class PciBus implements Device {
  readonly name = 'pci';
  // CF9 is the port of the reset control register: only 32-bit accesses at CF8 are the address.
  readonly ports: readonly PortRange[] = [
    { first: ADDRESS, count: 1, width: 4 },
    { first: DATA, count: 4, width: 4 },
  ];
  #address = 0;
  readonly #seats: Seated[] = [];
  readonly #lines: Line[] = [];
  #made = 0;
  /** Where each of the four PIRQ pins leads: an interrupt request, or `ROUTE_OFF`. */
  #routes: readonly number[] = [ROUTE_OFF, ROUTE_OFF, ROUTE_OFF, ROUTE_OFF];

  attach(host: DeviceHost): void {
    const canRise = () => this.#seats.some(({ it }) => it.canRise?.() === true);
    for (let irq = 0; irq < IRQS; irq++) this.#lines[irq] = host.line(irq, { canRise });
    this.#drive();
  }

  /** Adds a function. @throws RangeError where the place is taken */
  add(slot: number, number: number, it: PciFunction): PciSlot {
    if (this.#at(slot, number) !== undefined) throw new RangeError(`two functions at ${slot}.${number}`);
    const seat: Seated = { slot, number, it, level: false };
    this.#seats.push(seat);
    it.config.onWrite = chain(it.config.onWrite, (offset, size) => {
      if (offset < Config.command + 2 && offset + size > Config.command) this.#drive();
    });
    return {
      setInterrupt: (level) => {
        if (seat.level === level) return;
        seat.level = level;
        it.config.showInterrupt(level);
        this.#drive();
      },
    };
  }

  /** A priority for the claim of a base address: lower than that of all fixed addresses, and no two are equal. */
  priority(): number {
    this.#made++;
    return -this.#made;
  }

  /** Where the four PIRQ pins lead. */
  route(routes: readonly number[]): void {
    this.#routes = routes;
    this.#drive();
  }

  /** The PIRQ pin, 0 to 3, of a function's interrupt pin: the board rotates them by one per slot, as QEMU's does. */
  static pirq(slot: number, pin: number): number {
    return (slot - 1 + pin - 1) & 3;
  }

  #drive(): void {
    if (this.#lines.length === 0) return;
    let high = 0;
    for (const { slot, it, level } of this.#seats) {
      if (!level || it.config.pin === 0 || it.config.command & Command.interruptDisable) continue;
      const route = this.#routes[PciBus.pirq(slot, it.config.pin)]!;
      if (!(route & ROUTE_OFF)) high |= 1 << (route & 15);
    }
    for (let irq = 0; irq < IRQS; irq++) this.#lines[irq]!.set(((high >> irq) & 1) === 1);
  }

  /**
   * Assigns each base address and each pin's interrupt request, as firmware does: for guests that start without
   * firmware. @param memory the first address of the hole for PCI memory
   */
  assign(memory: number, ports = 0xc000): void {
    const next: Record<'io' | 'memory', number> = { io: ports, memory };
    for (const { slot, it } of this.#seats) {
      const { config } = it;
      for (const bar of config.bars) place(config, bar.offset, bar.kind, bar.size, next);
      if (config.pin > 0)
        config.write(Config.interruptLine, 1, this.#routes[PciBus.pirq(slot, config.pin)]! & 15);
      if (config.bars.length > 0)
        config.write(Config.command, 2, config.command | Command.io | Command.memory | Command.master);
    }
  }

  #at(slot: number, number: number): Seated | undefined {
    return this.#seats.find((seat) => seat.slot === slot && seat.number === number);
  }

  /** The function that the address register selects. Other buses are empty. */
  get #chosen(): ConfigSpace | undefined {
    const address = this.#address;
    if (address < ENABLE || ((address >>> 16) & 0xff) !== 0) return undefined;
    return this.#at((address >>> 11) & 31, (address >>> 8) & 7)?.it.config;
  }

  readPort(port: number, size: AccessSize): number {
    if (port === ADDRESS) return size === 4 ? this.#address : this.#address & (2 ** (8 * size) - 1);
    const config = this.#chosen;
    // A missing function does not answer: all ones (master abort).
    if (config === undefined) return 2 ** (8 * size) - 1;
    const offset = (this.#address & 0xfc) + (port - DATA);
    config.onRead(offset, size);
    return config.read(offset, size) % 2 ** (8 * size);
  }

  writePort(port: number, size: AccessSize, value: number): void {
    if (port === ADDRESS) {
      if (size === 4) this.#address = (value & ADDRESS_BITS) >>> 0;
      return;
    }
    this.#chosen?.write((this.#address & 0xfc) + (port - DATA), size, value);
  }

  describeAccess({ address }: Access): AccessWords {
    return configWords(address === ADDRESS ? undefined : address - DATA, this.#address);
  }

  save(): PciState {
    const functions = this.#seats.map(
      ({ slot, number, it, level }) => [`${slot}.${number}`, { config: it.config.save(), level }] as const,
    );
    return { address: this.#address, functions: Object.fromEntries(functions) };
  }

  load(state: unknown): void {
    const fields = stateFields(this.name, state, this.save());
    const { address } = fields;
    if (
      typeof address !== 'number' ||
      !Number.isInteger(address) ||
      address < 0 ||
      (address & ADDRESS_BITS) >>> 0 !== address
    )
      throw new DeviceStateError(this.name, `'address' is ${String(address)}`);
    const functions = stateFields(this.name, fields.functions, this.save().functions);
    this.#address = address;
    for (const seat of this.#seats) {
      const { it } = seat;
      const key = `${seat.slot}.${seat.number}`;
      const { config, level } = stateFields(this.name, functions[key], { config: 0, level: 0 });
      seat.level = booleanField(this.name, `functions['${key}'].level`, level);
      it.config.restore(this.name, `functions['${key}'].config`, config);
      it.config.showInterrupt(seat.level);
    }
    this.#drive();
  }
}

function chain(first: ConfigSpace['onWrite'], second: ConfigSpace['onWrite']): ConfigSpace['onWrite'] {
  return (offset, size) => {
    first(offset, size);
    second(offset, size);
  };
}

function place(
  config: ConfigSpace,
  offset: number,
  kind: BarKind,
  size: number,
  next: Record<'io' | 'memory', number>,
): void {
  const space = kind === 'io' ? 'io' : 'memory';
  const address = Math.ceil(next[space] / size) * size;
  next[space] = address + size;
  config.write(offset, 4, address % 2 ** 32);
  if (kind === 'memory64') config.write(offset + 4, 4, Math.floor(address / 2 ** 32));
}
