import type { Alarm } from '../../time/index.js';
import type { TimeStamps } from '../contract/index.js';
import { DeviceStateError, stateFields } from '../state.js';
import { type Delivery, DeliveryMode, FIRST_VECTOR } from './delivery.js';
import type { LocalApicState } from './local-apic-state.js';
import {
  ApicBase,
  ApicError,
  Command,
  DEFAULT_APIC_BASE,
  LVT_ENTRIES,
  LVT_MASKED,
  Lvt,
  lvtBits,
  Register,
  SPURIOUS_BITS,
  SPURIOUS_ENABLED,
  VERSION,
} from './registers.js';
import { ApicTimer } from './timer.js';
import { VectorTable } from './vector-table.js';
import { WaitingVectors } from './waiting-vectors.js';

/** The connections of a local APIC to its machine. */
export interface ApicWires {
  now(): number;
  readonly stamps?: TimeStamps | undefined;
  /** CR8: bits 7 to 4 of the task priority, which the processor may change by itself. */
  taskPriority: number;
  /** An interrupt command: to the APICs that it names. @param shorthand `Shorthand` */
  send(from: LocalApic, delivery: Delivery, shorthand: number): void;
  /** A level-triggered interrupt of this vector is done. */
  ended(vector: number): void;
  nmi(): void;
  /** INIT and start-up interrupts, which only a processor understands; `vector`: the page where it starts, -1 for INIT. */
  start(vector: number): void;
}

/** The local APIC of one processor (SDM 3A chapter 11), in xAPIC and x2APIC mode. */
export class LocalApic {
  readonly index: number;
  readonly timer: ApicTimer;
  readonly #wires: ApicWires;
  /** IA32_APIC_BASE. */
  base: bigint;
  #id: number;
  #taskPriority = 0;
  #logical = 0;
  #format = 0xffff_ffff;
  #spurious = 0xff;
  #command = 0;
  #destination = 0;
  readonly #lvt = new VectorTable();
  #errors = 0;
  #pendingErrors = 0;
  readonly #vectors = new WaitingVectors();

  constructor(index: number, wires: ApicWires) {
    this.index = index;
    this.#id = index;
    this.#wires = wires;
    this.base = BigInt(DEFAULT_APIC_BASE) | ApicBase.enabled | (index === 0 ? ApicBase.bootstrap : 0n);
    this.timer = new ApicTimer(
      () => wires.now(),
      () => this.#local(Lvt.timer),
      wires.stamps,
    );
    this.reset();
  }

  use(alarm: Alarm): void {
    this.timer.use(alarm);
  }

  /** As after power-up, except IA32_APIC_BASE. */
  reset(): void {
    this.#id = this.index;
    this.#taskPriority = 0;
    this.#logical = this.isX2 ? logicalIdOf(this.index) : 0;
    this.#format = 0xffff_ffff;
    this.#spurious = 0xff;
    this.#command = 0;
    this.#destination = 0;
    this.#lvt.reset(this.index === 0);
    this.#errors = 0;
    this.#pendingErrors = 0;
    this.#vectors.clear();
    this.timer.reset();
  }

  /** INIT: as after power-up, except the APIC's own number (SDM 3A 11.4.7.3). */
  init(): void {
    const id = this.#id;
    this.reset();
    this.#id = id;
    this.#wires.taskPriority = 0;
  }

  /** x2APIC mode begins: the logical number follows from the APIC's, the rest stays (SDM 3A 11.12.5.1). */
  enterX2(): void {
    this.#logical = logicalIdOf(this.index);
    this.#destination = 0;
  }

  get isEnabled(): boolean {
    return (this.base & ApicBase.enabled) !== 0n;
  }

  get isX2(): boolean {
    return (this.base & ApicBase.x2apic) !== 0n;
  }

  /** Also enabled by the spurious-interrupt register. */
  get takes(): boolean {
    return this.isEnabled && (this.#spurious & SPURIOUS_ENABLED) !== 0;
  }

  /** True where the 8259A's INT reaches the processor: through LINT0, or past an APIC that is off (SDM 3A 11.4.3). */
  get passesExtInt(): boolean {
    return !this.isEnabled || this.#lvt.passesExtInt;
  }

  /** An interrupt is pending that the processor's priority allows. */
  get pending(): boolean {
    const { request } = this.#vectors;
    return request >= 0 && this.takes && request >> 4 > this.processorPriority >> 4;
  }

  /** An interrupt of this vector would be taken now, if RFLAGS.IF allows it. */
  opens(vector: number): boolean {
    return this.takes && vector >= FIRST_VECTOR && vector >> 4 > this.processorPriority >> 4;
  }

  /** Why it would accept no interrupt, as text. */
  describe(): string {
    if (!this.isEnabled) return 'the local APIC is off (IA32_APIC_BASE)';
    if (!this.takes) return 'the local APIC is not enabled (bit 8 of its spurious-interrupt register, 0xF0)';
    const { serving } = this.#vectors;
    if (serving >= 0) {
      const vector = `0x${serving.toString(16)}`;
      return `the local APIC still serves vector ${vector}, since its handler wrote no EOI`;
    }
    return this.processorPriority > 0
      ? `the task priority 0x${this.processorPriority.toString(16)} holds interrupts back`
      : 'no APIC timer and no redirected line is going to interrupt';
  }

  /** The task priority, including the processor's changes by MOV to CR8. */
  get taskPriority(): number {
    const high = this.#wires.taskPriority;
    if (this.#taskPriority >> 4 !== high) this.#taskPriority = high << 4;
    return this.#taskPriority;
  }

  get processorPriority(): number {
    const task = this.taskPriority;
    const serving = Math.max(this.#vectors.serving, 0);
    return task >> 4 >= serving >> 4 ? task : serving & 0xf0;
  }

  /** INTA: the vector, which is in service from now on; the spurious one where nothing is pending. */
  acknowledge(): number {
    return this.pending ? this.#vectors.serve() : this.#spurious & 0xff;
  }

  /** An interrupt has arrived at this APIC. False where it takes none of this kind now. */
  accept({ mode, vector, level }: Delivery): boolean {
    if (!this.isEnabled) return false;
    switch (mode) {
      case DeliveryMode.fixed:
      case DeliveryMode.lowestPriority:
        return this.#take(vector, level);
      case DeliveryMode.nmi:
        this.#wires.nmi();
        return true;
      case DeliveryMode.init:
        this.#wires.start(-1);
        return true;
      case DeliveryMode.startUp:
        this.#wires.start(vector);
        return true;
      default:
        // There is no SMM, and ExtINT has its own path from the 8259A.
        return true;
    }
  }

  /** True where a destination names this APIC (SDM 3A 11.6.2). */
  isNamed(destination: number, logical: boolean): boolean {
    if (this.isX2) return this.#isNamedX2(destination, logical);
    if (!logical) return destination === 0xff || destination === this.#id;
    const own = this.#logical >>> 24;
    if (this.#format >>> 28 === 0xf) return (own & destination) !== 0;
    return own >> 4 === destination >> 4 && (own & destination & 15) !== 0;
  }

  #isNamedX2(destination: number, logical: boolean): boolean {
    // Messages have an 8-bit destination: FFh means all.
    if (destination === 0xffff_ffff || destination === 0xff) return true;
    if (!logical) return destination === this.index;
    return destination >>> 16 === this.#logical >>> 16 && (destination & this.#logical & 0xffff) !== 0;
  }

  /** Reads a register; 0 where there is none. @param offset in the page, a multiple of 16 */
  read(offset: number): number {
    if (offset >= Register.inService && offset < Register.errors)
      return this.#vectors.word((offset - Register.inService) >> 4);
    if (offset >= Register.timer && offset <= Register.error)
      return this.#lvt.read((offset - Register.timer) >> 4);
    switch (offset) {
      case Register.id:
        return this.isX2 ? this.index : (this.#id << 24) >>> 0;
      case Register.version:
        return VERSION;
      case Register.taskPriority:
        return this.taskPriority;
      case Register.arbitration:
      case Register.processorPriority:
        return this.processorPriority;
      case Register.logicalDestination:
        return this.#logical;
      case Register.destinationFormat:
        return this.#format;
      case Register.spurious:
        return this.#spurious;
      case Register.errors:
        return this.#errors;
      case Register.commandLow:
        return this.#command;
      case Register.commandHigh:
        return this.#destination;
      case Register.initialCount:
        return this.timer.initial;
      case Register.currentCount:
        return this.timer.count;
      case Register.divide:
        return this.timer.divide;
      default:
        if (!isReadable(offset)) this.#fail(ApicError.register);
        return 0;
    }
  }

  write(offset: number, value: number): void {
    if (offset >= Register.timer && offset <= Register.error) {
      this.#writeLvt((offset - Register.timer) >> 4, value);
      return;
    }
    switch (offset) {
      case Register.id:
        this.#id = value >>> 24;
        return;
      case Register.taskPriority:
        this.#taskPriority = value & 0xff;
        this.#wires.taskPriority = this.#taskPriority >> 4;
        return;
      case Register.eoi:
        this.#end();
        return;
      case Register.logicalDestination:
        this.#logical = (value & 0xff00_0000) >>> 0;
        return;
      case Register.destinationFormat:
        this.#format = (value | 0x0fff_ffff) >>> 0;
        return;
      case Register.spurious:
        this.#spurious = value & SPURIOUS_BITS;
        // An APIC that is disabled masks its LVT (SDM 3A 11.4.7.2).
        if (!(value & SPURIOUS_ENABLED)) {
          this.#lvt.maskAll();
          this.#followTimer();
        }
        return;
      case Register.errors:
        this.#errors = this.#pendingErrors;
        this.#pendingErrors = 0;
        return;
      case Register.commandLow:
        this.#command = value & Command.bits;
        this.#send(this.#destination >>> 24);
        return;
      case Register.commandHigh:
        this.#destination = (value & 0xff00_0000) >>> 0;
        return;
      case Register.initialCount:
        this.timer.setInitial(value);
        return;
      case Register.divide:
        this.timer.setDivide(value);
        return;
      default:
        if (!isReadable(offset)) this.#fail(ApicError.register);
    }
  }

  /** An x2APIC command: the whole destination at once. */
  command(low: number, destination: number): void {
    this.#command = low & Command.bits;
    this.#destination = destination;
    this.#send(destination);
  }

  /** x2APIC's SELF IPI. */
  sendSelf(vector: number): void {
    if (vector < FIRST_VECTOR) this.#fail(ApicError.sendVector);
    else this.#take(vector, false);
  }

  #send(destination: number): void {
    const command = this.#command;
    const mode = (command & Command.mode) >> 8;
    const vector = command & 0xff;
    const level = (command & Command.level) !== 0;
    const shorthand = (command & Command.shorthand) >> 18;
    // The INIT level de-assert of old arbitration does nothing (SDM 3A 11.6.1).
    if (mode === DeliveryMode.init && level && !(command & Command.assert)) return;
    if (mode <= DeliveryMode.lowestPriority && vector < FIRST_VECTOR) {
      this.#fail(ApicError.sendVector);
      return;
    }
    const logical = (command & Command.logical) !== 0;
    // Interrupt commands are edges: the level bit counts only for INIT (SDM 3A 11.6.1, trigger mode).
    this.#wires.send(this, { vector, mode, level: false, logical, destination }, shorthand);
  }

  #take(vector: number, level: boolean): boolean {
    if (!this.takes) return false;
    if (vector < FIRST_VECTOR) {
      this.#fail(ApicError.receiveVector);
      return false;
    }
    this.#vectors.add(vector, level);
    return true;
  }

  /** EOI: the highest vector in service is done. */
  #end(): void {
    const level = this.#vectors.end();
    if (level >= 0) this.#wires.ended(level);
  }

  #writeLvt(entry: number, value: number): void {
    const masked = this.#spurious & SPURIOUS_ENABLED ? 0 : LVT_MASKED;
    this.#lvt.write(entry, value | masked);
    if (entry === Lvt.timer) this.#followTimer();
  }

  #followTimer(): void {
    this.timer.configure(this.#lvt.timerMode, !this.#lvt.isMasked(Lvt.timer));
  }

  /** A source of the APIC's own interrupts. */
  #local(entry: number): void {
    const delivery = this.#lvt.delivery(entry, this.#id);
    if (delivery !== undefined) this.accept(delivery);
  }

  #fail(error: number): void {
    this.#pendingErrors |= error;
    // An invalid vector in the error entry itself must not report errors without end.
    if ((this.#lvt.read(Lvt.error) & 0xff) >= FIRST_VECTOR) this.#local(Lvt.error);
  }

  save(): LocalApicState {
    return {
      id: this.#id,
      base: this.base.toString(16),
      taskPriority: this.taskPriority,
      logical: this.#logical,
      format: this.#format,
      spurious: this.#spurious,
      command: this.#command,
      destination: this.#destination,
      lvt: this.#lvt.save(),
      errors: this.#errors,
      pendingErrors: this.#pendingErrors,
      ...this.#vectors.save(),
      timer: this.timer.save(),
    };
  }

  load(device: string, state: unknown): void {
    const fields = stateFields(device, state, this.save());
    const word = (field: keyof LocalApicState, most = 0xffff_ffff) =>
      wordField(device, field, fields[field], most);
    const { base } = fields;
    if (typeof base !== 'string' || !/^[0-9a-f]{1,10}$/.test(base))
      throw new DeviceStateError(device, `'base' is ${String(base)}`);
    const lvt = wordsField(device, 'lvt', fields.lvt, LVT_ENTRIES);
    for (const [i, entry] of lvt.entries())
      if (entry & ~lvtBits[i]!) throw new DeviceStateError(device, `'lvt[${i}]' is ${entry}`);
    const set = (field: 'requests' | 'inService' | 'level') => wordsField(device, field, fields[field], 8);
    const vectors = { requests: set('requests'), inService: set('inService'), level: set('level') };
    this.#id = word('id', 0xff);
    this.base = BigInt(`0x${base}`);
    this.#taskPriority = word('taskPriority', 0xff);
    this.#wires.taskPriority = this.#taskPriority >> 4;
    this.#logical = word('logical');
    this.#format = word('format');
    this.#spurious = word('spurious', SPURIOUS_BITS);
    this.#command = word('command') & Command.bits;
    this.#destination = word('destination');
    this.#errors = word('errors', 0xff);
    this.#pendingErrors = word('pendingErrors', 0xff);
    this.#lvt.load(lvt);
    this.#vectors.load(vectors);
    this.timer.load(device, fields.timer, !this.#lvt.isMasked(Lvt.timer));
  }
}

/** The logical ID that x2APIC derives from the APIC's number (SDM 3A 11.12.10.2). */
export function logicalIdOf(id: number): number {
  return (((id >> 4) << 16) | (1 << (id & 15))) >>> 0;
}

/** Registers that exist, although they read as 0 or are write-only. */
function isReadable(offset: number): boolean {
  return offset >= Register.id && offset <= Register.divide && offset !== 0x40 && offset !== 0x50;
}

function wordField(device: string, field: string, value: unknown, most: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > most)
    throw new DeviceStateError(
      device,
      `'${field}' is ${String(value)}, not a number up to 0x${most.toString(16)}`,
    );
  return value;
}

function wordsField(device: string, field: string, value: unknown, count: number): number[] {
  if (!Array.isArray(value) || value.length !== count)
    throw new DeviceStateError(device, `'${field}' is not a list of ${count} words`);
  return value.map((word, i) => wordField(device, `${field}[${i}]`, word, 0xffff_ffff));
}
