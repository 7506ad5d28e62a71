/**
 * An engine's features. Check this record, not the engine's name: a third engine, or a KVM without a feature, then
 * needs no change outside its own room.
 */
export interface EngineCapabilities {
  /** The guest's time is the count of its instructions: each CPU has a `clock`. Otherwise it is the host's time. */
  readonly instructionClock: boolean;
  /**
   * `Exit.ripLow` and `ripHigh` name the instruction that caused the exit. Otherwise they may name the next one: KVM
   * completes a write before its exit.
   */
  readonly exactRip: boolean;
  /** The engine has interrupt controllers and a timer of its own (`VmOptions.irqchip`, `EngineVm.setIrq`, `watchEnds`). */
  readonly irqchip: boolean;
  /** The engine keeps counters of its own (`EngineVm.readCounters`). */
  readonly counters: boolean;
  /** The engine reports accesses to the task priority register (`EngineCpu.reportTprAccess`). */
  readonly tprAccess: boolean;
  /** RDMSR and WRMSR of a local APIC that is a device are exits (`VmOptions.apic`). */
  readonly msrExits: boolean;
  /** The host's kernel runs the guest: its log may explain a failure, and its tools show the CPUs' threads. */
  readonly hostKernel: boolean;
  /** A log of the written pages (`EngineVm.logDirtyPages`) slows down only the first write to each page. */
  readonly freeWriteLog: boolean;
}
