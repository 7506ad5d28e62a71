/** Samples of CPUs that count their instructions. */
export interface Sampling {
  /** Instructions until the first one. */
  readonly first: number;
  /**
   * Called between two instructions; it may read registers and memory.
   * @param cpu the number of the running CPU
   * @returns instructions of all CPUs until the next one
   */
  take(cpu: number): number;
}
