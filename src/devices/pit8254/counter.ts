import { booleanField, DeviceStateError, registerField, stateFields } from '../state.js';
import type { CounterPart } from './words.js';

/** One counter's state, as `save` gives it. Times are clock pulses, relative to the moment of saving. */
export interface CounterState {
  /** RW1–0, M2–0 and BCD of the last control word, as the read-back status has them. */
  control: number;
  /** The count register: 1 to 65,536; 0 while none was written since the control word. */
  count: number;
  /** A count that takes effect at the end of the cycle (modes 2, 3) or with the next trigger (modes 1, 5); 0 for none. */
  next: number;
  /** Pulses since the count was loaded; negative before. */
  elapsed: number;
  /** Pulses until `next` takes effect, where the end of a cycle does it; 0 where nothing is planned. */
  untilNext: number;
  gate: boolean;
  /** Modes 1 and 5: a trigger has started the counter. */
  triggered: boolean;
  /** Mode 1: OUT was low at the last trigger, so that it stays low until the count is loaded. */
  wasLow: boolean;
  /**
   * The value of CE when the counter stopped: the gate fell, or a first byte was written in mode 0; -1 while it counts.
   */
  stoppedAt: number;
  /** Latched values, -1 for none. */
  latchedCount: number;
  latchedStatus: number;
  /** The next access is to the high byte, in the two-byte format. */
  readHigh: boolean;
  writeHigh: boolean;
  /** The low byte, until the high byte is written. */
  low: number;
}

const reset: CounterState = {
  control: 0x30,
  count: 0,
  next: 0,
  elapsed: 0,
  untilNext: 0,
  gate: true,
  triggered: false,
  wasLow: false,
  stoppedAt: -1,
  latchedCount: -1,
  latchedStatus: -1,
  readHigh: false,
  writeHigh: false,
  low: 0,
};

const LOW = 1;
const BOTH = 3;

/**
 * One counter of an 8254, without a clock of its own: every method gets the time in clock pulses, and the count
 * follows from it. The names are those of Intel's data sheet (231164), the mode definitions its figures 15 to 20.
 */
export class Counter {
  readonly #s: CounterState = { ...reset };
  /** The pulse at which the count was loaded into CE, and that at which `next` will be. */
  #loaded = 0;
  #switchAt = 0;

  /** 0 to 5; the data sheet's "don't care" makes 6 and 7 the same as 2 and 3. */
  get mode(): number {
    const mode = (this.#s.control >> 1) & 7;
    return mode > 5 ? mode - 4 : mode;
  }

  /** The count register, and whether the counter counts. */
  get count(): number {
    return this.#s.count;
  }

  get loadedAt(): number {
    return this.#loaded;
  }

  /** Where a new count takes effect at the end of a cycle: that pulse, else -1. */
  get switchAt(): number {
    return this.#s.next !== 0 && this.#isPeriodic ? this.#switchAt : -1;
  }

  /** True while CE counts: a count is there, the gate is open, and a mode that needs a trigger has had one. */
  get counting(): boolean {
    const { count, triggered, stoppedAt } = this.#s;
    return count !== 0 && stoppedAt < 0 && (!this.#isTriggered || triggered);
  }

  /** A control word for this counter (figure 7). */
  program(control: number): void {
    const s = this.#s;
    s.control = control & 0x3f;
    s.count = 0;
    s.next = 0;
    s.triggered = false;
    s.wasLow = false;
    s.stoppedAt = -1;
    s.latchedCount = -1;
    s.latchedStatus = -1;
    s.readHigh = false;
    s.writeHigh = false;
    s.low = 0;
  }

  /** Counter latch command: the latched count stays until it is read; a second command before that does nothing. */
  latchCount(now: number): void {
    if (this.#s.latchedCount < 0) this.#s.latchedCount = this.value(now);
  }

  latchStatus(now: number): void {
    if (this.#s.latchedStatus < 0) this.#s.latchedStatus = this.status(now);
  }

  /** OUT, NULL COUNT, and the control word (figure 12). */
  status(now: number): number {
    this.settle(now);
    const { count, next, control } = this.#s;
    const isNull = count === 0 || next !== 0 || (this.counting && now < this.#loaded);
    return (this.output(now) ? 0x80 : 0) | (isNull ? 0x40 : 0) | control;
  }

  /** Writes a byte; true where the count is complete and counting restarts. */
  write(byte: number, now: number): boolean {
    this.settle(now);
    const s = this.#s;
    const format = s.control >> 4;
    if (format !== BOTH) return this.#setCount(format === LOW ? byte : byte << 8, now);
    s.writeHigh = !s.writeHigh;
    if (!s.writeHigh) return this.#setCount(s.low | (byte << 8), now);
    s.low = byte;
    // Mode 0: "writing the first byte disables counting, OUT is set low immediately".
    if (this.mode === 0 && s.count !== 0) {
      s.stoppedAt = Math.max(0, this.#element(now));
      s.count = 0;
    }
    return false;
  }

  read(now: number): number {
    const s = this.#s;
    if (s.latchedStatus >= 0) {
      const status = s.latchedStatus;
      s.latchedStatus = -1;
      return status;
    }
    const value = s.latchedCount >= 0 ? s.latchedCount : this.value(now);
    const format = s.control >> 4;
    const high = format === BOTH ? s.readHigh : format !== LOW;
    if (format === BOTH) s.readHigh = !s.readHigh;
    // The latch is free again when it was read completely.
    if (!s.readHigh) s.latchedCount = -1;
    return high ? value >> 8 : value & 0xff;
  }

  /** The bytes that the next read or write moves. */
  reaches(write: boolean): CounterPart {
    const { control, readHigh, writeHigh, latchedCount, latchedStatus } = this.#s;
    if (!write && latchedStatus >= 0) return 'status';
    const format = control >> 4;
    const high = format === BOTH ? (write ? writeHigh : readHigh) : format !== LOW;
    if (write || latchedCount < 0) return high ? 'high' : 'low';
    return high ? 'latchedHigh' : 'latchedLow';
  }

  /** The value of the counting element, as two bytes: binary, or four decimal digits. */
  value(now: number): number {
    this.settle(now);
    const element = this.#element(now);
    const modulus = this.#modulus;
    const value = ((element % modulus) + modulus) % modulus;
    return this.#s.control & 1 ? toBcd(value) : value;
  }

  /** The OUT pin. */
  output(now: number): boolean {
    this.settle(now);
    const { count, gate, triggered, wasLow, stoppedAt } = this.#s;
    const mode = this.mode;
    if (count === 0) return mode !== 0;
    const elapsed = now - this.#loaded;
    const running = stoppedAt < 0 && elapsed >= 0;
    switch (mode) {
      case 0:
        return running ? elapsed >= count : stoppedAt === 0;
      case 1:
        if (elapsed < 0) return !wasLow;
        return !triggered || elapsed >= count;
      case 2:
        return !gate || !running || elapsed % count !== count - 1;
      case 3:
        return !gate || !running || elapsed % count < highHalf(count);
      case 4:
        return !running || elapsed !== count;
      default:
        return !triggered || elapsed !== count;
    }
  }

  /** Sets the gate; true where that starts the counter. */
  setGate(level: boolean, now: number): boolean {
    this.settle(now);
    const s = this.#s;
    if (s.gate === level) return false;
    s.gate = level;
    if (this.#isTriggered) return level && s.count !== 0 && this.#trigger(now);
    if (s.count === 0) return false;
    if (!level) {
      s.stoppedAt = Math.max(0, this.#element(now));
      return false;
    }
    const stopped = s.stoppedAt;
    s.stoppedAt = -1;
    // Modes 0 and 4 continue where they stopped; modes 2 and 3 begin a new cycle ("gate rising reloads").
    if (this.#isPeriodic) return this.#trigger(now);
    this.#loaded = now - (s.count - stopped);
    return true;
  }

  /** Applies a new count that is due; true if there was one. */
  settle(now: number): boolean {
    const s = this.#s;
    if (s.next === 0 || !this.#isPeriodic || now < this.#switchAt || s.stoppedAt >= 0) return false;
    // In mode 3 the new count begins with the half of the cycle that is next: the low one if the high one just ended.
    const low = this.mode === 3 && (this.#switchAt - this.#loaded) % s.count !== 0;
    this.#loaded = this.#switchAt - (low ? highHalf(s.next) : 0);
    s.count = s.next;
    s.next = 0;
    return true;
  }

  save(now: number): CounterState {
    this.settle(now);
    const untilNext = this.switchAt < 0 ? 0 : this.#switchAt - now;
    return { ...this.#s, elapsed: now - this.#loaded, untilNext };
  }

  static check(device: string, name: string, state: unknown): CounterState {
    const fields = stateFields(`${device}.${name}`, state, reset);
    const number = (key: keyof CounterState, least: number, most: number) => {
      const value = fields[key];
      if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most)
        return value;
      throw new DeviceStateError(
        device,
        `'${name}.${key}' is ${String(value)}, allowed are ${least} to ${most}`,
      );
    };
    const flag = (key: keyof CounterState) => booleanField(device, `${name}.${key}`, fields[key]);
    const control = registerField(device, `${name}.control`, fields.control, 0x3f);
    if (control >> 4 === 0) throw new DeviceStateError(device, `'${name}.control' has no access format`);
    return {
      control,
      count: number('count', 0, MOST),
      next: number('next', 0, MOST),
      elapsed: number('elapsed', -MAX_PULSES, MAX_PULSES),
      untilNext: number('untilNext', 0, MOST),
      gate: flag('gate'),
      triggered: flag('triggered'),
      wasLow: flag('wasLow'),
      stoppedAt: number('stoppedAt', -1, MOST),
      latchedCount: number('latchedCount', -1, 0xffff),
      latchedStatus: number('latchedStatus', -1, 0xff),
      readHigh: flag('readHigh'),
      writeHigh: flag('writeHigh'),
      low: number('low', 0, 0xff),
    };
  }

  load(state: CounterState, now: number): void {
    Object.assign(this.#s, state);
    this.#loaded = now - state.elapsed;
    this.#switchAt = now + state.untilNext;
  }

  get #isPeriodic(): boolean {
    return this.mode === 2 || this.mode === 3;
  }

  get #isTriggered(): boolean {
    return this.mode === 1 || this.mode === 5;
  }

  get #modulus(): number {
    return this.#s.control & 1 ? 10_000 : 65_536;
  }

  /** CE as a number that may lie outside the counter's range: below zero it has wrapped. */
  #element(now: number): number {
    const { count, stoppedAt } = this.#s;
    if (stoppedAt >= 0) return stoppedAt;
    if (!this.counting) return count;
    const elapsed = now - this.#loaded;
    // "Loaded on the next CLK pulse": until then the old contents show; a guest cannot rely on those.
    if (elapsed < 0) return count;
    if (this.mode === 2) return count - (elapsed % count);
    if (this.mode !== 3) return count - elapsed;
    // Mode 3 counts by two, from an even number, once for each half of the cycle.
    const phase = elapsed % count;
    const high = highHalf(count);
    return count - (count & 1) - 2 * (phase < high ? phase : phase - high);
  }

  /** The count register is complete: 0 means the largest count. */
  #setCount(bytes: number, now: number): boolean {
    const s = this.#s;
    const digits = s.control & 1 ? fromBcd(bytes) : bytes;
    let count = digits === 0 ? this.#modulus : digits;
    // A count of 1 is illegal in modes 2 and 3 (figure 21): taken as 2, the least they allow.
    if (this.#isPeriodic && count === 1) count = 2;
    if (this.#isTriggered) {
      if (s.triggered) s.next = count;
      else s.count = count;
      return false;
    }
    if (this.#isPeriodic && s.count !== 0 && s.stoppedAt < 0) {
      s.next = count;
      this.#switchAt = this.#endOfCycle(now);
      return false;
    }
    s.count = count;
    s.next = 0;
    if (!s.gate) {
      s.stoppedAt = count;
      return false;
    }
    s.stoppedAt = -1;
    this.#loaded = now + 1;
    return true;
  }

  /** Where the current cycle ends: in mode 2 the whole one, in mode 3 the half. */
  #endOfCycle(now: number): number {
    const { count } = this.#s;
    const elapsed = Math.max(0, now - this.#loaded);
    const cycle = this.#loaded + (elapsed - (elapsed % count));
    if (this.mode === 3 && elapsed % count < highHalf(count)) return cycle + highHalf(count);
    return cycle + count;
  }

  /** The gate rose: the count is loaded with the next pulse. */
  #trigger(now: number): boolean {
    const s = this.#s;
    s.wasLow = !this.output(now);
    if (s.next !== 0) s.count = s.next;
    s.next = 0;
    s.triggered = true;
    this.#loaded = now + 1;
    return true;
  }
}

const MOST = 65_536;
/** Saved times are bounded so that arithmetic with them stays exact: some 200 years of pulses. */
const MAX_PULSES = 2 ** 53 - 1;

/** Pulses of a cycle of mode 3 in which OUT is high: the longer half of an odd count. */
function highHalf(count: number): number {
  return (count + 1) >> 1;
}

function toBcd(value: number): number {
  return (
    (Math.floor(value / 1000) << 12) |
    (Math.floor((value / 100) % 10) << 8) |
    (Math.floor((value / 10) % 10) << 4) |
    (value % 10)
  );
}

/** Four digits; a nibble above 9 carries into the next digit. */
function fromBcd(bytes: number): number {
  const value = (bytes >> 12) * 1000 + ((bytes >> 8) & 15) * 100 + ((bytes >> 4) & 15) * 10 + (bytes & 15);
  return value % 10_000;
}
