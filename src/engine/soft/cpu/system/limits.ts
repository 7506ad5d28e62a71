// Segment limits that a single comparison cannot check.
import { SEG_ATTRIBUTES, SEG_LIMIT } from '../../layout';
import { realMode } from '../core/cpu-mode';
import { ACCESSIBLE, BIG, CODE_SEGMENT, EXPAND_DOWN, PRESENT, UNUSABLE } from './descriptor-bits';

export function growsDown(attributes: u32): bool {
  return (attributes & (CODE_SEGMENT | EXPAND_DOWN)) == EXPAND_DOWN;
}

/** True if an expand-down segment allows an access: above its limit, up to the top (SDM 3A 6.3). */
export function allowsBelow(s: usize, ea: u64, size: u64, write: bool): bool {
  const attributes = load<u32>(s, SEG_ATTRIBUTES);
  if (!growsDown(attributes) || attributes & UNUSABLE || !(attributes & PRESENT)) return false;
  const top: u64 = attributes & BIG ? 0xffffffff : 0xffff;
  const allowed = !write || realMode() || (attributes & ACCESSIBLE) != 0;
  return allowed && ea > <u64>load<u32>(s, SEG_LIMIT) && ea + (size - 1) <= top;
}
