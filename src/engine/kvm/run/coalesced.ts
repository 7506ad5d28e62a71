/**
 * Writes that KVM keeps back (KVM API 4.116): a ring of a VM's coalesced port and memory writes, one page that each of
 * its vCPUs' mappings shows.
 *
 * @module
 */
import { KVM_COALESCED_MMIO_PAGE_OFFSET } from '../api/constants.js';
import { kvm_coalesced_mmio as entry, kvm_coalesced_mmio_ring as ring } from '../api/layout.js';

const PAGE = 4096;
const RING = KVM_COALESCED_MMIO_PAGE_OFFSET * PAGE;

/** KVM_COALESCED_MMIO_MAX: how many entries a page holds behind the two indices. */
export const RING_ENTRIES = Math.floor((PAGE - ring.coalesced_mmio) / entry.sizeof);

/** Where the two indices lie in the mapping, as 32-bit words: KVM moves `last`, we move `first`. */
export const RING_FIRST = (RING + ring.first) / 4;
export const RING_LAST = (RING + ring.last) / 4;

/** The byte in the mapping where entry `index` starts. The index is the kernel's; a wrong one stays inside the page. */
export function entryOffset(index: number): number {
  return RING + ring.coalesced_mmio + (index % RING_ENTRIES) * entry.sizeof;
}

export function nextEntry(index: number): number {
  return (index + 1) % RING_ENTRIES;
}

/** A range whose writes may be kept back. */
interface Zone {
  space: 'port' | 'memory';
  first: number;
  last: number;
  /** Writes to it that left the guest. */
  writes: number;
}

/**
 * Ranges that are registered with KVM when they turn out to be busy.
 *
 * Closing a VM waits until the kernel has dropped the list of devices that registering replaced, up to 16 ms after it
 * (an RCU grace period). A guest that prints a line and halts would pay that to save a few exits of some microseconds;
 * one that prints for long does not notice.
 */
export class LazyZones {
  /** How many ranges still wait; while it is 0 there is nothing to note. */
  waiting = 0;
  #zones: Zone[] = [];
  readonly #after: number;
  readonly #register: (space: Zone['space'], address: number, length: number) => void;

  /** `after`: so many writes to a range leave the guest before it is registered. */
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

  /** Forgets the range at `address`; false where it is registered already. */
  remove(space: Zone['space'], address: number): boolean {
    const before = this.#zones.length;
    this.#zones = this.#zones.filter((zone) => zone.space !== space || zone.first !== address);
    this.waiting = this.#zones.length;
    return this.waiting < before;
  }

  /** A write left the guest. */
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
