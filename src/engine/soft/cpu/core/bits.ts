// Shifts by values that have to be converted first. TypeScript, with which editors read this code, takes `<< (<` for a
// call's type arguments.

export function shiftLeft(value: u64, by: u64): u64 {
  return value << by;
}

/** 2^n. */
export function bit(n: u64): u64 {
  return shiftLeft(1, n);
}

/** The bits of a number of 1, 2 or 4 bytes. */
export function maskOf(bytes: u64): u64 {
  return bit(8 * bytes) - 1;
}
