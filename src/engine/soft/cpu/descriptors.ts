// Descriptors (SDM 3A 3.4.5, 3.5) and the tables that hold them.
import {
  EFER,
  GDT_BASE,
  GDT_LIMIT,
  SEG_ATTRIBUTES,
  SEG_BASE,
  SEG_LDT,
  SEG_LIMIT,
  SEGMENT_SIZE,
  SEGMENTS,
} from '../layout';
import { selectorFault } from './faults';
import { failed, readSystem, writeSystem } from './memory';

// Attributes: bits 40 to 55 of a descriptor, without the limit's four bits between them.
export const ACCESSED: u32 = 1;
/** Of data segments: writable. Of code segments: readable. */
export const ACCESSIBLE: u32 = 2;
/** Of data segments: they grow down. */
export const EXPAND_DOWN: u32 = 4;
/** Of code segments: they run at the privilege of whoever comes. */
export const CONFORMING: u32 = 4;
export const CODE_SEGMENT: u32 = 8;
/** Code or data, and not a system segment. */
export const NOT_SYSTEM: u32 = 0x10;
export const PRESENT: u32 = 0x80;
export const LONG_CODE: u32 = 1 << 13;
export const BIG: u32 = 1 << 14;
const GRANULAR: u32 = 1 << 15;
export const UNUSABLE: u32 = 1 << 16;

// Types of system descriptors (SDM 3A table 3-2); bit 3: for 32 bits, in long mode for 64.
export const TSS_16: u32 = 1;
export const LDT: u32 = 2;
export const CALL_GATE_16: u32 = 4;
export const TASK_GATE: u32 = 5;
export const INTERRUPT_GATE_16: u32 = 6;
export const TRAP_GATE_16: u32 = 7;
export const TSS_32: u32 = 9;
export const CALL_GATE_32: u32 = 12;
export const INTERRUPT_GATE_32: u32 = 14;
export const TRAP_GATE_32: u32 = 15;
export const BUSY: u32 = 2;

/** EFER.LMA: 64-bit code, or compatibility mode. */
export function longMode(): bool {
  return (load<u32>(EFER) & 0x400) != 0;
}

export function attributesOf(descriptor: u64): u32 {
  return <u32>(descriptor >> 40) & 0xf0ff;
}

export function privilegeOf(attributes: u32): u32 {
  return (attributes >> 5) & 3;
}

export function typeOf(attributes: u32): u32 {
  return attributes & 15;
}

export function isCode(attributes: u32): bool {
  return (attributes & (NOT_SYSTEM | CODE_SEGMENT)) == (NOT_SYSTEM | CODE_SEGMENT);
}

/** Data, or code that may be read. */
export function isReadable(attributes: u32): bool {
  return (attributes & NOT_SYSTEM) != 0 && (attributes & (CODE_SEGMENT | ACCESSIBLE)) != CODE_SEGMENT;
}

export function isWritable(attributes: u32): bool {
  return (attributes & (NOT_SYSTEM | CODE_SEGMENT | ACCESSIBLE)) == (NOT_SYSTEM | ACCESSIBLE);
}

export function isConforming(attributes: u32): bool {
  return (attributes & (CODE_SEGMENT | CONFORMING)) == (CODE_SEGMENT | CONFORMING);
}

export function baseOf(descriptor: u64): u64 {
  return ((descriptor >> 16) & 0xffffff) | ((descriptor >> 32) & 0xff000000);
}

/** The last byte that the limit allows. */
export function limitOf(descriptor: u64): u32 {
  const limit = <u32>(descriptor & 0xffff) | (<u32>(descriptor >> 32) & 0xf0000);
  return attributesOf(descriptor) & GRANULAR ? (limit << 12) | 0xfff : limit;
}

export function isNull(selector: u32): bool {
  return (selector & 0xfffc) == 0;
}

/** No address of a descriptor: its table ends before it. */
export const OUTSIDE: u64 = ~(<u64>0);

/** The linear address of a selector's descriptor, of which the table must have `size` bytes; else OUTSIDE. */
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

/** A selector's descriptor. Where its table has none: fault `vector` with the selector as its error code. */
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
  // Where the type of a descriptor would be there must be 0.
  if (!failed() && ((upper >> 40) & 0x1f) != 0) selectorFault(vector, selector);
  return upper & 0xffffffff;
}

/** Notes in its table that a segment was used, and gives the descriptor as it is then. */
export function markAccessed(selector: u32, descriptor: u64): u64 {
  if (attributesOf(descriptor) & ACCESSED) return descriptor;
  const marked = descriptor | ((<u64>1) << 40);
  writeSystem<u8>(descriptorAt(selector) + 5, <u8>(marked >> 40));
  return marked;
}
