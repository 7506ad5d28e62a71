/** The registers of a local APIC (SDM 3A table 11-1) by their offsets in the page, which are 16 times their MSR's number less 800h. */
export const Register = {
  id: 0x20,
  version: 0x30,
  taskPriority: 0x80,
  arbitration: 0x90,
  processorPriority: 0xa0,
  eoi: 0xb0,
  remoteRead: 0xc0,
  logicalDestination: 0xd0,
  destinationFormat: 0xe0,
  spurious: 0xf0,
  inService: 0x100,
  triggerMode: 0x180,
  requests: 0x200,
  errors: 0x280,
  commandLow: 0x300,
  commandHigh: 0x310,
  timer: 0x320,
  thermal: 0x330,
  counters: 0x340,
  lint0: 0x350,
  lint1: 0x360,
  error: 0x370,
  initialCount: 0x380,
  currentCount: 0x390,
  divide: 0x3e0,
  /** Only in x2APIC mode. */
  selfIpi: 0x3f0,
} as const;

/** The local vector table, in the order of the registers from `timer` on. */
export const LVT_ENTRIES = 6;
export const Lvt = { timer: 0, thermal: 1, counters: 2, lint0: 3, lint1: 4, error: 5 } as const;
/** The bits of each entry that a guest can set (SDM 3A figure 11-8). */
export const lvtBits = [0x7_00ff, 0x1_07ff, 0x1_07ff, 0x1_a7ff, 0x1_a7ff, 0x1_00ff] as const;
export const LVT_MASKED = 0x1_0000;
export const LVT_LEVEL = 0x8000;

/** Version 14h, and the number of the last LVT entry (SDM 3A figure 11-7). */
export const VERSION = 0x14 | ((LVT_ENTRIES - 1) << 16);

export const SPURIOUS_BITS = 0x3ff;
export const SPURIOUS_ENABLED = 0x100;

/** The error status register (SDM 3A figure 11-9). */
export const ApicError = { sendVector: 0x20, receiveVector: 0x40, register: 0x80 } as const;

/** The interrupt command register's low half (SDM 3A figure 11-12). */
export const Command = {
  mode: 0x700,
  logical: 0x800,
  assert: 0x4000,
  level: 0x8000,
  shorthand: 0xc_0000,
  /** The bits that a guest can set: all but the delivery status. */
  bits: 0xc_cfff,
} as const;
/** Bits 19 and 18 of the command. */
export const Shorthand = { none: 0, self: 1, all: 2, others: 3 } as const;

/** IA32_APIC_BASE (SDM 3A figure 11-5). */
export const ApicBase = { bootstrap: 0x100n, x2apic: 0x400n, enabled: 0x800n } as const;
export const DEFAULT_APIC_BASE = 0xfee0_0000;
/** Bits of a physical address, as CPUID reports them. */
const PHYSICAL_BITS = 40n;
export const APIC_BASE_ADDRESS = ((1n << PHYSICAL_BITS) - 1n) & ~0xfffn;

export const MSR_APIC_BASE = 0x1b;
export const MSR_TSC_DEADLINE = 0x6e0;
export const MSR_X2APIC = 0x800;
export const X2APIC_MSRS = 0x100;
