import type { CpuTime } from '../../x86/index.js';

/**
 * The clock of a CPU that makes its own time: it advances with the guest's instructions and with nothing else, so that a run
 * that is repeated reads the same times on any host.
 *
 * A cycle is an instruction; those that an access takes beside its instruction, and those that pass while the guest has halted,
 * are skipped. It is the time stamp counter too. How many cycles make a second is the machine's to say.
 */
export interface EngineClock {
  /** Cycles since the CPU was made; exact to 2^53. */
  readonly cycles: number;
  /** Instructions so far: the cycles that were not skipped. Each iteration of a repeated string instruction counts as one. */
  readonly instructions: number;
  /** Cycles that an access takes which leaves the guest. */
  accessCycles: number;
  /**
   * Makes `run` return `interrupted` at the first instruction at which `cycles` is at least `cycle`, once; Infinity: never.
   * Not before one more instruction.
   */
  setAlarm(cycle: number): void;
  /** Lets the cycles up to `cycle` pass at once: the guest has halted. */
  advance(cycle: number): void;
  /** For `CpuState.time`. */
  save(): CpuTime;
  /** Continues from there, without an alarm. */
  load(time: CpuTime): void;
}
