/**
 * Coalesced writes (KVM API 4.116): KVM keeps a VM's port and memory writes in a ring, one page that is part of each vCPU's
 * mapping.
 *
 * @module
 */
import { KVM_COALESCED_MMIO_PAGE_OFFSET } from '../api/constants.js';
import { kvm_coalesced_mmio as entry, kvm_coalesced_mmio_ring as ring } from '../api/layout.js';

const PAGE = 4096;
const RING = KVM_COALESCED_MMIO_PAGE_OFFSET * PAGE;

/** KVM_COALESCED_MMIO_MAX: how many entries a page holds after the two indices. */
export const RING_ENTRIES = Math.floor((PAGE - ring.coalesced_mmio) / entry.sizeof);

/** The positions of the two indices in the mapping, as 32-bit words: KVM moves `last`, we move `first`. */
export const RING_FIRST = (RING + ring.first) / 4;
export const RING_LAST = (RING + ring.last) / 4;

/** The byte in the mapping where entry `index` starts. The index comes from the kernel; a wrong one stays inside the page. */
export function entryOffset(index: number): number {
  return RING + ring.coalesced_mmio + (index % RING_ENTRIES) * entry.sizeof;
}

export function nextEntry(index: number): number {
  return (index + 1) % RING_ENTRIES;
}

/** A range whose writes may be coalesced. */
interface Zone {
  space: 'port' | 'memory';
  first: number;
  last: number;
  /** How many writes to it caused an exit. */
  writes: number;
}

/**
 * Ranges that are registered with KVM once they are busy.
 *
 * After a registration, closing the VM waits until the kernel has freed the replaced list of devices: up to 16 ms (an
 * RCU grace period). That is too expensive for a guest that prints a line and halts, since an exit takes only some
 * microseconds; a guest that prints for a long time benefits.
 */
export class LazyZones {
  /** How many ranges are not yet registered; while it is 0 there is nothing to count. */
  waiting = 0;
  #zones: Zone[] = [];
  readonly #after: number;
  readonly #register: (space: Zone['space'], address: number, length: number) => void;

  /** `after`: a range is registered after this many writes that caused an exit. */
  constructor(after: number, register: (space: Zone['space'], address: number, length: number) => void) {
    this.#after = after;
    this.#register = register;
  }

  add(space: Zone['space'], address: number, length: number): void {
    if (this.#after === 0) {
      this.#register(space, address, length);
      return;
    }
    this.#zones.push({ space, first: address, last: address + length - 1, writes: 0 });
    this.waiting = this.#zones.length;
  }

  /** Forgets the range at `address`; false where it is already registered. */
  remove(space: Zone['space'], address: number): boolean {
    const before = this.#zones.length;
    this.#zones = this.#zones.filter((zone) => zone.space !== space || zone.first !== address);
    this.waiting = this.#zones.length;
    return this.waiting < before;
  }

  /** A write caused an exit. */
  note(space: Zone['space'], address: number): void {
    for (const zone of this.#zones) {
      if (zone.space !== space || address < zone.first || address > zone.last) continue;
      if (++zone.writes < this.#after) return;
      this.#zones = this.#zones.filter((other) => other !== zone);
      this.waiting = this.#zones.length;
      this.#register(space, zone.first, zone.last - zone.first + 1);
      return;
    }
  }
}
