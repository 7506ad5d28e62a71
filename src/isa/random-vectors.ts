/**
 * Values of vector registers for tests and `terrarium verify`: numbers at the limits of floating point and of integers.
 *
 * @module
 */
import type { Random } from './random.js';

const doubles = [
  0,
  1,
  -1,
  2,
  0.5,
  3,
  1e308,
  -1e308,
  2 ** 1023,
  5e-324,
  -5e-324,
  2 ** -1022,
  2 ** -1022 * 1.5,
];
doubles.push(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2 ** 31, -(2 ** 31), 2 ** 63, -(2 ** 63));
doubles.push(
  2 ** 31 - 0.5,
  2 ** 31 - 1,
  -(2 ** 31) - 0.5,
  1.5,
  2.5,
  -0.5,
  1e-300,
  1e300,
  2 ** -1074 * 3,
  3e38,
);
doubles.push(3.5e38, 1e-40, -1e-45, 1.1754943508222875e-38, 0.1, 1 / 3, 1 + 2 ** -52, 2 ** 52 + 0.5);
const singles = [0, 1, -1, 2, 0.5, 3, 3e38, -3e38, 2 ** 127, 2 ** -149, -(2 ** -149), 2 ** -126, 1e-40, 0.1];
singles.push(
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  2 ** 31,
  -(2 ** 31),
  2 ** 63,
  1.5,
  2.5,
  1 / 3,
);
singles.push(-0.5, 1 + 2 ** -23, 2 ** 23 + 0.5, 1e-30, 1e30, 2 ** -75, 2 ** 64);

/** Writes sixteen bytes of one kind: random, bytes at their limits, singles or doubles of every class. */
export function randomVector(view: DataView, at: number, random: Random): void {
  const kind = random(8);
  for (let n = 0; n < 16; n++) view.setUint8(at + n, random(256));
  if (kind < 3) {
    for (let n = 0; n < 16; n += 4) {
      const pick = random(8);
      if (pick < 5) view.setFloat32(at + n, singles[random(singles.length)]!, true);
      else if (pick === 5) view.setUint32(at + n, 0x7f800000 | random(0x800000) | (random(2) << 31), true);
      else if (pick === 6) view.setUint32(at + n, random(0x800000) | (random(2) << 31), true);
    }
  } else if (kind < 6) {
    for (let n = 0; n < 16; n += 8) {
      const pick = random(8);
      if (pick < 5) view.setFloat64(at + n, doubles[random(doubles.length)]!, true);
      else if (pick === 5)
        view.setUint32(at + n + 4, 0x7ff00000 | random(0x100000) | (random(2) << 31), true);
      else if (pick === 6) view.setUint32(at + n + 4, random(0x100000) | (random(2) << 31), true);
    }
  } else if (kind === 6) {
    for (let n = 0; n < 16; n++) view.setUint8(at + n, [0, 1, 0x7f, 0x80, 0xff, 0x41][random(6)]!);
  }
}

/** MXCSR: masks, rounding, DAZ, FTZ and flagged exceptions, mostly as in programs. */
export function randomMxcsr(random: Random): number {
  const noted = random(2) === 0 ? 0x20 : random(64);
  if (random(2) === 0) return 0x1f80 | noted;
  const masks = random(4) === 0 ? random(64) << 7 : 0x1f80;
  return masks | noted | (random(4) << 13) | (random(4) === 0 ? 0x40 : 0) | (random(4) === 0 ? 0x8000 : 0);
}
