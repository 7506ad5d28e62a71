/**
 * A PC's real-time clock with 128 bytes of RAM behind ports 0x70 (index) and 0x71 (data): Motorola's MC146818A, whose
 * data sheet gives names and behaviour. The RAM holds the memory size, as a BIOS leaves it.
 *
 * The clock follows the machine's clock: it stops while the machine does not run.
 *
 * @module
 */
import { type Alarm, Rate, SECOND } from '../../time/index.js';
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
import { type CmosDrives, writeMemorySize } from './memory-size.js';
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
/** A 32.768 kHz crystal; 1,024 periodic interrupts a second, which register B leaves off. */
const REGISTER_A_AFTER_BIOS = 0x26;

/** Nanoseconds for which UIP is set before the registers change. */
const UPDATE = 244_000;
/** The crystal's divided outputs, 32,768 Hz and its halves. */
const outputs = Array.from({ length: 15 }, (_, halved) => new Rate(32768 >> halved));
/** The most missed periodic interrupts that follow later, where the host was late. */
const MAX_OWED = 256;

export interface CmosOptions {
  /** The time at the machine's start, in milliseconds since 1970; default: the machine's input `unix`. */
  startMs?: number;
  /** Bytes of RAM from address 0, for the bytes that a BIOS writes. */
  memory?: number;
  /** The machine's drives. */
  drives?: CmosDrives;
}

export interface CmosState {
  registers: number[];
  index: number;
  nmiMasked: boolean;
  /** The last processed second, since 1970. */
  second: number;
  /** A second since 1970, and how many nanoseconds ago it began. */
  epoch: number;
  sinceEpoch: number;
  /** How many periodic pulses were counted since the first one began, and how many nanoseconds ago that was. */
  pulses: number;
  sincePulses: number;
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
  #alarm: Alarm | undefined;
  readonly #startMs: number | undefined;
  /** The last processed second, since 1970. */
  #second = 0;
  /** A second since 1970, and the moment of the machine's clock at which it began. */
  #epoch = 0;
  #epochBegan = 0;
  /** The moment from which periodic pulses are counted, and how many there were. */
  #pulsesBegan = 0;
  #pulses = 0;

  constructor({ startMs, memory = 0, drives }: CmosOptions = {}) {
    this.#startMs = startMs;
    this.#registers[A] = REGISTER_A_AFTER_BIOS;
    this.#registers[B] = RegisterB.hours24;
    this.#registers[D] = VALID;
    writeMemorySize(this.#registers, memory, drives);
    this.#start(startMs ?? 0);
  }

  attach(host: DeviceHost): void {
    this.#host = host;
    this.#line = host.line(CLOCK_IRQ);
    this.#alarm = host.clock.alarm('event', () => this.#follow());
    this.#start(this.#startMs ?? Number(host.inputs.unix() / 1_000_000n));
  }

  readPort(port: number): number {
    // The index cannot be read back on a PC.
    if (port === INDEX) return 0xff;
    this.#follow();
    const value = this.#registers[this.#index]!;
    if (this.#index === C) {
      this.#registers[C] = 0;
      this.#line?.set(false);
      // Events that are due by then request an interrupt at once.
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
    this.#schedule();
  }

  describeAccess({ address }: Access): AccessWords | undefined {
    return cmosWords(address === INDEX, this.#index);
  }

  get #notation(): Notation {
    const b = this.#registers[B]!;
    return { binary: (b & RegisterB.binary) !== 0, hours24: (b & RegisterB.hours24) !== 0 };
  }

  /** The oscillator runs, and the guest is not setting the time. */
  get #runs(): boolean {
    const divider = this.#registers[A]! & RegisterA.divider;
    return divider <= 0x20 && !(this.#registers[B]! & RegisterB.set);
  }

  get #now(): number {
    return this.#host?.clock.now() ?? 0;
  }

  /** The clock shows a time, by the machine's clock from now on. */
  #start(ms: number): void {
    this.#second = Math.floor(ms / 1000);
    this.#epoch = this.#second;
    this.#epochBegan = this.#now - Math.floor((ms - this.#second * 1000) * 1e6);
    writeTime(this.#registers, this.#second, this.#notation);
  }

  get #isUpdating(): boolean {
    const sinceEpoch = this.#now - this.#epochBegan;
    return this.#runs && SECOND - (sinceEpoch - Math.floor(sinceEpoch / SECOND) * SECOND) <= UPDATE;
  }

  /** The output with the periodic pulses. Rates 1 and 2 are those of 8 and 9 (table 5, 32.768 kHz). */
  get #output(): Rate | undefined {
    const rate = this.#registers[A]! & RegisterA.rate;
    return rate === 0 ? undefined : outputs[(rate < 3 ? rate + 7 : rate) - 1];
  }

  /** Sets the alarm for the next event whose interrupt the guest has enabled. */
  #schedule(): void {
    // While a request waits, further events are found when register C is read.
    if (this.#registers[C]! & RegisterC.request) {
      this.#alarm?.cancel();
      return;
    }
    const enabled = this.#registers[B]!;
    const output = this.#output;
    let next = Number.POSITIVE_INFINITY;
    if (enabled & RegisterB.periodic && output !== undefined)
      next = this.#pulsesBegan + output.moment(this.#pulses + 1);
    if (enabled & (RegisterB.alarm | RegisterB.updateEnded) && this.#runs)
      next = Math.min(next, this.#epochBegan + (this.#second + 1 - this.#epoch) * SECOND);
    this.#alarm?.at(next);
  }

  /** Brings registers and flags up to the machine's clock. */
  #follow(): void {
    this.#followPulses();
    if (this.#runs) this.#followSeconds();
    this.#request();
    this.#schedule();
  }

  #followPulses(): void {
    const output = this.#output;
    if (output === undefined) return;
    const passed = output.passed(this.#now - this.#pulsesBegan) - this.#pulses;
    if (passed <= 0) return;
    this.#registers[C]! |= RegisterC.periodic;
    // Without the interrupt only the last pulse counts. With it each pulse is a request: a late host loses none.
    const heard = (this.#registers[B]! & RegisterB.periodic) !== 0;
    const waits = (this.#registers[C]! & RegisterC.request) !== 0;
    if (!heard || passed > MAX_OWED) this.#pulses += passed;
    else if (!waits) this.#pulses++;
  }

  #followSeconds(): void {
    const second = this.#epoch + Math.floor((this.#now - this.#epochBegan) / SECOND);
    if (second === this.#second) return;
    const notation = this.#notation;
    // After a long pause only the last day is searched for the alarm: it repeats daily.
    for (let at = Math.max(this.#second + 1, second - 86_400); at <= second; at++) {
      if (this.#registers[C]! & RegisterC.alarm) break;
      if (matchesAlarm(this.#registers, at, notation)) this.#registers[C]! |= RegisterC.alarm;
    }
    this.#second = second;
    this.#registers[C]! |= RegisterC.updateEnded;
    writeTime(this.#registers, second, notation);
  }

  /** Raises the line where a flag and its enable bit are set. */
  #request(): void {
    const meets = this.#registers[C]! & this.#registers[B]! & 0x70;
    if (meets === 0 || this.#registers[C]! & RegisterC.request) return;
    this.#registers[C]! |= RegisterC.request;
    this.#line?.set(true);
  }

  #write(index: number, value: number): void {
    if (index === C || index === D) return;
    if (index === A) {
      if ((value & RegisterA.rate) !== (this.#registers[A]! & RegisterA.rate)) this.#countPulses();
      this.#keepTime(() => {
        this.#registers[A] = value & ~RegisterA.updating;
      });
    } else if (index === B) {
      if (value & ~this.#registers[B]! & RegisterB.periodic) this.#countPulses();
      this.#keepTime(() => {
        // Setting the time ends the interrupt of its update.
        this.#registers[B] = value & RegisterB.set ? value & ~RegisterB.updateEnded : value;
      });
    } else {
      this.#registers[index] = value;
      if (isTimeRegister(index) && this.#runs) this.#takeTime();
    }
  }

  /** Changes the bits that start and stop the clock: it stops at the time that it shows, and continues from there. */
  #keepTime(change: () => void): void {
    const ran = this.#runs;
    change();
    if (!ran && this.#runs) this.#takeTime();
  }

  /** Pulses are counted from now on. */
  #countPulses(): void {
    this.#pulsesBegan = this.#now;
    this.#pulses = 0;
  }

  /** The registers give the time; the second restarts. */
  #takeTime(): void {
    this.#second = readTime(this.#registers, this.#notation);
    this.#epoch = this.#second;
    this.#epochBegan = this.#now;
  }

  save(): CmosState {
    this.#follow();
    return {
      registers: [...this.#registers],
      index: this.#index,
      nmiMasked: this.#nmiMasked,
      second: this.#second,
      epoch: this.#epoch,
      sinceEpoch: this.#now - this.#epochBegan,
      pulses: this.#pulses,
      sincePulses: this.#now - this.#pulsesBegan,
    };
  }

  load(state: unknown): void {
    const fields = stateFields(this.name, state, this.save());
    const registers = bytesField(this.name, 'registers', fields.registers, SIZE);
    if (registers.length !== SIZE)
      throw new DeviceStateError(this.name, `'registers' is not a list of ${SIZE} bytes`);
    const number = (key: 'second' | 'epoch' | 'sinceEpoch' | 'pulses' | 'sincePulses') => {
      const value = fields[key];
      if (typeof value === 'number' && Math.abs(value) <= most[key] && Number.isInteger(value)) return value;
      throw new DeviceStateError(this.name, `'${key}' is ${String(value)}, no time`);
    };
    const [second, epoch, sinceEpoch] = [number('second'), number('epoch'), number('sinceEpoch')];
    const [pulses, sincePulses] = [number('pulses'), number('sincePulses')];
    const index = registerField(this.name, 'index', fields.index, 0x7f);
    this.#nmiMasked = booleanField(this.name, 'nmiMasked', fields.nmiMasked);
    this.#registers.set(registers);
    this.#index = index;
    this.#second = second;
    this.#epoch = epoch;
    this.#epochBegan = this.#now - sinceEpoch;
    this.#pulses = pulses;
    this.#pulsesBegan = this.#now - sincePulses;
    this.#schedule();
  }
}

/** The largest JavaScript date, in seconds. */
const MAX_SECONDS = 8.64e12;
const MOST = Number.MAX_SAFE_INTEGER;
const most = { second: MAX_SECONDS, epoch: MAX_SECONDS, sinceEpoch: MOST, pulses: MOST, sincePulses: MOST };

const timeRegisters: ReadonlySet<number> = new Set(Object.values(Time));

function isTimeRegister(index: number): boolean {
  return timeRegisters.has(index);
}
