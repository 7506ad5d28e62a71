/**
 * The memory map of `terrarium verify`'s guest, and the CPU's initial state, in each mode.
 *
 * The data window, the records and the tests' code are at the same offsets for every segment register, so that a test may
 * use any of them.
 *
 * @module
 */

import type { CodeSize } from '../isa/index.js';
import type { GuestMemory } from '../memory/index.js';
import type { Segment, SystemRegisters } from '../x86/index.js';
import { vectorTable } from './vectors.js';

export type ModeName = 'long' | 'protected' | 'real';
export const modeNames: readonly ModeName[] = ['long', 'protected', 'real'];

/** A mode and its memory map. Offsets are in the segments; `base` makes them physical addresses. */
export interface Mode {
  readonly name: ModeName;
  readonly code: CodeSize;
  /** The number of general registers. */
  readonly registers: 8 | 16;
  /** Bytes of RAM. */
  readonly memory: number;
  /** Base of the code segment, and of all others. */
  readonly codeBase: number;
  readonly dataBase: number;
  /**
   * Test `n` has its instruction at `start + n * stride + instruction`: some of them are four bytes before the end of a page.
   */
  readonly start: number;
  readonly stride: number;
  readonly instruction: number;
  /** How many tests fit. */
  readonly capacity: number;
  /** Test `n` stores its registers in `recordBytes` at `records + n * recordBytes`. */
  readonly records: number;
  readonly recordBytes: number;
  /** Addresses shortly before memory that is read-only for a test, that only ring 0 may access, and that is not mapped. */
  readonly forbidden: readonly number[];
  /** Gates and other tables that the guest needs in memory. */
  prepare(memory: GuestMemory): void;
  /** RFLAGS at the start. */
  readonly flags: bigint;
  /** The system registers at the start of a test. */
  system(system: SystemRegisters): void;
  /** The frame that the CPU pushed for a handler. */
  frame(memory: GuestMemory, stack: number, vector: number): Frame;
}

export interface Frame {
  /** The error code, or 0. */
  code: bigint;
  rip: bigint;
  rflags: bigint;
  rsp: bigint;
}

/** The memory in reach of a test's operands. Addresses aim at its middle; the margins catch offsets. */
export const DATA = 0x8000;
export const DATA_SIZE = 0x4000;

/** A HLT for each vector. */
export const HANDLERS = 0x1000;
export const HANDLER_BYTES = 16;
const GDT = 0x2800;
const IDT = 0x4000;
const TSS = 0x5000;
const KERNEL_STACK = 0x7000;
const TABLES = 0x20000;

const flat: Segment = {
  selector: 0,
  base: 0n,
  limit: 0xffffffff,
  type: 3,
  present: true,
  dpl: 0,
  db: true,
  s: true,
  l: false,
  g: true,
  avl: false,
  unusable: false,
};

/** Exceptions that push an error code (SDM 3A table 7-1). */
const pushesCode = new Set([8, 10, 11, 12, 13, 14, 17]);

function descriptor(memory: GuestMemory, selector: number, low: number, high: number): void {
  memory.write32(GDT + (selector & ~7), low);
  memory.write32(GDT + (selector & ~7) + 4, high);
}

function handlers(memory: GuestMemory): void {
  memory.view(HANDLERS, 256 * HANDLER_BYTES).fill(0xf4);
}

/** Ring 3 of long mode. Its page tables map the first 2 MiB one to one. */
const long: Mode = {
  name: 'long',
  code: 64,
  registers: 16,
  memory: 0x200000,
  codeBase: 0,
  dataBase: 0,
  start: 0x1000fc,
  stride: 512,
  instruction: 256,
  capacity: 1024,
  records: 0x80000,
  recordBytes: 256,
  forbidden: [0xbff0, 0xcff0, 0xdff0],
  // A KVM without VMX or SVM shows ring 3 the host's IF, which is set.
  flags: 0x202n,
  prepare(memory) {
    handlers(memory);
    descriptor(memory, 0x08, 0xffff, 0x00af9b00);
    descriptor(memory, 0x10, 0xffff, 0x00cf9300);
    descriptor(memory, 0x18, 0xffff, 0x00cff300);
    descriptor(memory, 0x20, 0xffff, 0x00affb00);
    descriptor(memory, 0x28, ((TSS & 0xffff) << 16) | 103, 0x8b00);
    memory.write32(TSS + 4, KERNEL_STACK);
    memory.write32(TSS + 100, 104 << 16);
    for (let vector = 0; vector < 256; vector++) {
      memory.write32(IDT + 16 * vector, (0x08 << 16) | (HANDLERS + HANDLER_BYTES * vector));
      memory.write32(IDT + 16 * vector + 4, 0x8e00);
    }
    const { address, bytes } = vectorTable();
    memory.writeBytes(address, bytes);
    const [present, write, user, used] = [1, 2, 4, 0x60];
    for (let level = 0; level < 3; level++) {
      memory.write32(TABLES + level * 0x1000, (TABLES + (level + 1) * 0x1000) | present | write | user);
    }
    for (let page = 0; page < 0x200000; page += 0x1000) {
      const isData = (page >= DATA && page < DATA + DATA_SIZE) || (page >= 0x80000 && page < 0x100000);
      let rights = present | write | used;
      if (isData) rights |= user;
      // The tests' code is read-only for them.
      if (page >= 0x100000 || page === 0xc000) rights = present | user | used;
      if (page === 0xe000) rights = 0;
      memory.write32(TABLES + 0x3000 + (page >> 12) * 8, page | rights);
    }
  },
  system(system) {
    const data = { ...flat, selector: 0x1b, dpl: 3 };
    const none = { ...data, selector: 0, unusable: true };
    // A KVM without VMX or SVM gives ring 3 null selectors, for every request.
    Object.assign(system, { ds: none, es: none, fs: none, gs: none, ss: data });
    system.cs = { ...flat, selector: 0x23, type: 11, dpl: 3, db: false, l: true };
    system.tr = { ...flat, selector: 0x28, base: BigInt(TSS), limit: 103, type: 11, s: false, db: false };
    system.tr.g = false;
    system.gdt = { base: BigInt(GDT), limit: 0x37 };
    system.idt = { base: BigInt(IDT), limit: 0xfff };
    Object.assign(system, { cr0: 0x80010033n, cr3: BigInt(TABLES), cr4: 0x620n, efer: 0x500n });
  },
  frame(memory, stack, vector) {
    const code = pushesCode.has(vector) ? memory.read64(stack) : 0n;
    const at = stack + (pushesCode.has(vector) ? 8 : 0);
    return { code, rip: memory.read64(at), rflags: memory.read64(at + 16), rsp: memory.read64(at + 24) };
  },
};

/** Ring 0 of protected mode, 32 bits wide, without paging. */
const protectedMode: Mode = {
  ...long,
  name: 'protected',
  code: 32,
  registers: 8,
  start: 0x10007c,
  stride: 256,
  instruction: 128,
  forbidden: [],
  flags: 2n,
  prepare(memory) {
    handlers(memory);
    descriptor(memory, 0x08, 0xffff, 0x00cf9b00);
    descriptor(memory, 0x10, 0xffff, 0x00cf9300);
    for (let vector = 0; vector < 256; vector++) {
      memory.write32(IDT + 8 * vector, (0x08 << 16) | (HANDLERS + HANDLER_BYTES * vector));
      memory.write32(IDT + 8 * vector + 4, 0x8e00);
    }
  },
  system(system) {
    const data = { ...flat, selector: 0x10 };
    Object.assign(system, { ds: data, es: data, fs: data, gs: data, ss: data });
    system.cs = { ...flat, selector: 0x08, type: 11 };
    system.gdt = { base: BigInt(GDT), limit: 0x17 };
    system.idt = { base: BigInt(IDT), limit: 0x7ff };
    Object.assign(system, { cr0: 0x11n, cr3: 0n, cr4: 0n, efer: 0n });
  },
  frame(memory, stack, vector) {
    const code = pushesCode.has(vector) ? BigInt(memory.read32(stack)) : 0n;
    const at = stack + (pushesCode.has(vector) ? 4 : 0);
    const rflags = BigInt(memory.read32(at + 8));
    return { code, rip: BigInt(memory.read32(at)), rflags, rsp: BigInt(at + 12) };
  },
};

/** Real mode: one segment for code, one for everything else. */
const real: Mode = {
  ...long,
  name: 'real',
  code: 16,
  registers: 8,
  memory: 0x40000,
  codeBase: 0x10000,
  dataBase: 0x20000,
  start: 0x2c,
  stride: 128,
  instruction: 80,
  capacity: 500,
  records: 0,
  recordBytes: 64,
  forbidden: [],
  flags: 2n,
  prepare(memory) {
    handlers(memory);
    for (let vector = 0; vector < 256; vector++) {
      memory.write32(vector * 4, HANDLERS + HANDLER_BYTES * vector);
    }
  },
  system(system) {
    const segment = { ...flat, limit: 0xffff, g: false, db: false };
    const data = { ...segment, selector: 0x2000, base: 0x20000n };
    Object.assign(system, { ds: data, es: data, fs: data, gs: data, ss: data });
    system.cs = { ...segment, selector: 0x1000, base: 0x10000n, type: 11 };
    system.idt = { base: 0n, limit: 0x3ff };
    Object.assign(system, { cr0: 0x10n, cr3: 0n, cr4: 0n, efer: 0n });
  },
  frame(memory, stack) {
    const at = 0x20000 + (stack & 0xffff);
    return {
      code: 0n,
      rip: BigInt(memory.read16(at)),
      rflags: BigInt(memory.read16(at + 4)),
      rsp: BigInt(stack + 6),
    };
  },
};

export const modes: Record<ModeName, Mode> = { long, protected: protectedMode, real };
