/**
 * Operands and states for the x87 tests: random ones with a fixed seed, and the special ones.
 *
 * @module
 */

/** Numbers of 32 bits (Marsaglia's xorshift), the same in every run. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  word(): number {
    let s = this.#state;
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    this.#state = s;
    return s >>> 0;
  }

  below(n: number): number {
    return this.word() % n;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }
}

/** Significands with a long run of equal bits are where rounding and cancellation go wrong. */
function significand(random: Random): [number, number] {
  const kind = random.below(8);
  if (kind < 3) return [random.word(), random.word()];
  const at = random.below(64);
  const ones = (1n << BigInt(at)) - 1n;
  let value = kind < 5 ? ones : kind === 5 ? ~ones : kind === 6 ? 1n << BigInt(at) : 0n;
  value ^= BigInt(random.below(3)) << BigInt(random.below(64));
  return [Number(value & 0xffff_ffffn), Number((value >> 32n) & 0xffff_ffffn)];
}

/** Exponents of all kinds, most of them near `around`. */
function exponent(random: Random, around: number): number {
  switch (random.below(12)) {
    case 0:
      return random.below(3);
    case 1:
      return 0x7fff - random.below(3);
    case 2:
      return random.below(0x8000);
    case 3:
      return 0x3fff - 130 + random.below(260);
    case 4:
      return 0x3fff - 1030 + random.below(2060);
    default:
      return around + random.below(9) - 4;
  }
}

/** A number of ten bytes; one in sixteen has an unsupported form. */
export function randomNumber(random: Random, out: DataView, at: number, around = 0x3fff): void {
  let [low, high] = significand(random);
  const e = exponent(random, around) & 0x7fff;
  const odd = random.below(16) === 0;
  if (!odd && e !== 0) high |= 0x8000_0000;
  if (e === 0x7fff && random.below(2) === 0) [low, high] = [0, 0x8000_0000];
  if (e === 0 && random.below(2) === 0) [low, high] = [0, 0];
  out.setUint32(at, low, true);
  out.setUint32(at + 4, high, true);
  out.setUint16(at + 8, e | (random.below(2) << 15), true);
}

/** A number of 4 or 8 bytes. */
export function randomShort(random: Random, out: DataView, at: number, size: 4 | 8): void {
  let [low, high] = significand(random);
  const most = size === 4 ? 0xff : 0x7ff;
  const bias = most >> 1;
  const e = random.pick([
    0,
    0,
    1,
    most,
    most,
    most - 1,
    bias,
    bias,
    bias + random.below(9) - 4,
    random.below(most),
  ]);
  const sign = random.below(2);
  if (e === most && random.below(2) === 0) [low, high] = [0, 0];
  if (size === 4) out.setUint32(at, ((sign << 31) | (e << 23) | (high & 0x7fffff)) >>> 0, true);
  else {
    out.setUint32(at, low, true);
    out.setUint32(at + 4, ((sign << 31) | (e << 20) | (high & 0xfffff)) >>> 0, true);
  }
}

/** An integer whose size is a random number of bits. */
export function randomInteger(random: Random, out: DataView, at: number): void {
  const value =
    BigInt.asUintN(64, (BigInt(random.word()) << 32n) | BigInt(random.word())) >> BigInt(random.below(64));
  out.setBigUint64(at, random.below(2) === 0 ? value : -value, true);
}

/** Eighteen decimal digits and a sign; some have an invalid nibble. */
export function randomDecimal(random: Random, out: DataView, at: number): void {
  for (let n = 0; n < 9; n++) out.setUint8(at + n, random.below(10) * 16 + random.below(10));
  if (random.below(4) === 0) for (let n = 0; n < 9; n++) out.setUint8(at + n, 0);
  out.setUint8(at + 9, random.below(2) << 7);
}
