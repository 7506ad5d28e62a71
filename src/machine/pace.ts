/**
 * When a guest is called back while it runs, so that its devices' events happen in time, and how it passes its time while
 * it halts: by the world's clock, or by the CPU's own.
 *
 * @module
 */
import { Control, type EngineClock, type EngineCpu } from '../engine/contract.js';
import type { Timers } from './interrupts.js';

/**
 * While something has to be looked at regularly, the guest is interrupted this often: output that was coalesced is
 * seen, devices see their input, the exit log is read. Two ticks stay under the 20 ms that a person may notice.
 */
export const TICK_MS = 8;

/** Timers are not set for less: a device whose event is due now and for ever must not stop the guest altogether. */
const SHORTEST_TIMER_MS = 0.05;

/** What a pace goes by. */
export interface Paced {
  readonly cpu: EngineCpu;
  readonly control: Int32Array;
  readonly timers: Timers;
  /** The machine's clock: see `DeviceHost.now`. */
  now(): number;
  /** Wall time at which the run ends. */
  readonly deadline: number;
  /** True where the monitor has something to look at every `TICK_MS` of wall time. */
  readonly ticking: boolean;
}

/** See above. */
export interface Pace {
  /** The guest is about to run, after a pause or for the first time: sets what calls it back. */
  arm(): void;
  /** A device may have another event next than was set. */
  follow(): void;
  /** The guest was interrupted. True where that was for its devices, which are to be polled now. */
  polls(): boolean;
  /** It goes on after it was interrupted. */
  goOn(): void;
  /** Sleeps while the guest halts, to the next event at most. `seen`: the wake count before the devices were asked. */
  sleep(seen: number): void;
  /** True where devices may be polled at any other moment too. */
  readonly pollsAnyTime: boolean;
}

/** The pace of a machine. @param clock the CPU's own clock, where the machine goes by it */
export function paceOf(paced: Paced, clock: EngineClock | undefined): Pace {
  return clock === undefined ? new WallPace(paced) : new ClockPace(paced, clock);
}

/** Milliseconds of wall time until the monitor wants to look: its deadline, or the next tick. */
function untilLook({ deadline, ticking }: Paced): number {
  const until = Math.max(SHORTEST_TIMER_MS, deadline - performance.now());
  return ticking ? Math.min(TICK_MS, until) : until;
}

/** Machine time is wall time: one timer for the deadline, the ticks and the devices' events. */
class WallPace implements Pace {
  readonly pollsAnyTime = true;
  readonly #paced: Paced;
  /** The device event that the timer was last set for, in machine time. */
  #armedFor = Number.POSITIVE_INFINITY;

  constructor(paced: Paced) {
    this.#paced = paced;
  }

  arm(): void {
    const until = this.#untilNext();
    if (until !== Number.POSITIVE_INFINITY) this.#paced.cpu.setTimer(until, TICK_MS);
  }

  follow(): void {
    const { timers } = this.#paced;
    if (timers.any && timers.next() !== this.#armedFor) this.arm();
  }

  polls(): boolean {
    return true;
  }

  /** The timer goes on by itself every TICK_MS: set it where something comes before that. */
  goOn(): void {
    const { deadline, timers } = this.#paced;
    if (deadline - performance.now() < TICK_MS || timers.next() - this.#paced.now() < TICK_MS) this.arm();
  }

  sleep(seen: number): void {
    const { cpu, control } = this.#paced;
    // A timer that runs out while the thread sleeps would call it out of the guest right after it woke.
    cpu.setTimer(0, 0);
    Atomics.wait(control, Control.wake, seen, this.#untilNext());
  }

  #untilNext(): number {
    this.#armedFor = this.#paced.timers.next();
    const until = Math.max(SHORTEST_TIMER_MS, this.#armedFor - this.#paced.now());
    return Math.min(until, untilLook(this.#paced));
  }
}

/**
 * Machine time is the CPU's: devices are polled at moments that the guest's own progress makes, and the world's timer only
 * lets the monitor look. So nothing that the guest sees depends on how fast it runs.
 */
class ClockPace implements Pace {
  readonly pollsAnyTime = false;
  readonly #paced: Paced;
  readonly #clock: EngineClock;
  #armedFor = Number.POSITIVE_INFINITY;
  #alarm = Number.POSITIVE_INFINITY;

  constructor(paced: Paced, clock: EngineClock) {
    this.#paced = paced;
    this.#clock = clock;
  }

  arm(): void {
    this.#setTimer();
    this.#setAlarm();
  }

  follow(): void {
    const { timers } = this.#paced;
    if (timers.any && timers.next() !== this.#armedFor) this.#setAlarm();
  }

  polls(): boolean {
    return this.#clock.now() >= this.#alarm;
  }

  goOn(): void {
    if (this.#paced.deadline - performance.now() < TICK_MS) this.#setTimer();
    if (this.polls()) this.#setAlarm();
  }

  /** Where a device has an event to come, nobody waits for it. */
  sleep(seen: number): void {
    const { control, timers } = this.#paced;
    const event = timers.next();
    if (event === Number.POSITIVE_INFINITY) {
      Atomics.wait(control, Control.wake, seen, untilLook(this.#paced));
    } else this.#clock.advance(this.#notBeforeLong(event));
  }

  #setTimer(): void {
    const until = untilLook(this.#paced);
    if (until !== Number.POSITIVE_INFINITY) this.#paced.cpu.setTimer(until, TICK_MS);
  }

  /** For the next event, or for the next look at the devices' input, which comes at whole ticks of the machine's time. */
  #setAlarm(): void {
    this.#armedFor = this.#paced.timers.next();
    const look = (Math.floor(this.#clock.now() / TICK_MS) + 1) * TICK_MS;
    this.#alarm = Math.min(look, this.#notBeforeLong(this.#armedFor));
    this.#clock.setAlarm(this.#alarm);
  }

  /** An event that is due already, and was when the device was polled, must not keep the guest from getting on. */
  #notBeforeLong(event: number): number {
    const now = this.#clock.now();
    return event > now ? event : now + SHORTEST_TIMER_MS;
  }
}
