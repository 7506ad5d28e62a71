/**
 * An I/O APIC of 24 pins (Intel 82093AA), with the end-of-interrupt register of later ones. It turns its pins into
 * deliveries, and sends these to the local APICs.
 *
 * @module
 */
import type {
  Access,
  AccessSize,
  AccessWords,
  Device,
  DeviceHost,
  InterruptController,
  MemoryRange,
  PinWatcher,
} from '../contract/index.js';
import { DeviceStateError, registerField, stateFields } from '../state.js';
import { type Delivery, DeliveryMode, FIRST_VECTOR, messageOf } from './delivery.js';
import { ioApicWords } from './words.js';

export const IO_APIC_ADDRESS = 0xfec0_0000;
const PAGE = 4096;
const PINS = 24;
/** Version 20h has the end-of-interrupt register; bits 23 to 16 are the number of the last pin (82093AA 3.2.2). */
const VERSION = 0x20 | ((PINS - 1) << 16);
const WINDOW = 0x10;
const EOI = 0x40;
const FIRST_ENTRY = 0x10;

/** The low half of a redirection entry (82093AA 3.2.4). */
const Entry = {
  message: 0xfff,
  mode: 0x700,
  logical: 0x800,
  remoteIrr: 0x4000,
  level: 0x8000,
  masked: 0x1_0000,
} as const;
/** The bits that a guest can set: all but the delivery status and the remote IRR. */
const ENTRY_BITS = 0x1_afff;
/** IRQ 0, the timer's, is on pin 2, where the 8259A's cascade would be. */
const TIMER_PIN = 2;

/** The receiver of an I/O APIC's messages: the local APICs, whether they are devices or the kernel's. */
export interface ApicBus {
  /** False where no local APIC takes it now. */
  deliver(delivery: Delivery): boolean;
  opensFor(delivery: Delivery): boolean;
  watchEnds(ended: (vector: number) => void): void;
  watchVectors(acknowledged: (vector: number) => void): void;
  /** The host of the I/O APIC, for a bus that is not a device. */
  connect?(host: DeviceHost): void;
  /** The engine reports the end of an interrupt. Only where the local APICs are inside it. */
  interruptEnded?(vector: number): void;
}

export interface IoApicState {
  select: number;
  id: number;
  /** Both halves of each entry. */
  entries: [number, number][];
  /** The pins that are high, and those whose interrupt was sent and not taken, a bit each. */
  levels: number;
  sent: number;
}

/** See the module's comment. */
export class IoApic implements Device, InterruptController {
  readonly name = 'io-apic';
  readonly memory: readonly MemoryRange[] = [{ address: IO_APIC_ADDRESS, size: PAGE }];
  readonly pins = PINS;
  readonly #bus: ApicBus;
  #select = 0;
  #id = 0;
  readonly #low = new Uint32Array(PINS).fill(Entry.masked);
  readonly #high = new Uint32Array(PINS);
  #levels = 0;
  #sent = 0;
  #watcher: PinWatcher | undefined;

  constructor(bus: ApicBus) {
    this.#bus = bus;
    bus.watchEnds((vector) => this.#end(vector));
    bus.watchVectors((vector) => this.#taken(vector));
  }

  get controller(): InterruptController {
    return this;
  }

  attach(host: DeviceHost): void {
    this.#bus.connect?.(host);
  }

  interruptEnded(vector: number): void {
    this.#bus.interruptEnded?.(vector);
  }

  /** Masked pins too: the end of one that was masked while it was served counts. */
  messages(): { address: number; data: number }[] {
    return Array.from(this.#low, (_, pin) => this.#delivery(pin))
      .filter(({ vector, mode }) => vector >= FIRST_VECTOR && mode <= DeliveryMode.lowestPriority)
      .map(messageOf);
  }

  /** True where the 8259A's INT passes here: pin 0, ExtINT. */
  get passesExtInt(): boolean {
    const entry = this.#low[0]!;
    return !(entry & Entry.masked) && (entry & Entry.mode) >> 8 === DeliveryMode.extInt;
  }

  wire(irq: number): number {
    if (irq === 0) return TIMER_PIN;
    return irq === TIMER_PIN ? -1 : irq;
  }

  setPin(pin: number, level: boolean): void {
    const bit = 1 << pin;
    const rises = level && !(this.#levels & bit);
    if (level) this.#levels |= bit;
    else this.#levels &= ~bit;
    const entry = this.#low[pin]!;
    if (entry & Entry.masked) return;
    if (entry & Entry.level) this.#serve(pin);
    else if (rises && this.#bus.deliver(this.#delivery(pin))) this.#sent |= bit;
  }

  /** A level-triggered pin that is high requests until it is served. */
  #serve(pin: number): void {
    const entry = this.#low[pin]!;
    const asks =
      ((this.#levels >>> pin) & 1) === 1 &&
      entry & Entry.level &&
      !(entry & (Entry.masked | Entry.remoteIrr));
    if (!asks || !this.#bus.deliver(this.#delivery(pin))) return;
    this.#sent |= 1 << pin;
    const mode = (entry & Entry.mode) >> 8;
    if (mode <= DeliveryMode.lowestPriority) this.#low[pin]! |= Entry.remoteIrr;
  }

  #delivery(pin: number): Delivery {
    const low = this.#low[pin]!;
    return {
      vector: low & 0xff,
      mode: (low & Entry.mode) >> 8,
      logical: (low & Entry.logical) !== 0,
      level: (low & Entry.level) !== 0,
      destination: this.#high[pin]! >>> 24,
    };
  }

  /** The local APICs' EOI, or one written here: the pins of this vector may request again. */
  #end(vector: number): void {
    for (let pin = 0; pin < PINS; pin++) {
      const entry = this.#low[pin]!;
      if ((entry & 0xff) !== vector || !(entry & Entry.level)) continue;
      this.#low[pin] = entry & ~Entry.remoteIrr;
      this.#serve(pin);
    }
  }

  #taken(vector: number): void {
    for (let pin = 0; this.#sent !== 0 && pin < PINS; pin++) {
      if (!((this.#sent >>> pin) & 1) || (this.#low[pin]! & 0xff) !== vector) continue;
      this.#sent &= ~(1 << pin);
      this.#watcher?.acknowledged(pin);
    }
  }

  /** The local APICs hold the pending interrupts. */
  pending(): boolean {
    return false;
  }

  acknowledge(): number {
    return 0;
  }

  opens(pin: number): boolean {
    return !(this.#low[pin]! & Entry.masked) && this.#bus.opensFor(this.#delivery(pin));
  }

  describe(): string {
    return this.#low.every((entry) => entry & Entry.masked)
      ? 'every pin of the I/O APIC is masked'
      : 'no device on an unmasked pin of the I/O APIC is going to interrupt';
  }

  watch(watcher: PinWatcher): void {
    this.#watcher = watcher;
  }

  /** Registers have 32 bits and are read whole (82093AA 3.1); a part of one reads as that part. */
  readMemory(address: number, size: AccessSize): number {
    const offset = address & (PAGE - 1);
    if ((offset & 15) + size > 4) return 0;
    const register = offset & 0xff0;
    const value = register === 0 ? this.#select : register === WINDOW ? this.#read(this.#select) : 0;
    return size === 4 ? value : (value >>> (8 * (offset & 3))) & (2 ** (8 * size) - 1);
  }

  writeMemory(address: number, _size: AccessSize, value: number): void {
    const offset = address & (PAGE - 1);
    if (offset === 0) this.#select = value & 0xff;
    else if (offset === WINDOW) this.#write(this.#select, value);
    else if (offset === EOI) this.#end(value & 0xff);
  }

  #read(index: number): number {
    if (index === 0 || index === 2) return (this.#id << 24) >>> 0;
    if (index === 1) return VERSION;
    const pin = (index - FIRST_ENTRY) >> 1;
    if (index < FIRST_ENTRY || pin >= PINS) return 0;
    return index & 1 ? this.#high[pin]! : this.#low[pin]!;
  }

  #write(index: number, value: number): void {
    if (index === 0) this.#id = (value >>> 24) & 15;
    const pin = (index - FIRST_ENTRY) >> 1;
    if (index < FIRST_ENTRY || pin >= PINS) return;
    if (index & 1) {
      const moved = this.#high[pin] !== value;
      this.#high[pin] = value;
      if (moved) this.#watcher?.rerouted?.();
      return;
    }
    const before = this.#low[pin]!;
    // An entry that becomes edge-triggered no longer waits for an EOI.
    const remote = value & Entry.level ? before & Entry.remoteIrr : 0;
    this.#low[pin] = (value & ENTRY_BITS) | remote;
    if ((before ^ value) & Entry.message) this.#watcher?.rerouted?.();
    this.#serve(pin);
    if (before & Entry.masked && !(value & Entry.masked)) this.#watcher?.unmasked(pin);
  }

  describeAccess({ address }: Access): AccessWords | undefined {
    const offset = address & 0xff0;
    if (offset === 0) return ioApicWords.select;
    if (offset === EOI) return ioApicWords.eoi;
    if (offset !== WINDOW) return ioApicWords.none;
    const index = this.#select;
    if (index < 3) return [ioApicWords.id, ioApicWords.version, ioApicWords.arbitration][index];
    const pin = (index - FIRST_ENTRY) >> 1;
    if (index < FIRST_ENTRY || pin >= PINS) return ioApicWords.none;
    return ioApicWords[index & 1 ? 'high' : 'low'][pin];
  }

  save(): IoApicState {
    return {
      select: this.#select,
      id: this.#id,
      entries: Array.from(this.#low, (low, pin) => [low, this.#high[pin]!]),
      levels: this.#levels,
      sent: this.#sent,
    };
  }

  load(state: unknown): void {
    const { select, id, entries, levels, sent } = stateFields(this.name, state, this.save());
    if (!Array.isArray(entries) || entries.length !== PINS)
      throw new DeviceStateError(this.name, `'entries' is not a list of ${PINS}`);
    const checked = entries.map((entry, pin) => {
      if (
        !Array.isArray(entry) ||
        entry.length !== 2 ||
        !Number.isInteger(entry[1]) ||
        entry[1] >>> 0 !== entry[1]
      )
        throw new DeviceStateError(this.name, `'entries[${pin}]' is not an entry`);
      return [
        registerField(this.name, `entries[${pin}]`, entry[0], ENTRY_BITS | Entry.remoteIrr),
        entry[1] as number,
      ] as const;
    });
    this.#select = registerField(this.name, 'select', select, 0xff);
    this.#id = registerField(this.name, 'id', id, 15);
    this.#levels = registerField(this.name, 'levels', levels, 0xff_ffff);
    this.#sent = registerField(this.name, 'sent', sent, 0xff_ffff);
    for (const [pin, [low, high]] of checked.entries()) {
      this.#low[pin] = low;
      this.#high[pin] = high;
    }
    this.#watcher?.rerouted?.();
  }
}
