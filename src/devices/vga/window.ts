/**
 * When video memory can be RAM to the guest. Where each address is one byte of one plane and is stored unchanged, the
 * monitor has no work: in text modes, and in mode 13h with its chain-4. Then a linear copy replaces the planes, in the
 * order that the guest sees, and is copied back when the mode ends or the picture is read.
 *
 * @module
 */
import { Graphics, type Registers, Sequencer } from './registers.js';

/** The addresses at which video memory may be. */
export const APERTURE = { address: 0xa0000, size: 0x20000 } as const;
/** The most that is shown as RAM at once. */
export const LARGEST_WINDOW = 0x10000;

/** The part of the aperture with video memory, by bits 2–3 of the graphics controller's miscellaneous register. */
const ranges = [
  { from: 0, size: 0x20000 },
  { from: 0, size: 0x10000 },
  { from: 0x10000, size: 0x8000 },
  { from: 0x18000, size: 0x8000 },
] as const;

export type Range = (typeof ranges)[number];

export function rangeOf(registers: Registers): Range {
  return ranges[(registers.graphics[Graphics.miscellaneous]! >> 2) & 3]!;
}

/** The order of a linear copy: two planes interleaved, or all four. */
export type Layout = 'text' | 'chain4';

/**
 * How the guest can see video memory as RAM in the current mode; undefined where accesses do more than store and load.
 */
export function layoutOf(registers: Registers): Layout | undefined {
  const { graphics, sequencer, miscellaneous } = registers;
  const plain =
    (miscellaneous & 0x02) !== 0 &&
    rangeOf(registers).size <= LARGEST_WINDOW &&
    // Write mode 0 and read mode 0, no set/reset, no rotation, no logic, all bits.
    (graphics[Graphics.mode]! & 0x0b) === 0 &&
    graphics[Graphics.enableSetReset] === 0 &&
    graphics[Graphics.dataRotate] === 0 &&
    graphics[Graphics.bitMask] === 0xff;
  if (!plain) return undefined;
  const mapMask = sequencer[Sequencer.mapMask]!;
  const memoryMode = sequencer[Sequencer.memoryMode]!;
  if (memoryMode & 0x08) return mapMask === 0x0f ? 'chain4' : undefined;
  const oddEven =
    (memoryMode & 0x04) === 0 &&
    (graphics[Graphics.mode]! & 0x10) !== 0 &&
    (graphics[Graphics.miscellaneous]! & 0x02) !== 0 &&
    (miscellaneous & 0x20) !== 0;
  return oddEven && mapMask === 0x03 && (graphics[Graphics.readMap]! & 2) === 0 ? 'text' : undefined;
}

/** Copies the guest's view out of the planes. */
export function gather(layout: Layout, words: Uint32Array, linear: Uint8Array, size: number): void {
  if (layout === 'chain4') {
    const dwords = new Uint32Array(linear.buffer, linear.byteOffset, size / 4);
    for (let i = 0; i < dwords.length; i++) dwords[i] = words[i * 4]!;
    return;
  }
  // Two cells at once: this is part of each machine's start.
  const pairs = new Uint32Array(linear.buffer, linear.byteOffset, size / 4);
  for (let i = 0; i < pairs.length; i++) pairs[i] = (words[i * 4]! & 0xffff) | (words[i * 4 + 2]! << 16);
}

/** Copies the guest's writes back into the planes. */
export function scatter(layout: Layout, linear: Uint8Array, words: Uint32Array, size: number): void {
  if (layout === 'chain4') {
    const dwords = new Uint32Array(linear.buffer, linear.byteOffset, size / 4);
    for (let i = 0; i < dwords.length; i++) words[i * 4] = dwords[i]!;
    return;
  }
  const pairs = new Uint16Array(linear.buffer, linear.byteOffset, size / 2);
  for (let i = 0; i < pairs.length; i++) words[i * 2] = (words[i * 2]! & 0xffff0000) | pairs[i]!;
}
