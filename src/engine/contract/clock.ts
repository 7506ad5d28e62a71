/**
 * The clock of a CPU that makes its own time: it goes on with the guest's instructions and with nothing else, so that a
 * run that is repeated reads the same times whatever the host does meanwhile.
 */
export interface EngineClock {
  /** Milliseconds since the CPU was made. */
  now(): number;
  /** Makes `run` return `interrupted` at the first instruction at which `now()` is at least `at`, once; Infinity: never. */
  setAlarm(at: number): void;
  /** Lets time pass up to `to` at once: the guest has halted. */
  advance(to: number): void;
}
