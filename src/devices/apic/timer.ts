import { type Alarm, SECOND } from '../../time/index.js';
import type { TimeStamps } from '../contract/index.js';
import { DeviceStateError, registerField, stateFields } from '../state.js';

/** How the timer counts: LVT timer bits 18 and 17 (SDM 3A figure 11-8). */
export const TimerMode = { oneShot: 0, periodic: 1, deadline: 2 } as const;

/**
 * The shortest time between periodic interrupts, in nanoseconds: a guest that requests one each nanosecond would do
 * nothing else. The count itself keeps its rate.
 */
const SHORTEST_PERIOD = 50_000;
/** The most missed periods that are delivered later, where the host was late. */
const MAX_OWED = 1000;
/** The timer's input is 1 GHz, as KVM's and QEMU's: a count is a nanosecond, times the divider. */
export const TIMER_HZ = SECOND;

/** Divide configuration bits 3, 1 and 0 (SDM 3A figure 11-10). */
const dividers = [2, 4, 8, 16, 32, 64, 128, 1] as const;

export interface ApicTimerState {
  mode: number;
  divide: number;
  initial: number;
  /** The remaining count, and how many nanoseconds ago that was. */
  left: number;
  since: number;
  /** In hexadecimal; `0` is disarmed. */
  deadline: string;
}

/** A local APIC's timer (SDM 3A 11.5.4): its count follows from the machine's clock. */
export class ApicTimer {
  readonly #now: () => number;
  readonly #expired: () => void;
  readonly #stamps: TimeStamps | undefined;
  #alarm: Alarm | undefined;
  mode: number = TimerMode.oneShot;
  #divide = 0;
  #initial = 0;
  /** The remaining count at the moment `#from`; 0: it does not count. */
  #left = 0;
  #from = 0;
  #deadline = 0n;
  /** The LVT entry is not masked. */
  #heard = false;

  constructor(now: () => number, expired: () => void, stamps?: TimeStamps) {
    this.#now = now;
    this.#expired = expired;
    this.#stamps = stamps;
  }

  /** The alarm that calls `ring`. */
  use(alarm: Alarm): void {
    this.#alarm = alarm;
  }

  reset(): void {
    this.mode = TimerMode.oneShot;
    this.#divide = 0;
    this.#initial = 0;
    this.#left = 0;
    this.#deadline = 0n;
    this.#heard = false;
    this.#schedule();
  }

  /** True while it will interrupt by itself. */
  get awaits(): boolean {
    return this.#heard && (this.#deadline !== 0n || this.#left > 0);
  }

  get initial(): number {
    return this.#initial;
  }

  get divide(): number {
    return this.#divide;
  }

  get deadline(): bigint {
    return this.mode === TimerMode.deadline ? this.#deadline : 0n;
  }

  /** The LVT entry was written. A change to or from the deadline mode disarms (SDM 3A 11.5.4.1). */
  configure(mode: number, heard: boolean): void {
    if ((mode === TimerMode.deadline) !== (this.mode === TimerMode.deadline)) {
      this.#initial = 0;
      this.#left = 0;
      this.#deadline = 0n;
    } else this.#rebase();
    // Interrupts while the entry was masked are lost.
    if (!this.#heard && this.#stamps !== undefined && this.#stamps.now() >= this.#deadline)
      this.#deadline = 0n;
    this.mode = mode;
    this.#heard = heard;
    this.#schedule();
  }

  setDivide(value: number): void {
    this.#rebase();
    this.#divide = value & 0xb;
    this.#schedule();
  }

  setInitial(count: number): void {
    if (this.mode === TimerMode.deadline) return;
    this.#initial = count;
    this.#left = count;
    this.#from = this.#now();
    this.#schedule();
  }

  setDeadline(value: bigint): void {
    if (this.mode !== TimerMode.deadline) return;
    this.#deadline = value;
    this.#schedule();
  }

  /** The current count. */
  get count(): number {
    if (this.mode === TimerMode.deadline || this.#left === 0) return 0;
    const passed = Math.floor((this.#now() - this.#from) / this.#tick);
    if (passed < this.#left) return this.#left - passed;
    if (this.mode === TimerMode.oneShot) return 0;
    return this.#initial - ((passed - this.#left) % this.#initial);
  }

  /** The alarm has rung. */
  ring(): void {
    const now = this.#now();
    if (this.mode === TimerMode.deadline) {
      // A guest may have changed its counter meanwhile.
      if (this.#deadline !== 0n && this.#stamps !== undefined && this.#stamps.now() >= this.#deadline) {
        this.#deadline = 0n;
        this.#expired();
      }
    } else if (this.#left > 0 && now >= this.#end) {
      if (this.mode === TimerMode.oneShot) this.#left = 0;
      else this.#advance(now);
      this.#expired();
    }
    this.#schedule();
  }

  save(): ApicTimerState {
    return {
      mode: this.mode,
      divide: this.#divide,
      initial: this.#initial,
      left: this.#left,
      since: this.#left === 0 ? 0 : this.#now() - this.#from,
      deadline: this.#deadline.toString(16),
    };
  }

  /** @param heard its LVT entry is not masked */
  load(device: string, state: unknown, heard: boolean): void {
    const { mode, divide, initial, left, since, deadline } = stateFields(device, state, this.save());
    if (mode !== 0 && mode !== 1 && mode !== 2)
      throw new DeviceStateError(device, `'timer.mode' is ${String(mode)}, not 0, 1 or 2`);
    const checked = registerField(device, 'timer.divide', divide, 0xb);
    const [whole, rest] = [count(device, 'timer.initial', initial), count(device, 'timer.left', left)];
    if (!Number.isSafeInteger(since)) throw new DeviceStateError(device, `'timer.since' is ${String(since)}`);
    if (typeof deadline !== 'string' || !/^[0-9a-f]{1,16}$/.test(deadline))
      throw new DeviceStateError(device, `'timer.deadline' is ${String(deadline)}`);
    if (rest > 0 && whole === 0) throw new DeviceStateError(device, `'timer.left' is ${rest} of none`);
    this.mode = mode;
    this.#divide = checked;
    this.#initial = whole;
    this.#left = rest;
    this.#from = this.#now() - (since as number);
    this.#deadline = BigInt(`0x${deadline}`);
    this.#heard = heard;
    this.#schedule();
  }

  /** Nanoseconds per count. */
  get #tick(): number {
    return dividers[(this.#divide & 3) | ((this.#divide >> 1) & 4)]!;
  }

  /** The moment at which the count reaches 0. */
  get #end(): number {
    return this.#from + this.#left * this.#tick;
  }

  /** Counts on from now, before the rate or the mode changes. */
  #rebase(): void {
    if (this.#left === 0) return;
    const left = this.count;
    this.#from += Math.floor((this.#now() - this.#from) / this.#tick) * this.#tick;
    this.#left = left;
  }

  /** A period is over. Where the host was late, other periods that are over follow one by one, within a limit. */
  #advance(now: number): void {
    const period = this.#initial * this.#tick;
    const step = period * Math.ceil(SHORTEST_PERIOD / period);
    this.#from = this.#end;
    const owed = Math.floor((now - this.#from) / step);
    if (owed > MAX_OWED) this.#from += (owed - MAX_OWED) * step;
    this.#left = this.#initial;
    // Periods that are too short for an interrupt each pass together.
    this.#from += step - period;
  }

  #schedule(): void {
    if (!this.#heard) this.#alarm?.cancel();
    else if (this.#deadline !== 0n && this.#stamps !== undefined)
      this.#alarm?.at(this.#stamps.momentOf(this.#deadline));
    else if (this.#left > 0) this.#alarm?.at(this.#end);
    else this.#alarm?.cancel();
  }
}

/** A 32-bit count. */
function count(device: string, field: string, value: unknown): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 0xffff_ffff)
    throw new DeviceStateError(device, `'${field}' is ${String(value)}, no 32-bit count`);
  return value;
}
