// Guest memory through segments and by linear addresses.
//
// The fast path checks the segment's limit and looks into the TLB. The slow path handles the rest: accesses across a page
// boundary, writes to pages with decoded code, pages that are not RAM, and faults.
import {
  CPL,
  CR0,
  CR0_AM,
  CR2,
  LINEAR_MASK,
  SEG_LINEAR,
  SEG_READABLE,
  SEG_SS,
  SEG_WRITABLE,
  SEGMENTS,
  TLB_ADDEND,
  TLB_EXECUTE,
  TLB_MAY_WRITE,
  TLB_NOW,
  TLB_READ,
  TLB_WRITE,
  TROUBLE,
  TROUBLE_STOP,
  WATCHES_DATA,
} from '../../layout';
import { noteAccess } from '../system/debug';
import { allowsBelow } from '../system/limits';
import { dropCode, holdsCode, holdsCodeIn } from './code-pages';
import { code64 } from './cpu-mode';
import { noteWrite } from './dirty';
import { answer, EXIT_MMIO, external } from './external';
import { ALIGNMENT, fault, GP, SS } from './faults';
import { AC, systemFlag } from './flags';
import { noteLate } from './late';
import {
  canonical,
  FETCH,
  IMPLICIT,
  ordinary,
  pageSize,
  pageWritable,
  READ,
  translate,
  WRITE,
} from './paging';
import { isReadOnly, placeIn, regionOf } from './regions';
import {
  entryIn,
  forgetEntry,
  looksAtEach,
  rememberCode,
  rememberData,
  rememberLarge,
  systemMask,
  systemTable,
  tlbEntry,
} from './tlb';
import { failed } from './trouble';

const PAGE: u64 = 4096;

/** The address in WebAssembly memory for a read of the whole operand on the fast path, or 0. */
export function readable(seg: u32, ea: u64, size: u64): usize {
  const s = SEGMENTS + ((<usize>seg) << 6);
  if (ea + size > load<u64>(s, SEG_READABLE)) return 0;
  const linear = load<u64>(s, SEG_LINEAR) + ea;
  const entry = tlbEntry(linear);
  if (load<u64>(entry, TLB_READ) != ((linear + (size - 1)) & ~(PAGE - 1))) return refill(linear, size, READ);
  return <usize>linear + <usize>load<u32>(entry, TLB_ADDEND);
}

/** The address in WebAssembly memory for a read and write of the whole operand on the fast path, or 0. */
export function writable(seg: u32, ea: u64, size: u64): usize {
  const s = SEGMENTS + ((<usize>seg) << 6);
  if (ea + size > load<u64>(s, SEG_WRITABLE)) return 0;
  const linear = load<u64>(s, SEG_LINEAR) + ea;
  const entry = tlbEntry(linear);
  if (load<u64>(entry, TLB_WRITE) != ((linear + (size - 1)) & ~(PAGE - 1)))
    return refill(linear, size, WRITE);
  return <usize>linear + <usize>load<u32>(entry, TLB_ADDEND);
}

/** The physical address that `locate` found, if it is not RAM. */
let physicalAddress: u64 = 0;

/**
 * The address in WebAssembly memory of an access within one page, by the TLB or by a page walk, whose result is entered there.
 * 0 where it faulted, where it is not RAM, or for a write to read-only memory: then `physicalAddress` has the physical address.
 */
function locate(linear: u64, how: u32): usize {
  const table = how & IMPLICIT ? systemTable() : <usize>load<u32>(TLB_NOW);
  const entry = entryIn(table, linear);
  if (
    load<u64>(entry, TLB_READ) == (linear & ~(PAGE - 1)) &&
    (!(how & WRITE) || load<u32>(entry, TLB_MAY_WRITE))
  )
    return known(entry, linear, how);
  physicalAddress = translate(linear, how);
  if (failed()) return 0;
  const region = regionOf(physicalAddress);
  if (!region) return 0;
  const place = placeIn(region, physicalAddress);
  const readOnly = isReadOnly(region);
  if (how & WRITE && !readOnly) noteWrite(place);
  if (pageSize > PAGE) rememberLarge(linear, pageSize);
  rememberData(table, linear, place, pageWritable && !readOnly);
  return how & WRITE && readOnly ? 0 : place;
}

/** The address from a TLB entry. A page that no longer holds code may be written on the fast path again. */
function known(entry: usize, linear: u64, how: u32): usize {
  const place = <usize>linear + <usize>load<u32>(entry, TLB_ADDEND);
  if (!(how & WRITE)) return place;
  noteWrite(place);
  if (!holdsCode(place)) store<u64>(entry, linear & ~(PAGE - 1), TLB_WRITE);
  return place;
}

/**
 * For an access that misses the TLB: its place, or 0 where the slow path must handle it and find the reason. It changes
 * only the TLB, and the accessed and dirty bits of an access that will be done. Translated code also calls it.
 */
export function refill(linear: u64, size: u64, how: u32): usize {
  if (crosses(linear, size) || linear > load<u64>(LINEAR_MASK) || looksAtEach() || load<u32>(TROUBLE))
    return 0;
  const cr2 = load<u64>(CR2);
  const place = locate(linear, ordinary() | how);
  if (load<u32>(TROUBLE)) {
    // Where a table's accessed bit was in decoded code, the slow path has to stop after the instruction.
    store<u32>(TROUBLE, load<u32>(TROUBLE) & TROUBLE_STOP);
    store<u64>(CR2, cr2);
    forgetEntry(linear);
    return 0;
  }
  return place && how & WRITE && holdsCodeIn(place, <usize>size) ? 0 : place;
}

/** The address of a byte of code, or 0: a fault, or not RAM. */
export function locateCode(linear: u64): usize {
  const entry = tlbEntry(linear);
  if (load<u64>(entry, TLB_EXECUTE) == (linear & ~(PAGE - 1)))
    return <usize>linear + <usize>load<u32>(entry, TLB_ADDEND);
  const physical = translate(linear, ordinary() | FETCH);
  if (failed()) return 0;
  const region = regionOf(physical);
  if (!region) return 0;
  const place = placeIn(region, physical);
  if (pageSize > PAGE) rememberLarge(linear, pageSize);
  rememberCode(linear, place);
  return place;
}

function crosses(linear: u64, size: u64): bool {
  return (linear & (PAGE - 1)) + size > PAGE;
}

/** The mask of linear addresses: in long mode, tables and stacks may be above 4 GiB even while compatibility mode runs. */
function maskOf(how: u32): u64 {
  return how & IMPLICIT ? systemMask() : load<u64>(LINEAR_MASK);
}

/** Faults where the access would fault. */
function probe(linear: u64, size: u64, how: u32): void {
  translate(linear, how);
  // The faulting address is the start of the second page.
  if (!failed() && crosses(linear, size)) translate((linear + (size - 1)) & maskOf(how) & ~(PAGE - 1), how);
}

function readAs<T>(linear: u64, how: u32): T {
  if (crosses(linear, sizeof<T>())) {
    let value: u64 = 0;
    for (let i: u64 = 0; i < sizeof<T>(); i++) {
      value |= (<u64>readAs<u8>((linear + i) & maskOf(how), how)) << (i << 3);
      if (failed()) return 0;
    }
    return <T>value;
  }
  const place = locate(linear, how);
  if (place) return load<T>(place);
  if (failed()) return 0;
  return external(EXIT_MMIO, physicalAddress, sizeof<T>(), false, 0) ? <T>answer() : 0;
}

function writeAs<T>(linear: u64, value: T, how: u32): void {
  if (crosses(linear, sizeof<T>())) {
    // Check both pages first, so that nothing is written if one faults.
    probe(linear, sizeof<T>(), how);
    if (failed()) return;
    for (let i: u64 = 0; i < sizeof<T>(); i++) {
      writeAs<u8>((linear + i) & maskOf(how), <u8>(<u64>value >> (i << 3)), how);
      if (failed()) return;
    }
    return;
  }
  const place = locate(linear, how);
  if (place) {
    noteLate(place, sizeof<T>());
    store<T>(place, value);
    dropCode(place, sizeof<T>());
  } else if (!failed()) {
    const bits: u64 = sizeof<T>() == 8 ? <u64>value : <u64>value & maskOf(sizeof<T>());
    external(EXIT_MMIO, physicalAddress, sizeof<T>(), true, bits);
  }
}

/** Reads at a linear address, without segmentation. */
export function readLinear<T>(linear: u64): T {
  if (load<u32>(WATCHES_DATA)) noteAccess(linear, sizeof<T>(), false);
  return readAs<T>(linear, ordinary() | READ);
}

/** Writes at a linear address, without segmentation. */
export function writeLinear<T>(linear: u64, value: T): void {
  if (load<u32>(WATCHES_DATA)) noteAccess(linear, sizeof<T>(), true);
  writeAs<T>(linear, value, ordinary() | WRITE);
}

/** Reads for the CPU itself, such as a descriptor: with supervisor rights at every privilege level (SDM 3A 5.6.1). */
export function readSystem<T>(linear: u64): T {
  return readAs<T>(linear & maskOf(IMPLICIT), IMPLICIT | READ);
}

/** Writes for the CPU itself, such as a descriptor's accessed bit: with supervisor rights at every privilege level. */
export function writeSystem<T>(linear: u64, value: T): void {
  writeAs<T>(linear & maskOf(IMPLICIT), value, IMPLICIT | WRITE);
}

/** True where #AC is raised for data that is not aligned (SDM 3A 7.15, interrupt 17). */
export function checksAlignment(): bool {
  return load<u32>(CPL) == 3 && systemFlag(AC) && (load<u32>(CR0) & CR0_AM) != 0;
}

export function linearAddress(seg: u32, ea: u64): u64 {
  return (load<u64>(SEGMENTS + ((<usize>seg) << 6), SEG_LINEAR) + ea) & load<u64>(LINEAR_MASK);
}

/** The linear address of an access that its segment allows, at a multiple of `alignment`; a fault where it is not. */
function linearOf(seg: u32, ea: u64, size: u64, alignment: u64, allowed: usize): u64 {
  const s = SEGMENTS + ((<usize>seg) << 6);
  const linear = linearAddress(seg, ea);
  const inside = code64()
    ? canonical(linear) && canonical(linear + (size - 1))
    : ea + (size - 1) < load<u64>(s + allowed) || allowsBelow(s, ea, size, allowed == SEG_WRITABLE);
  // #SS for the stack segment, #GP for the others (SDM 3A 6.3).
  if (!inside) fault(seg == SEG_SS ? SS : GP);
  else if (linear & (alignment - 1) && checksAlignment()) fault(ALIGNMENT);
  return linear;
}

export function readSlow<T>(seg: u32, ea: u64): T {
  const linear = linearOf(seg, ea, sizeof<T>(), sizeof<T>(), SEG_READABLE);
  return failed() ? 0 : readLinear<T>(linear);
}

export function writeSlow<T>(seg: u32, ea: u64, value: T): void {
  const linear = linearOf(seg, ea, sizeof<T>(), sizeof<T>(), SEG_WRITABLE);
  if (!failed()) writeLinear<T>(linear, value);
}

/** Reads an operand that the same instruction will write: its write can then no longer fault. */
export function modifySlow<T>(seg: u32, ea: u64): T {
  checkWrite(seg, ea, sizeof<T>(), sizeof<T>());
  return failed() ? 0 : readLinear<T>(linearAddress(seg, ea));
}

/** Reads through a segment; check `failed()` afterwards. */
export function read<T>(seg: u32, ea: u64): T {
  const place = readable(seg, ea, sizeof<T>());
  return place ? load<T>(place) : readSlow<T>(seg, ea);
}

/** Writes through a segment; check `failed()` afterwards. */
export function write<T>(seg: u32, ea: u64, value: T): void {
  const place = writable(seg, ea, sizeof<T>());
  if (place) store<T>(place, value);
  else writeSlow<T>(seg, ea, value);
}

/** Checks that a read would not fault; `alignment` is the alignment that #AC demands, 1 for none. */
export function checkRead(seg: u32, ea: u64, size: u64, alignment: u64): void {
  if (readable(seg, ea, size)) return;
  const linear = linearOf(seg, ea, size, alignment, SEG_READABLE);
  if (!failed()) probe(linear, size, ordinary() | READ);
}

/** Checks that a write would not fault; `alignment` is the alignment that #AC demands, 1 for none. */
export function checkWrite(seg: u32, ea: u64, size: u64, alignment: u64): void {
  if (writable(seg, ea, size)) return;
  const linear = linearOf(seg, ea, size, alignment, SEG_WRITABLE);
  if (!failed()) probe(linear, size, ordinary() | WRITE);
}
