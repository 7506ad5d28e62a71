// Packed integers, element by element (SDM 2B, "P" instructions). Counts are in the low 64 bits.

export function paddb(a: v128, b: v128): v128 {
  return i8x16.add(a, b);
}
export function paddw(a: v128, b: v128): v128 {
  return i16x8.add(a, b);
}
export function paddd(a: v128, b: v128): v128 {
  return i32x4.add(a, b);
}
export function paddq(a: v128, b: v128): v128 {
  return i64x2.add(a, b);
}
export function psubb(a: v128, b: v128): v128 {
  return i8x16.sub(a, b);
}
export function psubw(a: v128, b: v128): v128 {
  return i16x8.sub(a, b);
}
export function psubd(a: v128, b: v128): v128 {
  return i32x4.sub(a, b);
}
export function psubq(a: v128, b: v128): v128 {
  return i64x2.sub(a, b);
}
export function paddsb(a: v128, b: v128): v128 {
  return i8x16.add_sat_s(a, b);
}
export function paddsw(a: v128, b: v128): v128 {
  return i16x8.add_sat_s(a, b);
}
export function paddusb(a: v128, b: v128): v128 {
  return i8x16.add_sat_u(a, b);
}
export function paddusw(a: v128, b: v128): v128 {
  return i16x8.add_sat_u(a, b);
}
export function psubsb(a: v128, b: v128): v128 {
  return i8x16.sub_sat_s(a, b);
}
export function psubsw(a: v128, b: v128): v128 {
  return i16x8.sub_sat_s(a, b);
}
export function psubusb(a: v128, b: v128): v128 {
  return i8x16.sub_sat_u(a, b);
}
export function psubusw(a: v128, b: v128): v128 {
  return i16x8.sub_sat_u(a, b);
}

export function pcmpeqb(a: v128, b: v128): v128 {
  return i8x16.eq(a, b);
}
export function pcmpeqw(a: v128, b: v128): v128 {
  return i16x8.eq(a, b);
}
export function pcmpeqd(a: v128, b: v128): v128 {
  return i32x4.eq(a, b);
}
export function pcmpeqq(a: v128, b: v128): v128 {
  return i64x2.eq(a, b);
}
export function pcmpgtb(a: v128, b: v128): v128 {
  return i8x16.gt_s(a, b);
}
export function pcmpgtw(a: v128, b: v128): v128 {
  return i16x8.gt_s(a, b);
}
export function pcmpgtd(a: v128, b: v128): v128 {
  return i32x4.gt_s(a, b);
}
export function pcmpgtq(a: v128, b: v128): v128 {
  return i64x2.gt_s(a, b);
}

export function pminub(a: v128, b: v128): v128 {
  return i8x16.min_u(a, b);
}
export function pmaxub(a: v128, b: v128): v128 {
  return i8x16.max_u(a, b);
}
export function pminsw(a: v128, b: v128): v128 {
  return i16x8.min_s(a, b);
}
export function pmaxsw(a: v128, b: v128): v128 {
  return i16x8.max_s(a, b);
}
export function pminsb(a: v128, b: v128): v128 {
  return i8x16.min_s(a, b);
}
export function pmaxsb(a: v128, b: v128): v128 {
  return i8x16.max_s(a, b);
}
export function pminuw(a: v128, b: v128): v128 {
  return i16x8.min_u(a, b);
}
export function pmaxuw(a: v128, b: v128): v128 {
  return i16x8.max_u(a, b);
}
export function pminsd(a: v128, b: v128): v128 {
  return i32x4.min_s(a, b);
}
export function pmaxsd(a: v128, b: v128): v128 {
  return i32x4.max_s(a, b);
}
export function pminud(a: v128, b: v128): v128 {
  return i32x4.min_u(a, b);
}
export function pmaxud(a: v128, b: v128): v128 {
  return i32x4.max_u(a, b);
}

export function pavgb(a: v128, b: v128): v128 {
  return i8x16.avgr_u(a, b);
}
export function pavgw(a: v128, b: v128): v128 {
  return i16x8.avgr_u(a, b);
}
export function pabsb(_a: v128, b: v128): v128 {
  return i8x16.abs(b);
}
export function pabsw(_a: v128, b: v128): v128 {
  return i16x8.abs(b);
}
export function pabsd(_a: v128, b: v128): v128 {
  return i32x4.abs(b);
}

/** `a` where `b` is positive, -a where it is negative, 0 where it is 0. */
export function psignb(a: v128, b: v128): v128 {
  const negative = i8x16.shr_s(b, 7);
  return v128.andnot(i8x16.sub(v128.xor(a, negative), negative), i8x16.eq(b, i8x16.splat(0)));
}
export function psignw(a: v128, b: v128): v128 {
  const negative = i16x8.shr_s(b, 15);
  return v128.andnot(i16x8.sub(v128.xor(a, negative), negative), i16x8.eq(b, i16x8.splat(0)));
}
export function psignd(a: v128, b: v128): v128 {
  const negative = i32x4.shr_s(b, 31);
  return v128.andnot(i32x4.sub(v128.xor(a, negative), negative), i32x4.eq(b, i32x4.splat(0)));
}

export function pand(a: v128, b: v128): v128 {
  return v128.and(a, b);
}
export function pandn(a: v128, b: v128): v128 {
  return v128.andnot(b, a);
}
export function por(a: v128, b: v128): v128 {
  return v128.or(a, b);
}
export function pxor(a: v128, b: v128): v128 {
  return v128.xor(a, b);
}

export function pmullw(a: v128, b: v128): v128 {
  return i16x8.mul(a, b);
}
export function pmulld(a: v128, b: v128): v128 {
  return i32x4.mul(a, b);
}
export function pmulhw(a: v128, b: v128): v128 {
  return upperHalves(i32x4.extmul_low_i16x8_s(a, b), i32x4.extmul_high_i16x8_s(a, b));
}
export function pmulhuw(a: v128, b: v128): v128 {
  return upperHalves(i32x4.extmul_low_i16x8_u(a, b), i32x4.extmul_high_i16x8_u(a, b));
}

/** The upper words of eight doublewords. */
function upperHalves(low: v128, high: v128): v128 {
  return v128.shuffle<u16>(low, high, 1, 3, 5, 7, 9, 11, 13, 15);
}

/** The rounded high part of the products of words. 8000h times itself is not saturated (SDM 2B PMULHRSW). */
export function pmulhrsw(a: v128, b: v128): v128 {
  const least = i16x8.splat(-32768);
  const wraps = v128.and(i16x8.eq(a, least), i16x8.eq(b, least));
  return v128.xor(i16x8.q15mulr_sat_s(a, b), wraps);
}

export function pmaddwd(a: v128, b: v128): v128 {
  return i32x4.dot_i16x8_s(a, b);
}

/** Unsigned bytes of `a` times signed bytes of `b`; adjacent products are added with saturation. */
export function pmaddubsw(a: v128, b: v128): v128 {
  const even = i16x8.mul(v128.and(a, i16x8.splat(0xff)), i16x8.shr_s(i16x8.shl(b, 8), 8));
  const odd = i16x8.mul(i16x8.shr_u(a, 8), i16x8.shr_s(b, 8));
  return i16x8.add_sat_s(even, odd);
}

export function pmuludq(a: v128, b: v128): v128 {
  const mask = i64x2.splat(0xffffffff);
  return i64x2.mul(v128.and(a, mask), v128.and(b, mask));
}
export function pmuldq(a: v128, b: v128): v128 {
  return i64x2.mul(i64x2.shr_s(i64x2.shl(a, 32), 32), i64x2.shr_s(i64x2.shl(b, 32), 32));
}

/** The sum of eight absolute differences, twice. */
export function psadbw(a: v128, b: v128): v128 {
  const difference = v128.or(i8x16.sub_sat_u(a, b), i8x16.sub_sat_u(b, a));
  const words = i16x8.extadd_pairwise_i8x16_u(difference);
  const doublewords = i32x4.extadd_pairwise_i16x8_u(words);
  return i64x2.add(i64x2.shr_u(doublewords, 32), v128.and(doublewords, i64x2.splat(0xffffffff)));
}

// Shifts: a count beyond the element's width gives zeros, or copies of the sign.
function countOf(b: v128, size: u64): i32 {
  const count = <u64>i64x2.extract_lane(b, 0);
  return <i32>min<u64>(count, size);
}

function left16(a: v128, count: i32): v128 {
  return count > 15 ? i64x2.splat(0) : i16x8.shl(a, count);
}
function left32(a: v128, count: i32): v128 {
  return count > 31 ? i64x2.splat(0) : i32x4.shl(a, count);
}
function left64(a: v128, count: i32): v128 {
  return count > 63 ? i64x2.splat(0) : i64x2.shl(a, count);
}
function right16(a: v128, count: i32): v128 {
  return count > 15 ? i64x2.splat(0) : i16x8.shr_u(a, count);
}
function right32(a: v128, count: i32): v128 {
  return count > 31 ? i64x2.splat(0) : i32x4.shr_u(a, count);
}
function right64(a: v128, count: i32): v128 {
  return count > 63 ? i64x2.splat(0) : i64x2.shr_u(a, count);
}

export function psllw(a: v128, b: v128): v128 {
  return left16(a, countOf(b, 16));
}
export function pslld(a: v128, b: v128): v128 {
  return left32(a, countOf(b, 32));
}
export function psllq(a: v128, b: v128): v128 {
  return left64(a, countOf(b, 64));
}
export function psrlw(a: v128, b: v128): v128 {
  return right16(a, countOf(b, 16));
}
export function psrld(a: v128, b: v128): v128 {
  return right32(a, countOf(b, 32));
}
export function psrlq(a: v128, b: v128): v128 {
  return right64(a, countOf(b, 64));
}
export function psraw(a: v128, b: v128): v128 {
  return i16x8.shr_s(a, countOf(b, 15));
}
export function psrad(a: v128, b: v128): v128 {
  return i32x4.shr_s(a, countOf(b, 31));
}

export function psllwBy(a: v128, count: u32): v128 {
  return left16(a, count);
}
export function pslldBy(a: v128, count: u32): v128 {
  return left32(a, count);
}
export function psllqBy(a: v128, count: u32): v128 {
  return left64(a, count);
}
export function psrlwBy(a: v128, count: u32): v128 {
  return right16(a, count);
}
export function psrldBy(a: v128, count: u32): v128 {
  return right32(a, count);
}
export function psrlqBy(a: v128, count: u32): v128 {
  return right64(a, count);
}
export function psrawBy(a: v128, count: u32): v128 {
  return i16x8.shr_s(a, min<u32>(count, 15));
}
export function psradBy(a: v128, count: u32): v128 {
  return i32x4.shr_s(a, min<u32>(count, 31));
}

/** The smallest word and its index. */
export function phminposuw(_a: v128, b: v128): v128 {
  let least: u64 = 0xffff;
  let place: u64 = 0;
  for (let n: u64 = 0; n < 8; n++) {
    const word =
      (<u64>(n < 4 ? i64x2.extract_lane(b, 0) : i64x2.extract_lane(b, 1)) >> ((n & 3) << 4)) & 0xffff;
    if (word >= least) continue;
    least = word;
    place = n;
  }
  return i64x2.replace_lane(i64x2.splat(0), 0, least | (place << 16));
}
