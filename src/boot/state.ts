import { ConfigError } from '../errors.js';
import type { CpuRegisters, DescriptorTable, Segment, SystemRegisters } from '../x86/index.js';
import {
  APIC_BASE_AFTER_RESET,
  busyTss,
  CR0,
  CR4,
  EFER,
  flatCode32,
  flatCode64,
  flatData,
  noLdt,
  realSegment,
  registersWith,
  SegmentType,
  SystemType,
} from '../x86/index.js';
import { hex } from './numbers.js';
import { type BootTables, Selector, type TableMode } from './tables.js';

/** The last linear address that real mode can form: FFFF:FFFF. */
const REAL_TOP = 0x10_ffef;

/**
 * Selector and offset of a linear address in real mode. Below 64 KiB the selector is 0; up to 1 MiB it is the 64 KiB
 * block that holds the address, so that offsets equal the low 16 bits of linked addresses; above, it is FFFF.
 * `what` names the address in the error.
 * @throws ConfigError beyond FFFF:FFFF.
 */
export function realAddress(what: string, linear: number): { selector: number; offset: number } {
  if (linear > REAL_TOP) {
    throw new ConfigError(
      `${what} is out of real mode's reach, which ends at FFFF:FFFF (${hex(REAL_TOP)})`,
      'put it below 1M, or start in protected mode (--mode protected)',
    );
  }
  const selector = linear >= 0x10_0000 ? 0xffff : (linear >>> 4) & 0xf000;
  return { selector, offset: linear - selector * 16 };
}

/** SS:SP for a stack that ends at `end`: the segment that holds the bytes below it. SP is 0 for a full 64 KiB. */
function realStack(end: number): { selector: number; offset: number } {
  const { selector, offset } = realAddress(`the stack ${hex(end)}`, Math.max(end - 1, 0));
  return { selector, offset: end === 0 ? 0 : (offset + 1) & 0xffff };
}

/** Real mode: CS:IP at the entry, SS:SP at the stack, the other segments 0. */
export function realState(entry: number, stack: number): CpuRegisters {
  const code = realAddress(`the entry ${hex(entry)}`, entry);
  const { selector, offset } = realStack(stack);
  return {
    registers: registersWith({ rip: BigInt(code.offset), rsp: BigInt(offset) }),
    system: realSystem(code.selector, selector),
  };
}

/**
 * The state after power-up or reset (SDM 3A table 10-1), except for the base of CS: 000F_0000 instead of FFFF_0000, since the image's end
 * is at 1 MiB and not at 4 GiB.
 */
export function resetState(entry: number, stack: number): CpuRegisters {
  const code = realAddress(`the entry ${hex(entry)}`, entry);
  const { selector, offset } = realStack(stack);
  return {
    registers: registersWith({ rip: BigInt(code.offset), rsp: BigInt(offset), rdx: CPU_SIGNATURE }),
    system: {
      ...realSystem(code.selector, selector),
      // Caches are off after a reset.
      cr0: CR0.CD | CR0.NW | CR0.ET,
      gdt: { base: 0n, limit: 0xffff },
      idt: { base: 0n, limit: 0xffff },
    },
  };
}

/** EDX after reset: family 6; model and stepping are left 0. */
const CPU_SIGNATURE = 0x600n;
/** Real mode's interrupt vector table: 256 far pointers of 4 bytes from address 0 (SDM 3B 21.1.4). */
const VECTOR_TABLE: DescriptorTable = { base: 0n, limit: 0x3ff };

/** Written field by field: spreads of half of it cost 1 % of a machine's life. */
function realSystem(code: number, stack: number): SystemRegisters {
  return {
    es: realSegment(0),
    cs: realSegment(code, SegmentType.code),
    ss: realSegment(stack),
    ds: realSegment(0),
    fs: realSegment(0),
    gs: realSegment(0),
    tr: busyTss(0, 0n, 0xffff),
    ldt: { ...realSegment(0, SystemType.ldt), s: false },
    gdt: { base: 0n, limit: 0 },
    idt: { ...VECTOR_TABLE },
    cr0: CR0.ET,
    cr2: 0n,
    cr3: 0n,
    cr4: 0n,
    cr8: 0n,
    efer: 0n,
    apicBase: APIC_BASE_AFTER_RESET,
  };
}

const PROTECTED = CR0.PE | CR0.MP | CR0.ET | CR0.NE;
const PAGED = PROTECTED | CR0.WP | CR0.PG;

const control: Record<TableMode, { cr0: bigint; cr4: bigint; efer: bigint }> = {
  protected: { cr0: PROTECTED, cr4: 0n, efer: 0n },
  paged: { cr0: PAGED, cr4: CR4.PSE, efer: 0n },
  pae: { cr0: PAGED, cr4: CR4.PAE, efer: 0n },
  long: { cr0: PAGED, cr4: CR4.PAE, efer: EFER.LME | EFER.LMA },
};

/** Ring 0 in flat segments, in the modes that have tables in RAM. */
export function tableState(mode: TableMode, tables: BootTables, entry: number, stack: number): CpuRegisters {
  return flatState(mode, tables, entry, stack, Selector);
}

/** The same with the selectors of another GDT. */
export function flatState(
  mode: TableMode,
  tables: BootTables,
  entry: number,
  stack: number,
  selectors: { code: number; data: number },
): CpuRegisters {
  const data = (): Segment => flatData(selectors.data);
  return {
    registers: registersWith({ rip: BigInt(entry), rsp: BigInt(stack) }),
    system: {
      es: data(),
      cs: mode === 'long' ? flatCode64(selectors.code) : flatCode32(selectors.code),
      ss: data(),
      ds: data(),
      fs: data(),
      gs: data(),
      tr: tables.tr,
      ldt: noLdt(),
      gdt: tables.gdt,
      // No IDT: the first exception or interrupt ends in a triple fault until the guest has made its own.
      idt: { base: 0n, limit: 0 },
      ...control[mode],
      cr2: 0n,
      cr3: tables.cr3,
      cr8: 0n,
      apicBase: APIC_BASE_AFTER_RESET,
    },
  };
}

/** Linux's 16-bit entry: all segments except CS at the setup code, CS 20h above, IP 0 (boot.rst, "Running the kernel"). */
export function linuxRealState(segment: number, stack: number): CpuRegisters {
  const system = realSystem(segment + 0x20, segment);
  const data = () => realSegment(segment);
  return {
    registers: registersWith({ rsp: BigInt(stack) }),
    system: { ...system, ds: data(), es: data(), fs: data(), gs: data() },
  };
}
