import type { GuestMemory } from '../../memory/index.js';
import type { Alarm } from '../../time/index.js';
import type { DeviceHost } from '../contract/index.js';
import { DeviceStateError, registerField, stateFields } from '../state.js';
import { Feature, Status } from './constants.js';
import { type Chain, type QueueFeatures, type QueueState, RingError, VirtQueue } from './queue/index.js';

/** How a transport notifies the driver. */
export interface Transport {
  /** A queue has used buffers. */
  queueInterrupt(queue: VirtQueue): void;
  /** The configuration has changed, or the device needs a reset. */
  configInterrupt(): void;
  /** May the device access memory? On PCI the driver enables that. */
  readonly mayMaster: boolean;
}

/** The options of a queue. */
export interface QueueShape {
  readonly name: string;
  /** The most descriptors; default 256. */
  readonly maximum?: number;
}

/** The parts of a device. */
export interface Shape {
  /** Unique in a machine. */
  readonly name: string;
  /** Its device type (5). */
  readonly type: number;
  /** Feature bits of its own. */
  readonly features: readonly number[];
  readonly queues: readonly QueueShape[];
  /** Bytes of its configuration (2.5). */
  readonly configSize: number;
}

export interface VirtioState {
  status: number;
  accepted: number[];
  generation: number;
  problem: string;
  queues: unknown[];
  own: unknown;
}

/** The features of every device here; a transport adds its own. */
const COMMON = [
  Feature.indirect,
  Feature.eventIndex,
  Feature.version1,
  Feature.packed,
  Feature.inOrder,
  Feature.ringReset,
];
/** Bits of the status that a driver can set. */
const DRIVERS = Status.acknowledge | Status.driver | Status.driverOk | Status.featuresOk | Status.failed;
/**
 * The most bytes that are moved for one notification; the rest follows a moment later, so that a run can be stopped.
 */
const BUDGET = 16 * 1024 * 1024;
/** The longest description of a driver's mistake that a state may hold. */
const LONGEST = 200;

/**
 * A virtio device without its transport: status, features, queues and configuration (2). A subclass adds only the use
 * of the buffers. Buffers are used at once and in order, so that none is in flight between two accesses of the guest.
 */
export abstract class VirtioDevice {
  readonly name: string;
  readonly type: number;
  readonly queues: readonly VirtQueue[];
  readonly configSize: number;
  /** The offered features, in words of 32 bits (2.2). */
  readonly offered: readonly number[];
  readonly #accepted = [0, 0];
  #status = 0;
  #generation = 0;
  #problem = '';
  #host: DeviceHost | undefined;
  #transport: Transport | undefined;
  #later: Alarm | undefined;

  constructor({ name, type, features, queues, configSize }: Shape) {
    this.name = name;
    this.type = type;
    this.configSize = configSize;
    this.queues = queues.map((queue, index) => new VirtQueue(index, queue.name, queue.maximum));
    const words = [0, 0];
    for (const bit of [...features, ...COMMON]) words[bit >> 5]! |= 1 << (bit & 31);
    this.offered = words.map((word) => word >>> 0);
  }

  attach(host: DeviceHost, transport: Transport): void {
    this.#host = host;
    this.#transport = transport;
    this.#later = host.clock.alarm(`${this.name} buffers`, () => this.#serveAll());
    this.attached(host);
  }

  /** Lets a subclass use its host: inputs, alarms. */
  protected attached(_host: DeviceHost): void {}

  /** The machine ends. */
  dispose(): void {}

  /** A driver has made buffers of a queue available. */
  protected abstract serve(queue: VirtQueue): void;

  /** A byte of the configuration. */
  protected configByte(_offset: number): number {
    return 0;
  }

  /** A driver writes to the configuration. */
  writeConfig(_offset: number, _size: number, _value: number): void {}

  /** The driver has accepted these features: is the combination valid? */
  protected featuresFit(): boolean {
    return true;
  }

  /** The driver is ready. */
  protected started(): void {}

  /** Back to the state after power-on. */
  protected resetOwn(): void {}

  protected saveOwn(): unknown {
    return {};
  }

  protected loadOwn(state: unknown): void {
    stateFields(this.name, state, {});
  }

  /** Could it have data for its driver without an action of the guest? */
  canAct(): boolean {
    return false;
  }

  protected get memory(): GuestMemory {
    if (this.#host === undefined) throw new RangeError(`${this.name} is not attached`);
    return this.#host.memory;
  }

  protected get host(): DeviceHost | undefined {
    return this.#host;
  }

  get status(): number {
    return this.#status;
  }

  /** The driver's errors, as text; empty where there are none. */
  get problem(): string {
    return this.#problem;
  }

  get generation(): number {
    return this.#generation;
  }

  get isLive(): boolean {
    return (this.#status & (Status.driverOk | Status.needsReset)) === Status.driverOk;
  }

  accepted(word: number): number {
    return this.#accepted[word] ?? 0;
  }

  /** Driver and device agree on this feature. */
  has(feature: number): boolean {
    return ((this.#accepted[feature >> 5]! >>> (feature & 31)) & 1) === 1;
  }

  get queueFeatures(): QueueFeatures {
    return {
      packed: this.has(Feature.packed),
      eventIndex: this.has(Feature.eventIndex),
      indirect: this.has(Feature.indirect),
    };
  }

  /** A driver accepts features, before FEATURES_OK. */
  accept(word: number, bits: number): void {
    if (word < 2 && !(this.#status & Status.featuresOk)) this.#accepted[word] = bits;
  }

  /** A driver writes the status (2.1): 0 resets, and no bit is cleared in another way. */
  writeStatus(value: number): void {
    if (value === 0) {
      this.reset();
      return;
    }
    let bits = value & DRIVERS;
    if (bits & Status.featuresOk && !this.#agrees()) bits &= ~Status.featuresOk;
    const settled = (this.#status | bits) & Status.featuresOk;
    if (!settled) bits &= ~Status.driverOk;
    const starts = (bits & ~this.#status & Status.driverOk) !== 0;
    this.#status |= bits;
    if (!starts || !this.isLive) return;
    this.started();
    this.#serveAll();
  }

  #agrees(): boolean {
    const unknown = this.#accepted.some((bits, word) => (bits & ~this.offered[word]!) !== 0);
    return !unknown && this.has(Feature.version1) && this.featuresFit();
  }

  reset(): void {
    this.#status = 0;
    this.#problem = '';
    this.#generation = 0;
    this.#accepted.fill(0);
    this.#later?.cancel();
    for (const queue of this.queues) queue.reset();
    this.resetOwn();
  }

  /** A driver says that a queue is ready. */
  enableQueue(queue: VirtQueue): void {
    if (queue.ring !== undefined || !(this.#status & Status.featuresOk)) return;
    this.#guarded(() => queue.enable(this.memory, this.queueFeatures));
  }

  /** A driver resets one queue (2.6.1). */
  resetQueue(queue: VirtQueue): void {
    if (this.has(Feature.ringReset)) queue.reset();
  }

  /** A driver notifies the device of a queue. Before the device is ready that has no effect. */
  notify(index: number): void {
    const queue = this.queues[index];
    if (queue !== undefined) this.act(queue);
  }

  /** Lets the device process a queue, and interrupts if the driver has enabled that. */
  protected act(queue: VirtQueue): void {
    if (!this.isLive || queue.ring === undefined || this.#transport?.mayMaster !== true) return;
    this.#guarded(() => {
      this.serve(queue);
      if (queue.ring?.wantsInterrupt()) this.#transport?.queueInterrupt(queue);
    });
  }

  #serveAll(): void {
    for (const queue of this.queues) this.act(queue);
  }

  /**
   * Uses the buffers of a queue one after the other. Long work continues a moment later.
   * @param use returns the number of bytes that it wrote
   */
  protected drain(queue: VirtQueue, use: (chain: Chain) => number): void {
    const { ring } = queue;
    if (ring === undefined) return;
    let budget = BUDGET;
    for (let left = queue.size; left > 0 && budget > 0; left--) {
      const chain = ring.pop();
      if (chain === undefined) {
        if (!ring.rearm()) return;
        continue;
      }
      ring.push(chain, use(chain));
      budget -= chain.readableLength + chain.writableLength;
    }
    if (ring.rearm()) this.#later?.at(0);
  }

  /** One buffer of the driver for the device's data; undefined where there is none. Return it with `queue.ring.push`. */
  protected take(queue: VirtQueue): Chain | undefined {
    const { ring } = queue;
    if (ring === undefined) return undefined;
    const chain = ring.pop();
    if (chain !== undefined) return chain;
    return ring.rearm() ? ring.pop() : undefined;
  }

  /** The configuration has changed by itself. */
  protected configChanged(): void {
    this.#generation = (this.#generation + 1) & 0xff;
    if (this.#status & Status.driverOk) this.#transport?.configInterrupt();
  }

  /** Records an error of the driver after which the device cannot continue (2.1.2). */
  protected fail(problem: string): void {
    this.#problem = problem.slice(0, LONGEST);
    const live = (this.#status & Status.driverOk) !== 0;
    this.#status |= Status.needsReset;
    this.#later?.cancel();
    if (live) this.#transport?.configInterrupt();
  }

  #guarded(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!(error instanceof RingError)) throw error;
      this.fail(error.message);
    }
  }

  /** Reads the configuration; beyond its end there are zeros. */
  readConfig(offset: number, size: number): number {
    let value = 0;
    for (let i = size - 1; i >= 0; i--) {
      const at = offset + i;
      value = value * 256 + (at < this.configSize ? this.configByte(at) : 0);
    }
    return value;
  }

  save(): VirtioState {
    return {
      status: this.#status,
      accepted: [...this.#accepted],
      generation: this.#generation,
      problem: this.#problem,
      queues: this.queues.map((queue): QueueState => queue.save()),
      own: this.saveOwn(),
    };
  }

  load(state: unknown): void {
    const { name } = this;
    const fields = stateFields(name, state, this.save());
    const { accepted, queues, problem } = fields;
    const words = Array.isArray(accepted) ? (accepted as unknown[]) : [];
    const isWord = (word: unknown) =>
      Number.isInteger(word) && (word as number) >= 0 && (word as number) < 2 ** 32;
    if (words.length !== 2 || !words.every(isWord))
      throw new DeviceStateError(name, "'accepted' are not two words of features");
    if (!Array.isArray(queues) || queues.length !== this.queues.length)
      throw new DeviceStateError(name, `'queues' are not ${this.queues.length}`);
    if (typeof problem !== 'string' || problem.length > LONGEST)
      throw new DeviceStateError(name, "'problem' is no sentence");
    this.reset();
    this.#status = registerField(name, 'status', fields.status, DRIVERS | Status.needsReset);
    this.#generation = registerField(name, 'generation', fields.generation, 0xff);
    this.#problem = problem;
    for (const i of [0, 1]) this.#accepted[i] = words[i] as number;
    for (const [i, queue] of this.queues.entries())
      queue.load(name, queues[i], this.memory, this.queueFeatures);
    this.loadOwn(fields.own);
  }
}
