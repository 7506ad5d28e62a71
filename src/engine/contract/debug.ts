/** Bytes that a debugger watches. */
export interface Watchpoint {
  /** Linear address of the first byte. */
  address: bigint;
  /** Bytes: 1, 2, 4 or 8, and the address is a multiple of it. */
  length: number;
  /**
   * `write`: the guest writes it; `read`: it reads it, which no processor can watch without writes; `access`: it reads
   * or writes it.
   */
  on: 'write' | 'read' | 'access';
}

/** A debugger's request to a CPU. The guest does not see it: neither in its memory nor in its debug registers. */
export interface DebugRequest {
  /** Exit after one instruction. */
  step: boolean;
  /** Linear addresses: exit before the instruction there. Not while `step` is set. */
  breakpoints: readonly bigint[];
  /** Exit after an instruction that accesses one of these. */
  watchpoints: readonly Watchpoint[];
}
