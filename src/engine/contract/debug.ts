/** Bytes that a debugger watches. */
export interface Watchpoint {
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
  /** Leave the guest after an instruction that accesses one of these. */
  watchpoints: readonly Watchpoint[];
}
