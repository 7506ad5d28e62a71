// Moves elements within and between vectors: packs, unpacks, shuffles, blends, extensions, insertions (SDM 2A, 2B).
import { XMM_REGISTERS } from '../../layout';

export function move(_a: v128, b: v128): v128 {
  return b;
}
/** The low half; the upper one is cleared. */
export function moveLow(_a: v128, b: v128): v128 {
  return i64x2.replace_lane(b, 1, 0);
}
export function mergeSingle(a: v128, b: v128): v128 {
  return v128.shuffle<u32>(a, b, 4, 1, 2, 3);
}
export function mergeDouble(a: v128, b: v128): v128 {
  return v128.shuffle<u64>(a, b, 2, 1);
}
export function movhlps(a: v128, b: v128): v128 {
  return v128.shuffle<u64>(a, b, 3, 1);
}
/** The upper half, moved to the low one. */
export function upper(_a: v128, b: v128): v128 {
  return v128.shuffle<u64>(b, b, 1, 1);
}
export function lowBits<T>(a: v128): i64 {
  return i64x2.extract_lane(a, 0);
}
export function movsldup(_a: v128, b: v128): v128 {
  return v128.shuffle<u32>(b, b, 0, 0, 2, 2);
}
export function movshdup(_a: v128, b: v128): v128 {
  return v128.shuffle<u32>(b, b, 1, 1, 3, 3);
}
export function movddup(_a: v128, b: v128): v128 {
  return v128.shuffle<u64>(b, b, 0, 0);
}

export function packsswb(a: v128, b: v128): v128 {
  return i8x16.narrow_i16x8_s(a, b);
}
export function packuswb(a: v128, b: v128): v128 {
  return i8x16.narrow_i16x8_u(a, b);
}
export function packssdw(a: v128, b: v128): v128 {
  return i16x8.narrow_i32x4_s(a, b);
}
export function packusdw(a: v128, b: v128): v128 {
  return i16x8.narrow_i32x4_u(a, b);
}

export function punpcklbw(a: v128, b: v128): v128 {
  return v128.shuffle<u8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}
export function punpckhbw(a: v128, b: v128): v128 {
  return v128.shuffle<u8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}
export function punpcklwd(a: v128, b: v128): v128 {
  return v128.shuffle<u16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}
export function punpckhwd(a: v128, b: v128): v128 {
  return v128.shuffle<u16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}
export function punpckldq(a: v128, b: v128): v128 {
  return v128.shuffle<u32>(a, b, 0, 4, 1, 5);
}
export function punpckhdq(a: v128, b: v128): v128 {
  return v128.shuffle<u32>(a, b, 2, 6, 3, 7);
}
export function punpcklqdq(a: v128, b: v128): v128 {
  return v128.shuffle<u64>(a, b, 0, 2);
}
export function punpckhqdq(a: v128, b: v128): v128 {
  return v128.shuffle<u64>(a, b, 1, 3);
}

/** Bytes of `a` by index; 0 where bit 7 is set. */
export function pshufb(a: v128, b: v128): v128 {
  return i8x16.swizzle(a, v128.and(b, i8x16.splat(-113)));
}

/** The doubleword that two bits of an immediate select. */
function doubleword(a: v128, imm: u32): u64 {
  const half = imm & 2 ? i64x2.extract_lane(a, 1) : i64x2.extract_lane(a, 0);
  return (<u64>half >> ((imm & 1) << 5)) & 0xffffffff;
}

function doublewords(a: v128, b: v128, imm: u32): v128 {
  const low = doubleword(a, imm) | (doubleword(a, imm >> 2) << 32);
  const high = doubleword(b, imm >> 4) | (doubleword(b, imm >> 6) << 32);
  return i64x2.replace_lane(i64x2.splat(low), 1, high);
}

export function pshufd(_a: v128, b: v128, imm: u32): v128 {
  return doublewords(b, b, imm);
}
export function shufps(a: v128, b: v128, imm: u32): v128 {
  return doublewords(a, b, imm);
}
export function shufpd(a: v128, b: v128, imm: u32): v128 {
  const low = imm & 1 ? i64x2.extract_lane(a, 1) : i64x2.extract_lane(a, 0);
  const high = imm & 2 ? i64x2.extract_lane(b, 1) : i64x2.extract_lane(b, 0);
  return i64x2.replace_lane(i64x2.splat(low), 1, high);
}

/** Four words, each selected by two bits of an immediate. */
function words(half: u64, imm: u32): u64 {
  let result: u64 = 0;
  for (let n: u32 = 0; n < 4; n++) {
    const word = (half >> (((imm >> (2 * n)) & 3) << 4)) & 0xffff;
    result |= word << (n << 4);
  }
  return result;
}

export function pshuflw(_a: v128, b: v128, imm: u32): v128 {
  return i64x2.replace_lane(b, 0, words(i64x2.extract_lane(b, 0), imm));
}
export function pshufhw(_a: v128, b: v128, imm: u32): v128 {
  return i64x2.replace_lane(b, 1, words(i64x2.extract_lane(b, 1), imm));
}

/** The index of each byte. */
function numbers(): v128 {
  return i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

/** Shifted down by some bytes; zeros are shifted in from above. */
function bytesDown(a: v128, count: u32): v128 {
  return count > 15 ? i64x2.splat(0) : i8x16.swizzle(a, i8x16.add(numbers(), i8x16.splat(<i8>count)));
}
function bytesUp(a: v128, count: u32): v128 {
  return count > 15 ? i64x2.splat(0) : i8x16.swizzle(a, i8x16.sub(numbers(), i8x16.splat(<i8>count)));
}

export function psrldq(a: v128, count: u32): v128 {
  return bytesDown(a, count);
}
export function pslldq(a: v128, count: u32): v128 {
  return bytesUp(a, count);
}
/** Sixteen bytes out of a:b. */
export function palignr(a: v128, b: v128, count: u32): v128 {
  return count > 15 ? bytesDown(a, count - 16) : v128.or(bytesDown(b, count), bytesUp(a, 16 - count));
}

// Blends: `b` where the mask is set.
function chosen(a: v128, b: v128, mask: v128): v128 {
  return v128.bitselect(b, a, mask);
}
function implied(): v128 {
  return v128.load(XMM_REGISTERS);
}
export function pblendvb(a: v128, b: v128): v128 {
  return chosen(a, b, i8x16.shr_s(implied(), 7));
}
export function blendvps(a: v128, b: v128): v128 {
  return chosen(a, b, i32x4.shr_s(implied(), 31));
}
export function blendvpd(a: v128, b: v128): v128 {
  return chosen(a, b, i64x2.shr_s(implied(), 63));
}
export function pblendw(a: v128, b: v128, imm: u32): v128 {
  const bits = i16x8(1, 2, 4, 8, 16, 32, 64, 128);
  return chosen(a, b, i16x8.eq(v128.and(i16x8.splat(<i16>imm), bits), bits));
}
export function blendps(a: v128, b: v128, imm: u32): v128 {
  const bits = i32x4(1, 2, 4, 8);
  return chosen(a, b, i32x4.eq(v128.and(i32x4.splat(imm), bits), bits));
}
export function blendpd(a: v128, b: v128, imm: u32): v128 {
  const bits = i64x2(1, 2);
  return chosen(a, b, i64x2.eq(v128.and(i64x2.splat(imm), bits), bits));
}

export function pmovsxbw(_a: v128, b: v128): v128 {
  return i16x8.extend_low_i8x16_s(b);
}
export function pmovsxbd(_a: v128, b: v128): v128 {
  return i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(b));
}
export function pmovsxbq(_a: v128, b: v128): v128 {
  return i64x2.extend_low_i32x4_s(i32x4.extend_low_i16x8_s(i16x8.extend_low_i8x16_s(b)));
}
export function pmovsxwd(_a: v128, b: v128): v128 {
  return i32x4.extend_low_i16x8_s(b);
}
export function pmovsxwq(_a: v128, b: v128): v128 {
  return i64x2.extend_low_i32x4_s(i32x4.extend_low_i16x8_s(b));
}
export function pmovsxdq(_a: v128, b: v128): v128 {
  return i64x2.extend_low_i32x4_s(b);
}
export function pmovzxbw(_a: v128, b: v128): v128 {
  return i16x8.extend_low_i8x16_u(b);
}
export function pmovzxbd(_a: v128, b: v128): v128 {
  return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(b));
}
export function pmovzxbq(_a: v128, b: v128): v128 {
  return i64x2.extend_low_i32x4_u(i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(b)));
}
export function pmovzxwd(_a: v128, b: v128): v128 {
  return i32x4.extend_low_i16x8_u(b);
}
export function pmovzxwq(_a: v128, b: v128): v128 {
  return i64x2.extend_low_i32x4_u(i32x4.extend_low_i16x8_u(b));
}
export function pmovzxdq(_a: v128, b: v128): v128 {
  return i64x2.extend_low_i32x4_u(b);
}

// Adjacent elements added or subtracted, those of `a` first.
export function phaddw(a: v128, b: v128): v128 {
  return i16x8.add(evenWords(a, b), oddWords(a, b));
}
export function phaddsw(a: v128, b: v128): v128 {
  return i16x8.add_sat_s(evenWords(a, b), oddWords(a, b));
}
export function phaddd(a: v128, b: v128): v128 {
  return i32x4.add(evenDoublewords(a, b), oddDoublewords(a, b));
}
export function phsubw(a: v128, b: v128): v128 {
  return i16x8.sub(evenWords(a, b), oddWords(a, b));
}
export function phsubsw(a: v128, b: v128): v128 {
  return i16x8.sub_sat_s(evenWords(a, b), oddWords(a, b));
}
export function phsubd(a: v128, b: v128): v128 {
  return i32x4.sub(evenDoublewords(a, b), oddDoublewords(a, b));
}
function evenWords(a: v128, b: v128): v128 {
  return v128.shuffle<u16>(a, b, 0, 2, 4, 6, 8, 10, 12, 14);
}
function oddWords(a: v128, b: v128): v128 {
  return v128.shuffle<u16>(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
}
export function evenDoublewords(a: v128, b: v128): v128 {
  return v128.shuffle<u32>(a, b, 0, 2, 4, 6);
}
export function oddDoublewords(a: v128, b: v128): v128 {
  return v128.shuffle<u32>(a, b, 1, 3, 5, 7);
}

export function pmovmskb(a: v128): i64 {
  return <i64>i8x16.bitmask(a);
}
export function movmskps(a: v128): i64 {
  return <i64>i32x4.bitmask(a);
}
export function movmskpd(a: v128): i64 {
  return <i64>i64x2.bitmask(a);
}

/** An element by its index; `mask` gives its width. */
function element(a: v128, number: u32, bits: u64): i64 {
  const at = <u64>number * bits;
  const half = at >= 64 ? i64x2.extract_lane(a, 1) : i64x2.extract_lane(a, 0);
  const value = <u64>half >> (at & 63);
  return bits == 64 ? value : value & (((<u64>1) << bits) - 1);
}
function replaced(a: v128, number: u32, bits: u64, value: u64): v128 {
  const at = <u64>number * bits;
  const mask = bits == 64 ? ~(<u64>0) : (((<u64>1) << bits) - 1) << (at & 63);
  const half = <u64>(at >= 64 ? i64x2.extract_lane(a, 1) : i64x2.extract_lane(a, 0));
  const changed = (half & ~mask) | ((value << (at & 63)) & mask);
  return at >= 64 ? i64x2.replace_lane(a, 1, changed) : i64x2.replace_lane(a, 0, changed);
}

export function pextrb(a: v128, imm: u32): i64 {
  return element(a, imm & 15, 8);
}
export function pextrw(a: v128, imm: u32): i64 {
  return element(a, imm & 7, 16);
}
export function pextrd<T>(a: v128, imm: u32): i64 {
  return sizeof<T>() == 8 ? element(a, imm & 1, 64) : element(a, imm & 3, 32);
}
export function pinsrb(a: v128, b: v128, imm: u32): v128 {
  return replaced(a, imm & 15, 8, i64x2.extract_lane(b, 0));
}
export function pinsrw(a: v128, b: v128, imm: u32): v128 {
  return replaced(a, imm & 7, 16, i64x2.extract_lane(b, 0));
}
export function pinsrd<T>(a: v128, b: v128, imm: u32): v128 {
  const value = <u64>i64x2.extract_lane(b, 0);
  return sizeof<T>() == 8 ? replaced(a, imm & 1, 64, value) : replaced(a, imm & 3, 32, value);
}

/** Bits 7-6 select the source, 5-4 the destination, 3-0 the cleared elements. */
export function insertps(a: v128, b: v128, imm: u32): v128 {
  return inserted(a, element(b, imm >> 6, 32), imm);
}
export function insertpsFromMemory(a: v128, b: v128, imm: u32): v128 {
  return inserted(a, element(b, 0, 32), imm);
}
function inserted(a: v128, value: u64, imm: u32): v128 {
  const bits = i32x4(1, 2, 4, 8);
  const cleared = i32x4.eq(v128.and(i32x4.splat(imm), bits), bits);
  return v128.andnot(replaced(a, (imm >> 4) & 3, 32, value), cleared);
}

/** Eight sums of four absolute differences: of a block of `b` with blocks of `a` (SDM 2B MPSADBW). */
export function mpsadbw(a: v128, b: v128, imm: u32): v128 {
  const first = imm & 4;
  const block = (imm & 3) << 2;
  let result = i64x2.splat(0);
  for (let n: u32 = 0; n < 8; n++) {
    let sum: i64 = 0;
    for (let k: u32 = 0; k < 4; k++) {
      const difference = element(a, first + n + k, 8) - element(b, block + k, 8);
      sum += difference < 0 ? -difference : difference;
    }
    result = replaced(result, n, 16, sum);
  }
  return result;
}
