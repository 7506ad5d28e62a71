/**
 * The bits of control registers, flags, page-table entries and descriptors by the names the Intel SDM gives them.
 *
 * @module
 */

/** CR0 (SDM 3A 2.5). */
export const CR0 = {
  /** Protection enable: off is real mode. */
  PE: 1n << 0n,
  /** Monitor coprocessor: WAIT obeys TS. 1 wherever the CPU has its own FPU (SDM 3A 10.2.1). */
  MP: 1n << 1n,
  EM: 1n << 2n,
  TS: 1n << 3n,
  /** Extension type: always 1 since the 80486. */
  ET: 1n << 4n,
  /** Numeric error: FPU errors arrive as #MF, not through the PC's interrupt 13. VMX insists on it (SDM 3D A.7). */
  NE: 1n << 5n,
  /** Write protect: ring 0 too obeys read-only pages. */
  WP: 1n << 16n,
  AM: 1n << 18n,
  /** Not write-through and cache disable: both are set after reset and nowhere else here. */
  NW: 1n << 29n,
  CD: 1n << 30n,
  /** Paging. */
  PG: 1n << 31n,
} as const;

/** CR3 (SDM 3A tables 5-3 and 5-12); the other bits are the table's address, or the process-context identifier. */
export const CR3 = {
  PWT: 1n << 3n,
  PCD: 1n << 4n,
} as const;

/** CR4 (SDM 3A 2.5). */
export const CR4 = {
  VME: 1n << 0n,
  PVI: 1n << 1n,
  /** RDTSC is for ring 0. */
  TSD: 1n << 2n,
  /** Breakpoints on ports; DR4 and DR5 are #UD. */
  DE: 1n << 3n,
  /** Page size extensions: 4 MiB pages in 32-bit paging. */
  PSE: 1n << 4n,
  /** Physical address extension: page-table entries of 8 bytes; long mode insists on it. */
  PAE: 1n << 5n,
  MCE: 1n << 6n,
  /** Pages with the G bit stay in the TLB when CR3 is loaded. */
  PGE: 1n << 7n,
  PCE: 1n << 8n,
  /** FXSAVE and SSE are allowed; without it every SSE instruction is #UD. */
  OSFXSR: 1n << 9n,
  /** SSE errors arrive as #XM instead of #UD. */
  OSXMMEXCPT: 1n << 10n,
  /** SGDT, SIDT, SLDT, SMSW and STR are for ring 0. */
  UMIP: 1n << 11n,
  /** Linear addresses of 57 bits. */
  LA57: 1n << 12n,
  VMXE: 1n << 13n,
  SMXE: 1n << 14n,
  FSGSBASE: 1n << 16n,
  /** Process-context identifiers in CR3. */
  PCIDE: 1n << 17n,
  /** XSAVE and XCR0 are allowed. */
  OSXSAVE: 1n << 18n,
  SMEP: 1n << 20n,
  SMAP: 1n << 21n,
  PKE: 1n << 22n,
  CET: 1n << 23n,
  PKS: 1n << 24n,
  UINTR: 1n << 25n,
  LAM_SUP: 1n << 28n,
} as const;

/** The MSR IA32_EFER (SDM 3A 2.2.1). */
export const EFER = {
  /** SYSCALL and SYSRET are allowed. */
  SCE: 1n << 0n,
  /** Long mode enable: long mode begins when paging is turned on. */
  LME: 1n << 8n,
  /** Long mode active: the CPU sets it, so a state that starts in long mode has it set. */
  LMA: 1n << 10n,
  /** The no-execute bit of page-table entries is allowed. */
  NXE: 1n << 11n,
  /** AMD's: its virtualization is on (APM 2 3.1.7). */
  SVME: 1n << 12n,
} as const;

/** RFLAGS (SDM 1 3.4.3). */
export const RFLAGS = {
  CF: 1n << 0n,
  /** Bit 1 has no meaning and is always 1. */
  FIXED: 1n << 1n,
  PF: 1n << 2n,
  AF: 1n << 4n,
  ZF: 1n << 6n,
  SF: 1n << 7n,
  /** A debug exception after each instruction. */
  TF: 1n << 8n,
  /** External interrupts are taken. */
  IF: 1n << 9n,
  DF: 1n << 10n,
  OF: 1n << 11n,
  /** The ring that may use ports and IF: two bits. */
  IOPL: 3n << 12n,
  /** IRET returns to another task. */
  NT: 1n << 14n,
  /** No breakpoint at the next instruction. */
  RF: 1n << 16n,
  /** Virtual-8086 mode. */
  VM: 1n << 17n,
  /** With CR0.AM: ring 3 has to align its data. */
  AC: 1n << 18n,
  VIF: 1n << 19n,
  VIP: 1n << 20n,
  ID: 1n << 21n,
} as const;

/** DR6, the cause of a debug exception (SDM 3B 18.2.3); its bits 0 to 3 are the breakpoints that matched. */
export const DR6 = {
  /** An access to a debug register that DR7.GD forbids. */
  BD: 1n << 13n,
  /** A single step. */
  BS: 1n << 14n,
  /** A task switch. */
  BT: 1n << 15n,
} as const;

/** LEN by the number of bytes; 8 in 64-bit code only. */
const breakpointLengths: Readonly<Record<number, bigint>> = { 1: 0n, 2: 1n, 4: 3n, 8: 2n };

/** DR7, the control of breakpoints (SDM 3B 18.2.4): for each, an enable bit for the task and one for all, and its kind. */
export const DR7 = {
  /** Breakpoint n is on for all tasks: bit 1 + 2n. */
  globalEnable: (breakpoint: number): bigint => 2n << BigInt(2 * breakpoint),
  /** The four bits of breakpoint n, from bit 16 + 4n: R/W, then LEN. Instructions have the length 1. @param bytes 1, 2, 4 or 8 */
  kind: (breakpoint: number, kind: bigint, bytes: number): bigint =>
    (((breakpointLengths[bytes] ?? 0n) << 2n) | kind) << BigInt(16 + 4 * breakpoint),
  /** R/W: the accesses at which a breakpoint stops. */
  EXECUTION: 0n,
  WRITES: 1n,
  PORT: 2n,
  /** Reads as well as writes. */
  ACCESSES: 3n,
  /** The next access to a debug register is a debug exception, which clears it (SDM 3B 18.2.4). */
  GD: 1n << 13n,
} as const;

/** DR6 and DR7 after reset: the bits that always read 1 (SDM 3B figure 18-1). */
export const DR6_AFTER_RESET = 0xffff_0ff0n;
export const DR7_AFTER_RESET = 0x400n;

/** The names of the single bits of a register, lowest first. */
function namesOf(bits: Readonly<Record<string, bigint>>): readonly (readonly [bit: number, name: string])[] {
  const single = Object.entries(bits).filter(([, mask]) => (mask & (mask - 1n)) === 0n);
  return single.map(([name, mask]) => [mask.toString(2).length - 1, name]);
}

/** The named bits of the registers that consist of flags; those of RFLAGS that have a meaning. */
export const namedBits = {
  rflags: namesOf(RFLAGS).filter(([, name]) => name !== 'FIXED'),
  cr0: namesOf(CR0),
  cr3: namesOf(CR3),
  cr4: namesOf(CR4),
  efer: namesOf(EFER),
} as const;

/** Page-table entries of every paging mode (SDM 3A 5.3 to 5.5). */
export const PTE = {
  P: 1 << 0,
  RW: 1 << 1,
  US: 1 << 2,
  /** In a page-directory entry: it maps a large page, not a page table. */
  PS: 1 << 7,
} as const;

/** Type of a code or data segment's descriptor, S = 1 (SDM 3A 3.4.5.1). */
export const SegmentType = {
  /** Data, read and write, accessed. */
  data: 0b0011,
  /** Code, execute and read, accessed. */
  code: 0b1011,
} as const;

/** Type of a system descriptor, S = 0 (SDM 3A 3.5). */
export const SystemType = {
  ldt: 0b0010,
  /** A task state segment that TR is loaded with: 32 bits, or 64 bits in long mode. */
  busyTss: 0b1011,
} as const;

/** Bits of a page fault's error code (SDM 3A 5.7). */
export const PageFaultCode = {
  /** The page is present: its rights forbid the access. */
  present: 1,
  write: 2,
  /** The access was made in ring 3. */
  user: 4,
  /** An entry has a reserved bit set. */
  reserved: 8,
  fetch: 16,
} as const;

/** Bits of an error code that names a selector (SDM 3A 7.13); its index follows from bit 3 on. */
export const SelectorCode = {
  /** The event did not come from the program. */
  external: 1,
  /** It is an entry of the IDT. */
  idt: 2,
} as const;

/** IA32_APIC_BASE after reset: the APIC at FEE0_0000, enabled (bit 11), of the bootstrap processor (bit 8); SDM 3A 11.4.4. */
export const APIC_BASE_AFTER_RESET = 0xfee0_0900n;
