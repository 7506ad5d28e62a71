import type { GuestMemory } from '../../../memory/index.js';

/** An error of the driver in a ring, or in a buffer in it, after which no device can continue: the device needs a reset (2.1.2). */
export class RingError extends Error {}

/**
 * The guest's bytes as a device accesses them: only RAM, and for writes only RAM that is not read-only. Undefined for
 * all else: ROM, a device's memory, registers, addresses that wrap.
 */
export function reach(
  memory: GuestMemory,
  address: number,
  length: number,
  write: boolean,
): Uint8Array | undefined {
  if (!isRam(memory, address, length, write)) return undefined;
  return write ? memory.view(address, length) : memory.peek(address, length);
}

export function isRam(memory: GuestMemory, address: number, length: number, write: boolean): boolean {
  if (!Number.isSafeInteger(address)) return false;
  const region = memory.find(address, length);
  return region !== undefined && !region.ofDevice && !(write && region.readOnly);
}
