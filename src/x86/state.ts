/**
 * The state of an x86 CPU as plain data: an engine's input and its result.
 *
 * @module
 */
import { RFLAGS } from './bits.js';
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

/** Each register 0 but those given; RFLAGS with nothing but its fixed bit (SDM 1 3.4.3). */
export function registersWith(given: Partial<Registers> = {}): Registers {
  const zeros = Object.fromEntries(registerNames.map((name) => [name, 0n])) as Registers;
  return { ...zeros, rflags: RFLAGS.FIXED, ...given };
}

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

/** The registers that every CPU starts from. */
export interface CpuRegisters {
  registers: Registers;
  system: SystemRegisters;
}

/** Interrupts and exceptions that a CPU has accepted and not delivered yet, and the states that block them. */
export interface PendingEvents {
  /**
   * After STI no interrupt is taken before the next instruction is done; after MOV SS and POP SS no debug exception either
   * (SDM 3A 7.8.3).
   */
  shadow: 'none' | 'sti' | 'movSs';
  nmiPending: boolean;
  /** No NMI is taken until an IRET (SDM 3A 7.7.1). */
  nmiMasked: boolean;
  /** The vector of an external interrupt. */
  interrupt: number | null;
  /** An exception at the current instruction. */
  exception: PendingException | null;
  /** Debug exceptions after the instruction that was done last, as bits of DR6: B0 to B3, BS, BT (SDM 3B 18.2.3). */
  debugTraps: number;
}

export interface PendingException {
  vector: number;
  /** Null for an exception that pushes none. */
  errorCode: number | null;
}

/** The guest's debug registers (SDM 3B 18.2). */
export interface DebugRegisters {
  /** DR0 to DR3. */
  addresses: readonly [bigint, bigint, bigint, bigint];
  dr6: bigint;
  dr7: bigint;
}

/** An access that left the CPU and was not completed. */
export interface OpenAccess {
  kind: 'io' | 'mmio' | 'msr';
  /** Port or guest physical address. */
  address: number;
  /** Bytes of one access, and how many accesses there are. */
  size: number;
  count: number;
  write: boolean;
  /** `size` × `count` bytes, little-endian: written by the guest, or the answer so far. */
  data: Uint8Array;
}

/** An instruction, or the delivery of an event, that left the CPU in its middle: it begins again with its answers. */
export interface UnfinishedInstruction {
  /** The answers to the accesses that were completed, in their order. */
  answers: readonly bigint[];
  /** The access that `Exit` shows; null where it was completed. */
  access: OpenAccess | null;
  /** The accesses belong to the delivery of an event. */
  delivering: boolean;
  /** Accesses that one answer is for (REP INS): their data, and how many of them the instruction has taken. */
  batch: { data: Uint8Array; count: number; taken: number } | null;
}

/** The guest's time on a CPU that counts its own. */
export interface CpuTime {
  /** Since the CPU was made; exact to 2^53. */
  cycles: number;
  /** The part of these cycles that passed without an instruction. */
  skipped: number;
}

/** `CpuState.version` of the states that this version of Terrarium gives and takes. */
export const CPU_STATE_VERSION = 1;

/**
 * The whole state of a stopped CPU, as plain data: it survives `structuredClone`. A CPU that takes it continues exactly
 * as the CPU that gave it.
 */
export interface CpuState extends CpuRegisters {
  version: typeof CPU_STATE_VERSION;
  events: PendingEvents;
  debug: DebugRegisters;
  /** x87, MXCSR and XMM registers as FXSAVE writes them in 64-bit mode with REX.W (`Fxsave`), 512 bytes. */
  fpu: Uint8Array;
  /** FCS and FDS, which that form leaves out; 0 where the processor does not keep them. */
  fpuSelectors: { fcs: number; fds: number };
  xcr0: bigint;
  /**
   * An XSAVE area from byte 512 on, header first, in the standard format and with this processor's offsets (SDM 1 13.4);
   * null where only x87 and SSE are in use.
   */
  extended: Uint8Array | null;
  /** PAE paging's page-directory-pointer-table entries as of the last load of CR3; null: those in memory. */
  pdptes: readonly bigint[] | null;
  /** Model-specific registers by number: `sharedMsrs`, then those that this engine has in addition. */
  msrs: readonly (readonly [number: number, value: bigint])[];
  /** The CPU sleeps in HLT. Where HLT leaves the engine this is false, and RIP is past it. */
  halted: boolean;
  /** The local APIC's registers, 1,024 bytes from its first on; null where the engine has none. */
  apic: Uint8Array | null;
  /** Null between two instructions. */
  unfinished: UnfinishedInstruction | null;
  /** Null where the guest's time is the host's. */
  time: CpuTime | null;
}
