// Segment registers (SDM 3A 3.4). In real-address and virtual-8086 mode a selector sets the base, and the rest of the segment
// does not change (SDM 3B 21.1.2): a limit over 64 KiB from protected mode stays ("unreal mode").
import {
  CPL,
  LINEAR_MASK,
  MODE,
  MODE_CODE32,
  MODE_CODE64,
  MODE_COUNT,
  MODE_FLAT,
  MODE_REAL,
  SEG_ATTRIBUTES,
  SEG_BASE,
  SEG_CS,
  SEG_DS,
  SEG_ES,
  SEG_FS,
  SEG_LIMIT,
  SEG_LINEAR,
  SEG_NEXT_STACK,
  SEG_READABLE,
  SEG_SELECTOR,
  SEG_SS,
  SEG_WRITABLE,
  SEGMENT_SIZE,
  SEGMENTS,
  STACK_MASK,
} from '../../layout';
import { cutLinks } from '../core/code-pages';
import { code64, level, realMode } from '../core/cpu-mode';
import { GP, NP, SS, selectorFault } from '../core/faults';
import { systemFlag, VM } from '../core/flags';
import { selectTlb } from '../core/tlb';
import { failed } from '../core/trouble';
import {
  ACCESSIBLE,
  attributesOf,
  BIG,
  baseOf,
  CODE_SEGMENT,
  isConforming,
  isNull,
  isReadable,
  isWritable,
  LONG_CODE,
  limitOf,
  longMode,
  PRESENT,
  privilegeOf,
  UNUSABLE,
} from './descriptor-bits';
import { descriptorOf, markAccessed } from './descriptors';
import { growsDown } from './limits';

export function segmentAt(index: u32): usize {
  return SEGMENTS + <usize>index * SEGMENT_SIZE;
}

export function selectorOf(index: u32): u32 {
  return load<u32>(segmentAt(index), SEG_SELECTOR);
}

/**
 * Computes what may be read and written through a segment, from its limit and type (SDM 3A 6.3): nothing on the fast path if it
 * is expand-down.
 */
export function openSegment(index: u32): void {
  const s = segmentAt(index);
  const own = load<u64>(s, SEG_BASE);
  // 64-bit code checks neither limits nor types, and only FS and GS have a base (SDM 3A 3.2.4).
  if (code64()) {
    store<u64>(s, index < SEG_FS ? 0 : own, SEG_LINEAR);
    store<u64>(s, ~(<u64>0), SEG_READABLE);
    store<u64>(s, ~(<u64>0), SEG_WRITABLE);
    updateFlat();
    return;
  }
  const attributes = load<u32>(s, SEG_ATTRIBUTES);
  const code = (attributes & CODE_SEGMENT) != 0;
  const closed = attributes & UNUSABLE || !(attributes & PRESENT) || growsDown(attributes);
  const length: u64 = closed ? 0 : <u64>load<u32>(s, SEG_LIMIT) + 1;
  const real = realMode();
  store<u64>(s, own & 0xffffffff, SEG_LINEAR);
  store<u64>(s, real || !code || attributes & ACCESSIBLE ? length : 0, SEG_READABLE);
  store<u64>(s, real || (!code && attributes & ACCESSIBLE) ? length : 0, SEG_WRITABLE);
  updateFlat();
}

function isFlat(index: u32): bool {
  const s = segmentAt(index);
  return load<u64>(s, SEG_LINEAR) == 0 && load<u64>(s, SEG_WRITABLE) == 0x100000000;
}

/** Computes MODE_FLAT. Where it changes, links to code that was translated for it become invalid. */
function updateFlat(): void {
  const mode = load<u32>(MODE);
  const code = segmentAt(SEG_CS);
  const flat =
    (mode & (MODE_CODE32 | MODE_CODE64 | MODE_REAL)) == MODE_CODE32 &&
    load<u64>(code, SEG_LINEAR) == 0 &&
    load<u32>(code, SEG_LIMIT) == 0xffffffff &&
    load<u64>(STACK_MASK) == 0xffffffff &&
    isFlat(SEG_ES) &&
    isFlat(SEG_SS) &&
    isFlat(SEG_DS);
  if (flat == ((mode & MODE_FLAT) != 0)) return;
  store<u32>(MODE, mode ^ MODE_FLAT);
  cutLinks();
}

function openAll(): void {
  for (let i: u32 = 0; i < 6; i++) openSegment(i);
}

/** Call it where CS, SS, CR0, EFER or RFLAGS.VM were changed: computes the values that depend on them. */
export function updateMode(): void {
  const attributes = load<u32>(segmentAt(SEG_CS), SEG_ATTRIBUTES);
  const stack = load<u32>(segmentAt(SEG_SS), SEG_ATTRIBUTES);
  const real = realMode();
  const long = attributes & LONG_CODE && longMode();
  const before = load<u32>(MODE);
  const mode = (long ? MODE_CODE64 : attributes & BIG ? MODE_CODE32 : 0) | (real ? MODE_REAL : 0);
  store<u32>(MODE, mode | (before & MODE_FLAT));
  store<u64>(STACK_MASK, long ? ~(<u64>0) : stack & BIG ? 0xffffffff : 0xffff);
  store<u64>(LINEAR_MASK, long ? ~(<u64>0) : 0xffffffff);
  const privilege: u32 = systemFlag(VM) ? 3 : real ? 0 : privilegeOf(stack);
  store<u32>(CPL, privilege);
  if ((before ^ mode) & (MODE_CODE32 | MODE_CODE64 | MODE_REAL))
    store<u32>(MODE_COUNT, load<u32>(MODE_COUNT) + 1);
  if ((before ^ mode) & (MODE_CODE64 | MODE_REAL)) openAll();
  updateFlat();
  selectTlb();
}

/** Must be called after segments and control registers were set from outside. */
export function reopenSegments(): void {
  updateMode();
  openAll();
}

export function setSegment(index: u32, selector: u32, base: u64, limit: u32, attributes: u32): void {
  const s = segmentAt(index);
  store<u32>(s, selector & 0xffff, SEG_SELECTOR);
  store<u64>(s, base, SEG_BASE);
  store<u32>(s, limit, SEG_LIMIT);
  store<u32>(s, attributes, SEG_ATTRIBUTES);
  openSegment(index);
}

export function setFromDescriptor(index: u32, selector: u32, descriptor: u64): void {
  setSegment(index, selector, baseOf(descriptor), limitOf(descriptor), attributesOf(descriptor));
}

/** The base of FS or GS, as WRMSR and SWAPGS set it. */
export function setBase(index: u32, base: u64): void {
  store<u64>(segmentAt(index), base, SEG_BASE);
  openSegment(index);
}

/** Loads a segment as in real-address and virtual-8086 mode. */
export function setRealSegment(index: u32, selector: u32): void {
  store<u32>(segmentAt(index), selector & 0xffff, SEG_SELECTOR);
  setBase(index, (<u64>(selector & 0xffff)) << 4);
}

/** A segment of virtual-8086 mode (SDM 3B 21.1.2): ring 3, 64 KiB, writable. */
export function setVirtualSegment(index: u32, selector: u32): void {
  setSegment(index, selector, (<u64>selector) << 4, 0xffff, 0xf3);
}

/** Checks a stack for privilege level `wanted` and stores it in SEG_NEXT_STACK; an invalid one is fault `vector`. */
export function nextStack(selector: u32, wanted: u32, vector: u32): void {
  if (isNull(selector)) {
    selectorFault(vector, 0);
    return;
  }
  const descriptor = descriptorOf(selector, vector);
  if (failed()) return;
  const attributes = attributesOf(descriptor);
  if ((selector & 3) != wanted || privilegeOf(attributes) != wanted || !isWritable(attributes)) {
    selectorFault(vector, selector);
  } else if (!(attributes & PRESENT)) selectorFault(SS, selector);
  else {
    const marked = markAccessed(selector, descriptor);
    if (!failed()) setFromDescriptor(SEG_NEXT_STACK, selector, marked);
  }
}

/** A null stack segment, which 64-bit code may have outside ring 3. */
export function nextNullStack(privilege: u32): void {
  setSegment(SEG_NEXT_STACK, privilege, 0, 0, UNUSABLE | (privilege << 5));
}

/** Copies SEG_NEXT_STACK to SS. Call updateMode() afterwards. */
export function takeNextStack(): void {
  memory.copy(segmentAt(SEG_SS), segmentAt(SEG_NEXT_STACK), SEGMENT_SIZE);
  openSegment(SEG_SS);
}

export function setNull(index: u32, selector: u32): void {
  setSegment(index, selector, 0, 0, UNUSABLE);
}

/** Loads ES, DS, FS or GS with the checks of SDM 2B MOV; an invalid selector is fault `vector`. */
export function loadData(index: u32, selector: u32, vector: u32): void {
  if (isNull(selector)) {
    setNull(index, selector);
    return;
  }
  const descriptor = descriptorOf(selector, vector);
  if (failed()) return;
  const attributes = attributesOf(descriptor);
  const privilege = privilegeOf(attributes);
  const allowed = isConforming(attributes) || (privilege >= (selector & 3) && privilege >= level());
  if (!isReadable(attributes) || !allowed) selectorFault(vector, selector);
  else if (!(attributes & PRESENT)) selectorFault(NP, selector);
  else {
    const marked = markAccessed(selector, descriptor);
    if (!failed()) setFromDescriptor(index, selector, marked);
  }
}

/** Loads a segment register other than CS; check `failed()` afterwards. */
export function loadSegment(index: u32, selector: u32): void {
  if (realMode()) setRealSegment(index, selector);
  else if (index != SEG_SS) loadData(index, selector, GP);
  else {
    if (isNull(selector) && code64() && level() != 3 && (selector & 3) == level()) nextNullStack(level());
    else nextStack(selector, level(), GP);
    if (failed()) return;
    takeNextStack();
    updateMode();
  }
}

/** A segment becomes null, and keeps its base: that of FS and GS still has an effect in 64-bit code. */
function nullify(index: u32): void {
  const s = segmentAt(index);
  store<u32>(s, 0, SEG_SELECTOR);
  store<u32>(s, UNUSABLE, SEG_ATTRIBUTES);
  openSegment(index);
}

/** On a return to less privilege: segments that it must not access become null (SDM 2B RET). */
export function closeSegments(privilege: u32): void {
  for (let index: u32 = 0; index < 6; index++) {
    if (index == SEG_CS || index == SEG_SS) continue;
    const attributes = load<u32>(segmentAt(index), SEG_ATTRIBUTES);
    if (attributes & UNUSABLE || isConforming(attributes)) continue;
    if (privilegeOf(attributes) < privilege) nullify(index);
  }
}
