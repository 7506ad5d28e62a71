import type { CpuTime } from '../../x86/index.js';

/**
 * The clock of CPUs that count their own time, one for all CPUs of a machine: it advances only with the guest's
 * instructions, so that a repeated run reads the same times on any host.
 *
 * A cycle is an instruction of one of them; cycles that an access takes in addition to its instruction, and those that
 * pass while the guest has halted, are skipped. The clock is also the time stamp counter. The machine defines how many
 * cycles make a second.
 */
export interface EngineClock {
  /** Cycles since the CPUs were made; exact to 2^53. */
  readonly cycles: number;
  /** Instructions so far: the cycles that were not skipped. Each iteration of a repeated string instruction counts as one. */
  readonly instructions: number;
  /** Cycles of an access that is an exit. */
  accessCycles: number;
  /**
   * Makes `run` return `interrupted` at the first instruction at which `cycles` is at least `cycle`, once; Infinity: never.
   * Not before one more instruction.
   */
  setAlarm(cycle: number): void;
  /**
   * Makes `run` return `turn` at the first instruction at which `cycles` is at least `cycle`, unless the alarm is also
   * due; Infinity: never. It is valid for all CPUs of the machine until it is set again. @param lateStore a store of
   * the turn's last instruction may stay in its CPU's store buffer: see `EngineCpu.takeLateStore`
   */
  setTurn(cycle: number, lateStore?: boolean): void;
  /** Lets the cycles up to `cycle` pass at once: the guest has halted. */
  advance(cycle: number): void;
  /** For `CpuState.time`. */
  save(): CpuTime;
  /** Continues from there, without an alarm. */
  load(time: CpuTime): void;
}
