/**
 * A PC's memory map as reported by firmware and loaders: RAM, without the memory of video and firmware below 1 MiB.
 * Source: ACPI 6.5 15.2 (the types of INT 15h E820h).
 *
 * @module
 */
import type { GuestMemory } from '../memory/index.js';

/** A range of the map. */
export interface MapEntry {
  address: number;
  size: number;
  type: number;
}

export const AVAILABLE = 1;
export const RESERVED = 2;

/** The extended BIOS data area, 1 KiB below 640 KiB. */
export const EXTENDED_DATA = 0x9_fc00;
const VIDEO = 0xa_0000;
const ROM = 0xf_0000;
export const ONE_MIB = 0x10_0000;

/** The map of a machine's memory, in the order of addresses. */
export function memoryMap(memory: GuestMemory): MapEntry[] {
  const ram = memory.regions
    .filter(({ readOnly, size, ofDevice }) => !readOnly && !ofDevice && size > 0)
    .map(({ address, size }) => ({ address, end: address + size }))
    .sort((a, b) => a.address - b.address);
  const entries: MapEntry[] = [];
  const add = (address: number, end: number, type: number) => {
    const last = entries.at(-1);
    if (end <= address) return;
    if (last?.type === type && last.address + last.size === address) last.size += end - address;
    else entries.push({ address, size: end - address, type });
  };
  // Memory of less than 640 KiB is all for the guest.
  const low = memory.find(0)?.size ?? 0;
  const conventional = low >= VIDEO ? EXTENDED_DATA : low;
  for (const { address, end } of ram) add(address, Math.min(end, conventional), AVAILABLE);
  if (low >= VIDEO) {
    add(EXTENDED_DATA, VIDEO, RESERVED);
    add(ROM, ONE_MIB, RESERVED);
  }
  for (const { address, end } of ram) add(Math.max(address, ONE_MIB), end, AVAILABLE);
  return entries;
}

/** KiB from address 0 to the first hole, and from 1 MiB to the first hole, as reported by the oldest services. */
export function memorySizes(map: readonly MapEntry[]): { lower: number; upper: number } {
  const sizeFrom = (at: number) =>
    map.find(({ address, type }) => address === at && type === AVAILABLE)?.size ?? 0;
  return { lower: sizeFrom(0) >> 10, upper: Math.floor(sizeFrom(ONE_MIB) / 1024) };
}
