/** A processor's time stamp counter, where the machine's time is that counter. */
export interface TimeStamps {
  /** The value that the guest reads now (RDTSC). */
  now(): bigint;
  /** The moment of the machine's clock at which it reaches `value`; now, if it has reached it. */
  momentOf(value: bigint): number;
}

/** A processor's pins FERR# and IGNNE# (SDM 1 D.2). */
export interface FpuErrorPins {
  /** Asserts IGNNE#. It falls by itself when the guest clears the pending error. */
  ignored: boolean;
  /**
   * Called when FERR# rises: an x87 instruction found an error while CR0.NE = 0. IGNNE# is connected from now on, and
   * low.
   */
  wire(rises: () => void): void;
}

/** The signals between a processor and its board. */
export interface CpuWires {
  /** CR8, 0 to 15: bits 7 to 4 of the task priority (SDM 3A 11.8.6). */
  taskPriority: number;
  /** Undefined where the counter does not follow the machine's clock. */
  readonly stamps?: TimeStamps | undefined;
  /** Undefined where the engine's CPU lacks them. */
  readonly fpuErrors?: FpuErrorPins | undefined;
  /** A non-maskable interrupt. */
  nmi(): void;
  /** INIT: the processor waits for a start-up interrupt. Not for the first one. */
  init(): void;
  /** A start-up interrupt: where the processor waits for it, it starts at the page with this number. */
  startUp(page: number): void;
}

/** A range of model-specific registers that a device answers. */
export interface MsrRange {
  first: number;
  count: number;
}
