/**
 * The state of an x86 CPU as plain data: what an engine is started from and asked for.
 *
 * @module
 */
/** A segment register with its hidden part (SDM 3A 3.4.3); `limit` is in bytes, already scaled. */
export interface Segment {
  selector: number;
  base: bigint;
  limit: number;
  /** The descriptor's type field, 4 bits (SDM 3A 3.4.5.1). */
  type: number;
  present: boolean;
  dpl: number;
  /** D/B: 32-bit operands or stack. */
  db: boolean;
  /** S: true for code and data, false for system segments. */
  s: boolean;
  /** L: 64-bit code. */
  l: boolean;
  /** G: the limit was given in pages. */
  g: boolean;
  avl: boolean;
  unusable: boolean;
}

/** GDTR or IDTR. */
export interface DescriptorTable {
  base: bigint;
  limit: number;
}

/** The names of the general registers, in the order of their encoding, then rip and rflags. */
export const registerNames = [
  'rax',
  'rcx',
  'rdx',
  'rbx',
  'rsp',
  'rbp',
  'rsi',
  'rdi',
  'r8',
  'r9',
  'r10',
  'r11',
  'r12',
  'r13',
  'r14',
  'r15',
  'rip',
  'rflags',
] as const;

export type RegisterName = (typeof registerNames)[number];

/** General registers, instruction pointer and flags, 64 bits each. */
export type Registers = Record<RegisterName, bigint>;

export const segmentNames = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'] as const;

export type SegmentName = (typeof segmentNames)[number];

/** Segments, descriptor tables and control registers. */
export interface SystemRegisters extends Record<SegmentName, Segment> {
  tr: Segment;
  ldt: Segment;
  gdt: DescriptorTable;
  idt: DescriptorTable;
  cr0: bigint;
  cr2: bigint;
  cr3: bigint;
  cr4: bigint;
  cr8: bigint;
  efer: bigint;
  apicBase: bigint;
}

/** What a CPU starts from, and what it can be asked for while it does not run. */
export interface CpuState {
  registers: Registers;
  system: SystemRegisters;
}

/** What a CPU holds besides: what another engine's CPU needs to go on where this one stopped. */
export interface CpuInternals {
  /** Interrupts wait until one more instruction is done, after STI, MOV SS and POP SS (SDM 3A 7.8.3). */
  shadow: boolean;
  nmiPending: boolean;
  /** No NMI until an IRET. */
  nmiMasked: boolean;
  /** The vector of an external interrupt whose delivery has begun, or -1. */
  interrupt: number;
  /** DR0 to DR3, DR6, DR7. */
  debug: readonly bigint[];
  /** x87, MXCSR and XMM registers as FXSAVE writes them in 64-bit mode, 512 bytes (SDM 1 10.5.1). */
  fpu: Uint8Array;
  /** Bits 0 and 1 of XCR0: whether XSAVE manages x87 and SSE (SDM 3A 2.6). Its other bits stay with the CPU that has them. */
  xcr0: bigint;
  /** Model-specific registers by number: those of `sharedMsrs` that this CPU has. */
  msrs: ReadonlyMap<number, bigint>;
}

/**
 * The MSRs in `CpuInternals`: the time stamp counter, and those of SYSENTER, SYSCALL and SWAPGS (SDM 4). The bases of FS and
 * GS and EFER are in `SystemRegisters`.
 */
export const sharedMsrs: readonly number[] = [
  0x10, 0x174, 0x175, 0x176, 0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, 0xc0000102,
];
