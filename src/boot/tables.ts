/**
 * The tables in RAM for a CPU that starts outside real mode: a GDT, a TSS and page tables that map the first 4 GiB to themselves, without a
 * guard page between them and the stack. All of it is one block at the top of memory.
 *
 * @module
 */

import { ConfigError } from '../errors.js';
import { type GuestMemory, PAGE_SIZE } from '../memory/index.js';
import type { DescriptorTable, Segment } from '../x86/index.js';
import {
  busyTss,
  encodeDescriptor,
  encodeSystemDescriptor64,
  flatCode32,
  flatCode64,
  flatData,
  PTE,
  TSS_SIZE,
} from '../x86/index.js';
import type { BootMode } from './modes.js';
import { alignDown, hex, sizeText } from './numbers.js';
import { clear } from './place.js';

/** Modes that need tables. */
export type TableMode = Exclude<BootMode, 'reset' | 'real'>;

/** Selectors of the boot GDT. */
export const Selector = {
  code: 0x08,
  data: 0x10,
  /** Ring 3, requested privilege level 3. SYSEXIT requires code before data (SDM 2B SYSEXIT). */
  userCode32: 0x18 | 3,
  userData32: 0x20 | 3,
  /** Ring 3 in long mode: SYSRET requires data before code (SDM 2B SYSRET). */
  userData64: 0x18 | 3,
  userCode64: 0x20 | 3,
  tss: 0x28,
} as const;

/** The end of video memory. */
const VIDEO_END = 0xc_0000;
/** Bytes that are kept free of the image below the tables, for the stack. */
export const STACK_ROOM = PAGE_SIZE;
const LARGEST_STACK_ROOM = 64 * 1024;
/** The offset of the TSS in the block's first page, which begins with the GDT. */
const TSS_OFFSET = 0x800;
const FOUR_GIB = 2 ** 32;
const MIB = 2 ** 20;
const MAP = PTE.P | PTE.RW | PTE.US;

/** Pages of the tables: one for GDT and TSS, the others for page tables. */
const tablePages: Record<TableMode, number> = {
  protected: 1,
  paged: 1 + 1 + 1, // a page directory, the table around the guard page
  pae: 1 + 1 + 4 + 1, // page-directory-pointer table, four page directories, the table around the guard page
  long: 1 + 1 + 1 + 4 + 1, // PML4, page-directory-pointer table, four page directories, the table around the guard page
};

/** The guard page: it is not mapped, so that an overflow of the stack into the tables, or the reverse, faults. */
const GUARD = PAGE_SIZE;

/** The block's address. Without paging the guard page cannot fault, but still separates stack and tables. */
export interface TableBlock {
  address: number;
  /** Bytes of all parts, including the guard page. */
  size: number;
  /** The start of the tables: the GDT. */
  tables: number;
  guard: number;
}

/** The tables' values in the first state. */
export interface BootTables {
  gdt: DescriptorTable;
  tr: Segment;
  cr3: bigint;
}

/**
 * Finds the block's address: the end of RAM, below 4 GiB. Video memory may divide that (IBM PC: A0000 to BFFFF). Where a stack of the
 * caller's choice would grow into the block, the block goes below the stack.
 * @throws ConfigError where memory is too small.
 */
export function placeTables(memory: GuestMemory, mode: TableMode, stack?: number): TableBlock {
  const size = tablePages[mode] * PAGE_SIZE + GUARD;
  const writable = memory.regions.filter((r) => !r.readOnly && r.size > 0 && r.address < FOUR_GIB);
  const behindVideo = writable.find(
    ({ address, size: room }) => address === VIDEO_END && room > size + STACK_ROOM,
  );
  const region = behindVideo ?? writable[0];
  if (region === undefined) {
    throw new ConfigError(`${mode} mode needs writable memory below 4G for its tables`);
  }
  const end = Math.min(region.address + region.size, FOUR_GIB);
  const room = end - region.address;
  if (room < size + STACK_ROOM) {
    const least = sizeText(size + STACK_ROOM);
    throw new ConfigError(
      `${mode} mode needs at least ${least} of memory for its tables and a stack, the region at ${hex(region.address)} has ${sizeText(room)}`,
      `give the guest at least ${least} and room for its image (--memory 1M)`,
    );
  }
  const beyond = stack === undefined || stack <= end - size || stack > end;
  if (beyond) return { address: end - size, size, guard: end - size, tables: end - size + GUARD };
  // The stack grows down towards the tables: the guard page is above them.
  const address = belowStack(stack, region.address, size, mode);
  return { address, size, tables: address, guard: address + size - GUARD };
}

/** Stack room where the caller chose the stack's end: as much as a quarter of the memory below it, 64 KiB at most. */
function belowStack(stack: number, bottom: number, size: number, mode: TableMode): number {
  const room = Math.min(LARGEST_STACK_ROOM, alignDown((stack - bottom) / 4, PAGE_SIZE));
  const address = alignDown(stack - Math.max(room, STACK_ROOM), PAGE_SIZE) - size;
  if (address >= bottom) return address;
  throw new ConfigError(
    `a stack that ends at ${hex(stack)} leaves no room for the tables of ${mode} mode, ${sizeText(size)}`,
    'omit --stack: the default stack ends right below the tables',
  );
}

/** Writes the block: in 100 µs or less, since constant parts are made once. */
export function writeTables(memory: GuestMemory, mode: TableMode, block: TableBlock): BootTables {
  const { tables } = block;
  const tss = tables + TSS_OFFSET;
  const tr = busyTss(Selector.tss, BigInt(tss));
  clear(memory, tables, PAGE_SIZE);
  const gdt = mode === 'long' ? gdt64 : gdt32;
  for (let i = 0; i < gdt.length; i++) memory.write64(tables + 8 * i, gdt[i]!);
  const at = tables + Selector.tss;
  if (mode === 'long') {
    const [low, high] = encodeSystemDescriptor64(tr);
    memory.write64(at, low);
    memory.write64(at + 8, high);
  } else {
    memory.write64(at, encodeDescriptor(tr));
  }
  // The I/O permission map "starts" after the TSS's limit: there is none (SDM 1, I/O permission bit map).
  memory.write16(tss + 102, TSS_SIZE);
  const limit = Selector.tss + (mode === 'long' ? 16 : 8) - 1;
  const cr3 = mode === 'protected' ? 0 : writePages(memory, mode, block);
  return { gdt: { base: BigInt(tables), limit }, tr, cr3: BigInt(cr3) };
}

// Code and data as the CPU leaves them: with the accessed bit, so that loading them writes nothing.
const gdt32 = [
  0n,
  encodeDescriptor(flatCode32(Selector.code)),
  encodeDescriptor(flatData(Selector.data)),
  encodeDescriptor(flatCode32(Selector.userCode32, 3)),
  encodeDescriptor(flatData(Selector.userData32, 3)),
];
const gdt64 = [
  0n,
  encodeDescriptor(flatCode64(Selector.code)),
  encodeDescriptor(flatData(Selector.data)),
  encodeDescriptor(flatData(Selector.userData64, 3)),
  encodeDescriptor(flatCode64(Selector.userCode64, 3)),
];

/** Writes the page tables after the GDT's page and returns the address for CR3. */
function writePages(
  memory: GuestMemory,
  mode: 'paged' | 'pae' | 'long',
  { tables, guard }: TableBlock,
): number {
  const at = tables + PAGE_SIZE;
  const around = tables + (tablePages[mode] - 1) * PAGE_SIZE;
  if (mode === 'paged') {
    memory.writeBytes(at, directory32());
    writeAround(memory, around, guard, 4);
    memory.write32(at + 4 * Math.floor(guard / (4 * MIB)), around + MAP);
    return at;
  }
  const pointers = mode === 'long' ? at + PAGE_SIZE : at;
  const directories = pointers + PAGE_SIZE;
  clear(memory, at, directories - at);
  if (mode === 'long') memory.write64(at, BigInt(pointers + MAP));
  for (let i = 0; i < 4; i++) {
    // In PAE paging R/W and U/S are reserved here and must be 0 (SDM 3A 5.4.1); in long mode they must be 1 to allow writes and ring 3.
    const bits = mode === 'long' ? MAP : PTE.P;
    memory.write64(pointers + 8 * i, BigInt(directories + i * PAGE_SIZE + bits));
  }
  memory.writeBytes(directories, directories64());
  writeAround(memory, around, guard, 8);
  memory.write64(directories + 8 * Math.floor(guard / (2 * MIB)), BigInt(around + MAP));
  return at;
}

/** The tables of 4-level paging that map the first 4 GiB to themselves: for `at`, their start, to which CR3 points. */
export function identityTables(at: number): Uint8Array {
  const bytes = new Uint8Array(6 * PAGE_SIZE);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(at + PAGE_SIZE + MAP), true);
  for (let i = 0; i < 4; i++)
    view.setBigUint64(PAGE_SIZE + 8 * i, BigInt(at + (2 + i) * PAGE_SIZE + MAP), true);
  bytes.set(directories64(), 2 * PAGE_SIZE);
  return bytes;
}

/** A page table with the neighbours of the guard page, and without the guard page. */
function writeAround(memory: GuestMemory, at: number, guard: number, entrySize: 4 | 8): void {
  const first = alignDown(guard, (PAGE_SIZE / entrySize) * PAGE_SIZE);
  const words = new Uint32Array(PAGE_SIZE / 4);
  for (let i = 0; i < words.length; i += entrySize / 4) {
    const page = first + ((i * 4) / entrySize) * PAGE_SIZE;
    words[i] = page === guard ? 0 : page + MAP;
  }
  memory.writeBytes(at, new Uint8Array(words.buffer));
}

let made32: Uint8Array | undefined;
let made64: Uint8Array | undefined;

/** A page directory of 32-bit paging whose 1,024 entries map 4 MiB each (SDM 3A 5.3). */
function directory32(): Uint8Array {
  if (made32 !== undefined) return made32;
  made32 = new Uint8Array(PAGE_SIZE);
  const view = new DataView(made32.buffer);
  for (let i = 0; i < 1024; i++) view.setUint32(4 * i, i * 4 * MIB + (MAP | PTE.PS), true);
  return made32;
}

/** Four page directories of PAE or 4-level paging, whose 2,048 entries map 2 MiB each (SDM 3A 5.4.2, 5.5). */
function directories64(): Uint8Array {
  if (made64 !== undefined) return made64;
  made64 = new Uint8Array(4 * PAGE_SIZE);
  const view = new DataView(made64.buffer);
  for (let i = 0; i < 2048; i++) view.setBigUint64(8 * i, BigInt(i * 2 * MIB + (MAP | PTE.PS)), true);
  return made64;
}
