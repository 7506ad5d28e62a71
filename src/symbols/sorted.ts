/** Binary search in a list sorted by address: how many of `sorted` are at or before it. */
export function countUpTo<T extends { address: bigint }>(sorted: readonly T[], address: bigint): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]!.address <= address) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The last one at or before an address. */
export function lastAtOrBefore<T extends { address: bigint }>(
  sorted: readonly T[],
  address: bigint,
): T | undefined {
  return sorted[countUpTo(sorted, address) - 1];
}
