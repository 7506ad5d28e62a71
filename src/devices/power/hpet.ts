/**
 * A High Precision Event Timer with three comparators (IA-PC HPET Specification 1.0a): a counter of 100 MHz, 64 bits
 * wide, that follows the machine's clock.
 *
 * @module
 */
import type { Alarm } from '../../time/index.js';
import type {
  Access,
  AccessSize,
  AccessWords,
  Device,
  DeviceHost,
  Line,
  MemoryRange,
} from '../contract/index.js';
import { DeviceStateError, stateFields } from '../state.js';
import { bits, words } from '../words.js';

export const HPET_ADDRESS = 0xfed0_0000;
/** Femtoseconds per tick: 10 ns, as in QEMU. */
export const HPET_PERIOD = 10_000_000;
const TICK = 10;
const SIZE = 1024;
const TIMERS = 3;
/** Capabilities: the period, Intel's number, legacy routes, a 64-bit counter, the number of the last timer, revision 1. */
export const HPET_ID = 0x8086_a201;
const CAPABILITIES = (BigInt(HPET_PERIOD) << 32n) | BigInt(HPET_ID);
/** Interrupt requests that a timer may be routed to. */
const ROUTES = 0x00ff_0000;

const Config = { enable: 1, legacy: 2 } as const;
/** A timer's configuration (2.3.8). */
const Timer = {
  level: 2,
  on: 4,
  periodic: 8,
  canPeriodic: 0x10,
  wide: 0x20,
  set: 0x40,
  short: 0x100,
  route: 0x3e00,
  messages: 0x4000,
} as const;
const TIMER_BITS = Timer.level | Timer.on | Timer.periodic | Timer.set | Timer.short | Timer.route;
const MASK64 = (1n << 64n) - 1n;
const MASK32 = (1n << 32n) - 1n;
/** The shortest time between interrupts of one timer, in ticks: 50 µs. */
const SHORTEST = 5000n;

interface Comparator {
  config: number;
  /** The comparator, and the period that is added to it in periodic mode. */
  match: bigint;
  period: bigint;
  alarm: Alarm | undefined;
}

export interface HpetState {
  config: number;
  status: number;
  /** In hexadecimal, like all 64-bit numbers here: the counter. */
  counter: string;
  timers: { config: number; match: string; period: string }[];
}

/** See the module's comment. */
export class Hpet implements Device {
  readonly name = 'hpet';
  readonly memory: readonly MemoryRange[] = [{ address: HPET_ADDRESS, size: SIZE, width: 8 }];
  #host: DeviceHost | undefined;
  readonly #lines: Line[] = [];
  #config = 0;
  #status = 0;
  /** The counter at the moment `#began`; while it runs it continues from there. */
  #base = 0n;
  #began = 0;
  readonly #timers: Comparator[] = Array.from({ length: TIMERS }, () => ({
    config: 0,
    match: MASK64,
    period: 0n,
    alarm: undefined,
  }));

  attach(host: DeviceHost): void {
    this.#host = host;
    const canRise = () => this.#timers.some(({ alarm }) => alarm?.moment !== Number.POSITIVE_INFINITY);
    // IRQ 2 of the legacy routes is the timer's pin of an I/O APIC, which the board calls IRQ 0.
    for (const irq of [0, 8, 16, 17, 18, 19, 20, 21, 22, 23]) this.#lines[irq] = host.line(irq, { canRise });
    for (const [i, timer] of this.#timers.entries())
      timer.alarm = host.clock.alarm(`timer ${i}`, () => this.#ring(i));
  }

  get #isOn(): boolean {
    return (this.#config & Config.enable) !== 0;
  }

  get #counter(): bigint {
    if (!this.#isOn) return this.#base;
    const passed = Math.floor(((this.#host?.clock.now() ?? 0) - this.#began) / TICK);
    return (this.#base + BigInt(passed)) & MASK64;
  }

  #setCounter(value: bigint): void {
    this.#base = value;
    this.#began = this.#host?.clock.now() ?? 0;
  }

  /** Where a timer's interrupts go: legacy routes for the first two, else as its configuration says; -1 for nowhere. */
  #irq(i: number): number {
    if (this.#config & Config.legacy && i < 2) return i === 0 ? 0 : 8;
    const route = (this.#timers[i]!.config & Timer.route) >> 9;
    return (ROUTES >>> route) & 1 ? route : -1;
  }

  #schedule(i: number): void {
    const timer = this.#timers[i]!;
    if (!this.#isOn || !(timer.config & Timer.on)) {
      timer.alarm?.cancel();
      return;
    }
    const mask = timer.config & Timer.short ? MASK32 : MASK64;
    const ahead = (timer.match - this.#counter) & mask;
    const now = this.#host?.clock.now() ?? 0;
    const fraction = (now - this.#began) % TICK;
    // A moment centuries away counts as never.
    if (ahead > 1n << 50n) timer.alarm?.cancel();
    else
      timer.alarm?.at(
        now -
          fraction +
          Number(ahead === 0n ? (mask + 1n > 1n << 50n ? 1n << 50n : mask + 1n) : ahead) * TICK,
      );
  }

  #ring(i: number): void {
    const timer = this.#timers[i]!;
    const mask = timer.config & Timer.short ? MASK32 : MASK64;
    if (timer.config & Timer.periodic && timer.period > 0n) {
      // Periods that are over, and those that are too short for an interrupt each.
      const step = timer.period * ((SHORTEST + timer.period - 1n) / timer.period);
      timer.match = (timer.match + step) & mask;
      const late = (this.#counter - timer.match) & mask;
      if (late < mask >> 1n) timer.match = (timer.match + (late / step + 1n) * step) & mask;
    }
    this.#interrupt(i);
    this.#schedule(i);
  }

  #interrupt(i: number): void {
    const line = this.#lines[this.#irq(i)];
    if (!(this.#timers[i]!.config & Timer.level)) line?.pulse();
    else {
      this.#status |= 1 << i;
      line?.set(true);
    }
  }

  #drop(i: number): void {
    this.#status &= ~(1 << i);
    this.#lines[this.#irq(i)]?.set(false);
  }

  readMemory64(address: number): bigint {
    const offset = address & (SIZE - 8);
    if (offset === 0) return CAPABILITIES;
    if (offset === 0x10) return BigInt(this.#config);
    if (offset === 0x20) return BigInt(this.#status);
    if (offset === 0xf0) return this.#counter;
    const timer = this.#timers[(offset - 0x100) >> 5];
    if (offset < 0x100 || timer === undefined) return 0n;
    const register = offset & 0x18;
    if (register === 0)
      return (BigInt(ROUTES) << 32n) | BigInt(timer.config | Timer.canPeriodic | Timer.wide);
    return register === 8 ? timer.match : 0n;
  }

  writeMemory64(address: number, value: bigint): void {
    this.#write(address & (SIZE - 8), value, MASK64);
  }

  readMemory(address: number, size: AccessSize): number {
    const whole = this.readMemory64(address & ~7);
    return Number((whole >> BigInt(8 * (address & 7))) & ((1n << BigInt(8 * size)) - 1n));
  }

  /** Registers are written by 32 or 64 bits (2.1). */
  writeMemory(address: number, size: AccessSize, value: number): void {
    if (size !== 4 || (address & 3) !== 0) return;
    const shift = BigInt(8 * (address & 4));
    this.#write(address & (SIZE - 8), BigInt(value) << shift, MASK32 << shift);
  }

  /** @param mask the bits that are written */
  #write(offset: number, value: bigint, mask: bigint): void {
    const merged = (before: bigint) => (before & ~mask) | (value & mask);
    if (offset === 0x10) this.#setConfig(Number(merged(BigInt(this.#config)) & 3n));
    else if (offset === 0x20) {
      for (let i = 0; i < TIMERS; i++) if (value & mask & (1n << BigInt(i))) this.#drop(i);
    } else if (offset === 0xf0) {
      // While it runs the counter is read-only (2.3.7).
      if (!this.#isOn) this.#setCounter(merged(this.#base));
    } else if (offset >= 0x100) this.#writeTimer((offset - 0x100) >> 5, offset & 0x18, merged, mask);
  }

  #setConfig(config: number): void {
    const counter = this.#counter;
    const wasLegacy = this.#config & Config.legacy;
    if (wasLegacy !== (config & Config.legacy)) for (let i = 0; i < TIMERS; i++) this.#drop(i);
    this.#config = config;
    this.#setCounter(counter);
    for (let i = 0; i < TIMERS; i++) this.#schedule(i);
  }

  #writeTimer(i: number, register: number, merged: (before: bigint) => bigint, mask: bigint): void {
    const timer = this.#timers[i];
    if (timer === undefined) return;
    if (register === 0) {
      this.#drop(i);
      timer.config = Number(merged(BigInt(timer.config)) & BigInt(TIMER_BITS));
      if (timer.config & Timer.short) timer.match &= MASK32;
    } else if (register === 8) {
      // In periodic mode a write is the period, and the comparator's value too where the guest set that bit (2.3.9.2.2).
      const periodic = (timer.config & Timer.periodic) !== 0;
      if (periodic) timer.period = merged(timer.period) & (timer.config & Timer.short ? MASK32 : MASK64);
      if (!periodic || timer.config & Timer.set) {
        timer.match = merged(timer.match) & (timer.config & Timer.short ? MASK32 : MASK64);
        // The second half of a 64-bit write also belongs to the comparator.
        if (mask !== MASK32) timer.config &= ~Timer.set;
      }
      if (periodic && mask === MASK32) timer.config &= ~Timer.set;
    }
    this.#schedule(i);
  }

  describeAccess({ address }: Access): AccessWords | undefined {
    const offset = address & (SIZE - 8);
    return described[offset] ?? described[-1];
  }

  save(): HpetState {
    return {
      config: this.#config,
      status: this.#status,
      counter: this.#counter.toString(16),
      timers: this.#timers.map(({ config, match, period }) => ({
        config,
        match: match.toString(16),
        period: period.toString(16),
      })),
    };
  }

  load(state: unknown): void {
    const { config, status, counter, timers } = stateFields(this.name, state, this.save());
    const whole = (field: string, value: unknown, mask: number) => {
      if (typeof value !== 'number' || !Number.isInteger(value) || (value & ~mask) !== 0)
        throw new DeviceStateError(this.name, `'${field}' is ${String(value)}`);
      return value;
    };
    const wide = (field: string, value: unknown) => {
      if (typeof value !== 'string' || !/^[0-9a-f]{1,16}$/.test(value))
        throw new DeviceStateError(this.name, `'${field}' is ${String(value)}`);
      return BigInt(`0x${value}`);
    };
    if (!Array.isArray(timers) || timers.length !== TIMERS)
      throw new DeviceStateError(this.name, `'timers' is not a list of ${TIMERS}`);
    const checked = timers.map((timer, i) => {
      const fields = stateFields(this.name, timer, { config: 0, match: 0, period: 0 });
      return {
        config: whole(`timers[${i}].config`, fields.config, TIMER_BITS),
        match: wide(`timers[${i}].match`, fields.match),
        period: wide(`timers[${i}].period`, fields.period),
      };
    });
    this.#config = whole('config', config, 3);
    this.#status = whole('status', status, 7);
    this.#setCounter(wide('counter', counter));
    for (const [i, one] of checked.entries()) {
      Object.assign(this.#timers[i]!, one);
      this.#schedule(i);
    }
  }
}

const timerWords = [0, 1, 2].flatMap((i) => [
  [
    0x100 + 32 * i,
    words(
      `HPET timer ${i}, configuration`,
      bits('', 'level', 'on', 'periodic', '', '', 'sets the comparator', '', '32 bits'),
    ),
  ],
  [0x108 + 32 * i, words(`HPET timer ${i}, comparator`)],
]);
const described: Readonly<Record<number, AccessWords>> = Object.fromEntries([
  [0, words('HPET capabilities')],
  [0x10, words('HPET configuration', bits('on', 'legacy routes'))],
  [0x20, words('HPET interrupt status', bits('timer 0', 'timer 1', 'timer 2'))],
  [0xf0, words('HPET counter')],
  ...timerWords,
  [-1, words('HPET, no register')],
]);
