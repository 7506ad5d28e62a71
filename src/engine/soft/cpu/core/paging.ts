// From linear to physical addresses (SDM 3A 4): 32-bit, PAE, 4-level and 5-level paging.
import {
  CPL,
  CR0,
  CR0_PG,
  CR0_WP,
  CR2,
  CR3,
  CR4,
  CR4_ALLOWED,
  CR4_LA57,
  CR4_PAE,
  CR4_PSE,
  CR4_SMAP,
  CR4_SMEP,
  EFER,
  EFER_LMA,
  EFER_NXE,
  PDPTES,
} from '../../layout';
import { dropCode } from './code-pages';
import { noteWrite } from './dirty';
import { fault, GP, PAGE_FAULT } from './faults';
import { AC, systemFlag } from './flags';
import { isReadOnly, placeIn, regionOf } from './regions';

// The type of an access, as bits of a page fault's error code (SDM 3A 5.7), and one more bit.
export const READ: u32 = 0;
export const WRITE: u32 = 2;
const USER: u32 = 4;
export const FETCH: u32 = 16;
/** The CPU's own access to a descriptor table or task state: the supervisor's, and AC does not override SMAP. */
export const IMPLICIT: u32 = 0x10000;
// Further bits of an error code.
const PROTECTION: u32 = 1;
const RESERVED: u32 = 8;

/** The width of physical addresses, as in CPUID 80000008; bits above are reserved. */
export const PHYSICAL_BITS: u64 = 40;
const ADDRESS: u64 = (((<u64>1) << PHYSICAL_BITS) - 1) & ~4095;
const TOO_HIGH: u64 = 0x000fffffffffffff & ~(((<u64>1) << PHYSICAL_BITS) - 1);

// Bits of an entry.
const P: u64 = 1;
const RW: u64 = 2;
const US: u64 = 4;
const A: u64 = 0x20;
const D: u64 = 0x40;
const PS: u64 = 0x80;
const NX: u64 = (<u64>1) << 63;

/** The last successful translation: the page may be written without a further check. */
export let pageWritable: bool = true;
/** The last successful translation: the size of its page. */
export let pageSize: u64 = 4096;

// The current page walk.
let linearAddress: u64 = 0;
let access: u32 = 0;
/** The combined rights of all entries so far: RW and US of all, NX of any. */
let rights: u64 = 0;
/** The address of the last entry in WebAssembly memory; 0 if it is read-only. */
let entryPlace: usize = 0;

/** The type of an ordinary access at the current privilege level. */
export function ordinary(): u32 {
  return load<u32>(CPL) == 3 ? USER : 0;
}

/** True if the bits above the translated ones are copies of the highest translated bit (SDM 1 3.3.7.1). */
export function canonical(linear: u64): bool {
  const unused: i64 = load<u32>(CR4) & CR4_LA57 ? 7 : 16;
  return <u64>(((<i64>linear) << unused) >> unused) == linear;
}

/**
 * The same for addresses that are loaded and not yet accessed: bases of segments and tables, entry points. Processors
 * with 5-level paging accept 57 bits for these, even while it is off (Intel, 5-Level Paging and 5-Level EPT, 2.2 and
 * 3.1).
 */
export function canonicalBase(linear: u64): bool {
  const unused: i64 = load<u32>(CR4_ALLOWED) & CR4_LA57 ? 7 : 16;
  return <u64>(((<i64>linear) << unused) >> unused) == linear;
}

function longMode(): bool {
  return (load<u32>(EFER) & EFER_LMA) != 0;
}

function pageFault(why: u32): u64 {
  store<u64>(CR2, linearAddress);
  const fetchShown =
    (load<u32>(CR4) & CR4_SMEP) != 0 || (load<u32>(CR4) & CR4_PAE && load<u32>(EFER) & EFER_NXE);
  fault(PAGE_FAULT, why | (access & (WRITE | USER)) | (fetchShown ? access & FETCH : 0));
  return 0;
}

/** Reads an entry. An entry outside RAM counts as not present. */
function entryAt<T>(physical: u64): u64 {
  const region = regionOf(physical);
  entryPlace = 0;
  if (!region) return 0;
  const place = placeIn(region, physical);
  if (!isReadOnly(region)) entryPlace = place;
  return <u64>load<T>(place);
}

function mark(entry: u64, bits: u64): void {
  if ((entry & bits) == bits || !entryPlace) return;
  // Both bits are in the low byte.
  noteWrite(entryPlace);
  store<u8>(entryPlace, load<u8>(entryPlace) | <u8>bits);
  dropCode(entryPlace, 1);
}

/** Do the combined rights of all entries allow the access (SDM 3A 5.6.1)? */
function allowed(): bool {
  if (access & USER) {
    if (!(rights & US)) return false;
    if (access & WRITE) return (rights & RW) != 0;
  } else {
    const cr4 = load<u32>(CR4);
    if (rights & US) {
      if (access & FETCH) {
        if (cr4 & CR4_SMEP) return false;
      } else if (cr4 & CR4_SMAP && (access & IMPLICIT || !systemFlag(AC))) return false;
    }
    if (access & WRITE) return (rights & RW) != 0 || !(load<u32>(CR0) & CR0_WP);
  }
  return !(access & FETCH) || !(rights & NX);
}

/** The end of a walk: the page's entry, its size, and its start. */
function arriveAt(entry: u64, size: u64, base: u64): u64 {
  if (!allowed()) return pageFault(PROTECTION);
  mark(entry, access & WRITE ? A | D : A);
  const writableByAll = (rights & RW) != 0;
  const user = (access & USER) != 0;
  const dirty = (entry & D) != 0 || (access & WRITE) != 0;
  pageWritable = dirty && (writableByAll || (!user && !(load<u32>(CR0) & CR0_WP)));
  pageSize = size;
  return base + (linearAddress & (size - 1));
}

/** Two levels of 32-bit entries; pages of 4 MiB with CR4.PSE, in 40 bits of physical addresses (PSE-36). */
function walk32(): u64 {
  const directory = (load<u64>(CR3) & 0xfffff000) + ((linearAddress >> 20) & 0xffc);
  const pde = entryAt<u32>(directory);
  if (!(pde & P)) return pageFault(0);
  rights = pde & (RW | US);
  if (pde & PS && load<u32>(CR4) & CR4_PSE) {
    if (pde & 0x200000) return pageFault(PROTECTION | RESERVED);
    return arriveAt(pde, 0x400000, (pde & 0xffc00000) | ((pde & 0x1fe000) << 19));
  }
  mark(pde, A);
  const pte = entryAt<u32>((pde & 0xfffff000) + ((linearAddress >> 10) & 0xffc));
  if (!(pte & P)) return pageFault(0);
  rights &= pte;
  return arriveAt(pte, 4096, pte & 0xfffff000);
}

/** Bits that must be 0 in a present 64-bit entry at `level`, which points to a table or maps a page. */
function reservedBits(level: u32, large: bool): u64 {
  let reserved = TOO_HIGH;
  if (!(load<u32>(EFER) & EFER_NXE)) reserved |= NX;
  // Bits 62–52 are free for software with 4 and 5 levels, and reserved with PAE paging (SDM 3A tables 4-8 to 4-11).
  if (!longMode()) reserved |= 0x7ff0000000000000;
  if (level >= 4) reserved |= PS;
  if (large) reserved |= level == 3 ? 0x3fffe000 : 0x1fe000;
  return reserved;
}

/** Walks levels of 64-bit entries, from a table down; level 1 is the page table. */
function walk64(table: u64, from: u32): u64 {
  rights = RW | US;
  let address = table;
  for (let level = from; ; level--) {
    const shift = <u64>(12 + 9 * (level - 1));
    const entry = entryAt<u64>(address + (((linearAddress >> shift) & 511) << 3));
    if (!(entry & P)) return pageFault(0);
    const large = level > 1 && level < 4 && (entry & PS) != 0;
    if (entry & reservedBits(level, large)) return pageFault(PROTECTION | RESERVED);
    rights = (rights & entry & (RW | US)) | ((rights | entry) & NX);
    const size = (<u64>1) << shift;
    if (level == 1 || large) return arriveAt(entry, size, entry & ADDRESS & ~(size - 1));
    mark(entry, A);
    address = entry & ADDRESS;
  }
  // biome-ignore lint/correctness/noUnreachable: AssemblyScript asks for it after a loop without a condition
  return 0;
}

/** Translates a linear address to a physical one. It faulted where `failed()` is true afterwards. */
export function translate(linear: u64, how: u32): u64 {
  pageWritable = true;
  pageSize = 4096;
  if (!(load<u32>(CR0) & CR0_PG)) return linear & 0xffffffff;
  linearAddress = linear;
  access = how;
  if (longMode()) {
    if (!canonical(linear)) {
      fault(GP);
      return 0;
    }
    return walk64(load<u64>(CR3) & ADDRESS, load<u32>(CR4) & CR4_LA57 ? 5 : 4);
  }
  if (!(load<u32>(CR4) & CR4_PAE)) return walk32();
  const pdpte = load<u64>(PDPTES + ((<usize>(linear >> 30) & 3) << 3));
  return pdpte & P ? walk64(pdpte & ADDRESS, 2) : pageFault(0);
}

/** Loads PAE paging's four entries, as a write to CR3 does; false where one has reserved bits set (SDM 3A 5.4.1). */
export function loadPdptes(cr3: u64): bool {
  const table = cr3 & 0xffffffe0;
  for (let i: usize = 0; i < 4; i++) {
    const entry = entryAt<u64>(table + <u64>(i << 3));
    if (entry & P && entry & (0xfff00000000001e6 | TOO_HIGH)) return false;
  }
  for (let i: usize = 0; i < 4; i++) store<u64>(PDPTES + (i << 3), entryAt<u64>(table + <u64>(i << 3)));
  return true;
}
