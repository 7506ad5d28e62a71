/**
 * The timer of a PC: an 8254 with three counters behind a clock of 1.193182 MHz. Behaviour and names: Intel's 8254 data
 * sheet (231164).
 *
 * Counter 0 is wired to interrupt line 0. A guest counts those interrupts to know the time, so none may be lost because
 * the host was late: missed ticks follow one by one, each as soon as the CPU has taken the previous one.
 *
 * @module
 */
import { type Alarm, type Clock, Rate } from '../../time/index.js';
import type {
  Access,
  AccessSize,
  AccessWords,
  Device,
  DeviceHost,
  Line,
  PortRange,
} from '../contract/index.js';
import { booleanField, DeviceStateError, stateFields } from '../state.js';
import { Counter, type CounterState } from './counter.js';
import { pitWords } from './words.js';

/** Pulses a second: a third of the NTSC colour subcarrier. */
export const PIT_HZ = 1_193_182;
const pulses = new Rate(PIT_HZ);

const FIRST_PORT = 0x40;
const CONTROL = 3;
/** The timer's interrupt line. */
const TIMER_IRQ = 0;

/**
 * The shortest time between ticks, 200 µs, for every count: a guest that requests 600,000 interrupts a second would do
 * nothing but take them. KVM's timer has the same floor.
 */
const SHORTEST_TICK = Math.ceil(PIT_HZ / 5000);
/** The most missed ticks that follow later: not those of an hour in which the process was stopped. */
const MAX_OWED = 10_000;

export interface PitState {
  counters: CounterState[];
  /** Pulses until the next tick of counter 0, negative where it is overdue; null where none will come. */
  untilTick: number | null;
  /** A tick was raised that the CPU has not taken. */
  raised: boolean;
}

/** A PC's timer: see the module's comment. */
export class Pit8254 implements Device {
  readonly name = 'pit';
  readonly ports: readonly PortRange[] = [{ first: FIRST_PORT, count: 4, width: 1 }];
  readonly #counters = [new Counter(), new Counter(), new Counter()] as const;
  #clock: Clock | undefined;
  #alarm: Alarm | undefined;
  #line: Line | undefined;
  /** The pulse of the first tick that was not raised yet; Infinity where none will come. */
  #tick = Number.POSITIVE_INFINITY;
  #raised = false;
  readonly #watchers: (() => void)[] = [];

  attach(host: DeviceHost): void {
    this.#clock = host.clock;
    this.#alarm = host.clock.alarm('tick', () => this.#ring());
    this.#line = host.line(TIMER_IRQ, {
      acknowledged: () => this.#acknowledged(),
      unmasked: () => this.#unmasked(),
      canRise: () => this.#tick !== Number.POSITIVE_INFINITY,
    });
  }

  readPort(port: number): number {
    const counter = this.#counters[port - FIRST_PORT];
    const now = this.#pulse();
    this.#settle(now);
    this.#schedule();
    // "Control word register: no-operation" for reads: the bus floats.
    return counter === undefined ? 0xff : counter.read(now);
  }

  writePort(port: number, _size: AccessSize, value: number): void {
    const number = port - FIRST_PORT;
    const byte = value & 0xff;
    const now = this.#pulse();
    this.#settle(now);
    if (number === CONTROL) this.#control(byte, now);
    else if (this.#counters[number]!.write(byte, now)) {
      if (number === 0) this.#restart(now);
      this.#watchers[number]?.();
    }
    this.#schedule();
  }

  describeAccess({ address, write }: Access): AccessWords | undefined {
    const number = address - FIRST_PORT;
    return pitWords(number, write, this.#counters[number]?.reaches(write));
  }

  /** Drives the gate of counter `number`, for a device that has a register for it. */
  setGate(number: 0 | 1 | 2, level: boolean): void {
    const now = this.#pulse();
    if (this.#counters[number].setGate(level, now) && number === 0) this.#restart(now);
    this.#schedule();
  }

  /** Calls `watcher` each time a guest has written a count to counter `number`. */
  watch(number: 0 | 1 | 2, watcher: () => void): void {
    this.#watchers[number] = watcher;
  }

  /** Clock pulses from one rise of counter `number`'s OUT to the next; 0 where it is not periodic. */
  period(number: 0 | 1 | 2): number {
    const counter = this.#counters[number];
    return counter.mode === 2 || counter.mode === 3 ? counter.count : 0;
  }

  /** The OUT pin of counter `number`. */
  output(number: 0 | 1 | 2): boolean {
    return this.#counters[number].output(this.#pulse());
  }

  save(): PitState {
    const now = this.#pulse();
    this.#settle(now);
    return {
      counters: this.#counters.map((counter) => counter.save(now)),
      untilTick: this.#tick === Number.POSITIVE_INFINITY ? null : this.#tick - now,
      raised: this.#raised,
    };
  }

  load(state: unknown): void {
    const fields = stateFields(this.name, state, this.save());
    const { counters, untilTick } = fields;
    if (!Array.isArray(counters) || counters.length !== 3)
      throw new DeviceStateError(this.name, `'counters' is not a list of three`);
    const checked = counters.map((counter, i) => Counter.check(this.name, `counters[${i}]`, counter));
    if (untilTick !== null && !Number.isSafeInteger(untilTick))
      throw new DeviceStateError(this.name, `'untilTick' is ${String(untilTick)}, neither null nor pulses`);
    const raised = booleanField(this.name, 'raised', fields.raised);
    const now = this.#pulse();
    for (const [i, counter] of checked.entries()) this.#counters[i]!.load(counter, now);
    this.#tick = untilTick === null ? Number.POSITIVE_INFINITY : now + (untilTick as number);
    this.#raised = raised;
    this.#schedule();
  }

  /** The alarm has rung: a tick is due, or a new count takes effect. */
  #ring(): void {
    const now = this.#pulse();
    this.#settle(now);
    this.#deliver(now);
    this.#schedule();
  }

  /** While a tick waits for the CPU there is nothing to do: `#acknowledged` finds the ticks that are due by then. */
  #schedule(): void {
    const { switchAt } = this.#counters[0];
    const next = switchAt >= 0 ? Math.min(switchAt, this.#tick) : this.#tick;
    if (this.#raised || next === Number.POSITIVE_INFINITY) this.#alarm?.cancel();
    else this.#alarm?.at(pulses.moment(next));
  }

  #acknowledged(): void {
    this.#raised = false;
    this.#line?.set(false);
    this.#ring();
  }

  /** Ticks while the guest had the line masked are lost, as on hardware. */
  #unmasked(): void {
    const now = this.#pulse();
    this.#settle(now);
    if (this.#isPeriodic) this.#tick += this.#owed(now) * this.#period;
    // For a tick from before the controller was initialized, whose edge was lost there.
    if (this.#raised) this.#raise();
    this.#schedule();
  }

  /** The machine's clock in pulses of the timer's. */
  #pulse(): number {
    return pulses.passed(this.#clock?.now() ?? 0);
  }

  /** A control word, a counter latch command or a read-back command (figures 7, 10, 11). */
  #control(byte: number, now: number): void {
    const number = byte >> 6;
    if (number === 3) {
      for (const [i, counter] of this.#counters.entries()) {
        if (!(byte & (2 << i))) continue;
        if (!(byte & 0x20)) counter.latchCount(now);
        if (!(byte & 0x10)) counter.latchStatus(now);
      }
      return;
    }
    const counter = this.#counters[number]!;
    if ((byte & 0x30) === 0) {
      counter.latchCount(now);
      return;
    }
    counter.program(byte);
    if (number === 0) this.#stop();
  }

  /** Counter 0 was given a control word: no tick comes before there is a count. */
  #stop(): void {
    this.#tick = Number.POSITIVE_INFINITY;
    this.#raised = false;
    this.#line?.set(false);
  }

  /** Counter 0 counts from a new start: OUT rises after one count, in mode 4 one pulse later. */
  #restart(now: number): void {
    const counter = this.#counters[0];
    const strobe = counter.mode === 4 || counter.mode === 5 ? 1 : 0;
    this.#tick = counter.loadedAt + Math.max(counter.count + strobe, this.#isPeriodic ? SHORTEST_TICK : 0);
    this.#deliver(now);
  }

  /** Applies a new count of counter 0. Overdue ticks of the old one become a single tick. */
  #settle(now: number): void {
    const { switchAt } = this.#counters[0];
    if (switchAt < 0 || !this.#counters[0].settle(now)) return;
    const owed = this.#tick <= switchAt;
    this.#tick = this.#counters[0].loadedAt + this.#period;
    if (owed && !this.#raised) this.#raise();
  }

  get #isPeriodic(): boolean {
    return this.#counters[0].mode === 2 || this.#counters[0].mode === 3;
  }

  get #period(): number {
    return Math.max(this.#counters[0].count, SHORTEST_TICK);
  }

  /** Ticks that should have been raised by now. */
  #owed(now: number): number {
    if (now < this.#tick) return 0;
    return this.#isPeriodic ? Math.floor((now - this.#tick) / this.#period) + 1 : 1;
  }

  /** Raises the tick that is due, if the previous one was taken. */
  #deliver(now: number): void {
    if (this.#raised || now < this.#tick) return;
    if (!this.#isPeriodic) this.#tick = Number.POSITIVE_INFINITY;
    else {
      const excess = this.#owed(now) - MAX_OWED;
      this.#tick += (1 + Math.max(0, excess)) * this.#period;
    }
    this.#raise();
  }

  /** A new edge on the line. */
  #raise(): void {
    this.#raised = true;
    this.#line?.pulse();
  }
}
