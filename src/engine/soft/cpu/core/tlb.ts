// The TLB: results of address translation by linear page (SDM 3A 5.10.2).
//
// Rights depend on the privilege, so there is a table for each: then one comparison checks that a page is present and that the
// access is allowed. Compatibility mode has its own tables, because it must not match entries above 4 GiB from 64-bit code. The
// last table stays empty: it is used where each access must be checked.
import {
  CODE_PAGE,
  CPL,
  CPU_COUNT,
  CPU_NOW,
  CR0,
  CR0_AM,
  CR4,
  CR4_SMAP,
  EFER,
  EFER_LMA,
  MODE,
  MODE_CODE64,
  TLB_ADDEND,
  TLB_ENTRIES,
  TLB_EXECUTE,
  TLB_HERE,
  TLB_LARGE_FIRST,
  TLB_LARGE_LAST,
  TLB_MAY_WRITE,
  TLB_NOW,
  TLB_READ,
  TLB_SIZE,
  TLB_USED,
  TLB_WRITE,
  WATCHES_DATA,
} from '../../layout';
import { bit } from './bits';
import { holdsCode } from './code-pages';
import { stateOf, systemOf, tablesOf } from './cpus';
import { mayPass } from './dirty';
import { AC, systemFlag } from './flags';

const NONE: u64 = 1;
const PAGE: u64 = 4096;

const SUPERVISOR: u32 = 0;
/** As the first, but SMAP is overridden by RFLAGS.AC. */
const SUPERVISOR_OPEN: u32 = 1;
const USER: u32 = 2;
/** The same three again, for 32-bit addresses. */
const NARROW: u32 = 3;
const NEVER_FILLED: u32 = 6;
const TABLES: u32 = 7;

function tableOf(kind: u32): usize {
  return <usize>load<u32>(TLB_HERE) + <usize>kind * TLB_SIZE;
}

function kindNow(): u32 {
  if (load<u32>(WATCHES_DATA)) return NEVER_FILLED;
  if (load<u32>(CPL) == 3) return systemFlag(AC) && load<u32>(CR0) & CR0_AM ? NEVER_FILLED : USER;
  return load<u32>(CR4) & CR4_SMAP && systemFlag(AC) ? SUPERVISOR_OPEN : SUPERVISOR;
}

/** Call it where the privilege level, the mode, CR0.AM, CR4.SMAP, RFLAGS.AC or the breakpoints may have changed. */
export function selectTlb(): void {
  const kind = kindNow();
  const narrow = !(load<u32>(MODE) & MODE_CODE64) && kind != NEVER_FILLED;
  const table = tableOf(narrow ? kind + NARROW : kind);
  if (load<u32>(TLB_NOW) == table) return;
  store<u32>(TLB_NOW, table);
  store<u64>(CODE_PAGE, NONE);
}

/** The table for accesses to descriptor tables and task state, which have supervisor rights at any privilege level. */
export function systemTable(): usize {
  return tableOf(load<u32>(EFER) & EFER_LMA ? SUPERVISOR : SUPERVISOR + NARROW);
}

/** The mask of their linear addresses: in long mode all bits, even while compatibility mode runs. */
export function systemMask(): u64 {
  return load<u32>(EFER) & EFER_LMA ? ~(<u64>0) : 0xffffffff;
}

export function entryIn(table: usize, linear: u64): usize {
  return table + ((<usize>linear >> 7) & ((TLB_ENTRIES - 1) << 5));
}

/** The current table's entry for a linear address. */
export function tlbEntry(linear: u64): usize {
  return entryIn(<usize>load<u32>(TLB_NOW), linear);
}

function clear(entry: usize): void {
  store<u64>(entry, NONE, TLB_READ);
  store<u64>(entry, NONE, TLB_WRITE);
  store<u64>(entry, NONE, TLB_EXECUTE);
  store<u32>(entry, 0, TLB_MAY_WRITE);
}

/** Sets the entry of `linear` to the page at `place`; without any rights where it was for another page. */
export function claim(table: usize, linear: u64, place: usize): usize {
  const entry = entryIn(table, linear);
  const page = linear & ~(PAGE - 1);
  const addend = <u32>place - <u32>linear;
  const same = load<u64>(entry, TLB_READ) == page || load<u64>(entry, TLB_EXECUTE) == page;
  if (!same || load<u32>(entry, TLB_ADDEND) != addend) {
    clear(entry);
    store<u32>(entry, addend, TLB_ADDEND);
    store<u32>(
      TLB_USED,
      load<u32>(TLB_USED) | <u32>bit(<u64>((table - <usize>load<u32>(TLB_HERE)) / TLB_SIZE)),
    );
  }
  return entry;
}

/** Enters a page for data; does nothing where each access must be checked. */
export function rememberData(table: usize, linear: u64, place: usize, mayWrite: bool): void {
  if (table == tableOf(NEVER_FILLED)) return;
  const entry = claim(table, linear, place);
  const page = linear & ~(PAGE - 1);
  store<u64>(entry, page, TLB_READ);
  store<u64>(entry, mayWrite && !holdsCode(place) && mayPass(place) ? page : NONE, TLB_WRITE);
  store<u32>(entry, <u32>mayWrite, TLB_MAY_WRITE);
}

export function rememberCode(linear: u64, place: usize): void {
  store<u64>(claim(<usize>load<u32>(TLB_NOW), linear, place), linear & ~(PAGE - 1), TLB_EXECUTE);
}

/** A large page was entered in parts: INVLPG must find all of them. */
export function rememberLarge(linear: u64, size: u64): void {
  const first = linear & ~(size - 1);
  if (first < load<u64>(TLB_LARGE_FIRST)) store<u64>(TLB_LARGE_FIRST, first);
  if (first + (size - 1) > load<u64>(TLB_LARGE_LAST)) store<u64>(TLB_LARGE_LAST, first + (size - 1));
}

/** True if each access has to be checked: then nothing is entered. */
export function looksAtEach(): bool {
  return load<u32>(TLB_NOW) == tableOf(NEVER_FILLED);
}

/** Drops the current entry for a linear address. */
export function forgetEntry(linear: u64): void {
  clear(tlbEntry(linear));
}

/** Flushes the whole TLB of this CPU. */
export function flushTlb(): void {
  flushOf(load<u32>(CPU_NOW));
}

/** Flushes the TLBs of all CPUs: a region of memory was moved. */
export function flushAll(): void {
  for (let cpu: u32 = 0; cpu < load<u32>(CPU_COUNT); cpu++) flushOf(cpu);
}

function flushOf(cpu: u32): void {
  const used = load<u32>(systemOf(cpu, TLB_USED));
  const tables = tablesOf(cpu);
  for (let kind: u32 = 0; kind < TABLES; kind++) {
    if (!((used >> kind) & 1)) continue;
    for (let i: usize = 0; i < TLB_ENTRIES; i++) clear(tables + <usize>kind * TLB_SIZE + (i << 5));
  }
  store<u32>(systemOf(cpu, TLB_USED), 0);
  store<u64>(systemOf(cpu, TLB_LARGE_FIRST), ~(<u64>0));
  store<u64>(systemOf(cpu, TLB_LARGE_LAST), 0);
  store<u64>(stateOf(cpu, CODE_PAGE), NONE);
}

/** The memory may have belonged to another VM: the old content of its tables is invalid. */
export function resetTlb(): void {
  store<u32>(TLB_HERE, <u32>tablesOf(load<u32>(CPU_NOW)));
  store<u32>(TLB_USED, ((<u32>1) << TABLES) - 1);
  flushTlb();
  selectTlb();
}

/** Flushes the translation of one linear address (SDM 2A INVLPG); that of a large page with all its parts. */
export function flushAddress(linear: u64): void {
  if (linear >= load<u64>(TLB_LARGE_FIRST) && linear <= load<u64>(TLB_LARGE_LAST)) {
    flushTlb();
    return;
  }
  for (let kind: u32 = 0; kind < TABLES; kind++) clear(entryIn(tableOf(kind), linear));
  store<u64>(CODE_PAGE, NONE);
}

/** From now on, the first write to each page takes the slow path, on all CPUs. */
export function guardPages(): void {
  for (let cpu: u32 = 0; cpu < load<u32>(CPU_COUNT); cpu++) {
    const used = load<u32>(systemOf(cpu, TLB_USED));
    const tables = tablesOf(cpu);
    for (let kind: u32 = 0; kind < TABLES; kind++) {
      if (!((used >> kind) & 1)) continue;
      for (let i: usize = 0; i < TLB_ENTRIES; i++)
        store<u64>(tables + <usize>kind * TLB_SIZE + (i << 5), NONE, TLB_WRITE);
    }
  }
}

/** From now on, writes to the page at `place` take the slow path, on all CPUs. */
export function guardPage(place: usize): void {
  for (let cpu: u32 = 0; cpu < load<u32>(CPU_COUNT); cpu++) {
    const used = load<u32>(systemOf(cpu, TLB_USED));
    const tables = tablesOf(cpu);
    for (let kind: u32 = 0; kind < TABLES; kind++) {
      if (!((used >> kind) & 1)) continue;
      for (let i: usize = 0; i < TLB_ENTRIES; i++) {
        const entry = tables + <usize>kind * TLB_SIZE + (i << 5);
        const page = load<u64>(entry, TLB_WRITE);
        if (page != NONE && <u32>page + load<u32>(entry, TLB_ADDEND) == <u32>place)
          store<u64>(entry, NONE, TLB_WRITE);
      }
    }
  }
}
