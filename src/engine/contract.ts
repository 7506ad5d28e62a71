/**
 * What an engine is: something that runs x86 code on guest RAM until the code does what only a monitor can answer.
 *
 * Two engines keep this contract: `kvm` (the real CPU through /dev/kvm) and `soft` (Terrarium's own CPU). The machine
 * knows them by this file alone. Nothing here imports Node, so that the contract holds in a browser as well.
 *
 * @module
 */
import type { GuestMemory } from '../memory/index.js';
import type { Exit, ExitKind } from './exit.js';

export { type Exit, ExitKind, emptyExit, exitKindNames } from './exit.js';

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

/** An engine's account of why it could not go on: for `failEntry`, `internalError` and `unknown`. */
export interface EngineFailure {
  /** The engine's own name for it, such as `KVM_INTERNAL_ERROR_EMULATION`. */
  name: string;
  message: string;
  /** The instruction's bytes, where the engine gives them. */
  instruction?: Uint8Array;
  /** Numbers that the engine gives, whose meaning goes by its name. */
  data?: readonly bigint[];
  hint?: string;
}

/** An exception that a CPU raised. */
export interface FaultRecord {
  vector: number;
  /** Where the exception has one. */
  code?: number;
  /** The vector that was being delivered when it was raised. Missing where an instruction raised it. */
  delivering?: number;
  /** Where the CPU was, and its stack. */
  cs: number;
  rip: bigint;
  ss: number;
  rsp: bigint;
  /** What stood in CR2: for a page fault its address. */
  cr2: bigint;
}

/**
 * The control block: words of shared memory between the thread that runs a CPU and those that may stop it. `newControl()`
 * makes one; used with Atomics only.
 */
export const Control = {
  /** Not 0: somebody wants the CPU's thread to come back. The machine decides what the number means. */
  request: 0,
  /** 1 while the CPU's thread is in its run loop. Waited on by those who stop it. */
  running: 1,
  /** The operating system's number of the thread that runs the CPU, 0 where there is none. */
  thread: 2,
  /** Counts the calls of `wakeThread`. */
  wake: 3,
} as const;
export const controlWords = 4;
export const controlBytes = controlWords * 4;

/** A shared buffer costs 5 µs, 1 % of a machine's life: one serves this many control blocks. None is used twice. */
const BLOCKS = 64;
let blocks: SharedArrayBuffer | undefined;
let used = 0;

/** A control block of zeros in shared memory. */
export function newControl(): Int32Array {
  if (blocks === undefined || used === BLOCKS) {
    blocks = new SharedArrayBuffer(BLOCKS * controlBytes);
    used = 0;
  }
  return new Int32Array(blocks, used++ * controlBytes, controlWords);
}

/**
 * Wakes the CPU's thread where it sleeps because the guest halted: it looks at its control block and its devices. A
 * thread that is inside the guest is called back with `Engine.kick`.
 */
export function wakeThread(control: Int32Array): void {
  Atomics.add(control, Control.wake, 1);
  Atomics.notify(control, Control.wake);
}

/**
 * The clock of a CPU that makes its own time: it goes on with the guest's instructions and with nothing else, so that a
 * run that is repeated reads the same times whatever the host does meanwhile.
 */
export interface EngineClock {
  /** Milliseconds since the CPU was made. */
  now(): number;
  /** Makes `run` return `interrupted` at the first instruction at which `now()` is at least `at`, once; Infinity: never. */
  setAlarm(at: number): void;
  /** Lets time pass up to `to` at once: the guest has halted. */
  advance(to: number): void;
}

/** Bytes that a debugger watches. */
export interface WatchedPlace {
  /** Linear address of the first byte. */
  address: bigint;
  /** Bytes: 1, 2, 4 or 8, and the address is a multiple of it. */
  length: number;
  /** `write`: the guest writes it; `read`: it reads it, which no processor watches alone; `access`: it reads or writes it. */
  on: 'write' | 'read' | 'access';
}

/** What a debugger asks of a CPU. The guest sees nothing of it: neither in its memory nor in its debug registers. */
export interface DebugRequest {
  /** Leave the guest after one instruction. */
  step: boolean;
  /** Linear addresses: leave the guest before the instruction there. Not while `step` is set. */
  breakpoints: readonly bigint[];
  /** Leave the guest after an instruction that touches one of these. */
  places: readonly WatchedPlace[];
}

/** What was done for an engine that gave up on instructions. */
export interface Assistance {
  /** Times that it gave up, and went on afterwards. */
  times: number;
  /** Instructions that another CPU ran in its place. */
  instructions: number;
}

/** What the next instruction of a CPU comes to, as another CPU found out on a copy of the memory. */
export interface Rehearsal {
  /** The exceptions that it raises, with those that their delivery raises. */
  readonly faults: readonly FaultRecord[];
  /** They end in a shutdown. */
  readonly ends: boolean;
}

/** One virtual CPU. It belongs to the thread that created it. */
export interface EngineCpu extends Disposable {
  readonly index: number;
  /** The record that `run` fills. */
  readonly exit: Exit;
  /** What another CPU has done for this one so far. Missing where it has no help. */
  readonly assistance?: Assistance;
  /** Missing where the guest's time is the world's. */
  readonly clock?: EngineClock;
  /**
   * Runs the guest to its next exit and fills `exit`. Writes that were coalesced before it come first, one a call.
   * The data of a read (`io` or `mmio` with `write` false) is given back by filling `exit.data` before the next call.
   */
  run(): ExitKind;
  /**
   * Ends the exit that is under way without running an instruction of the guest: after it, the registers and memory
   * are those a reader expects (the result of an IN is in RAX, rip is past it).
   */
  completeExit(): void;
  getRegisters(): Registers;
  /**
   * An access that `exit` shows and that was not completed is given up, and the rest of its instruction with it: the guest
   * goes on where these registers say. So it is with `setSystemRegisters`.
   */
  setRegisters(registers: Registers): void;
  getSystemRegisters(): SystemRegisters;
  /** Throws an `EngineLimit` where this host's engine cannot do the mode that the registers ask for. */
  setSystemRegisters(system: SystemRegisters): void;
  /** Missing where the engine gives and takes no more than registers. */
  getInternals?(): CpuInternals;
  /** `before`: what this CPU gave last; what is still the same need not be written. */
  setInternals?(internals: CpuInternals, before?: CpuInternals): void;
  /** False for a state that this host's engine cannot run, though others can. Missing: it can run all. */
  canRun?(system: SystemRegisters): boolean;
  /** True for a state in which this host's engine gives up on common instructions: who helps it gets ready. */
  needsHelp?(system: SystemRegisters): boolean;
  /** Makes `run` return `interrupted` after `firstMs` of wall time and then each `intervalMs` (0: never again); both 0 turn it off. */
  setTimer(firstMs: number, intervalMs: number): void;
  /** True if the guest can take an external interrupt right now, as of the last exit. */
  readonly readyForInterrupt: boolean;
  /** RFLAGS.IF as of the last exit. */
  readonly interruptsEnabled: boolean;
  /** Asks for an `interruptWindow` exit as soon as the guest can take an interrupt. */
  requestInterruptWindow(wanted: boolean): void;
  /** Delivers external interrupt `vector`; only while `readyForInterrupt`. */
  injectInterrupt(vector: number): void;
  injectNmi(): void;
  /** Asks for a `tprAccess` exit after each access to the task priority register. Missing where the engine cannot. */
  reportTprAccess?(wanted: boolean): void;
  /** True while the CPU sleeps in a HLT that did not leave the engine: there is an interrupt controller inside. */
  readonly waiting: boolean;
  /**
   * Asks for `debug` exits from the next `run` on, in place of what was asked before; undefined for none. Gives, in words for
   * people, why this CPU cannot do that: then it does none. Missing where a CPU cannot at all.
   */
  debug?(request: DebugRequest | undefined): string | undefined;
  /** After a `debug` exit: which of the request's `places` was touched, as its index; -1 for none of them. */
  readonly touchedPlace?: number;
  /** Why the last `failEntry`, `internalError`, `shutdown` or `unknown` exit came. */
  failure(): EngineFailure;
  /**
   * The exceptions that were raised last, oldest first, a few at most, with those that the delivery of others raised.
   * Missing where the engine does not see them. After a `shutdown` the last ones are what it came from.
   */
  recentFaults?(): readonly FaultRecord[];
}

/** One virtual machine: RAM and CPUs. Disposing it ends everything that belongs to it. */
export interface EngineVm extends Disposable {
  createCpu(control: Int32Array): EngineCpu;
  /** Asks that writes to this range do not leave the guest one by one. False where the engine cannot. */
  coalesce(space: 'port' | 'memory', address: number, length: number): boolean;
  /** Sets the level of a line of the engine's own interrupt controllers (`VmOptions.irqchip`). */
  setIrq(irq: number, level: boolean): void;
  /**
   * Region `slot` of guest memory was placed elsewhere, or hidden (`GuestMemory.place`): the guest sees it so from its next
   * instruction on. Not while `run` runs.
   */
  remapRegion(slot: number): void;
  /**
   * Addresses of the pages of region `slot` that the guest wrote since the last call, lowest first; the region was made
   * with `logDirty`. Missing where the engine keeps no such log.
   */
  takeDirtyPages?(slot: number): number[];
  /** The engine's own counters, as of now. Missing where it keeps none. */
  readCounters?(): EngineCounters;
}

/** One of an engine's own counters, which the monitor has no part in (KVM's: KVM API 4.133). */
export interface EngineCounter {
  name: string;
  /** `cumulative` only grows; `instant` is a level; `peak` is the highest level so far. */
  kind: 'cumulative' | 'instant' | 'peak';
  /** What it counts in, such as `ns` or `bytes`; empty for plain numbers. */
  unit: string;
  /** Exact to 2^53. */
  value: number;
}

/** What an engine counts of a VM, and of each of its CPUs. */
export interface EngineCounters {
  vm: EngineCounter[];
  cpus: EngineCounter[][];
}

export interface VmOptions {
  /**
   * The engine brings interrupt controllers and a timer of its own (KVM: two 8259A, I/O APIC, local APICs and an 8254 in
   * the kernel). A HLT then stays in the engine until an interrupt comes. Default false.
   */
  irqchip?: boolean;
}

export interface Engine {
  readonly name: 'kvm' | 'soft';
  createVm(memory: GuestMemory, options?: VmOptions): EngineVm;
  /** Stops a CPU's `run` from any thread. Set `Control.request` first; call it until `Control.running` is 0. */
  kick(control: Int32Array): void;
  /** Drops the contents of RAM that no VM uses any more; true if it now reads as zero. */
  discard(memory: GuestMemory): boolean;
}
