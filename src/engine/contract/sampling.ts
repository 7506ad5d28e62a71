/** Samples of a CPU that counts its instructions. */
export interface Sampling {
  /** Instructions until the first one. */
  readonly first: number;
  /** Called between two instructions; it may read registers and memory. @returns instructions until the next one */
  take(): number;
}
