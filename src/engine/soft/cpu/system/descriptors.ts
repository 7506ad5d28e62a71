// Descriptors (SDM 3A 3.4.5, 3.5) and the tables that hold them.
import {
  GDT_BASE,
  GDT_LIMIT,
  SEG_ATTRIBUTES,
  SEG_BASE,
  SEG_LDT,
  SEG_LIMIT,
  SEGMENT_SIZE,
  SEGMENTS,
} from '../../layout';
import { selectorFault } from '../core/faults';
import { readSystem, writeSystem } from '../core/memory';
import { failed } from '../core/trouble';
import { ACCESSED, attributesOf, longMode, UNUSABLE } from './descriptor-bits';

/** Not an address of a descriptor: the table's limit is below it. */
export const OUTSIDE: u64 = ~(<u64>0);

/** The linear address of a selector's descriptor, of which `size` bytes must be within the table's limit; else OUTSIDE. */
export function descriptorAt(selector: u32, size: u32 = 8): u64 {
  const table = SEGMENTS + SEG_LDT * SEGMENT_SIZE;
  const local = (selector & 4) != 0;
  if (local && load<u32>(table, SEG_ATTRIBUTES) & UNUSABLE) return OUTSIDE;
  const limit = local ? load<u32>(table, SEG_LIMIT) : load<u32>(GDT_LIMIT);
  if ((selector & 0xfff8) + size - 1 > limit) return OUTSIDE;
  const base = local ? load<u64>(table, SEG_BASE) : load<u64>(GDT_BASE);
  const linear = base + <u64>(selector & 0xfff8);
  return longMode() ? linear : linear & 0xffffffff;
}

/** A selector's descriptor. Beyond the table's limit: fault `vector` with the selector as its error code. */
export function descriptorOf(selector: u32, vector: u32): u64 {
  const at = descriptorAt(selector);
  if (at == OUTSIDE) {
    selectorFault(vector, selector);
    return 0;
  }
  return readSystem<u64>(at);
}

/** The upper half of the base that a system descriptor has in long mode (SDM 3A 3.5). */
export function upperHalf(selector: u32, vector: u32): u64 {
  const at = descriptorAt(selector, 16);
  if (at == OUTSIDE) {
    selectorFault(vector, selector);
    return 0;
  }
  const upper = readSystem<u64>(at + 8);
  // The bits at the position of a descriptor's type must be 0.
  if (!failed() && ((upper >> 40) & 0x1f) != 0) selectorFault(vector, selector);
  return upper & 0xffffffff;
}

/** Sets a segment's accessed bit in its table, and returns the updated descriptor. */
export function markAccessed(selector: u32, descriptor: u64): u64 {
  if (attributesOf(descriptor) & ACCESSED) return descriptor;
  const marked = descriptor | ((<u64>1) << 40);
  writeSystem<u8>(descriptorAt(selector) + 5, <u8>(marked >> 40));
  return marked;
}
