import { type Alarm, AlarmQueue } from './alarms.js';

/** An alarm for a moment that has passed rings so many nanoseconds later: see `Alarm.at`. */
export const SHORTEST = 50_000;

/** Whether an alarm also rings while the guest sleeps in HLT. */
export type AlarmTime = 'always' | 'running';

/** A machine's clock, as its devices see it. */
export interface Clock {
  /**
   * Nanoseconds for which the machine has run: a whole number. It stops while the machine does not run, so a device
   * with no other clock sees no time pass while a stopped guest is inspected.
   */
  now(): number;
  /**
   * Makes an alarm, which calls `ring` at the moment that it is set for, between two instructions of the guest: exactly
   * then where the guest's instructions are the time, soon after it where the host's clock is.
   *
   * Make a device's alarms in `attach`. Those for the same moment ring in the order in which they were made.
   *
   * @param name its purpose; unique on the clock
   * @param during `running`: it rings only while the guest runs, and a guest that halts is not woken for it
   */
  alarm(name: string, ring: () => void, during?: AlarmTime): Alarm;
}

/** The state of a clock, as plain data. */
export interface ClockState {
  now: number;
  /** The moments of the alarms that are set, by their names. */
  alarms: Record<string, number>;
}

/** A clock that reads its time from `now` and rings its alarms when its owner calls it. */
export class AlarmClock implements Clock {
  readonly now: () => number;
  readonly #always = new AlarmQueue();
  readonly #running = new AlarmQueue();
  readonly #alarms = new Map<string, QueuedAlarm>();

  constructor(now: () => number) {
    this.now = now;
  }

  alarm(name: string, ring: () => void, during: AlarmTime = 'always'): Alarm {
    if (this.#alarms.has(name)) throw new RangeError(`two alarms are called '${name}'`);
    const alarm = new QueuedAlarm(name, ring, during === 'always' ? this.#always : this.#running, this.now);
    this.#alarms.set(name, alarm);
    return alarm;
  }

  /** When the first alarm rings; Infinity where none is set. */
  get next(): number {
    return Math.min(this.#always.next, this.#running.next);
  }

  /** When the first alarm rings for which a guest that halts is woken. */
  get nextAwaited(): number {
    return this.#always.next;
  }

  /** Rings the alarms that are due now. */
  ring(): void {
    const now = this.now();
    this.#always.ring(now);
    this.#running.ring(now);
  }

  save(): ClockState {
    const set = [...this.#alarms.values()].filter(({ moment }) => moment !== Number.POSITIVE_INFINITY);
    return { now: this.now(), alarms: Object.fromEntries(set.map(({ name, moment }) => [name, moment])) };
  }

  /**
   * Sets the alarms to the saved moments, after the devices have restored their states and the time is that of the
   * state. @throws RangeError for an alarm that this clock does not have, and for an invalid moment
   */
  load({ alarms }: ClockState): void {
    for (const [name, moment] of Object.entries(alarms)) {
      if (!this.#alarms.has(name)) throw new RangeError(`no device of this machine has an alarm '${name}'`);
      if (!Number.isSafeInteger(moment)) throw new RangeError(`the alarm '${name}' is set for ${moment}`);
    }
    for (const [name, alarm] of this.#alarms) alarm.restore(alarms[name] ?? Number.POSITIVE_INFINITY);
  }
}

class QueuedAlarm implements Alarm {
  readonly name: string;
  readonly #queue: AlarmQueue;
  readonly #now: () => number;
  readonly #entry: ReturnType<AlarmQueue['make']>;

  constructor(name: string, ring: () => void, queue: AlarmQueue, now: () => number) {
    this.name = name;
    this.#queue = queue;
    this.#now = now;
    this.#entry = queue.make(ring);
  }

  get moment(): number {
    return this.#entry.moment;
  }

  at(moment: number): void {
    if (moment === this.#entry.moment) return;
    if (Number.isNaN(moment)) throw new RangeError(`the alarm '${this.name}' is set for NaN`);
    const now = moment === Number.POSITIVE_INFINITY ? 0 : this.#now();
    this.#queue.set(this.#entry, moment > now ? Math.ceil(moment) : now + SHORTEST);
  }

  cancel(): void {
    this.#queue.set(this.#entry, Number.POSITIVE_INFINITY);
  }

  /** Sets it to a saved moment, which may be in the past. */
  restore(moment: number): void {
    this.#queue.set(this.#entry, moment);
  }
}
