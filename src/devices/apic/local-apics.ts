/**
 * The processors' local APICs: their page, their MSRs, and the bus that brings interrupts to them (SDM 3A chapter 11).
 *
 * @module
 */
import type {
  Access,
  AccessSize,
  AccessWords,
  Claim,
  Device,
  DeviceHost,
  InterruptController,
  MemoryRange,
  MsrRange,
} from '../contract/index.js';
import { DeviceStateError, registerField, stateFields } from '../state.js';
import { type Delivery, DeliveryMode, deliveryOf } from './delivery.js';
import { LocalApic } from './local-apic.js';
import type { LocalApicState } from './local-apic-state.js';
import {
  APIC_BASE_ADDRESS,
  ApicBase,
  DEFAULT_APIC_BASE,
  MSR_APIC_BASE,
  MSR_TSC_DEADLINE,
  MSR_X2APIC,
  Register,
  Shorthand,
  X2APIC_MSRS,
} from './registers.js';
import { apicWords } from './words.js';
import { readX2, writeX2 } from './x2apic.js';

export interface LocalApicsState {
  apics: LocalApicState[];
  /** The last start-up interrupt that reached no processor, and its destination. */
  unheard: Unheard | null;
}

interface Unheard {
  page: number;
  /** -1: all others. */
  destination: number;
}

const PAGE = 4096;
/** Over every other claim: a processor's own page answers before anything on the bus. */
const PRIORITY = 1000;

/** See the module's comment. */
export class LocalApics implements Device, InterruptController {
  readonly name = 'local-apic';
  readonly memory: readonly MemoryRange[] = [{ address: DEFAULT_APIC_BASE, size: PAGE, priority: PRIORITY }];
  readonly msrs: readonly MsrRange[] = [
    { first: MSR_APIC_BASE, count: 1 },
    { first: MSR_TSC_DEADLINE, count: 1 },
    { first: MSR_X2APIC, count: X2APIC_MSRS },
  ];
  readonly pins = 0;
  readonly #apics: LocalApic[] = [];
  readonly #ended: ((vector: number) => void)[] = [];
  readonly #acknowledged: ((vector: number) => void)[] = [];
  #host: DeviceHost | undefined;
  /** One for each processor's page; at one address they all answer in the same way. */
  readonly #claims: Claim[] = [];
  #unheard: Unheard | null = null;

  constructor() {
    this.#make(0);
  }

  get controller(): InterruptController {
    return this;
  }

  attach(host: DeviceHost): void {
    this.#host = host;
    this.#apics.length = 0;
    for (const [index] of host.cpus.entries()) {
      this.#claims.push(
        host.claim(index === 0 ? this.memory[0]! : { ...this.memory[0]!, priority: PRIORITY - index }),
      );
      const apic = this.#make(index);
      apic.use(host.clock.alarm(`timer ${index}`, () => apic.timer.ring()));
    }
  }

  #make(index: number): LocalApic {
    const cpu = this.#host?.cpus[index];
    let priority = 0;
    const apic = new LocalApic(index, {
      now: () => this.#host?.clock.now() ?? 0,
      stamps: cpu?.stamps,
      get taskPriority() {
        return cpu?.taskPriority ?? priority;
      },
      set taskPriority(value) {
        priority = value;
        if (cpu !== undefined) cpu.taskPriority = value;
      },
      send: (from, delivery, shorthand) => this.#send(from, delivery, shorthand),
      ended: (vector) => {
        for (const tell of this.#ended) tell(vector);
      },
      nmi: () => this.#host?.cpus[index]?.nmi(),
      start: (vector) => this.#start(index, vector),
    });
    this.#apics.push(apic);
    return apic;
  }

  /** Tells `ended` each time a level-triggered interrupt is done: the EOI broadcast (SDM 3A 11.8.5). */
  watchEnds(ended: (vector: number) => void): void {
    this.#ended.push(ended);
  }

  /** Tells `acknowledged` each vector that a processor takes. */
  watchVectors(acknowledged: (vector: number) => void): void {
    this.#acknowledged.push(acknowledged);
  }

  /** True where the 8259A's INT reaches the first processor. */
  get passesExtInt(): boolean {
    return this.#apics[0]!.passesExtInt;
  }

  pending(cpu: number): boolean {
    return this.#apics[cpu]?.pending === true;
  }

  acknowledge(cpu: number): number {
    const vector = this.#apics[cpu]!.acknowledge();
    for (const tell of this.#acknowledged) tell(vector);
    return vector;
  }

  setPin(): void {}

  opens(): boolean {
    return false;
  }

  watch(): void {}

  describe(): string {
    return this.#apics[0]!.describe();
  }

  /** A timer that will interrupt a processor that takes its interrupt. */
  canWake(): boolean {
    return this.#apics.some(
      (apic) => apic.takes && apic.timer.awaits && apic.opens(apic.read(Register.timer) & 0xff),
    );
  }

  message(address: number, data: number): boolean {
    const delivery = deliveryOf(address, data);
    return delivery !== undefined && this.deliver(delivery);
  }

  /** Takes an interrupt to the APICs that it names; false where none takes it. */
  deliver(delivery: Delivery): boolean {
    const { destination, logical } = delivery;
    return this.#give(
      this.#apics.filter((apic) => apic.isNamed(destination, logical)),
      delivery,
    );
  }

  /** True where one of the APICs that a delivery names would take it at once. */
  opensFor({ destination, logical, vector, mode }: Delivery): boolean {
    if (mode === DeliveryMode.nmi) return true;
    return this.#apics.some((apic) => apic.isNamed(destination, logical) && apic.opens(vector));
  }

  #give(named: readonly LocalApic[], delivery: Delivery): boolean {
    if (delivery.mode !== DeliveryMode.lowestPriority) {
      let taken = false;
      for (const apic of named) taken = apic.accept(delivery) || taken;
      return taken;
    }
    // The one with the lowest processor priority; the first of equals, so that a run can be repeated (SDM 3A 11.6.2.4).
    const [first, ...rest] = named.filter(({ takes }) => takes);
    if (first === undefined) return false;
    return rest
      .reduce((least, apic) => (apic.processorPriority < least.processorPriority ? apic : least), first)
      .accept(delivery);
  }

  #send(from: LocalApic, delivery: Delivery, shorthand: number): void {
    const named = this.#apics.filter((apic) => {
      if (shorthand === Shorthand.none) return apic.isNamed(delivery.destination, delivery.logical);
      return shorthand === Shorthand.all || (apic === from) === (shorthand === Shorthand.self);
    });
    if (named.length === 0 && delivery.mode === DeliveryMode.startUp)
      this.#unheard = {
        page: delivery.vector,
        destination: shorthand === Shorthand.none ? delivery.destination : -1,
      };
    this.#give(named, delivery);
  }

  /** A guest that starts a processor waits for it, mostly in a loop without exits. */
  remark(isOver = false): string | undefined {
    if (isOver || this.#unheard === null) return undefined;
    const { page, destination } = this.#unheard;
    const whom =
      destination < 0 ? 'all other processors' : `the processor of APIC 0x${destination.toString(16)}`;
    const count = this.#apics.length;
    return `it sent ${whom} a start-up interrupt (SIPI, code at 0x${page.toString(16)}000), but the machine has ${count === 1 ? 'one processor' : `${count} processors`}, as its tables say`;
  }

  /** INIT of the first processor resets the machine; another one waits for a start-up interrupt then. */
  #start(index: number, vector: number): void {
    const cpu = this.#host?.cpus[index];
    if (vector >= 0) cpu?.startUp(vector);
    else if (index === 0) this.#host?.reset('an INIT interrupt to CPU 0');
    else {
      this.#apics[index]!.init();
      cpu?.init();
    }
  }

  /** The APIC of the processor whose access this is. */
  get #current(): LocalApic {
    return this.#apics[this.#host?.currentCpu ?? 0]!;
  }

  readMemory(address: number, size: AccessSize): number {
    const offset = address & (PAGE - 1);
    // Only the first 4 bytes of each 16 are a register (SDM 3A 11.4.1).
    if ((offset & 15) + size > 4) return 0;
    const value = this.#current.read(offset & 0xff0);
    return size === 4 ? value : (value >>> (8 * (offset & 3))) & (2 ** (8 * size) - 1);
  }

  writeMemory(address: number, size: AccessSize, value: number): void {
    const offset = address & (PAGE - 1);
    if (size === 4 && (offset & 15) === 0) this.#current.write(offset, value);
  }

  readMsr(msr: number): bigint | undefined {
    const apic = this.#current;
    if (msr === MSR_APIC_BASE) return apic.base;
    if (msr === MSR_TSC_DEADLINE) return apic.timer.deadline;
    return apic.isX2 ? readX2(apic, msr) : undefined;
  }

  writeMsr(msr: number, value: bigint): boolean {
    const apic = this.#current;
    if (msr === MSR_APIC_BASE) return this.#setBase(apic, value);
    if (msr === MSR_TSC_DEADLINE) {
      apic.timer.setDeadline(value);
      return true;
    }
    return apic.isX2 && writeX2(apic, msr, value);
  }

  /** The states of an APIC and their transitions: SDM 3A figure 11-27. */
  #setBase(apic: LocalApic, value: bigint): boolean {
    const { enabled, x2apic, bootstrap } = ApicBase;
    if (value & ~(APIC_BASE_ADDRESS | enabled | x2apic | bootstrap)) return false;
    const [isOn, wasOn] = [(value & enabled) !== 0n, apic.isEnabled];
    const [isX2, wasX2] = [(value & x2apic) !== 0n, apic.isX2];
    if (isX2 && (!isOn || !wasOn)) return false;
    if (wasX2 && isOn && !isX2) return false;
    apic.base = value;
    if (wasOn && !isOn) apic.reset();
    else if (isX2 && !wasX2) apic.enterX2();
    this.#place(apic);
    return true;
  }

  #place(apic: LocalApic): void {
    const claim = this.#claims[apic.index];
    if (apic.isEnabled && !apic.isX2) claim?.move(Number(apic.base & APIC_BASE_ADDRESS));
    else claim?.release();
  }

  describeAccess({ address }: Access): AccessWords | undefined {
    return apicWords(address & 0xff0);
  }

  save(): LocalApicsState {
    return { apics: this.#apics.map((apic) => apic.save()), unheard: this.#unheard };
  }

  load(state: unknown): void {
    const { apics, unheard } = stateFields(this.name, state, this.save(), { unheard: null });
    if (!Array.isArray(apics) || apics.length !== this.#apics.length)
      throw new DeviceStateError(this.name, `'apics' is not a list of ${this.#apics.length}`);
    this.#unheard = this.#unheardOf(unheard);
    for (const [i, apic] of this.#apics.entries()) apic.load(this.name, apics[i]);
    for (const apic of this.#apics) this.#place(apic);
  }

  #unheardOf(state: unknown): Unheard | null {
    if (state === null) return null;
    const { page, destination } = stateFields<Unheard>(this.name, state, { page: 0, destination: 0 });
    return {
      page: registerField(this.name, 'unheard.page', page, 0xff),
      destination:
        destination === -1
          ? -1
          : registerField(this.name, 'unheard.destination', Number(destination) | 0, 0x7fff_ffff),
    };
  }
}
