import type { GuestMemory } from '../../../memory/index.js';
import { Chain } from './chain.js';
import { isRam, RingError } from './ram.js';
import {
  address64,
  DESCRIPTOR,
  Flag,
  MOST_INDIRECT,
  type Ring,
  type RingFeatures,
  type RingPlace,
  type RingState,
} from './ring.js';

/** Offsets in the available and the used ring (2.7.6, 2.7.8). */
const FLAGS = 0;
const INDEX = 2;
const ENTRIES = 4;
/** Bit 0 of the available ring's flags: no interrupts. */
const NO_INTERRUPT = 1;
const INDEXES = 0xffff;

/** Bytes of the three parts of a split ring (2.7). */
export const splitSizes = (size: number) => ({
  descriptors: DESCRIPTOR * size,
  driver: 6 + 2 * size,
  device: 6 + 8 * size,
});

/** A split virtqueue (2.7): a table of descriptors, a ring of available buffers, and one of used buffers. */
export class SplitRing implements Ring {
  readonly #memory: GuestMemory;
  readonly #place: RingPlace;
  readonly #features: RingFeatures;
  #next = 0;
  #used = 0;
  #signalled = 0;

  /** @param place checked: its parts are RAM, and its size is a power of two */
  constructor(memory: GuestMemory, place: RingPlace, features: RingFeatures) {
    this.#memory = memory;
    this.#place = place;
    this.#features = features;
  }

  pop(): Chain | undefined {
    const { size, driver } = this.#place;
    const waiting = (this.#memory.read16(driver + INDEX) - this.#next) & INDEXES;
    if (waiting === 0) return undefined;
    if (waiting > size)
      throw new RingError(`${waiting} buffers are available in a queue that has room for ${size}`);
    const head = this.#memory.read16(driver + ENTRIES + 2 * (this.#next & (size - 1)));
    if (head >= size) throw new RingError(`descriptor ${head} is available in a table of ${size}`);
    const chain = this.#follow(head);
    this.#next = (this.#next + 1) & INDEXES;
    return chain;
  }

  push(chain: Chain, written: number): void {
    const { size, device } = this.#place;
    const entry = device + ENTRIES + 8 * (this.#used & (size - 1));
    this.#memory.write32(entry, chain.id);
    this.#memory.write32(entry + 4, written);
    this.#used = (this.#used + 1) & INDEXES;
    // The index last: a reader that sees it also sees the entry.
    this.#memory.write16(device + INDEX, this.#used);
  }

  rearm(): boolean {
    const { size, driver, device } = this.#place;
    // Without event indexes the flags, which are never set, request each notification.
    if (this.#features.eventIndex) this.#memory.write16(device + ENTRIES + 8 * size, this.#next);
    return this.#memory.read16(driver + INDEX) !== this.#next;
  }

  wantsInterrupt(): boolean {
    const { size, driver } = this.#place;
    const before = this.#signalled;
    const pushed = (this.#used - before) & INDEXES;
    if (pushed === 0) return false;
    this.#signalled = this.#used;
    if (!this.#features.eventIndex) return (this.#memory.read16(driver + FLAGS) & NO_INTERRUPT) === 0;
    // Has the index passed the one that the driver waits for (2.7.7.2)?
    const event = this.#memory.read16(driver + ENTRIES + 2 * size);
    return ((event - before) & INDEXES) < pushed;
  }

  save(): RingState {
    return { next: this.#next, used: this.#used, signalled: this.#signalled };
  }

  load({ next, used, signalled }: RingState): boolean {
    if ([next, used, signalled].some((index) => index > INDEXES)) return false;
    [this.#next, this.#used, this.#signalled] = [next, used, signalled];
    return true;
  }

  /** Each descriptor is read once. A chain is not longer than its table, so that a loop ends. */
  #follow(head: number): Chain {
    const memory = this.#memory;
    const chain = new Chain(memory, head);
    let [table, count] = [this.#place.descriptors, this.#place.size];
    let isIndirect = false;
    let left = count;
    for (let index = head; ; ) {
      if (left-- === 0) throw new RingError(`the chain from descriptor ${head} does not end`);
      const at = table + DESCRIPTOR * index;
      const [address, length] = [address64(memory, at), memory.read32(at + 8)];
      const [flags, next] = [memory.read16(at + 12), memory.read16(at + 14)];
      chain.slots++;
      if (flags & Flag.indirect) {
        if (isIndirect || !this.#features.indirect || flags & Flag.next)
          throw new RingError(`descriptor ${index} of the chain from ${head} cannot be indirect`);
        count = tableSize(memory, address, length);
        [table, isIndirect, left, index] = [address, true, count, 0];
        continue;
      }
      chain.add(address, length, (flags & Flag.write) !== 0);
      if (!(flags & Flag.next)) return chain;
      if (next >= count)
        throw new RingError(`descriptor ${index} of the chain from ${head} continues at ${next} of ${count}`);
      index = next;
    }
  }
}

/** Descriptors in an indirect table (2.7.5.3). @throws RingError where it is invalid */
export function tableSize(memory: GuestMemory, address: number, length: number): number {
  const count = length / DESCRIPTOR;
  if (!Number.isInteger(count) || count === 0 || count > MOST_INDIRECT)
    throw new RingError(`an indirect table has ${length} bytes`);
  if (!isRam(memory, address, length, false))
    throw new RingError(`an indirect table at 0x${address.toString(16)} is not in RAM`);
  return count;
}
