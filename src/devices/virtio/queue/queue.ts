import type { GuestMemory } from '../../../memory/index.js';
import { booleanField, DeviceStateError, registerField, stateFields } from '../../state.js';
import { NO_VECTOR } from '../constants.js';
import { PackedRing, packedSizes } from './packed.js';
import { isRam, RingError } from './ram.js';
import type { Ring, RingFeatures, RingState } from './ring.js';
import { SplitRing, splitSizes } from './split.js';

/** A queue's initial settings. */
const LARGEST = 32768;

/** The three parts of a ring, each an address of two halves: a driver writes them one by one. */
export const ringParts = ['descriptors', 'driver', 'device'] as const;
export type RingPart = (typeof ringParts)[number];
type Address = { low: number; high: number };

export interface QueueFeatures extends RingFeatures {
  readonly packed: boolean;
}

/** A queue's state as plain data. */
export interface QueueState {
  size: number;
  vector: number;
  addresses: number[];
  ready: boolean;
  packed: boolean;
  ring: RingState;
}

const noRing: RingState = { next: 0, used: 0, signalled: 0 };

/** One queue of a device: the driver's settings, and its ring while it is ready. */
export class VirtQueue {
  readonly index: number;
  /** As text: `requests`, `receive`. */
  readonly name: string;
  /** The most descriptors that it can have; a power of two. */
  readonly maximum: number;
  #size: number;
  /** The message that reports its used buffers. */
  vector = NO_VECTOR;
  readonly #addresses: Record<RingPart, Address> = emptyAddresses();
  #ring: Ring | undefined;
  #isPacked = false;

  constructor(index: number, name: string, maximum = 256) {
    this.index = index;
    this.name = name;
    this.maximum = maximum;
    this.#size = maximum;
  }

  get size(): number {
    return this.#size;
  }

  /** Sets the size. While the queue is ready it does not change. */
  set size(size: number) {
    if (this.#ring === undefined) this.#size = size;
  }

  /** The ring, while the queue is ready. */
  get ring(): Ring | undefined {
    return this.#ring;
  }

  get isPacked(): boolean {
    return this.#isPacked;
  }

  half(part: RingPart, half: keyof Address): number {
    return this.#addresses[part][half];
  }

  /** A driver writes half of an address; while the queue is ready that has no effect. */
  setHalf(part: RingPart, half: keyof Address, value: number): void {
    if (this.#ring === undefined) this.#addresses[part][half] = value;
  }

  address(part: RingPart): number {
    const { low, high } = this.#addresses[part];
    return high * 2 ** 32 + low;
  }

  /** @throws RingError where there cannot be such a ring */
  enable(memory: GuestMemory, features: QueueFeatures): void {
    const { size, maximum } = this;
    const { packed } = features;
    const sizes = packed ? packedSizes(size) : splitSizes(size);
    const aligned = packed
      ? { descriptors: 16, driver: 4, device: 4 }
      : { descriptors: 16, driver: 2, device: 4 };
    const isPower = (size & (size - 1)) === 0;
    if (size === 0 || size > Math.min(maximum, LARGEST) || !(packed || isPower))
      throw new RingError(`queue ${this.index} has a size of ${size}, of at most ${maximum}`);
    for (const part of ringParts) {
      const address = this.address(part);
      // A packed ring's descriptors are also written by the device.
      const write = part === 'device' || (packed && part === 'descriptors');
      if (address % aligned[part] !== 0 || !isRam(memory, address, sizes[part], write))
        throw new RingError(`the ${part} part of queue ${this.index} cannot be at 0x${address.toString(16)}`);
    }
    const [descriptors, driver, device] = ringParts.map((part) => this.address(part)) as [
      number,
      number,
      number,
    ];
    const place = { size, descriptors, driver, device };
    this.#isPacked = packed;
    this.#ring = packed ? new PackedRing(memory, place, features) : new SplitRing(memory, place, features);
  }

  /** It stops; the driver's settings stay (4.2.2: QueueReady). */
  disable(): void {
    this.#ring = undefined;
  }

  reset(): void {
    this.#ring = undefined;
    this.#isPacked = false;
    this.#size = this.maximum;
    this.vector = NO_VECTOR;
    for (const part of ringParts) this.#addresses[part] = { low: 0, high: 0 };
  }

  save(): QueueState {
    return {
      size: this.#size,
      vector: this.vector,
      addresses: ringParts.flatMap((part) => [this.#addresses[part].low, this.#addresses[part].high]),
      ready: this.#ring !== undefined,
      packed: this.#isPacked,
      ring: this.#ring?.save() ?? noRing,
    };
  }

  /** @throws DeviceStateError where it is not a queue's state */
  load(device: string, state: unknown, memory: GuestMemory, features: QueueFeatures): void {
    const at = `queues[${this.index}]`;
    const { size, vector, addresses, ready, packed, ring } = stateFields(device, state, this.save());
    this.reset();
    this.#size = registerField(device, `${at}.size`, size, 0xffff);
    this.vector = registerField(device, `${at}.vector`, vector, 0xffff);
    if (!Array.isArray(addresses) || addresses.length !== 6)
      throw new DeviceStateError(device, `'${at}.addresses' are not six numbers`);
    for (const [i, part] of ringParts.entries()) {
      const half = (n: number): number => {
        const value: unknown = addresses[2 * i + n];
        if (Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** 32)
          return value as number;
        throw new DeviceStateError(device, `'${at}.addresses' holds ${String(value)}`);
      };
      this.#addresses[part] = { low: half(0), high: half(1) };
    }
    if (!booleanField(device, `${at}.ready`, ready)) return;
    const isPacked = booleanField(device, `${at}.packed`, packed);
    try {
      this.enable(memory, { ...features, packed: isPacked });
    } catch (error) {
      if (!(error instanceof RingError)) throw error;
      throw new DeviceStateError(device, error.message);
    }
    const places = stateFields(device, ring, noRing);
    const whole = (field: keyof RingState) =>
      registerField(device, `${at}.ring.${field}`, places[field], 0xffff);
    if (!this.#ring!.load({ next: whole('next'), used: whole('used'), signalled: whole('signalled') }))
      throw new DeviceStateError(device, `'${at}.ring' is not a position in a ring of ${this.#size}`);
  }
}

function emptyAddresses(): Record<RingPart, Address> {
  return {
    descriptors: { low: 0, high: 0 },
    driver: { low: 0, high: 0 },
    device: { low: 0, high: 0 },
  };
}
