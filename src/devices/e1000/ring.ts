import type { GuestMemory } from '../../memory/index.js';

export const DESCRIPTOR = 16;

/** One ring of descriptors in guest memory; its registers give its place. */
export interface Ring {
  base: number;
  /** Descriptors. */
  size: number;
}

/** A descriptor as it is read, once; undefined where it lies outside of RAM. */
export function readDescriptor(memory: GuestMemory, { base }: Ring, index: number): DataView | undefined {
  const at = base + index * DESCRIPTOR;
  if (!memory.contains(at, DESCRIPTOR)) return undefined;
  const bytes = memory.readBytes(at, DESCRIPTOR);
  return new DataView(bytes.buffer, bytes.byteOffset, DESCRIPTOR);
}

/** Writes bytes of a descriptor back; nothing where it lies outside of RAM, or in ROM. */
export function writeBack(memory: GuestMemory, address: number, bytes: Uint8Array): boolean {
  if (!memory.contains(address, bytes.length) || memory.find(address, bytes.length)?.readOnly) return false;
  memory.writeBytes(address, bytes);
  return true;
}

/** An address of 64 bits; one that exceeds a number is outside of RAM. */
export const addressIn = (descriptor: DataView): number =>
  descriptor.getUint32(0, true) + descriptor.getUint32(4, true) * 2 ** 32;
