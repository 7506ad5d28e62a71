// 128-bit numbers, for functions whose results are rounded to 64 bits: high:low / 2^128 · 2^scale, normalised so that the top
// bit is set. Operations store their result in `high`, `low` and `scale`; each is accurate to a few units in the last place.
import { divWide, mulHigh, remainder } from '../integer/wide';
import { BIAS } from './numbers';
import { PE, raise, UE } from './registers';
import { roundTo, shiftedHigh, shiftedLow, shiftRight } from './round';

export let high: u64 = 0;
export let low: u64 = 0;
export let scale: i32 = 0;

/** Sets the result: at least one of the bits is 1. */
export function set(h: u64, l: u64, s: i32): void {
  if (h == 0) {
    h = l;
    l = 0;
    s -= 64;
  }
  const zeros = clz<u64>(h);
  high = zeros ? (h << zeros) | (l >> (64 - zeros)) : h;
  low = l << zeros;
  scale = s - <i32>zeros;
}

/** The upper 128 bits of a product of two 128-bit numbers. */
export function multiplyBits(ah: u64, al: u64, bh: u64, bl: u64): void {
  const first = mulHigh(ah, bl);
  const middle = first + mulHigh(al, bh);
  const last = ah * bh;
  low = middle + last;
  high = mulHigh(ah, bh) + <u64>(middle < first) + <u64>(low < last);
}

/** Multiplies the result by a number. */
export function times(h: u64, l: u64, s: i32): void {
  const sum = scale + s;
  multiplyBits(high, low, h, l);
  set(high, low, sum);
}

// One 64-bit digit of a long division, and the remainder.
let restHigh: u64 = 0;
let restLow: u64 = 0;

/** (restHigh:restLow:next) / (dh:dl), where the rest is less than the divisor and the divisor's top bit is set. */
function digit(next: u64, dh: u64, dl: u64): u64 {
  let guess: u64 = ~(<u64>0);
  let rest: u64;
  let over: bool;
  if (restHigh >= dh) {
    rest = restLow + dh;
    over = rest < dh;
  } else {
    guess = divWide(restHigh, restLow, dh);
    rest = remainder;
    over = false;
  }
  // Subtracting the divisor's lower half may underflow: the digit is at most two too large.
  while (!over) {
    const product = mulHigh(guess, dl);
    if (product < rest || (product == rest && guess * dl <= next)) break;
    guess--;
    rest += dh;
    over = rest < dh;
  }
  restLow = next - guess * dl;
  restHigh = rest - mulHigh(guess, dl) - <u64>(next < guess * dl);
  return guess;
}

/** n / d, both normalised. */
export function quotient(nh: u64, nl: u64, ns: i32, dh: u64, dl: u64, ds: i32): void {
  const whole = nh > dh || (nh == dh && nl >= dl);
  restHigh = whole ? nh >> 1 : nh;
  restLow = whole ? (nh << 63) | (nl >> 1) : nl;
  const first = digit(0, dh, dl);
  const second = digit(0, dh, dl);
  set(first, second, ns - ds + <i32>whole);
}

/** The integer quotient of n:next and d, with the remainder in `high` and `low`; n is less than d. */
export function multiples(nh: u64, nl: u64, next: u64, dh: u64, dl: u64): u64 {
  restHigh = nh;
  restLow = nl;
  const count = digit(next, dh, dl);
  high = restHigh;
  low = restLow;
  return count;
}

// Fixed point: `fixedHigh`:`fixedLow` / 2^128 where a series is summed. Its sums are halves of the values, so that 1 fits.
export let fixedHigh: u64 = 0;
export let fixedLow: u64 = 0;

/** The number as a fraction of 128 bits; it is less than 1. */
export function toFixed(h: u64, l: u64, s: i32): void {
  shiftRight(h, l, <u64>-s);
  fixedHigh = shiftedHigh;
  fixedLow = shiftedLow;
}

/** Half of 1. */
const HALF: u64 = 0x8000000000000000;

let sumHigh: u64 = 0;
let sumLow: u64 = 0;

function divideSum(by: u64): void {
  const first = sumHigh / by;
  const rest = ((sumHigh - first * by) << 32) | (sumLow >> 32);
  const second = rest / by;
  const third = (((rest - second * by) << 32) | (sumLow & 0xffffffff)) / by;
  sumHigh = first;
  sumLow = (second << 32) + third;
}

function multiplySum(h: u64, l: u64): void {
  multiplyBits(sumHigh, sumLow, h, l);
  sumHigh = high;
  sumLow = low;
}

/** 1 + the sum, or 1 - the sum. */
function fromOne(negative: bool): void {
  if (negative) {
    sumHigh = HALF - sumHigh - <u64>(sumLow != 0);
    sumLow = 0 - sumLow;
  } else sumHigh += HALF;
}

/** The sum as a result. */
function giveSum(): void {
  set(sumHigh, sumLow, 1);
}

/** 1 ∓ f/(a·b) (1 ∓ f/(c·d) (1 ∓ …)), from `last` down in steps of `step`. */
export function factorialSeries(h: u64, l: u64, last: u64, step: u64, alternating: bool): void {
  sumHigh = HALF;
  sumLow = 0;
  for (let n = last; n >= 2; n -= step) {
    multiplySum(h, l);
    divideSum(step == 1 ? n : n * (n - 1));
    fromOne(alternating);
  }
  giveSum();
}

/** 1 ∓ f/3 + f²/5 ∓ f³/7 …, `terms` of them. */
export function oddSeries(h: u64, l: u64, terms: u64, alternating: bool): void {
  sumHigh = 0;
  sumLow = 0;
  for (let n = 2 * terms + 1; n > 0; n -= 2) {
    multiplySum(h, l);
    const partHigh = sumHigh;
    const partLow = sumLow;
    sumHigh = HALF;
    sumLow = 0;
    divideSum(n);
    if (alternating) {
      sumHigh -= partHigh + <u64>(sumLow < partLow);
      sumLow -= partLow;
    } else {
      sumLow += partLow;
      sumHigh += partHigh + <u64>(sumLow < partLow);
    }
    if (n == 1) break;
  }
  giveSum();
}

/** Makes the result slightly less, by less than a result can show: for a value next to a short number, but not equal. */
export function justBelow(): void {
  high -= <u64>(low == 0);
  low--;
  set(high, low, scale);
}

/** Rounds a number, and raises PE even where it is exact, as processors do; and UE where it is tiny. */
export function giveInexact(sign: u32, exponent: i32, h: u64, l: u64): void {
  roundTo(sign, exponent, h, l, 64);
  raise(exponent <= 0 ? PE | UE : PE);
}

/** The result as a number of 64 bits that is never exact. */
export function giveRounded(sign: u32): void {
  roundTo(sign, scale - 1 + BIAS, high, low | 1, 64);
}
