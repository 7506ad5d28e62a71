/**
 * The exits that engines report.
 *
 * @module
 */

/**
 * Why a CPU returned to the monitor. The numbers are Terrarium's, small and dense, so that logs can store them in a
 * byte.
 */
export const ExitKind = {
  /** IN, OUT, INS or OUTS on a port: `address` is the port. */
  io: 1,
  /** A memory access that no slot answers, or a write to a read-only slot: `address` is the guest physical address. */
  mmio: 2,
  /** HLT, where no in-kernel interrupt controller handles it. */
  halt: 3,
  /** A triple fault. */
  shutdown: 4,
  /** A kick, a timer tick or another signal: check your requests, then continue. */
  interrupted: 5,
  /** A debug event that was requested with guest debug. */
  debug: 6,
  /** The requested interrupt window: the guest can take an interrupt now. */
  interruptWindow: 7,
  /** The hardware refused the CPU state that it was given. */
  failEntry: 8,
  /** The engine gave up on an instruction: see `EngineCpu.failure()`. */
  internalError: 9,
  /** The guest accessed the task priority register, and the report was requested. */
  tprAccess: 10,
  /** The guest requested a reset or power-off through the engine itself. */
  systemEvent: 11,
  /** RDMSR or WRMSR of a register that a device answers: `address` is its number, the data 8 bytes. See `Exit.refused`. */
  msr: 13,
  /**
   * An x87 instruction finds an error while CR0.NE = 0: the CPU asserts FERR# and waits before the instruction until an
   * interrupt comes, as in a HLT (SDM 1 D.2.1). See `EngineCpu.ignoresFpuErrors`.
   */
  x87Error: 14,
  /** A CPU has ended an interrupt whose end is watched: `address` is its vector. See `EngineVm.watchEnds`. */
  endOfInterrupt: 15,
  /** The turn of one of several CPUs is over: see `EngineClock.setTurn`. */
  turn: 16,
  /** An unknown reason: `reason` has the engine's own number. */
  unknown: 12,
} as const;
export type ExitKind = (typeof ExitKind)[keyof typeof ExitKind];

/** The name of each kind, by number. */
export const exitKindNames: readonly string[] = (() => {
  const names: string[] = [];
  for (const [name, kind] of Object.entries(ExitKind)) names[kind] = name;
  return names;
})();

/** True for the kinds that are an access, with an address, a size and data. */
export function isAccess(kind: number): boolean {
  return kind === ExitKind.io || kind === ExitKind.mmio || kind === ExitKind.msr;
}

/**
 * One exit: a flat record that the engine fills in place and reuses, so that an exit allocates nothing.
 * It is valid until the next `run()`.
 */
export interface Exit {
  /** The number of the CPU that exited, 0 to 254: `EngineCpu.index`. */
  cpu: number;
  kind: ExitKind;
  /** Port (`io`), guest physical address (`mmio`), register (`msr`), vector (`endOfInterrupt`); 0 for every other kind. */
  address: number;
  /** Bytes in one access: 1, 2 or 4 for `io`; 1 to 8 for `mmio`. */
  size: number;
  /** How many accesses this exit holds: more than 1 for string I/O (REP INS, REP OUTS). */
  count: number;
  /** True where the guest writes; for `tprAccess` too. */
  write: boolean;
  /** For `msr`: set by the code that answers where the register does not exist or does not accept the value: the guest gets #GP. */
  refused: boolean;
  /** True for a write that the engine delivers later and that did not stop the guest (coalesced I/O). */
  coalesced: boolean;
  /** The place of the data: `count` elements of `size` bytes, little-endian, from byte `offset` of `data`. */
  data: DataView;
  offset: number;
  /** The engine's own number for the reason (KVM's `exit_reason`). */
  reason: number;
  /** The instruction pointer that the engine reports at this exit, in two halves so that nothing is allocated. */
  ripLow: number;
  ripHigh: number;
}

/**
 * A record without an exit. @param data the place for the bytes of accesses, from byte `offset` on
 * @param cpu the number of the CPU that fills it
 */
export function emptyExit(data: DataView, offset = 0, cpu = 0): Exit {
  return {
    cpu,
    kind: ExitKind.interrupted,
    address: 0,
    size: 0,
    count: 0,
    write: false,
    refused: false,
    coalesced: false,
    data,
    offset,
    reason: 0,
    ripLow: 0,
    ripHigh: 0,
  };
}
