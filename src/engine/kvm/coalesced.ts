/**
 * Writes that KVM keeps back (KVM API 4.116): a ring of a VM's coalesced port and memory writes, one page that each of
 * its vCPUs' mappings shows.
 *
 * @module
 */
import { KVM_COALESCED_MMIO_PAGE_OFFSET } from './constants.js';
import { kvm_coalesced_mmio as entry, kvm_coalesced_mmio_ring as ring } from './layout.js';

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
