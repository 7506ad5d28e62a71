/** Helpers of the loaders' tests. */
import type { GuestMemory } from '../../memory/index.js';

/** Bytes of words of 32 bits. */
export function words(...values: readonly number[]): number[] {
  return values.flatMap((value) => [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff));
}

/** A file of HLT with bytes at an offset. */
export function fileWith(size: number, offset: number, bytes: readonly number[]): Uint8Array {
  const file = new Uint8Array(size).fill(0xf4);
  file.set(bytes, offset);
  return file;
}

/** The text that ends in a zero at an address. */
export function textAt(memory: GuestMemory, address: number): string {
  let text = '';
  for (let at = address; memory.read8(at) !== 0; at++) text += String.fromCharCode(memory.read8(at));
  return text;
}
