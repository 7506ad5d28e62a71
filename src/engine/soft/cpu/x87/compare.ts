// Comparison and classification (SDM 2A FCOM, FCOMI, FTST, FUCOM, FXAM).
import { normalBits, normalExponent } from './arithmetic';
import {
  classOf,
  DENORMAL,
  denormals,
  INFINITY,
  isNan,
  SIGN,
  SIGNALING_NAN,
  UNSUPPORTED,
  ZERO,
} from './numbers';
import { C0, C2, C3, IE, raise } from './registers';

/** C0, C2 and C3 for unordered numbers (SDM 1 table 8-6). */
export const UNORDERED: u32 = C0 | C2 | C3;
const LESS: u32 = C0;
const EQUAL: u32 = C3;

/** The condition codes of a compared with b. `quiet`: a quiet NaN raises no exception. */
export function compare(ae: u32, ab: u64, be: u32, bb: u64, quiet: bool): u32 {
  const a = classOf(ae, ab);
  const b = classOf(be, bb);
  if (a > INFINITY || b > INFINITY) {
    if (!quiet || a >= SIGNALING_NAN || b >= SIGNALING_NAN) raise(IE);
    return UNORDERED;
  }
  denormals(a, b);
  if (a == ZERO && b == ZERO) return EQUAL;
  const aNegative = (ae & SIGN) != 0;
  const bNegative = (be & SIGN) != 0;
  if (a == ZERO) return bNegative ? 0 : LESS;
  if (b == ZERO || aNegative != bNegative) return aNegative ? LESS : 0;
  const aScale = normalExponent(ae, ab);
  const bScale = normalExponent(be, bb);
  const x = normalBits(ab);
  const y = normalBits(bb);
  if (aScale == bScale && x == y) return EQUAL;
  const smaller = aScale < bScale || (aScale == bScale && x < y);
  return smaller != aNegative ? LESS : 0;
}

/** FXAM without the sign (SDM 2A table 3-42). */
export function examine(e: u32, b: u64): u32 {
  const kind = classOf(e, b);
  if (kind == ZERO) return C3;
  if (kind == DENORMAL) return C3 | C2;
  if (kind == INFINITY) return C2 | C0;
  if (isNan(kind)) return C0;
  return kind == UNSUPPORTED ? 0 : C2;
}
