/**
 * The names of WebAssembly's instructions (core specification, 5.4) in its text format.
 *
 * @module
 */

const words = (text: string) => text.trim().split(/\s+/);
const of = (type: string, names: string) => words(names).map((name) => `${type}.${name}`);

const COMPARE = 'eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u';
const COMPARE_FLOAT = 'eq ne lt gt le ge';
const INTEGER = 'clz ctz popcnt add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr';
const FLOAT = 'abs neg ceil floor trunc nearest sqrt add sub mul div min max copysign';
const LANES_FLOAT = 'add sub mul div min max pmin pmax';
const SHIFT = 'shl shr_s shr_u';
const LIMITS = 'min_s min_u max_s max_u';
const SATURATED = 'add add_sat_s add_sat_u sub sub_sat_s sub_sat_u';
const halves = (verb: string, from: string) =>
  `${verb}_low_${from}_s ${verb}_high_${from}_s ${verb}_low_${from}_u ${verb}_high_${from}_u`;

/** Instructions of one byte, in sequences from the given opcode on. */
const plain: [first: number, names: string[]][] = [
  [0x00, words('unreachable nop block loop if else')],
  [0x0b, words('end br br_if br_table return call call_indirect')],
  [0x1a, words('drop select')],
  [0x20, words('local.get local.set local.tee global.get global.set')],
  [0x28, words('i32.load i64.load f32.load f64.load')],
  [0x2c, of('i32', 'load8_s load8_u load16_s load16_u')],
  [0x30, of('i64', 'load8_s load8_u load16_s load16_u load32_s load32_u')],
  [0x36, words('i32.store i64.store f32.store f64.store i32.store8 i32.store16')],
  [0x3c, of('i64', 'store8 store16 store32')],
  [0x41, words('i32.const i64.const f32.const f64.const')],
  [0x45, of('i32', `eqz ${COMPARE}`)],
  [0x50, of('i64', `eqz ${COMPARE}`)],
  [0x5b, of('f32', COMPARE_FLOAT)],
  [0x61, of('f64', COMPARE_FLOAT)],
  [0x67, of('i32', INTEGER)],
  [0x79, of('i64', INTEGER)],
  [0x8b, of('f32', FLOAT)],
  [0x99, of('f64', FLOAT)],
  [0xa7, of('i32', 'wrap_i64 trunc_f32_s trunc_f32_u trunc_f64_s trunc_f64_u')],
  [0xac, of('i64', 'extend_i32_s extend_i32_u trunc_f32_s trunc_f32_u trunc_f64_s trunc_f64_u')],
  [0xb2, of('f32', 'convert_i32_s convert_i32_u convert_i64_s convert_i64_u demote_f64')],
  [0xb7, of('f64', 'convert_i32_s convert_i32_u convert_i64_s convert_i64_u promote_f32')],
  [0xbc, words('i32.reinterpret_f32 i64.reinterpret_f64 f32.reinterpret_i32 f64.reinterpret_i64')],
  [0xc0, words('i32.extend8_s i32.extend16_s i64.extend8_s i64.extend16_s i64.extend32_s')],
];

/** Those after FC. */
const prefixed: [first: number, names: string[]][] = [
  [0, of('i32', 'trunc_sat_f32_s trunc_sat_f32_u trunc_sat_f64_s trunc_sat_f64_u')],
  [4, of('i64', 'trunc_sat_f32_s trunc_sat_f32_u trunc_sat_f64_s trunc_sat_f64_u')],
  [10, words('memory.copy memory.fill')],
];

/** Those after FD. */
const vector: [first: number, names: string[]][] = [
  [0, of('v128', 'load load8x8_s load8x8_u load16x4_s load16x4_u load32x2_s load32x2_u')],
  [7, of('v128', 'load8_splat load16_splat load32_splat load64_splat store const')],
  [13, of('i8x16', 'shuffle swizzle')],
  [15, words('i8x16.splat i16x8.splat i32x4.splat i64x2.splat f32x4.splat f64x2.splat')],
  [21, of('i8x16', 'extract_lane_s extract_lane_u replace_lane')],
  [24, of('i16x8', 'extract_lane_s extract_lane_u replace_lane')],
  ...['i32x4', 'i64x2', 'f32x4', 'f64x2'].map((type, n): [number, string[]] => [
    27 + 2 * n,
    of(type, 'extract_lane replace_lane'),
  ]),
  [35, of('i8x16', COMPARE)],
  [45, of('i16x8', COMPARE)],
  [55, of('i32x4', COMPARE)],
  [65, of('f32x4', COMPARE_FLOAT)],
  [71, of('f64x2', COMPARE_FLOAT)],
  [77, of('v128', 'not and andnot or xor bitselect any_true')],
  [84, of('v128', 'load8_lane load16_lane load32_lane load64_lane')],
  [88, of('v128', 'store8_lane store16_lane store32_lane store64_lane load32_zero load64_zero')],
  [94, words('f32x4.demote_f64x2_zero f64x2.promote_low_f32x4')],
  [96, of('i8x16', 'abs neg popcnt all_true bitmask narrow_i16x8_s narrow_i16x8_u')],
  [103, of('f32x4', 'ceil floor trunc nearest')],
  [107, of('i8x16', `${SHIFT} ${SATURATED}`)],
  [116, of('f64x2', 'ceil floor')],
  [118, of('i8x16', LIMITS)],
  [122, words('f64x2.trunc i8x16.avgr_u')],
  [124, of('i16x8', 'extadd_pairwise_i8x16_s extadd_pairwise_i8x16_u')],
  [126, of('i32x4', 'extadd_pairwise_i16x8_s extadd_pairwise_i16x8_u')],
  [128, of('i16x8', 'abs neg q15mulr_sat_s all_true bitmask narrow_i32x4_s narrow_i32x4_u')],
  [135, of('i16x8', `${halves('extend', 'i8x16')} ${SHIFT} ${SATURATED}`)],
  [148, words('f64x2.nearest i16x8.mul')],
  [150, of('i16x8', LIMITS)],
  [155, of('i16x8', `avgr_u ${halves('extmul', 'i8x16')}`)],
  [160, of('i32x4', 'abs neg')],
  [163, of('i32x4', 'all_true bitmask')],
  [167, of('i32x4', `${halves('extend', 'i16x8')} ${SHIFT} add`)],
  [177, of('i32x4', 'sub')],
  [181, of('i32x4', `mul ${LIMITS} dot_i16x8_s`)],
  [188, of('i32x4', halves('extmul', 'i16x8'))],
  [192, of('i64x2', 'abs neg')],
  [195, of('i64x2', 'all_true bitmask')],
  [199, of('i64x2', `${halves('extend', 'i32x4')} ${SHIFT} add`)],
  [209, of('i64x2', 'sub')],
  [213, of('i64x2', 'mul eq ne lt_s gt_s le_s ge_s')],
  [220, of('i64x2', halves('extmul', 'i32x4'))],
  [224, of('f32x4', 'abs neg')],
  [227, of('f32x4', `sqrt ${LANES_FLOAT}`)],
  [236, of('f64x2', 'abs neg')],
  [239, of('f64x2', `sqrt ${LANES_FLOAT}`)],
  [248, of('i32x4', 'trunc_sat_f32x4_s trunc_sat_f32x4_u')],
  [250, of('f32x4', 'convert_i32x4_s convert_i32x4_u')],
  [252, of('i32x4', 'trunc_sat_f64x2_s_zero trunc_sat_f64x2_u_zero')],
  [254, of('f64x2', 'convert_low_i32x4_s convert_low_i32x4_u')],
];

function spread(runs: readonly [first: number, names: string[]][]): string[] {
  const all: string[] = [];
  for (const [first, names] of runs) for (const [n, name] of names.entries()) all[first + n] = name;
  return all;
}

/** By the opcode. */
export const plainNames = spread(plain);
/** By the number after FC. */
export const prefixedNames = spread(prefixed);
/** By the number after FD. */
export const vectorNames = spread(vector);
