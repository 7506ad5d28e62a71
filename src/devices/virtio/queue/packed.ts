import type { GuestMemory } from '../../../memory/index.js';
import { Chain } from './chain.js';
import { RingError } from './ram.js';
import {
  address64,
  DESCRIPTOR,
  Flag,
  type Ring,
  type RingFeatures,
  type RingPlace,
  type RingState,
} from './ring.js';
import { tableSize } from './split.js';

/** Event suppression (2.8.10): its offsets and flags. */
const OFFSET_WRAP = 0;
const EVENT_FLAGS = 2;
const Event = { enable: 0, disable: 1, at: 2 } as const;
/** The wrap counter in a position; it starts at 1. */
const WRAP = 0x8000;
const POSITION = 0x7fff;

/** Bytes of the three parts of a packed ring (2.8). */
export const packedSizes = (size: number) => ({ descriptors: DESCRIPTOR * size, driver: 4, device: 4 });

/**
 * A packed virtqueue (2.8): one ring of descriptors, which the driver makes available and the device overwrites with used ones. A
 * position is an index and the wrap counter in bit 15, as the driver writes it.
 */
export class PackedRing implements Ring {
  readonly #memory: GuestMemory;
  readonly #place: RingPlace;
  readonly #features: RingFeatures;
  #next = WRAP;
  #used = WRAP;
  #signalled = WRAP;

  /** @param place checked: its parts are RAM */
  constructor(memory: GuestMemory, place: RingPlace, features: RingFeatures) {
    this.#memory = memory;
    this.#place = place;
    this.#features = features;
  }

  pop(): Chain | undefined {
    if (!this.#isAvailable(this.#next)) return undefined;
    const chain = this.#follow();
    this.#next = this.#after(this.#next, chain.slots);
    return chain;
  }

  push(chain: Chain, written: number): void {
    const at = this.#at(this.#used);
    this.#memory.write32(at + 8, written);
    this.#memory.write16(at + 12, chain.id);
    // Both bits equal to the wrap counter: used. The flags are written last.
    const both = this.#used & WRAP ? Flag.available | Flag.used : 0;
    this.#memory.write16(at + 14, both | (written > 0 ? Flag.write : 0));
    this.#used = this.#after(this.#used, chain.slots);
  }

  rearm(): boolean {
    // Requests every notification.
    this.#memory.write16(this.#place.device + EVENT_FLAGS, Event.enable);
    return this.#isAvailable(this.#next);
  }

  wantsInterrupt(): boolean {
    const before = this.#signalled;
    if (before === this.#used) return false;
    this.#signalled = this.#used;
    const { driver, size } = this.#place;
    const how = this.#memory.read16(driver + EVENT_FLAGS) & 3;
    if (how === Event.disable) return false;
    if (how !== Event.at || !this.#features.eventIndex) return true;
    const event = this.#memory.read16(driver + OFFSET_WRAP);
    // As distances from the previous position, on a ring with two rounds until a position repeats.
    const distance = (position: number) =>
      ((position & POSITION) - (before & POSITION) + ((position ^ before) & WRAP ? size : 0) + 2 * size) %
      (2 * size);
    return distance(event) < distance(this.#used);
  }

  save(): RingState {
    return { next: this.#next, used: this.#used, signalled: this.#signalled };
  }

  load({ next, used, signalled }: RingState): boolean {
    const { size } = this.#place;
    if ([next, used, signalled].some((at) => (at & POSITION) >= size || at > (WRAP | POSITION))) return false;
    [this.#next, this.#used, this.#signalled] = [next, used, signalled];
    return true;
  }

  #at(position: number): number {
    return this.#place.descriptors + DESCRIPTOR * (position & POSITION);
  }

  #after(position: number, slots: number): number {
    const index = (position & POSITION) + slots;
    const { size } = this.#place;
    return index < size ? index | (position & WRAP) : (index - size) | (~position & WRAP);
  }

  /** Available, and not yet used: one bit equals the wrap counter, and the other does not (2.8.1). */
  #isAvailable(position: number): boolean {
    const flags = this.#memory.read16(this.#at(position) + 14);
    const wrap = (position & WRAP) !== 0;
    return ((flags & Flag.available) !== 0) === wrap && ((flags & Flag.used) !== 0) !== wrap;
  }

  #follow(): Chain {
    const memory = this.#memory;
    const { size } = this.#place;
    const pieces: [address: number, length: number, flags: number][] = [];
    let position = this.#next;
    for (;;) {
      if (pieces.length === size) throw new RingError('a chain of buffers is longer than its ring');
      const at = this.#at(position);
      const flags = memory.read16(at + 14);
      pieces.push([address64(memory, at), memory.read32(at + 8), flags]);
      position = this.#after(position, 1);
      if (flags & Flag.next) continue;
      const chain = new Chain(memory, memory.read16(at + 12));
      chain.slots = pieces.length;
      for (const [address, length, how] of pieces) this.#add(chain, address, length, how);
      return chain;
    }
  }

  #add(chain: Chain, address: number, length: number, flags: number): void {
    if (!(flags & Flag.indirect)) {
      chain.add(address, length, (flags & Flag.write) !== 0);
      return;
    }
    if (!this.#features.indirect || chain.slots > 1)
      throw new RingError('a descriptor of a chain cannot be indirect (2.8.8)');
    const memory = this.#memory;
    const count = tableSize(memory, address, length);
    for (let at = address; at < address + DESCRIPTOR * count; at += DESCRIPTOR) {
      const how = memory.read16(at + 14);
      if (how & Flag.indirect) throw new RingError('an indirect table has an indirect descriptor');
      chain.add(address64(memory, at), memory.read32(at + 8), (how & Flag.write) !== 0);
    }
  }
}
