// Segment registers. In real-address and virtual-8086 mode a selector is a base, and nothing else of the segment changes
// (SDM 3A 20.1.2): a limit over 64 KiB that protected mode left behind stays.
import {
  CPL,
  CR0,
  EFER,
  EFER_LMA,
  LINEAR_MASK,
  MODE,
  MODE_CODE32,
  MODE_CODE64,
  MODE_REAL,
  SEG_ATTRIBUTES,
  SEG_BASE,
  SEG_CS,
  SEG_FIRST,
  SEG_FS,
  SEG_LIMIT,
  SEG_LINEAR,
  SEG_READABLE,
  SEG_SELECTOR,
  SEG_SS,
  SEG_WRITABLE,
  SEGMENT_SIZE,
  SEGMENTS,
  STACK_MASK,
} from '../layout';
import { notImplemented } from './faults';
import { systemFlag, VM } from './flags';
import { selectTlb } from './tlb';

export const ATTRIBUTE_DB: u32 = 1 << 14;
const ATTRIBUTE_LONG: u32 = 1 << 13;
const ATTRIBUTE_UNUSABLE: u32 = 1 << 16;
const ATTRIBUTE_PRESENT: u32 = 1 << 7;
const CODE_SEGMENT: u32 = 8;
/** Of data segments: they grow down. Of code segments: conforming. */
const EXPAND_DOWN: u32 = 4;
/** Of data segments: writable. Of code segments: readable. */
const ACCESSIBLE: u32 = 2;

export function segmentAt(index: u32): usize {
  return SEGMENTS + <usize>index * SEGMENT_SIZE;
}

export function selectorOf(index: u32): u32 {
  return load<u32>(segmentAt(index), SEG_SELECTOR);
}

/** True in real-address and virtual-8086 mode. */
export function realMode(): bool {
  return (load<u32>(CR0) & 1) == 0 || systemFlag(VM);
}

/** True while 64-bit code runs: it has no segments but for the bases of FS and GS (SDM 3A 3.2.4). */
export function code64(): bool {
  return (load<u32>(MODE) & MODE_CODE64) != 0;
}

/** What may be read and written through a segment, out of its limit and type (SDM 3A 5.3). */
export function openSegment(index: u32): void {
  const s = segmentAt(index);
  if (code64()) {
    store<u64>(s, index < SEG_FS ? 0 : load<u64>(s, SEG_BASE), SEG_LINEAR);
    store<u64>(s, 0, SEG_FIRST);
    store<u64>(s, ~(<u64>0), SEG_READABLE);
    store<u64>(s, ~(<u64>0), SEG_WRITABLE);
    return;
  }
  const attributes = load<u32>(s, SEG_ATTRIBUTES);
  const limit = <u64>load<u32>(s, SEG_LIMIT);
  const code = (attributes & CODE_SEGMENT) != 0;
  let first: u64 = 0;
  let length: u64 = limit + 1;
  if (!code && attributes & EXPAND_DOWN) {
    first = limit + 1;
    const top: u64 = attributes & ATTRIBUTE_DB ? 0xffffffff : 0xffff;
    length = top > limit ? top - limit : 0;
  }
  if (attributes & ATTRIBUTE_UNUSABLE || !(attributes & ATTRIBUTE_PRESENT)) length = 0;
  const real = realMode();
  store<u64>(s, load<u64>(s, SEG_BASE) & 0xffffffff, SEG_LINEAR);
  store<u64>(s, first, SEG_FIRST);
  store<u64>(s, real || !code || attributes & ACCESSIBLE ? length : 0, SEG_READABLE);
  store<u64>(s, real || (!code && attributes & ACCESSIBLE) ? length : 0, SEG_WRITABLE);
}

/** Works out what depends on CS, SS and the control registers. */
export function updateMode(): void {
  const attributes = load<u32>(segmentAt(SEG_CS), SEG_ATTRIBUTES);
  const stack = load<u32>(segmentAt(SEG_SS), SEG_ATTRIBUTES);
  const long = (load<u32>(EFER) & EFER_LMA) != 0 && (attributes & ATTRIBUTE_LONG) != 0;
  const mode =
    (long ? MODE_CODE64 : attributes & ATTRIBUTE_DB ? MODE_CODE32 : 0) | (realMode() ? MODE_REAL : 0);
  const before = load<u32>(MODE);
  store<u32>(MODE, mode);
  if ((before ^ mode) & (MODE_CODE64 | MODE_REAL)) for (let i: u32 = 0; i < 6; i++) openSegment(i);
  store<u32>(CPL, systemFlag(VM) ? 3 : realMode() ? 0 : (stack >> 5) & 3);
  store<u64>(STACK_MASK, long ? ~(<u64>0) : stack & ATTRIBUTE_DB ? 0xffffffff : 0xffff);
  store<u64>(LINEAR_MASK, long ? ~(<u64>0) : 0xffffffff);
  selectTlb();
}

/** Loads a segment register; look at `failed()` afterwards. */
export function loadSegment(index: u32, selector: u32): void {
  if (!realMode()) {
    notImplemented();
    return;
  }
  store<u32>(segmentAt(index), selector & 0xffff, SEG_SELECTOR);
  store<u64>(segmentAt(index), (<u64>(selector & 0xffff)) << 4, SEG_BASE);
  store<u64>(segmentAt(index), (<u64>(selector & 0xffff)) << 4, SEG_LINEAR);
}
