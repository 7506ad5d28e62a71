/**
 * Sets of pages as bits in memory: bit n of the 32-bit words stands for page n.
 *
 * @module
 */

/** Clears the bits of `count` pages from page `first` on, and returns the numbers of those that were set, lowest first. */
export function takeBits(words: Int32Array, first: number, count: number): number[] {
  const taken: number[] = [];
  for (let from = first; from < first + count; ) {
    const index = from >>> 5;
    const end = Math.min((index + 1) << 5, first + count);
    // All bits from `from` to below `end`, which are in one word.
    const mask = (-1 << (from & 31)) & (-1 >>> (((index + 1) << 5) - end));
    // Other threads may set bits of this word meanwhile: none is lost.
    let bits = words[index]! & mask;
    if (bits !== 0) bits = Atomics.and(words, index, ~mask) & mask;
    while (bits !== 0) {
      const bit = 31 - Math.clz32(bits & -bits);
      taken.push((index << 5) + bit);
      bits &= bits - 1;
    }
    from = end;
  }
  return taken;
}

/** Sets the bits of the pages from `first` to `last`. */
export function setBits(words: Int32Array, first: number, last: number): void {
  for (let page = first; page <= last; page++) {
    const bit = 1 << (page & 31);
    // Most writes are to a page that has its bit: a load is cheaper than an atomic operation.
    if ((words[page >>> 5]! & bit) === 0) Atomics.or(words, page >>> 5, bit);
  }
}
