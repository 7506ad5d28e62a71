/**
 * A PC's real-time clock with 128 bytes of RAM behind ports 0x70 (index) and 0x71 (data): Motorola's MC146818A, whose
 * data sheet gives names and behaviour. The RAM says how much memory there is, as a BIOS leaves it.
 *
 * The clock follows the machine's clock: it stands still while the machine does not run.
 *
 * @module
 */
import type {
  Access,
  AccessSize,
  AccessWords,
  Device,
  DeviceHost,
  Line,
  PortRange,
} from '../contract/index.js';
import { booleanField, bytesField, DeviceStateError, registerField, stateFields } from '../state.js';
import { matchesAlarm, type Notation, readTime, Time, writeTime } from './calendar.js';
import { writeMemorySize } from './memory-size.js';
import { cmosWords } from './words.js';

const INDEX = 0x70;
const CLOCK_IRQ = 8;
const SIZE = 128;

const A = 10;
const B = 11;
const C = 12;
const D = 13;
const RegisterA = { updating: 0x80, divider: 0x70, rate: 0x0f } as const;
const RegisterB = {
  set: 0x80,
  periodic: 0x40,
  alarm: 0x20,
  updateEnded: 0x10,
  binary: 4,
  hours24: 2,
} as const;
const RegisterC = { request: 0x80, periodic: 0x40, alarm: 0x20, updateEnded: 0x10 } as const;
/** The RAM is valid: the battery is good. */
const VALID = 0x80;
/** A 32.768 kHz crystal; 1,024 interrupts a second, which nobody gets before he asks. */
const REGISTER_A_AFTER_BIOS = 0x26;

/** The registers change 244 µs after UIP was set. */
const UPDATE_MS = 0.244;
/** Periodic interrupts that are owed at most to a guest whose host was late. */
const MOST_OWED = 256;

export interface CmosOptions {
  /** The time at the machine's start, in milliseconds since 1970; default: that of 1 January 2000, UTC. */
  startMs?: number;
  /** Bytes of RAM from address 0, for the bytes that a BIOS writes. */
  memory?: number;
}

export interface CmosState {
  registers: number[];
  index: number;
  nmiMasked: boolean;
  /** Milliseconds since 1970 when the state was saved. */
  time: number;
  /** Milliseconds since the last periodic pulse that was counted. */
  sincePulse: number;
  /** The last second whose end was noted. */
  second: number;
}

/** Clock and RAM: see the module's comment. */
export class Cmos implements Device {
  readonly name = 'cmos';
  readonly ports: readonly PortRange[] = [{ first: INDEX, count: 2, width: 1 }];
  readonly #registers = new Uint8Array(SIZE);
  #host: DeviceHost | undefined;
  #line: Line | undefined;
  #index = 0;
  #nmiMasked = false;
  /** What the clock is ahead of the machine's clock, in milliseconds. */
  #ahead: number;
  /** The second that was looked at last. */
  #second: number;
  /** When the last periodic pulse that counted came, by the machine's clock. */
  #pulse = 0;

  constructor({ startMs = Date.UTC(2000, 0, 1), memory = 0 }: CmosOptions = {}) {
    this.#ahead = startMs;
    this.#second = Math.floor(startMs / 1000);
    this.#registers[A] = REGISTER_A_AFTER_BIOS;
    this.#registers[B] = RegisterB.hours24;
    this.#registers[D] = VALID;
    writeMemorySize(this.#registers, memory);
    writeTime(this.#registers, this.#second, this.#notation);
  }

  attach(host: DeviceHost): void {
    this.#host = host;
    this.#line = host.line(CLOCK_IRQ, { canRise: () => this.nextEvent() !== Number.POSITIVE_INFINITY });
  }

  readPort(port: number): number {
    // The index cannot be read back on a PC.
    if (port === INDEX) return 0xff;
    this.#follow();
    const value = this.#registers[this.#index]!;
    if (this.#index === C) {
      this.#registers[C] = 0;
      this.#line?.set(false);
      // What came due in the meantime asks at once.
      this.#follow();
    }
    if (this.#index === A && this.#isUpdating) return value | RegisterA.updating;
    return value;
  }

  writePort(port: number, _size: AccessSize, value: number): void {
    if (port === INDEX) {
      this.#index = value & 0x7f;
      this.#nmiMasked = (value & 0x80) !== 0;
      return;
    }
    this.#follow();
    this.#write(this.#index, value & 0xff);
    this.#request();
  }

  describeAccess({ address }: Access): AccessWords | undefined {
    return cmosWords(address === INDEX, this.#index);
  }

  poll(): void {
    this.#follow();
  }

  nextEvent(): number {
    // While a request waits, what else happens is found when register C is read.
    if (this.#registers[C]! & RegisterC.request) return Number.POSITIVE_INFINITY;
    const enabled = this.#registers[B]!;
    const period = this.#period;
    let next = Number.POSITIVE_INFINITY;
    if (enabled & RegisterB.periodic && period > 0) next = this.#pulse + period;
    if (enabled & (RegisterB.alarm | RegisterB.updateEnded) && this.#runs)
      next = Math.min(next, (this.#second + 1) * 1000 - this.#ahead);
    return next;
  }

  get #notation(): Notation {
    const b = this.#registers[B]!;
    return { binary: (b & RegisterB.binary) !== 0, hours24: (b & RegisterB.hours24) !== 0 };
  }

  /** The oscillator runs and nobody is setting the time. */
  get #runs(): boolean {
    const divider = this.#registers[A]! & RegisterA.divider;
    return divider <= 0x20 && !(this.#registers[B]! & RegisterB.set);
  }

  get #now(): number {
    return this.#host?.now() ?? 0;
  }

  /** Milliseconds since 1970 by this clock. */
  get #time(): number {
    return this.#now + this.#ahead;
  }

  get #isUpdating(): boolean {
    return this.#runs && 1000 - (((this.#time % 1000) + 1000) % 1000) <= UPDATE_MS;
  }

  /** Milliseconds between periodic pulses; 0 for none. Rates 1 and 2 are those of 8 and 9 (table 5, 32.768 kHz). */
  get #period(): number {
    const rate = this.#registers[A]! & RegisterA.rate;
    if (rate === 0) return 0;
    return 1000 / (32768 >> ((rate < 3 ? rate + 7 : rate) - 1));
  }

  /** Brings registers and flags up to the machine's clock. */
  #follow(): void {
    this.#followPulses();
    if (this.#runs) this.#followSeconds();
    this.#request();
  }

  #followPulses(): void {
    const period = this.#period;
    const now = this.#now;
    if (period === 0 || now < this.#pulse + period) return;
    this.#registers[C]! |= RegisterC.periodic;
    // Nobody listens: only the last pulse counts. Else one a request, so that none is lost to a late host.
    const passed = Math.floor((now - this.#pulse) / period);
    const heard = (this.#registers[B]! & RegisterB.periodic) !== 0;
    const waits = (this.#registers[C]! & RegisterC.request) !== 0;
    if (!heard || passed > MOST_OWED) this.#pulse += passed * period;
    else if (!waits) this.#pulse += period;
  }

  #followSeconds(): void {
    const second = Math.floor(this.#time / 1000);
    if (second === this.#second) return;
    const notation = this.#notation;
    // After a long pause the alarm is looked for in the last day: it repeats after that.
    for (let at = Math.max(this.#second + 1, second - 86_400); at <= second; at++) {
      if (this.#registers[C]! & RegisterC.alarm) break;
      if (matchesAlarm(this.#registers, at, notation)) this.#registers[C]! |= RegisterC.alarm;
    }
    this.#second = second;
    this.#registers[C]! |= RegisterC.updateEnded;
    writeTime(this.#registers, second, notation);
  }

  /** Raises the line where a flag and its enable bit meet. */
  #request(): void {
    const meets = this.#registers[C]! & this.#registers[B]! & 0x70;
    if (meets === 0 || this.#registers[C]! & RegisterC.request) return;
    this.#registers[C]! |= RegisterC.request;
    this.#line?.set(true);
  }

  #write(index: number, value: number): void {
    if (index === C || index === D) return;
    if (index === A) {
      if ((value & RegisterA.rate) !== (this.#registers[A]! & RegisterA.rate)) this.#pulse = this.#now;
      this.#keepTime(() => {
        this.#registers[A] = value & ~RegisterA.updating;
      });
    } else if (index === B) {
      if (value & ~this.#registers[B]! & RegisterB.periodic) this.#pulse = this.#now;
      this.#keepTime(() => {
        // Setting the time ends the interrupt of its update.
        this.#registers[B] = value & RegisterB.set ? value & ~RegisterB.updateEnded : value;
      });
    } else {
      this.#registers[index] = value;
      if (isTimeRegister(index) && this.#runs) this.#takeTime();
    }
  }

  /** Changes what says whether the clock runs: it stops with what it shows, and goes on from what it shows then. */
  #keepTime(change: () => void): void {
    const ran = this.#runs;
    change();
    if (!ran && this.#runs) this.#takeTime();
  }

  /** The registers say what time it is; the second starts anew. */
  #takeTime(): void {
    this.#second = readTime(this.#registers, this.#notation);
    this.#ahead = this.#second * 1000 - this.#now;
  }

  save(): CmosState {
    this.#follow();
    return {
      registers: [...this.#registers],
      index: this.#index,
      nmiMasked: this.#nmiMasked,
      time: this.#time,
      sincePulse: this.#now - this.#pulse,
      second: this.#second,
    };
  }

  load(state: unknown): void {
    const fields = stateFields(this.name, state, this.save());
    const { time, sincePulse, second } = fields;
    const registers = bytesField(this.name, 'registers', fields.registers, SIZE);
    if (registers.length !== SIZE)
      throw new DeviceStateError(this.name, `'registers' is not a list of ${SIZE} bytes`);
    for (const [key, value] of Object.entries({ time, sincePulse, second })) {
      if (typeof value !== 'number' || Math.abs(value) > MOST_MS)
        throw new DeviceStateError(this.name, `'${key}' is ${String(value)}, no time`);
    }
    const index = registerField(this.name, 'index', fields.index, 0x7f);
    this.#nmiMasked = booleanField(this.name, 'nmiMasked', fields.nmiMasked);
    this.#registers.set(registers);
    this.#index = index;
    this.#ahead = (time as number) - this.#now;
    this.#second = Math.floor(second as number);
    this.#pulse = this.#now - (sincePulse as number);
  }
}

/** What a JavaScript date can be at most. */
const MOST_MS = 8.64e15;

const timeRegisters: ReadonlySet<number> = new Set(Object.values(Time));

function isTimeRegister(index: number): boolean {
  return timeRegisters.has(index);
}
