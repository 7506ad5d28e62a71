/** An engine's reason why it could not continue: for `failEntry`, `internalError` and `unknown`. */
export interface EngineFailure {
  /** The engine's name for it, such as `KVM_INTERNAL_ERROR_EMULATION`. */
  name: string;
  message: string;
  /** The instruction's bytes, where the engine gives them. */
  instruction?: Uint8Array;
  /** Numbers from the engine, whose meaning depends on the name. */
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
  /** The CPU's place and its stack. */
  cs: number;
  rip: bigint;
  ss: number;
  rsp: bigint;
  /** The value of CR2: for a page fault its address. */
  cr2: bigint;
}
