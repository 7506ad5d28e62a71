/** A processor's time stamp counter, where the machine's time is that counter. */
export interface TimeStamps {
  /** What the guest reads from it now (RDTSC). */
  now(): bigint;
  /** The moment of the machine's clock at which it reaches `value`; now, if it already has. */
  momentOf(value: bigint): number;
}

/** A processor's pins FERR# and IGNNE# (SDM 1 D.2). */
export interface FpuErrorPins {
  /** IGNNE#. Falls by itself when the guest clears the pending error. */
  ignored: boolean;
  /** Called when FERR# rises: an x87 instruction found an error while CR0.NE = 0. IGNNE# is wired from now on, and low. */
  wire(rises: () => void): void;
}

/** What a processor shares with its board. */
export interface CpuWires {
  /** CR8, 0 to 15: bits 7 to 4 of the task priority (SDM 3A 11.8.6). */
  taskPriority: number;
  /** Undefined where the counter and the machine's clock do not go together. */
  readonly stamps?: TimeStamps | undefined;
  /** Undefined where the engine's CPU lacks them. */
  readonly fpuErrors?: FpuErrorPins | undefined;
  /** A non-maskable interrupt. */
  nmi(): void;
  /** INIT: the processor waits for a start-up interrupt. Not for the first one. */
  init(): void;
  /** A start-up interrupt: where the processor waits for it, it begins at the page of this number. */
  startUp(page: number): void;
}

/** A run of model-specific registers that a device answers. */
export interface MsrRange {
  first: number;
  count: number;
}
