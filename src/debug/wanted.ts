/** A request for this many bytes at a linear address; fewer come where not all of them are mapped. */
export interface Wanted {
  address: bigint;
  length: number;
}

/** A result that is found by reading. */
export type Reading<T> = Generator<Wanted, T, Uint8Array>;

/** Bytes from a linear address on, at most `length`, as many as are mapped. */
export function* bytesAt(address: bigint, length: number): Reading<Uint8Array> {
  return yield { address: BigInt.asUintN(64, address), length };
}
