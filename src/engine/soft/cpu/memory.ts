// Guest memory: segments, address translation, RAM and what is not RAM.
//
// The fast way is a check of the segment's limit and a look into the TLB. Everything else happens on the slow way:
// accesses over the end of a page, writes to pages that hold decoded code, pages that are not RAM, and faults.
import {
  CR0,
  LINEAR_MASK,
  PAGES,
  RAM,
  REGION_COUNT,
  REGION_SIZE,
  REGIONS,
  SEG_BASE,
  SEG_FIRST,
  SEG_READABLE,
  SEG_SS,
  SEG_WRITABLE,
  SEGMENTS,
  TLB,
  TLB_ADDEND,
  TLB_ENTRIES,
  TLB_READ,
  TLB_WRITE,
  TROUBLE,
  TROUBLE_EXIT,
  TROUBLE_FAULT,
} from '../layout';
import { dropCode } from './code-pages';
import { answer, EXIT_MMIO, external } from './external';
import { fault, GP, notImplemented, SS } from './faults';

const PAGE: u64 = 4096;
const NONE: u64 = 1;

/** True if the instruction cannot go on, or its block must not. */
export function troubled(): bool {
  return load<u32>(TROUBLE) != 0;
}

/** True if the instruction cannot go on. */
export function failed(): bool {
  return (load<u32>(TROUBLE) & (TROUBLE_FAULT | TROUBLE_EXIT)) != 0;
}

function tlbEntry(linear: u64): usize {
  return TLB + ((<usize>(linear >> 12) & (TLB_ENTRIES - 1)) << 5);
}

/** The place in memory of a whole access that may be read right away, or 0. */
export function readable(seg: u32, ea: u64, size: u64): usize {
  const s = SEGMENTS + ((<usize>seg) << 6);
  if (ea - load<u64>(s, SEG_FIRST) + (size - 1) >= load<u64>(s, SEG_READABLE)) return 0;
  const linear = load<u64>(s, SEG_BASE) + ea;
  const entry = tlbEntry(linear);
  if (load<u64>(entry, TLB_READ) != ((linear + (size - 1)) & ~(PAGE - 1))) return 0;
  return <usize>linear + <usize>load<u32>(entry, TLB_ADDEND);
}

/** The place in memory of a whole access that may be read and written right away, or 0. */
export function writable(seg: u32, ea: u64, size: u64): usize {
  const s = SEGMENTS + ((<usize>seg) << 6);
  if (ea - load<u64>(s, SEG_FIRST) + (size - 1) >= load<u64>(s, SEG_WRITABLE)) return 0;
  const linear = load<u64>(s, SEG_BASE) + ea;
  const entry = tlbEntry(linear);
  if (load<u64>(entry, TLB_WRITE) != ((linear + (size - 1)) & ~(PAGE - 1))) return 0;
  return <usize>linear + <usize>load<u32>(entry, TLB_ADDEND);
}

/** The region that holds a guest physical address, or 0. */
function regionOf(physical: u64): usize {
  const count = <usize>load<u32>(REGION_COUNT);
  for (let i: usize = 0; i < count; i++) {
    const region = REGIONS + i * REGION_SIZE;
    if (physical - load<u64>(region) < load<u64>(region, 8)) return region;
  }
  return 0;
}

/** The place of a byte of RAM, or 0. */
export function placeOf(physical: u64): usize {
  const region = regionOf(physical);
  return region ? <usize>(physical - load<u64>(region)) + <usize>load<u32>(region, 16) : 0;
}

/** The physical address behind a linear one (SDM 3A 4). A fault where `failed()` afterwards. */
export function translate(linear: u64): u64 {
  // CR0.PG: address translation is a part of its own that is not there yet.
  if (load<u32>(CR0) >> 31) notImplemented();
  return linear;
}

export function flushTlb(): void {
  for (let i: usize = 0; i < TLB_ENTRIES; i++) {
    store<u64>(TLB + (i << 5), NONE, TLB_READ);
    store<u64>(TLB + (i << 5), NONE, TLB_WRITE);
  }
}

/** From now on, writes to the page at `place` go the slow way. */
export function guardPage(place: usize): void {
  for (let i: usize = 0; i < TLB_ENTRIES; i++) {
    const entry = TLB + (i << 5);
    const page = load<u64>(entry, TLB_WRITE);
    if (page != NONE && <usize>page + <usize>load<u32>(entry, TLB_ADDEND) == place)
      store<u64>(entry, NONE, TLB_WRITE);
  }
}

/** Enters a page of RAM into the TLB and gives the place of `linear`; 0 where it is not RAM or, to write, read-only. */
function fill(linear: u64, physical: u64, write: bool): usize {
  const region = regionOf(physical);
  if (!region) return 0;
  const readOnly = load<u32>(region, 20) != 0;
  const place = <usize>(physical - load<u64>(region)) + <usize>load<u32>(region, 16);
  const page = linear & ~(PAGE - 1);
  const entry = tlbEntry(linear);
  const holdsCode = load<u64>(PAGES + (((place - RAM) >> 12) << 4)) != 0;
  store<u64>(entry, page, TLB_READ);
  store<u64>(entry, readOnly || holdsCode ? NONE : page, TLB_WRITE);
  store<u32>(entry, place - <u32>linear, TLB_ADDEND);
  return write && readOnly ? 0 : place;
}

function crosses(linear: u64, size: u64): bool {
  return (linear & (PAGE - 1)) + size > PAGE;
}

/** Reads at a linear address, whatever the segments say. */
export function readLinear<T>(linear: u64): T {
  if (crosses(linear, sizeof<T>())) {
    let value: u64 = 0;
    for (let i: u64 = 0; i < sizeof<T>(); i++) {
      value |= (<u64>readLinear<u8>((linear + i) & load<u64>(LINEAR_MASK))) << (i << 3);
      if (failed()) return 0;
    }
    return <T>value;
  }
  const physical = translate(linear);
  if (failed()) return 0;
  const place = fill(linear, physical, false);
  if (place) return load<T>(place);
  return external(EXIT_MMIO, physical, sizeof<T>(), false, 0) ? <T>answer() : 0;
}

/** Writes at a linear address, whatever the segments say. */
export function writeLinear<T>(linear: u64, value: T): void {
  if (crosses(linear, sizeof<T>())) {
    // Both pages first, so that nothing is written if one faults.
    translate(linear);
    translate((linear + sizeof<T>() - 1) & load<u64>(LINEAR_MASK));
    if (failed()) return;
    for (let i: u64 = 0; i < sizeof<T>(); i++) {
      writeLinear<u8>((linear + i) & load<u64>(LINEAR_MASK), <u8>(<u64>value >> (i << 3)));
      if (failed()) return;
    }
    return;
  }
  const physical = translate(linear);
  if (failed()) return;
  const place = fill(linear, physical, true);
  if (place) {
    store<T>(place, value);
    dropCode(place, sizeof<T>());
  } else {
    const bits: u64 = sizeof<T>() == 8 ? <u64>value : <u64>value & (((<u64>1) << (sizeof<T>() * 8)) - 1);
    external(EXIT_MMIO, physical, sizeof<T>(), true, bits);
  }
}

/** Reads what the CPU itself looks at, such as a descriptor: with the rights of ring 0, whoever runs. */
export function readSystem<T>(linear: u64): T {
  return readLinear<T>(linear);
}

/** Writes what the CPU itself keeps, such as a descriptor's accessed bit: with the rights of ring 0. */
export function writeSystem<T>(linear: u64, value: T): void {
  writeLinear<T>(linear, value);
}

/** The linear address of an access that its segment allows; a fault where it does not. */
function linearOf(seg: u32, ea: u64, size: u64, allowed: usize): u64 {
  const s = SEGMENTS + ((<usize>seg) << 6);
  // #SS for the stack segment, #GP for the others (SDM 3A 5.3).
  if (ea - load<u64>(s, SEG_FIRST) + (size - 1) >= load<u64>(s + allowed)) fault(seg == SEG_SS ? SS : GP);
  return (load<u64>(s, SEG_BASE) + ea) & load<u64>(LINEAR_MASK);
}

export function readSlow<T>(seg: u32, ea: u64): T {
  const linear = linearOf(seg, ea, sizeof<T>(), SEG_READABLE);
  return failed() ? 0 : readLinear<T>(linear);
}

export function writeSlow<T>(seg: u32, ea: u64, value: T): void {
  const linear = linearOf(seg, ea, sizeof<T>(), SEG_WRITABLE);
  if (!failed()) writeLinear<T>(linear, value);
}

/** Reads what the same instruction is going to write: the write itself cannot fault any more. */
export function modifySlow<T>(seg: u32, ea: u64): T {
  const linear = linearOf(seg, ea, sizeof<T>(), SEG_WRITABLE);
  return failed() ? 0 : readLinear<T>(linear);
}

/** Reads through a segment; look at `failed()` afterwards. */
export function read<T>(seg: u32, ea: u64): T {
  const place = readable(seg, ea, sizeof<T>());
  return place ? load<T>(place) : readSlow<T>(seg, ea);
}

/** Writes through a segment; look at `failed()` afterwards. */
export function write<T>(seg: u32, ea: u64, value: T): void {
  const place = writable(seg, ea, sizeof<T>());
  if (place) store<T>(place, value);
  else writeSlow<T>(seg, ea, value);
}

/** Checks that a write would not fault. */
export function checkWrite(seg: u32, ea: u64, size: u64): void {
  const linear = linearOf(seg, ea, size, SEG_WRITABLE);
  if (!failed()) translate(linear);
}
