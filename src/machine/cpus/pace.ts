/**
 * When a guest is called back while it runs, so that its devices' events happen in time, and how it passes its time while
 * it halts: by the world's clock, or by the CPU's own.
 *
 * @module
 */
import { Control, type EngineClock, type EngineCpu } from '../../engine/contract/index.js';
import type { Timers } from './timers.js';

/**
 * While something has to be looked at regularly, the guest is interrupted this often: output that was coalesced is
 * seen, devices see their input, the exit log is read. Two ticks stay under the 20 ms that a person may notice.
 */
export const TICK_MS = 8;

/** Timers are not set for less: a device whose event is due now and for ever must not stop the guest altogether. */
const SHORTEST_TIMER_MS = 0.05;

/** What a pace needs of a machine. */
export interface PacedMachine {
  readonly cpu: EngineCpu;
  readonly control: Int32Array;
  /** The CPU's own clock, where the machine goes by it and not by wall time. */
  readonly clock: EngineClock | undefined;
  /** The machine's clock: see `DeviceHost.now`. */
  now(): number;
  /** By the CPU's own clock: when devices are polled next. It outlives a run, so that cuts change nothing. */
  nextPoll: number;
}

/** What a pace goes by. */
export interface Paced {
  readonly machine: PacedMachine;
  readonly timers: Timers;
  /** Wall time at which the run ends. */
  readonly deadline: number;
  /** True where the monitor has something to look at every `TICK_MS` of wall time. */
  readonly ticking: boolean;
}

/** See above. */
export interface Pace {
  /** A run begins: sets what calls the guest back. True where a poll is owed from the run before. */
  begin(): boolean;
  /** The guest goes on after it slept. */
  woke(): void;
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

/** The pace of a machine, by its clock. */
export function paceOf(paced: Paced): Pace {
  const { clock } = paced.machine;
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

  begin(): boolean {
    this.#arm();
    return false;
  }

  woke(): void {
    this.#arm();
  }

  follow(): void {
    const { timers } = this.#paced;
    if (timers.any && timers.next() !== this.#armedFor) this.#arm();
  }

  polls(): boolean {
    return true;
  }

  /** The timer goes on by itself every TICK_MS: set it where something comes before that. */
  goOn(): void {
    const { deadline, timers, machine } = this.#paced;
    if (deadline - performance.now() < TICK_MS || timers.next() - machine.now() < TICK_MS) this.#arm();
  }

  sleep(seen: number): void {
    const { cpu, control } = this.#paced.machine;
    // A timer that runs out while the thread sleeps would call it out of the guest right after it woke.
    cpu.setTimer(0, 0);
    Atomics.wait(control, Control.wake, seen, this.#untilNext());
  }

  #arm(): void {
    const until = this.#untilNext();
    if (until !== Number.POSITIVE_INFINITY) this.#paced.machine.cpu.setTimer(until, TICK_MS);
  }

  #untilNext(): number {
    this.#armedFor = this.#paced.timers.next();
    const until = Math.max(SHORTEST_TIMER_MS, this.#armedFor - this.#paced.machine.now());
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

  constructor(paced: Paced, clock: EngineClock) {
    this.#paced = paced;
    this.#clock = clock;
  }

  begin(): boolean {
    this.#setTimer();
    this.#armedFor = this.#paced.timers.next();
    if (this.#paced.machine.nextPoll === Number.POSITIVE_INFINITY) this.#setAlarm();
    return this.polls();
  }

  woke(): void {
    this.#setTimer();
    this.#setAlarm();
  }

  follow(): void {
    const { timers } = this.#paced;
    if (timers.any && timers.next() !== this.#armedFor) this.#setAlarm();
  }

  polls(): boolean {
    return this.#clock.now() >= this.#paced.machine.nextPoll;
  }

  goOn(): void {
    if (this.#paced.deadline - performance.now() < TICK_MS) this.#setTimer();
    if (this.polls()) this.#setAlarm();
  }

  /** Where a device has an event to come, nobody waits for it. */
  sleep(seen: number): void {
    const { machine, timers } = this.#paced;
    const event = timers.next();
    if (event === Number.POSITIVE_INFINITY) {
      Atomics.wait(machine.control, Control.wake, seen, untilLook(this.#paced));
    } else this.#clock.advance(this.#notBeforeLong(event));
  }

  #setTimer(): void {
    const until = untilLook(this.#paced);
    if (until !== Number.POSITIVE_INFINITY) this.#paced.machine.cpu.setTimer(until, TICK_MS);
  }

  /** For the next event, or for the next look at the devices' input, which comes at whole ticks of the machine's time. */
  #setAlarm(): void {
    this.#armedFor = this.#paced.timers.next();
    const look = (Math.floor(this.#clock.now() / TICK_MS) + 1) * TICK_MS;
    const { machine } = this.#paced;
    machine.nextPoll = Math.min(look, this.#notBeforeLong(this.#armedFor));
    this.#clock.setAlarm(machine.nextPoll);
  }

  /** An event that is due already, and was when the device was polled, must not keep the guest from getting on. */
  #notBeforeLong(event: number): number {
    const now = this.#clock.now();
    return event > now ? event : now + SHORTEST_TIMER_MS;
  }
}
