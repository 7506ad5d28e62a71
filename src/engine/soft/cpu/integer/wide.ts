// 128-bit products and dividends, for the integer instructions and the x87 FPU.

/** The upper half of a product; the lower one is `a * b`. */
export function mulHigh(a: u64, b: u64): u64 {
  const aLow = a & 0xffffffff;
  const aHigh = a >> 32;
  const bLow = b & 0xffffffff;
  const bHigh = b >> 32;
  const middle = aHigh * bLow + ((aLow * bLow) >> 32);
  const other = aLow * bHigh + (middle & 0xffffffff);
  return aHigh * bHigh + (middle >> 32) + (other >> 32);
}

/** The remainder of the last `divWide`. */
export let remainder: u64 = 0;

/**
 * Divides high:low by `by`, which is more than `high`: long division with 32-bit digits (Knuth, The Art of Computer
 * Programming 2, 4.3.1, algorithm D).
 */
export function divWide(high: u64, low: u64, by: u64): u64 {
  if (high == 0) {
    const quotient = low / by;
    remainder = low - quotient * by;
    return quotient;
  }
  const shift = clz<u64>(by);
  const divisor = by << shift;
  const top = shift ? (high << shift) | (low >> (64 - shift)) : high;
  const rest = low << shift;
  const first = digit(top, rest >> 32, divisor);
  const left = (top << 32) + (rest >> 32) - first * divisor;
  const second = digit(left, rest & 0xffffffff, divisor);
  remainder = ((left << 32) + (rest & 0xffffffff) - second * divisor) >> shift;
  return (first << 32) | second;
}

/** One digit of the quotient: of high:next, where `next` has 32 bits, by a divisor whose top bit is set. */
function digit(high: u64, next: u64, divisor: u64): u64 {
  const upper = divisor >> 32;
  const lower = divisor & 0xffffffff;
  let guess = high / upper;
  let rest = high - guess * upper;
  while (guess >> 32 != 0 || guess * lower > ((rest << 32) | next)) {
    guess--;
    rest += upper;
    if (rest >> 32 != 0) break;
  }
  return guess;
}
