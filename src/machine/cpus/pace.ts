/**
 * Interrupts a running guest so that alarms ring in time, and lets time pass while it is halted: by the host's clock, or by the CPU's own.
 *
 * @module
 */
import { Control, type EngineCpu } from '../../engine/contract/index.js';
import { type AlarmClock, MILLISECOND } from '../../time/index.js';
import { hostTime, type Inputs } from '../inputs/index.js';
import type { CycleTime } from './time.js';

/**
 * While regular work is needed, the guest is interrupted this often, in milliseconds: coalesced output is delivered, input is read, the
 * exit log is read. Two ticks stay below the 20 ms that a person may notice.
 */
export const TICK_MS = 8;

/** The host's timer is not set for less, in milliseconds: an alarm that is due now must not stop the guest completely. */
const SHORTEST_TIMER_MS = 0.05;

/** The part of a machine that a pace needs. */
export interface PacedMachine {
  readonly cpu: EngineCpu;
  readonly control: Int32Array;
  readonly clock: AlarmClock;
  readonly inputs: Inputs;
  /** Missing where the machine's time is the host's. */
  readonly cycleTime: CycleTime | undefined;
  /** The guest sleeps in wall-clock time, though its time is the CPU's. */
  readonly sleepsInWallTime: boolean;
}

/** The inputs of a pace. */
export interface Paced {
  readonly machine: PacedMachine;
  /** Host time at which the run ends, in milliseconds. */
  readonly deadline: number;
  /** True where the monitor has work every `TICK_MS` of the host's time. */
  readonly ticking: boolean;
  /** The number of instructions after which the run ends; Infinity for no such number. Only where the machine's time is the CPU's. */
  readonly lastInstruction: number;
}

/** The timing of one run: see the module's comment. */
export interface Pace {
  /** A run begins: sets the timer or alarm that interrupts the guest. True where alarms are due from the previous run. */
  begin(): boolean;
  /** The guest continues after it slept. */
  woke(): void;
  /** Another alarm may be the next one now. */
  follow(): void;
  /** The guest was interrupted. True where that was for alarms or inputs. */
  isDue(): boolean;
  /** The guest continues after it was interrupted. */
  goOn(): void;
  /** How long `sleep` would take if nothing woke the guest, in milliseconds. */
  sleepsFor(): number;
  /** Sleeps while the guest is halted, at most to the next alarm. `seen`: the wake count before anything was checked. */
  sleep(seen: number): void;
}

/** The pace of a machine, by its clock. */
export function paceOf(paced: Paced): Pace {
  const { cycleTime } = paced.machine;
  return cycleTime === undefined ? new HostPace(paced) : new CyclePace(paced, cycleTime);
}

/** Milliseconds of host time until the monitor has work: its deadline, or the next tick. */
function untilLook(paced: Paced): number {
  const until = untilEnd(paced);
  return paced.ticking ? Math.min(TICK_MS, until) : until;
}

function untilEnd({ deadline }: Paced): number {
  return Math.max(SHORTEST_TIMER_MS, deadline - hostTime());
}

/** Machine time is the host's: one timer for the deadline, the ticks and the alarms. */
class HostPace implements Pace {
  readonly #paced: Paced;
  readonly #clock: AlarmClock;
  /** The alarm that the timer was last set for. */
  #armedFor = Number.POSITIVE_INFINITY;
  /** The timer is set, and repeats every TICK_MS. */
  #ticks = false;

  constructor(paced: Paced) {
    this.#paced = paced;
    this.#clock = paced.machine.clock;
  }

  begin(): boolean {
    this.#arm();
    return false;
  }

  woke(): void {
    this.#arm();
  }

  follow(): void {
    if (this.#clock.next !== this.#armedFor) this.#arm();
  }

  isDue(): boolean {
    return true;
  }

  /** Sets the timer where something comes before its next tick. */
  goOn(): void {
    const { next } = this.#clock;
    const soon = next !== Number.POSITIVE_INFINITY && next - this.#clock.now() < TICK_MS * MILLISECOND;
    if (soon || !this.#ticks || this.#paced.deadline - hostTime() < TICK_MS) this.#arm();
    else this.#armedFor = next;
  }

  sleepsFor(): number {
    return Math.min(untilEnd(this.#paced), this.#untilAlarm(this.#clock.nextAwaited));
  }

  sleep(seen: number): void {
    const { cpu, control } = this.#paced.machine;
    // A timer that expires while the thread sleeps would interrupt the guest right after the thread woke.
    cpu.setTimer(0, 0);
    this.#ticks = false;
    Atomics.wait(control, Control.wake, seen, this.#until(this.#clock.nextAwaited));
  }

  #arm(): void {
    this.#armedFor = this.#clock.next;
    const until = this.#until(this.#armedFor);
    this.#ticks = until !== Number.POSITIVE_INFINITY;
    if (this.#ticks) this.#paced.machine.cpu.setTimer(until, TICK_MS);
  }

  /** Milliseconds until an alarm, or until the monitor has work. */
  #until(alarm: number): number {
    return Math.min(untilLook(this.#paced), this.#untilAlarm(alarm));
  }

  #untilAlarm(alarm: number): number {
    if (alarm === Number.POSITIVE_INFINITY) return alarm;
    return Math.max(SHORTEST_TIMER_MS, (alarm - this.#clock.now()) / MILLISECOND);
  }
}

/**
 * Machine time is the CPU's: alarms ring, and inputs come, at moments of the guest's own progress, and the host's timer only lets the
 * monitor do its work. So nothing that the guest sees depends on its speed.
 */
class CyclePace implements Pace {
  readonly #paced: Paced;
  readonly #time: CycleTime;
  readonly #clock: AlarmClock;
  readonly #inputs: Inputs;
  /** The last time for which the CPU's alarm was set. */
  #armedFor = Number.POSITIVE_INFINITY;
  /** The first moment at which the last instruction of the run can be done. */
  #limit = Number.POSITIVE_INFINITY;

  constructor(paced: Paced, time: CycleTime) {
    this.#paced = paced;
    this.#time = time;
    this.#clock = paced.machine.clock;
    this.#inputs = paced.machine.inputs;
  }

  begin(): boolean {
    this.#setLimit();
    this.#setTimer();
    this.#setAlarm();
    return this.isDue();
  }

  woke(): void {
    this.#setLimit();
    this.#setTimer();
    this.#setAlarm();
  }

  follow(): void {
    if (this.#next !== this.#armedFor) this.#setAlarm();
  }

  isDue(): boolean {
    return this.#time.now() >= Math.min(this.#clock.next, this.#inputs.next);
  }

  goOn(): void {
    if (this.#paced.deadline - hostTime() < TICK_MS) this.#setTimer();
    // Accesses took time in which no instruction was executed.
    if (this.#limit <= this.#time.now()) this.#setLimit();
    // The alarm rang, or it was not for it: then it is still set.
    if (this.#next !== this.#armedFor || this.#armedFor <= this.#time.now()) this.#setAlarm();
  }

  sleepsFor(): number {
    return this.#awaited === Number.POSITIVE_INFINITY ? untilEnd(this.#paced) : 0;
  }

  /** Where an alarm is set, the machine's time advances to it at once, unless an input depends on the host's time. */
  sleep(seen: number): void {
    const next = this.#awaited;
    const { control, sleepsInWallTime } = this.#paced.machine;
    if (sleepsInWallTime || this.#inputs.awaitsHost) this.#sleepWithHost(seen, next);
    else if (next !== Number.POSITIVE_INFINITY) this.#time.advance(next);
    else Atomics.wait(control, Control.wake, seen, untilLook(this.#paced));
  }

  /** Sleeps as long by the host's clock as the machine does, so that inputs come at the corresponding moments. */
  #sleepWithHost(seen: number, next: number): void {
    const now = this.#time.now();
    const began = hostTime();
    const until = Math.min(untilLook(this.#paced), (next - now) / MILLISECOND);
    Atomics.wait(this.#paced.machine.control, Control.wake, seen, until);
    const passed = Math.round((hostTime() - began) * MILLISECOND);
    this.#time.advance(Math.min(next, now + passed));
  }

  get #awaited(): number {
    return Math.min(this.#clock.nextAwaited, this.#inputs.nextAwaited);
  }

  get #next(): number {
    return Math.min(this.#clock.next, this.#inputs.next, this.#limit);
  }

  #setLimit(): void {
    const left = this.#paced.lastInstruction - this.#time.instructions;
    if (left !== Number.POSITIVE_INFINITY) this.#limit = this.#time.momentOf(this.#time.cycles + left);
  }

  #setTimer(): void {
    const until = untilLook(this.#paced);
    if (until !== Number.POSITIVE_INFINITY) this.#paced.machine.cpu.setTimer(until, TICK_MS);
  }

  #setAlarm(): void {
    this.#armedFor = this.#next;
    this.#time.setAlarm(this.#armedFor);
  }
}
