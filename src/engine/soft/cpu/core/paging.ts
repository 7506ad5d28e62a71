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
import { fault, GP, PAGE_FAULT } from './faults';
import { AC, systemFlag } from './flags';
import { isReadOnly, placeIn, regionOf } from './regions';

// What an access is, in the bits of a page fault's error code (SDM 3A 5.7), and one more.
export const READ: u32 = 0;
export const WRITE: u32 = 2;
const USER: u32 = 4;
export const FETCH: u32 = 16;
/** The CPU's own access to a descriptor table or task state: the supervisor's, and AC does not override SMAP. */
export const IMPLICIT: u32 = 0x10000;
// What else an error code says.
const PROTECTION: u32 = 1;
const RESERVED: u32 = 8;

/** Bits of a physical address: what CPUID 80000008 says, and the bits above are reserved. */
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

/** Of the last translation that did not fault: the page may be written with no more ado. */
export let pageWritable: bool = true;
/** Of the last translation that did not fault: the size of its page. */
export let pageSize: u64 = 4096;

// The walk under way.
let linearAddress: u64 = 0;
let access: u32 = 0;
/** What all entries so far allow together: RW and US of all, NX of any. */
let rights: u64 = 0;
/** Where the last entry lies in memory; 0 if nothing can be written there. */
let entryPlace: usize = 0;

/** What an ordinary access of now is. */
export function ordinary(): u32 {
  return load<u32>(CPL) == 3 ? USER : 0;
}

/** True if the bits above the translated ones are the copies of the highest that is (SDM 1 3.3.7.1). */
export function canonical(linear: u64): bool {
  const unused: i64 = load<u32>(CR4) & CR4_LA57 ? 7 : 16;
  return <u64>(((<i64>linear) << unused) >> unused) == linear;
}

/**
 * The same for what is loaded as an address and not accessed yet: bases of segments and tables, entry points. Processors that
 * have 5-level paging take 57 bits of those whether it is on or not (Intel, 5-Level Paging and 5-Level EPT, 2.2 and 3.1).
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

/** Reads an entry. One that lies outside of RAM is not present. */
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
  store<u8>(entryPlace, load<u8>(entryPlace) | <u8>bits);
  dropCode(entryPlace, 1);
}

/** Is the access allowed by the rights of all entries together (SDM 3A 5.6.1)? */
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

/** The end of a walk: the page's entry, the size of the page, and where it begins. */
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

/** Two levels of entries of 32 bits; pages of 4 MiB with CR4.PSE, in 40 bits of physical addresses (PSE-36). */
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

/** Bits that must be 0 in an entry of 64 bits that is present, and leads on or maps a page at `level`. */
function reservedBits(level: u32, large: bool): u64 {
  let reserved = TOO_HIGH;
  if (!(load<u32>(EFER) & EFER_NXE)) reserved |= NX;
  // Bits 62–52 are the system's to use with 4 and 5 levels, and reserved with PAE paging (SDM 3A tables 4-8 to 4-11).
  if (!longMode()) reserved |= 0x7ff0000000000000;
  if (level >= 4) reserved |= PS;
  if (large) reserved |= level == 3 ? 0x3fffe000 : 0x1fe000;
  return reserved;
}

/** Levels of entries of 64 bits, from a table down; level 1 is the page table. */
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
  return 0;
}

/** The physical address behind a linear one. A fault where `failed()` afterwards. */
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
