import type { EngineClock } from '../../engine/contract/index.js';
import { ConfigError } from '../../errors.js';
import { MILLISECOND, Rate } from '../../time/index.js';
import { hostTime } from '../inputs/index.js';

/**
 * The default number of instructions a second of a machine whose time is its CPU's cycles: 100 MHz. The timer's 18.2 ticks a second are
 * then 5.5 million instructions apart, and a busy wait takes a third of its intended time, or less.
 */
export const DEFAULT_IPS = 100_000_000;
/** With more, two instructions would share one moment. */
export const MAX_IPS = 1_000_000_000;
/**
 * Exits for accesses in a second: each takes a microsecond, as on a PC's bus (programs write to port 0x80 to wait for one). Otherwise a
 * guest that polls a device would have to read it millions of times before time passes.
 */
const ACCESSES = 1_000_000;

/** Machine time by the CPU: its cycles, at a rate. */
export class CycleTime {
  readonly #clock: EngineClock;
  readonly #rate: Rate;

  /** @throws ConfigError for an invalid rate */
  constructor(clock: EngineClock, ips: number) {
    if (!Number.isInteger(ips) || ips < 1000 || ips > MAX_IPS || ips % 1000 !== 0) {
      throw new ConfigError(
        `a machine of ${ips} instructions a second cannot be made`,
        `give a multiple of 1000 from 1000 to ${MAX_IPS}`,
      );
    }
    this.#clock = clock;
    this.#rate = new Rate(ips);
    clock.accessCycles = Math.max(1, Math.round(ips / ACCESSES));
  }

  get cycles(): number {
    return this.#clock.cycles;
  }

  /** Instructions so far. */
  get instructions(): number {
    return this.#clock.instructions;
  }

  now(): number {
    return this.#rate.momentBefore(this.#clock.cycles);
  }

  /** The moment at which the CPU is at a cycle. */
  momentOf(cycle: number): number {
    return this.#rate.momentBefore(cycle);
  }

  /** The CPU returns at the first instruction at or after `moment`. */
  setAlarm(moment: number): void {
    this.#clock.setAlarm(moment === Number.POSITIVE_INFINITY ? moment : this.#rate.reaching(moment));
  }

  /** Sets the time to `moment` at once. */
  advance(moment: number): void {
    this.#clock.advance(this.#rate.reaching(moment));
  }
}

/** Machine time that is the host's, and stops while the machine does not run. */
export class HostTime {
  #stoppedAt = 0;
  /** The host's time minus the machine's while it runs, in milliseconds; undefined at rest. */
  #lag: number | undefined;

  now(): number {
    return this.#lag === undefined ? this.#stoppedAt : Math.round((hostTime() - this.#lag) * MILLISECOND);
  }

  /** Does nothing where it runs: its run had paused. */
  start(): void {
    this.#lag ??= hostTime() - this.#stoppedAt / MILLISECOND;
  }

  stop(): void {
    this.#stoppedAt = this.now();
    this.#lag = undefined;
  }

  /** Sets the time of a stopped machine to `moment`. */
  load(moment: number): void {
    this.#stoppedAt = moment;
  }
}
