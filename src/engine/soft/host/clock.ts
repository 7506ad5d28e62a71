import type { EngineClock } from '../../contract/index.js';
import * as L from '../layout.js';

/**
 * What passes in a millisecond of the guest's time: 100 MHz. An instruction is a cycle, so that the timer's 18.2 ticks a
 * second are 5.5 million instructions apart, and a guest that waits for time to pass waits a third of it, or less.
 */
export const CYCLES_PER_MS = 100_000;

/**
 * What an access that leaves the guest takes: a microsecond, as on a PC's bus (programs write to port 0x80 to wait for
 * one). Without it a guest that asks a device again and again would have to ask millions of times before time had passed.
 */
const CYCLES_PER_ACCESS = 100;

/** No alarm. */
export const NEVER = 0x7fff_ffff_ffff_ffffn;
const HIGH = 0x1_0000_0000;

/** The software CPU's clock: a cycle an instruction, and those that were skipped while the guest halted. */
export class SoftClock implements EngineClock {
  readonly #view: DataView;
  /** Cycles that passed without an instruction. */
  skipped = 0;
  #alarm = Number.POSITIVE_INFINITY;

  /** @internal */
  constructor(view: DataView) {
    this.#view = view;
  }

  /** The time stamp counter; exact to 2^53. */
  get cycles(): number {
    return this.#view.getUint32(L.CLOCK, true) + this.#view.getInt32(L.CLOCK + 4, true) * HIGH;
  }

  now(): number {
    return this.cycles / CYCLES_PER_MS;
  }

  setAlarm(at: number): void {
    // Not now: a guest whose alarm is always due would never get on.
    this.#alarm = Math.max(cyclesAt(at), this.cycles + 1);
    if (this.#alarm === Number.POSITIVE_INFINITY) this.#view.setBigInt64(L.ALARM, NEVER, true);
    else this.#set(L.ALARM, this.#alarm);
  }

  /** True once, when the alarm's time has come. */
  rings(): boolean {
    if (this.cycles < this.#alarm) return false;
    this.setAlarm(Number.POSITIVE_INFINITY);
    return true;
  }

  advance(to: number): void {
    this.#skip(cyclesAt(to) - this.cycles);
  }

  /** The monitor has answered so many accesses. */
  answered(accesses: number): void {
    this.#skip(accesses * CYCLES_PER_ACCESS);
  }

  #skip(cycles: number): void {
    if (!(cycles > 0)) return;
    this.#set(L.CLOCK, this.cycles + cycles);
    this.skipped += cycles;
  }

  /** In halves, so that nothing is allocated. */
  #set(place: number, cycles: number): void {
    this.#view.setUint32(place, cycles % HIGH, true);
    this.#view.setUint32(place + 4, Math.floor(cycles / HIGH), true);
  }
}

/** The first cycle at which `now()` is at least `ms`. */
function cyclesAt(ms: number): number {
  const cycles = Math.ceil(ms * CYCLES_PER_MS);
  return cycles / CYCLES_PER_MS < ms ? cycles + 1 : cycles;
}
