// The formats of floating-point numbers: 32 and 64 bits (SDM 1 4.2.2). F is f32 or f64; a number is its bits.
import { shiftLeft } from '../core/bits';

export function fractionBits<F>(): u64 {
  return sizeof<F>() == 4 ? 23 : 52;
}
export function maxExponent<F>(): i32 {
  return sizeof<F>() == 4 ? 255 : 2047;
}
export function bias<F>(): i32 {
  return sizeof<F>() == 4 ? 127 : 1023;
}
export function signBit<F>(): u64 {
  return sizeof<F>() == 4 ? 0x80000000 : 0x8000000000000000;
}
export function quietBit<F>(): u64 {
  return sizeof<F>() == 4 ? 0x400000 : 0x8000000000000;
}
export function infinity<F>(): u64 {
  return sizeof<F>() == 4 ? 0x7f800000 : 0x7ff0000000000000;
}

export function indefinite<F>(): u64 {
  return signBit<F>() | infinity<F>() | quietBit<F>();
}
export function exponentOf<F>(a: u64): i32 {
  return <i32>(a >> fractionBits<F>()) & maxExponent<F>();
}
export function fractionOf<F>(a: u64): u64 {
  return a & (((<u64>1) << fractionBits<F>()) - 1);
}
export function magnitude<F>(a: u64): u64 {
  return a & ~signBit<F>();
}
export function isNaN<F>(a: u64): bool {
  return magnitude<F>(a) > infinity<F>();
}
export function isSignaling<F>(a: u64): bool {
  return isNaN<F>(a) && !(a & quietBit<F>());
}
export function isInfinite<F>(a: u64): bool {
  return magnitude<F>(a) == infinity<F>();
}
export function isZero<F>(a: u64): bool {
  return magnitude<F>(a) == 0;
}
export function isDenormal<F>(a: u64): bool {
  return magnitude<F>(a) - 1 < quietBit<F>() * 2 - 1;
}
/** Not zero, denormal, infinite or a NaN. */
export function isPlain<F>(a: u64): bool {
  return <u32>(maxExponent<F>() - 1) > <u32>(exponentOf<F>(a) - 1);
}

/** The significand with its integer bit as bit 63, of a number that is neither zero nor special. */
export function significand<F>(a: u64): u64 {
  const fraction = fractionOf<F>(a);
  if (exponentOf<F>(a) == 0) return fraction << clz<u64>(fraction);
  return ((fraction << 1) | (quietBit<F>() << 2)) << (62 - fractionBits<F>());
}

/** The exponent without a lower bound. */
export function scale<F>(a: u64): i32 {
  const exponent = exponentOf<F>(a);
  if (exponent != 0) return exponent;
  return 1 - <i32>(clz<u64>(fractionOf<F>(a)) - (63 - fractionBits<F>()));
}

/** `a` shifted right; bits that are shifted out are ORed into the lowest bit. */
export function shiftJam(a: u64, count: i32): u64 {
  if (count == 0) return a;
  if (count > 63) return a != 0 ? 1 : 0;
  return (a >> <u64>count) | (shiftLeft(a, <u64>(64 - count)) != 0 ? 1 : 0);
}

export function bitsOf<F>(value: F): u64 {
  return sizeof<F>() == 4 ? <u64>reinterpret<u32>(<f32>value) : reinterpret<u64>(<f64>value);
}
export function valueOf<F>(bits: u64): F {
  return sizeof<F>() == 4 ? <F>reinterpret<f32>(<u32>bits) : <F>reinterpret<f64>(bits);
}
