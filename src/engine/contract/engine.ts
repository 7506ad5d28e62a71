import type { GuestMemory } from '../../memory/index.js';
import type { EngineCapabilities } from './capabilities.js';
import type { EngineCpu } from './cpu.js';

/** One virtual machine: RAM and CPUs. Disposing it ends everything that belongs to it. */
export interface EngineVm extends Disposable {
  createCpu(control: Int32Array): EngineCpu;
  /** Requests that writes to this range cause no exits. False where the engine cannot. */
  coalesce(space: 'port' | 'memory', address: number, length: number): boolean;
  /** Undoes `coalesce` for the same range. */
  uncoalesce(space: 'port' | 'memory', address: number, length: number): void;
  /**
   * Ports that take bytes as a stream, in place of those named before: the engine may report many elements of a
   * repeated OUTS in one exit.
   */
  streamPorts?(ports: readonly { readonly first: number; readonly last: number }[]): void;
  /** Sets the level of a pin of the engine's own interrupt controllers (`VmOptions.irqchip`). */
  setIrq(irq: number, level: boolean): void;
  /**
   * Sends an interrupt message (MSI) to the engine's own local APICs; false where none takes it, or where the
   * engine has none.
   */
  signalMessage(address: number, data: number): boolean;
  /**
   * With `irqchip: 'split'`: the messages of the machine's own I/O APIC, in place of the earlier ones. A CPU exits
   * (`ExitKind.endOfInterrupt`) when it ends an interrupt of one of them.
   */
  watchEnds?(messages: readonly InterruptMessage[]): void;
  /**
   * Region `slot` of guest memory was moved or hidden (`GuestMemory.place`): the guest sees that from its next
   * instruction on. Not while `run` runs.
   */
  remapRegion(slot: number): void;
  /**
   * Begins an empty log of the pages of region `slot` that the guest's CPUs write, or ends it. A region that was made
   * with `logDirty` has one from the start. With a log, the first write to each page is slower. Not while `run` runs.
   */
  logDirtyPages(slot: number, on: boolean): void;
  /**
   * The pages of region `slot` that the guest's CPUs wrote since the last call, page tables' accessed and dirty bits
   * included: their numbers, from the region's first page on, lowest first. None is missing; a page may be included
   * where a write only began. Writes that do not come from the CPUs are in `GuestMemory.hostWrites`. Throws for a
   * region without a log.
   */
  takeDirtyPages(slot: number): number[];
  /**
   * For several CPUs that run at the same time. Missing, or undefined, where they take turns, or where there is one.
   */
  readonly crew?: Crew | undefined;
  /** The engine's own counters, as of now; empty lists where it keeps none. */
  readCounters(): EngineCounters;
}

/** Several CPUs that run at the same time, each on its own thread. Their exits are answered one by one. */
export interface Crew {
  /**
   * Lets all CPUs run until one exits, and returns it with its `exit` filled. It waits until the next call, while the
   * others continue. Where the CPUs' thread is requested, or the timer of `setTimer` rings, the `exit` of some CPU is
   * `interrupted`.
   */
  run(): EngineCpu;
  /** Stops a CPU until the next `run`: an interrupt can be injected. */
  call(cpu: number): void;
  /** Stops all of them until the next `run`: their states can be read and set. */
  rest(): void;
  /** True where none runs, and no interrupt can wake one: each sleeps in a HLT with RFLAGS.IF = 0, or was never started. */
  sleepsForGood(): boolean;
}

/** One of an engine's own counters, independent of the monitor (KVM's: KVM API 4.133). */
export interface EngineCounter {
  name: string;
  /** `cumulative` only grows; `instant` is a level; `peak` is the highest level so far. */
  kind: 'cumulative' | 'instant' | 'peak';
  /** Its unit, such as `ns` or `bytes`; empty for plain numbers. */
  unit: string;
  /** Exact to 2^53. */
  value: number;
}

/** An engine's counters of a VM, and of each of its CPUs. */
export interface EngineCounters {
  vm: EngineCounter[];
  cpus: EngineCounter[][];
}

/** An interrupt message (MSI: SDM 3A 11.11). */
export interface InterruptMessage {
  readonly address: number;
  readonly data: number;
}

/**
 * Where a machine's interrupt controllers are: nowhere, among its devices (`user`), inside the engine (`kernel`: KVM's
 * two 8259A, I/O APIC, local APICs and 8254), or only the local APICs inside the engine (`split`). With local APICs in
 * the engine, a HLT stays there until an interrupt comes.
 */
export const irqchipNames = ['none', 'user', 'split', 'kernel'] as const;
export type IrqchipName = (typeof irqchipNames)[number];

/** The CPUID features of a local APIC that is a device. */
export interface ApicFeatures {
  /** x2APIC mode, whose registers are MSRs that cause exits. */
  readonly x2apic: boolean;
  /** The timer's TSC deadline mode. */
  readonly tscDeadline: boolean;
}

export interface VmOptions {
  /** The number of CPUs that `createCpu` will make. Default 1. */
  cpus?: number;
  /** The engine makes its own controllers for `kernel` and `split`; it treats the other two alike. Default `none`. */
  irqchip?: IrqchipName;
  /** The local APICs are devices: CPUID reports them, and their MSRs are exits where the engine supports that. */
  apic?: ApicFeatures;
}

export interface Engine {
  /** For messages and reports. The engine's features are in `capabilities`. */
  readonly name: 'kvm' | 'soft';
  readonly capabilities: EngineCapabilities;
  createVm(memory: GuestMemory, options?: VmOptions): EngineVm;
  /** Stops a CPU's `run` from any thread. Set `Control.request` first; call it until `Control.running` is 0. */
  kick(control: Int32Array): void;
  /** Drops the contents of RAM that no VM uses any more; true if it now reads as zero. */
  discard(memory: GuestMemory): boolean;
}
