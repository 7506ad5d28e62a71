// Checks of a transfer's target.

import { fault, GP } from '../core/faults';
import { canonical } from '../core/paging';
import { attributesOf, BIG, LONG_CODE, limitOf, longMode } from './descriptor-bits';

/** True if code at `offset` of the segment can run; #GP(0) where it cannot. */
export function checkTarget(descriptor: u64, offset: u64): bool {
  const long = longMode() && attributesOf(descriptor) & LONG_CODE;
  if (long ? canonical(offset) : offset <= <u64>limitOf(descriptor)) return true;
  fault(GP);
  return false;
}

/** L and D both set: no such segment in long mode (SDM 3A 6.2.1). */
export function isMalformed(attributes: u32): bool {
  return longMode() && (attributes & (LONG_CODE | BIG)) == (LONG_CODE | BIG);
}
