// The transcendental instructions (SDM 1 8.3.8 to 8.3.11): this file handles special operands, the others calculate.
import { CPU_AMD } from '../../layout';
import { normalBits, normalExponent } from './arithmetic';
import { note, overflows, ready, settle, underflows } from './instruction';
import { logarithm, logarithmOfOneMore, powerLessOne } from './logarithm';
import {
  BIAS,
  binary,
  bits,
  classOf,
  denormals,
  exponent,
  give,
  giveInfinity,
  giveZero,
  INFINITY,
  INTEGER_BIT,
  invalid,
  MAX_EXPONENT,
  NORMAL,
  noteDenormal,
  SIGN,
  unary,
  ZERO,
} from './numbers';
import { giveInexact, giveRounded, justBelow, set } from './precise';
import {
  C0,
  C2,
  C3,
  commit,
  commitConditions,
  exponentOf,
  PE,
  pop,
  push,
  raise,
  significand,
  statusWord,
  ZE,
} from './registers';
import { arctangent, cosine, eighths, inRange, isTiny, reduce, sine, tangent } from './trigonometry';

function begin(pc: usize): bool {
  if (!ready()) return false;
  note(pc);
  noteDenormal(false);
  return true;
}

/** C2 reports that the argument was too large; C0 and C3 do not change. */
function commitRange(tooLarge: bool): void {
  commitConditions((statusWord() & (C0 | C3)) | (tooLarge ? C2 : 0));
}

const SINE: u32 = 0;
const COSINE: u32 = 1;
const TANGENT: u32 = 2;

/**
 * The sine of a number so small that Intel's processors return the number itself and raise PE. AMD's round a slightly smaller
 * value, like any other result (measured on an EPYC): it underflows where it is tiny after rounding.
 */
function tinySine(e: u32, b: u64): void {
  const exponent = normalExponent(e, b);
  if (!load<u32>(CPU_AMD)) return giveInexact(e & SIGN, exponent, normalBits(b), 0);
  set(normalBits(b), 0, exponent - BIAS + 1);
  justBelow();
  giveRounded(e & SIGN);
}

/** One of the three functions of ST(0), which is not empty. */
function circular(what: u32, e: u32, b: u64): void {
  const kind = classOf(e, b);
  if (unary(kind, e, b)) return;
  if (kind == INFINITY) return invalid();
  denormals(kind, NORMAL);
  if (kind == ZERO) {
    if (what == COSINE) give(<u32>BIAS, INTEGER_BIT);
    else giveZero(e & SIGN);
    return;
  }
  if (isTiny(e)) {
    if (what == COSINE) give(<u32>BIAS, INTEGER_BIT);
    else if (what == SINE) tinySine(e, b);
    else giveInexact(e & SIGN, normalExponent(e, b), normalBits(b), 0);
    return raise(PE);
  }
  reduce(e, b);
  if (what == SINE) sine(e & SIGN);
  else if (what == COSINE) cosine();
  else tangent(e & SIGN);
}

/** True if the magnitude of ST(0) is 2^63 or more: only C2 is set. */
function tooLarge(): bool {
  return classOf(exponentOf(0), significand(0)) == NORMAL && !inRange(exponentOf(0));
}

function one(pc: usize, what: u32): void {
  if (!begin(pc)) return;
  if (!underflows(0)) {
    if (tooLarge()) return commitRange(true);
    circular(what, exponentOf(0), significand(0));
  }
  settle(0);
  commitRange(false);
}

export function fsin(pc: usize): void {
  one(pc, SINE);
}

export function fcos(pc: usize): void {
  one(pc, COSINE);
}

/** Two results: the second is pushed. */
function two(pc: usize, what: u32): void {
  if (!begin(pc)) return;
  let e = exponent;
  let b = bits;
  if (underflows(0) || overflows()) {
    e = exponent;
    b = bits;
  } else {
    if (tooLarge()) return commitRange(true);
    const x = exponentOf(0);
    const xBits = significand(0);
    circular(what, x, xBits);
    e = exponent;
    b = bits;
    const kind = classOf(x, xBits);
    if (what == SINE) circular(COSINE, x, xBits);
    else if (kind < INFINITY) give(<u32>BIAS, INTEGER_BIT);
  }
  const secondExponent = exponent;
  const secondBits = bits;
  give(e, b);
  if (settle(0)) push(secondExponent, secondBits);
  commitRange(false);
}

export function fsincos(pc: usize): void {
  two(pc, SINE);
}

export function fptan(pc: usize): void {
  two(pc, TANGENT);
}

/** The result of ST(1) and ST(0) replaces ST(1), and ST(0) is popped. */
function finishTwo(): void {
  if (settle(1)) pop();
  commit();
}

/** SDM 2A table 3-30. */
function arctangentOf(ye: u32, yb: u64, xe: u32, xb: u64): void {
  const y = classOf(ye, yb);
  const x = classOf(xe, xb);
  if (binary(x, xe, xb, y, ye, yb)) return;
  denormals(y, x);
  const sign = ye & SIGN;
  const left = (xe & SIGN) != 0;
  if (y == INFINITY) return eighths(x != INFINITY ? 2 : left ? 3 : 1, sign);
  if (y == ZERO || x == INFINITY) return left ? eighths(4, sign) : giveZero(sign);
  if (x == ZERO) return eighths(2, sign);
  arctangent(ye, yb, xe, xb);
}

export function fpatan(pc: usize): void {
  if (!begin(pc)) return;
  if (!underflows(0) && !underflows(1))
    arctangentOf(exponentOf(1), significand(1), exponentOf(0), significand(0));
  finishTwo();
}

/** SDM 2A table 3-52. */
function logarithmOf(xe: u32, xb: u64, ye: u32, yb: u64): void {
  const x = classOf(xe, xb);
  const y = classOf(ye, yb);
  if (binary(x, xe, xb, y, ye, yb)) return;
  const sign = ye & SIGN;
  if (x == ZERO) {
    if (y == ZERO) return invalid();
    if (y != INFINITY) raise(ZE);
    return giveInfinity(sign ^ SIGN);
  }
  if (xe & SIGN) return invalid();
  const isOne = xe == <u32>BIAS && xb == INTEGER_BIT;
  if ((isOne && y == INFINITY) || (x == INFINITY && y == ZERO)) return invalid();
  denormals(x, y);
  const less = xe < <u32>BIAS ? SIGN : 0;
  if (x == INFINITY || y == INFINITY) return giveInfinity(sign ^ less);
  if (isOne || y == ZERO) return giveZero(sign ^ less);
  logarithm(xe, xb, ye, yb);
}

export function fyl2x(pc: usize): void {
  if (!begin(pc)) return;
  if (!underflows(0) && !underflows(1))
    logarithmOf(exponentOf(0), significand(0), exponentOf(1), significand(1));
  finishTwo();
}

/** SDM 2A table 3-53. */
function logarithmOfOneMoreThan(xe: u32, xb: u64, ye: u32, yb: u64): void {
  const x = classOf(xe, xb);
  const y = classOf(ye, yb);
  if (binary(x, xe, xb, y, ye, yb)) return;
  const sign = (xe ^ ye) & SIGN;
  if ((x == ZERO && y == INFINITY) || (x == INFINITY && y == ZERO)) return invalid();
  if (x == INFINITY && xe & SIGN) return invalid();
  denormals(x, y);
  if (x == ZERO || y == ZERO) return giveZero(sign);
  if (x == INFINITY || y == INFINITY) return giveInfinity(sign);
  // Not defined; processors return the argument.
  if (xe & SIGN && (xe & MAX_EXPONENT) >= <u32>BIAS) {
    raise(PE);
    return give(xe, xb);
  }
  logarithmOfOneMore(xe, xb, ye, yb);
}

export function fyl2xp1(pc: usize): void {
  if (!begin(pc)) return;
  if (!underflows(0) && !underflows(1))
    logarithmOfOneMoreThan(exponentOf(0), significand(0), exponentOf(1), significand(1));
  finishTwo();
}

/** SDM 2A table 3-17. Magnitudes over 1 have no defined result: processors return the argument. */
export function f2xm1(pc: usize): void {
  if (!begin(pc)) return;
  if (!underflows(0)) {
    const e = exponentOf(0);
    const b = significand(0);
    const kind = classOf(e, b);
    if (!unary(kind, e, b)) {
      denormals(kind, NORMAL);
      if (kind == ZERO) giveZero(e & SIGN);
      else if (kind == INFINITY) give(e & SIGN ? SIGN | <u32>BIAS : e, INTEGER_BIT);
      else {
        raise(PE);
        const isOne = (e & MAX_EXPONENT) == <u32>BIAS && b == INTEGER_BIT;
        if ((e & MAX_EXPONENT) < <u32>BIAS) powerLessOne(e, b);
        else give(isOne && e & SIGN ? e - 1 : e, b);
      }
    }
  }
  settle(0);
  commit();
}
