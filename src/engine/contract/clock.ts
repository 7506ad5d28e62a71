import type { CpuTime } from '../../x86/index.js';

/**
 * The clock of CPUs that make their own time, one for all of a machine: it advances with the guest's instructions and with nothing
 * else, so that a run that is repeated reads the same times on any host.
 *
 * A cycle is an instruction of one of them; those that an access takes beside its instruction, and those that pass while the guest
 * has halted, are skipped. It is the time stamp counter too. How many cycles make a second is the machine's to say.
 */
export interface EngineClock {
  /** Cycles since the CPUs were made; exact to 2^53. */
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
  /**
   * Makes `run` return `turn` at the first instruction at which `cycles` is at least `cycle`, unless the alarm is due as well;
   * Infinity: never. It holds for any CPU of the machine until it is set again.
   * @param lateStore a store of the turn's last instruction may stay with its CPU: see `EngineCpu.takeLateStore`
   */
  setTurn(cycle: number, lateStore?: boolean): void;
  /** Lets the cycles up to `cycle` pass at once: the guest has halted. */
  advance(cycle: number): void;
  /** For `CpuState.time`. */
  save(): CpuTime;
  /** Continues from there, without an alarm. */
  load(time: CpuTime): void;
}
