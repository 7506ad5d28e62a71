// MMX instructions that are not the low half of the SSE instruction: two 64-bit registers are combined to 128 bits.
import { FPU_TAGS, RDI } from '../../layout';
import { ALIGNMENT, fault } from '../core/faults';
import { checksAlignment, checkWrite, linearAddress, write } from '../core/memory';
import { cutAddress, segment } from '../core/operands';
import { failed } from '../core/trouble';
import { mmx, mmxReg, mmxRm, sse, usedMmx, xmmReg, xmmRm } from './registers';
import {
  packssdw,
  packsswb,
  packuswb,
  palignr,
  pextrw,
  phaddd,
  phaddsw,
  phaddw,
  phsubd,
  phsubsw,
  phsubw,
  pinsrw,
  pmovmskb,
  pshufb,
  punpcklbw,
  punpckldq,
  punpcklqdq,
  punpcklwd,
  upper,
} from './shuffles';

function joined(a: v128, b: v128): v128 {
  return punpcklqdq(a, b);
}

export function packsswbMmx(a: v128, b: v128): v128 {
  return packsswb(joined(a, b), b);
}
export function packuswbMmx(a: v128, b: v128): v128 {
  return packuswb(joined(a, b), b);
}
export function packssdwMmx(a: v128, b: v128): v128 {
  return packssdw(joined(a, b), b);
}
export function punpckhbwMmx(a: v128, b: v128): v128 {
  return upper(a, punpcklbw(a, b));
}
export function punpckhwdMmx(a: v128, b: v128): v128 {
  return upper(a, punpcklwd(a, b));
}
export function punpckhdqMmx(a: v128, b: v128): v128 {
  return upper(a, punpckldq(a, b));
}
/** Byte indices have three bits. */
export function pshufbMmx(a: v128, b: v128): v128 {
  return pshufb(a, v128.and(b, i8x16.splat(-121)));
}
export function phaddwMmx(a: v128, b: v128): v128 {
  return phaddw(joined(a, b), b);
}
export function phadddMmx(a: v128, b: v128): v128 {
  return phaddd(joined(a, b), b);
}
export function phaddswMmx(a: v128, b: v128): v128 {
  return phaddsw(joined(a, b), b);
}
export function phsubwMmx(a: v128, b: v128): v128 {
  return phsubw(joined(a, b), b);
}
export function phsubdMmx(a: v128, b: v128): v128 {
  return phsubd(joined(a, b), b);
}
export function phsubswMmx(a: v128, b: v128): v128 {
  return phsubsw(joined(a, b), b);
}
export function palignrMmx(a: v128, b: v128, count: u32): v128 {
  return palignr(i64x2.splat(0), joined(b, a), min<u32>(count, 16));
}
export function pmovmskbMmx(a: v128): i64 {
  return pmovmskb(a) & 0xff;
}
export function pextrwMmx(a: v128, imm: u32): i64 {
  return pextrw(a, imm & 3);
}
export function pinsrwMmx(a: v128, b: v128, imm: u32): v128 {
  return pinsrw(a, b, imm & 3);
}

/** Marks the x87 FPU's registers as empty. */
export function emms(_pc: usize): void {
  if (!mmx()) return;
  usedMmx();
  store<u8>(FPU_TAGS, 0);
}

/**
 * Writes the bytes whose bit is set in `mask` at DS:(R)DI: all of them, or none where one cannot be written. #AC demands an
 * alignment of eight, for both forms and every mask.
 */
function scatter(pc: usize, low: u64, high: u64, mask: u32, count: u32): void {
  const start = load<u64>(RDI);
  if (linearAddress(segment(pc), cutAddress(pc, start)) & 7 && checksAlignment()) {
    fault(ALIGNMENT);
    return;
  }
  for (let n: u32 = 0; n < count; n++) {
    if ((mask >> n) & 1) checkWrite(segment(pc), cutAddress(pc, start + n), 1, 1);
    if (failed()) return;
  }
  for (let n: u32 = 0; n < count; n++) {
    const byte = (n < 8 ? low : high) >> <u64>((n & 7) << 3);
    if ((mask >> n) & 1) write<u8>(segment(pc), cutAddress(pc, start + n), <u8>byte);
    if (failed()) return;
  }
}

export function maskmovq(pc: usize): void {
  if (!mmx()) return;
  usedMmx();
  scatter(pc, i64x2.extract_lane(mmxReg(pc), 0), 0, i8x16.bitmask(mmxRm(pc)) & 0xff, 8);
}

export function maskmovdqu(pc: usize): void {
  if (!sse()) return;
  const data = xmmReg(pc);
  scatter(pc, i64x2.extract_lane(data, 0), i64x2.extract_lane(data, 1), i8x16.bitmask(xmmRm(pc)), 16);
}
