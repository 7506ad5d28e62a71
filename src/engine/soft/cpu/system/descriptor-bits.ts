// The bits of a descriptor (SDM 3A 3.4.5, 3.5).
import { EFER } from '../../layout';

// Attributes: bits 40 to 55 of a descriptor, without the limit's four bits between them.
export const ACCESSED: u32 = 1;
/** Of data segments: writable. Of code segments: readable. */
export const ACCESSIBLE: u32 = 2;
/** Of data segments: expand-down. */
export const EXPAND_DOWN: u32 = 4;
/** Of code segments: conforming, they run at the caller's privilege. */
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

/** Data, or readable code. */
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

/** The highest offset within the limit. */
export function limitOf(descriptor: u64): u32 {
  const limit = <u32>(descriptor & 0xffff) | (<u32>(descriptor >> 32) & 0xf0000);
  return attributesOf(descriptor) & GRANULAR ? (limit << 12) | 0xfff : limit;
}

export function isNull(selector: u32): bool {
  return (selector & 0xfffc) == 0;
}
