// Sine, cosine, tangent and arctangent (SDM 1 8.3.8, 8.3.10). The processor's pi has 66 bits: argument reduction subtracts an
// exact multiple of it, and so does this code.
import { normalBits, normalExponent } from './arithmetic';
import { BIAS, MAX_EXPONENT, SIGN } from './numbers';
import {
  factorialSeries,
  fixedHigh,
  fixedLow,
  giveRounded,
  high,
  justBelow,
  low,
  multiples,
  multiplyBits,
  oddSeries,
  quotient,
  scale,
  set,
  times,
  toFixed,
} from './precise';

const PI_HIGH: u64 = 0xc90fdaa22168c234;
/** Bits 65 and 66 of the processor's pi, and the true ones from there on. */
const PI_66: u64 = 0xc000000000000000;
const PI_LOW: u64 = 0xc4c6628b80dc1cd1;

// The reduced argument, without its quarter turns: a magnitude of at most pi/4, and its sign.
let restHigh: u64 = 0;
let restLow: u64 = 0;
let restScale: i32 = 0;
let restNegative: bool = false;
let quarters: u32 = 0;

/** True for an argument in range: less than 2^63. */
export function inRange(e: u32): bool {
  return (e & MAX_EXPONENT) < <u32>BIAS + 63;
}

/** True where processors return the argument, or 1 for the cosine: below 2^-68. */
export function isTiny(e: u32): bool {
  return (e & MAX_EXPONENT) < <u32>BIAS - 68;
}

/** Subtracts quarter turns from a magnitude. */
export function reduce(e: u32, b: u64): void {
  const x = normalBits(b);
  const exponent = normalExponent(e, b) - BIAS;
  restNegative = false;
  quarters = 0;
  if (exponent < -1) set(x, 0, exponent + 1);
  else {
    // In units of 2^-127, x is an integer of three words.
    if (exponent < 0) quarters = <u32>multiples(0, x >> 1, x << 63, PI_HIGH, PI_66);
    else quarters = <u32>multiples((x >> 1) >> <u64>(63 - exponent), x << (<u64>exponent), 0, PI_HIGH, PI_66);
    const halfHigh = PI_HIGH >> 1;
    const halfLow = (PI_HIGH << 63) | (PI_66 >> 1);
    if (high > halfHigh || (high == halfHigh && low > halfLow)) {
      quarters++;
      restNegative = true;
      set(PI_HIGH - high - <u64>(PI_66 < low), PI_66 - low, 1);
    } else set(high, low, 1);
  }
  restHigh = high;
  restLow = low;
  restScale = scale;
}

/** The square of the reduced argument, as a fraction. */
function square(): void {
  toFixed(restHigh, restLow, restScale);
  multiplyBits(fixedHigh, fixedLow, fixedHigh, fixedLow);
}

function sineOfRest(): void {
  square();
  factorialSeries(high, low, 33, 2, true);
  justBelow();
  times(restHigh, restLow, restScale);
}

function cosineOfRest(): void {
  square();
  factorialSeries(high, low, 34, 2, true);
  justBelow();
}

/** The sine of the reduced argument; `sign` is that of the argument. */
export function sine(sign: u32): void {
  const odd = (quarters & 1) != 0;
  if (odd) cosineOfRest();
  else sineOfRest();
  const negative = ((quarters & 2) != 0) != (!odd && restNegative);
  giveRounded(negative ? sign ^ SIGN : sign);
}

export function cosine(): void {
  const odd = (quarters & 1) != 0;
  if (odd) sineOfRest();
  else cosineOfRest();
  const negative = (((quarters + 1) & 2) != 0) != (odd && restNegative);
  giveRounded(negative ? SIGN : 0);
}

export function tangent(sign: u32): void {
  const odd = (quarters & 1) != 0;
  sineOfRest();
  const sineHigh = high;
  const sineLow = low;
  const sineScale = scale;
  cosineOfRest();
  if (odd) quotient(high, low, scale, sineHigh, sineLow, sineScale);
  else quotient(sineHigh, sineLow, sineScale, high, low, scale);
  giveRounded(odd == restNegative ? sign : sign ^ SIGN);
}

/** atan(i/8) for i from 1 to 8: 128 fraction bits. */
const ARCTANGENTS: usize = memory.data<u64>([
  0x1fd5ba9aac2f6dc6, 0x5912f313e7d111de, 0x3eb6ebf25901bac5, 0x5b71e7bd7de885f9, 0x5bd86507937bc239,
  0xc55190916e7f2241, 0x76b19c1586ed3da2, 0xb7f222f65e1d4681, 0x8f005d5ef7f59f9b, 0x5c835e1665c43747,
  0xa4bc7d1934f70924, 0x19a87f2a457dac9e, 0xb8053e2bc2319e73, 0xcb2da55210a4443d, 0xc90fdaa22168c234,
  0xc4c6628b80dc1cd1,
]);

// A 128-bit angle, with two bits before the point.
let angleHigh: u64 = 0;
let angleLow: u64 = 0;

function addAngle(h: u64, l: u64): void {
  angleLow += l;
  angleHigh += h + <u64>(angleLow < l);
}

/** This value minus the angle. */
function angleFrom(h: u64, l: u64): void {
  angleHigh = h - angleHigh - <u64>(l < angleLow);
  angleLow = l - angleLow;
}

/** The arctangent of a number of at most 1/16, by its series. */
function smallArctangent(): void {
  const h = high;
  const l = low;
  const s = scale;
  toFixed(h, l, s);
  multiplyBits(fixedHigh, fixedLow, fixedHigh, fixedLow);
  oddSeries(high, low, 15, true);
  justBelow();
  times(h, l, s);
}

/** n/d, at most 1 and more than 1/32, less i/8: (8n - id) / (8d + in). Adds that one's arctangent to that of i/8. */
function angleOfRatio(n: u64, ns: i32, d: u64, ds: i32): void {
  // Both as integers of the same unit, with spare bits above.
  const down = <u64>(ds - ns);
  const nh = n >> (down + 8);
  const nl = n << (56 - down);
  const dh = d >> 8;
  const dl = d << 56;
  const i = <u64>((<f64>nh / <f64>dh) * 8 + 0.5);
  let h = ((nh << 3) | (nl >> 61)) - i * dh;
  let l = nl << 3;
  // dl ends with 56 zeros, so that eight times it has no carry from below.
  const part = i * (dl >> 56);
  h -= (part >> 8) + <u64>(l < part << 56);
  l -= part << 56;
  const negative = <i64>h < 0;
  if (negative) {
    h = ~h + <u64>(l == 0);
    l = 0 - l;
  }
  angleHigh = 0;
  angleLow = 0;
  if ((h | l) != 0) {
    const other = i * (nl >> 40);
    const bottom = (dl << 3) + (other << 40);
    const topPart = ((dh << 3) | (dl >> 61)) + i * nh + (other >> 24) + <u64>(bottom < other << 40);
    set(topPart, bottom, 0);
    const divisorHigh = high;
    const divisorLow = low;
    const divisorScale = scale;
    set(h, l, 0);
    quotient(high, low, scale, divisorHigh, divisorLow, divisorScale);
    smallArctangent();
    toFixed(high, low, scale - 2);
    addAngle(fixedHigh, fixedLow);
  }
  const at = ARCTANGENTS + ((<usize>(i - 1)) << 4);
  const tableHigh = i ? load<u64>(at) : 0;
  const tableLow = i ? load<u64>(at, 8) : 0;
  const quarterHigh = tableHigh >> 2;
  const quarterLow = (tableHigh << 62) | (tableLow >> 2);
  if (negative) angleFrom(quarterHigh, quarterLow);
  else addAngle(quarterHigh, quarterLow);
}

/** The angle of the point (x, y), neither of them zero or infinite. */
export function arctangent(ye: u32, yb: u64, xe: u32, xb: u64): void {
  const y = normalBits(yb);
  const x = normalBits(xb);
  const ys = normalExponent(ye, yb);
  const xs = normalExponent(xe, xb);
  const steep = ys > xs || (ys == xs && y > x);
  const n = steep ? x : y;
  const ns = steep ? xs : ys;
  const d = steep ? y : x;
  const ds = steep ? ys : xs;
  const sign = ye & SIGN;
  if (ns >= ds - 4) angleOfRatio(n, ns, d, ds);
  else {
    quotient(n, 0, ns, d, 0, ds);
    smallArctangent();
    if (!steep && !(xe & SIGN)) return giveRounded(sign);
    toFixed(high, low, scale - 2);
    angleHigh = fixedHigh;
    angleLow = fixedLow;
  }
  if (steep) angleFrom(PI_HIGH >> 1, (PI_HIGH << 63) | (PI_LOW >> 1));
  if (xe & SIGN) angleFrom(PI_HIGH, PI_LOW);
  set(angleHigh, angleLow, 2);
  giveRounded(sign);
}

/** A number of eighth turns, 1 to 4. */
export function eighths(count: u64, sign: u32): void {
  multiplyBits(PI_HIGH, PI_LOW, count << 61, 0);
  set(high, low, 3);
  giveRounded(sign);
}
