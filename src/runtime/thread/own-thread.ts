/**
 * The inside of a hosted machine without a thread of its own: its guest runs on the caller's thread, and the caller's event loop has
 * its turn every few milliseconds. A thread costs more to start than most guests take to run.
 *
 * @module
 */
import type { Device } from '../../devices/contract/index.js';
import { Control, controlBytes, wakeThread } from '../../engine/contract/index.js';
import { ConfigError } from '../../errors.js';
import { type Share, TICK_MS } from '../../machine/index.js';
import type { HostedStreams } from './hosted-streams.js';
import { Life } from './life.js';
import type { Place } from './place.js';
import type { FromWorker, HostedParts, PortableRunOptions, SavedMachine, ToWorker } from './protocol.js';

/** The event loop's timers are whole milliseconds and late: shorter sleeps of a guest are slept here, in milliseconds. */
const SHORT_SLEEP_MS = 4;

/** The shortest timer, in milliseconds. */
const AT_ONCE_MS = 0.05;
/** Input that is ready when the guest looks for it for the first time arrives within this many milliseconds. */
const FIRST_INPUT_MS = 3;

/** See the module's comment. */
export class OwnThread implements Place {
  readonly control = new Int32Array(new SharedArrayBuffer(controlBytes));
  readonly failed = undefined;
  /** A guest never runs while other code does. */
  hostKernel = false;
  readonly #streams: HostedStreams;
  readonly #devices: readonly Device[];
  #life: Life | undefined;
  #wake = () => {};
  #answer: FromWorker | undefined;
  #opensInput = false;

  /** @param devices objects of the caller, beside those that the machine's description names */
  constructor(streams: HostedStreams, devices: readonly Device[] = []) {
    this.#streams = streams;
    this.#devices = devices;
  }

  async ask<T extends FromWorker['type']>(
    message: ToWorker,
    _answer: T,
  ): Promise<Extract<FromWorker, { type: T }>> {
    return (await this.#do(message)) as Extract<FromWorker, { type: T }>;
  }

  async #do(message: ToWorker): Promise<FromWorker> {
    switch (message.type) {
      case 'create':
        this.#life = await this.#make(message.parts);
        return { type: 'created', ...this.#life.made };
      case 'run':
        return this.#run(message.options);
      case 'state':
        return { type: 'state', state: this.#current().state() };
      case 'screen':
        return { type: 'screen', picture: this.#current().picture() };
      case 'glance':
        return { type: 'glance', glance: this.#current().machine.glance };
      case 'record':
        return { type: 'recorded', record: this.#current().record() };
      case 'save':
        return { type: 'saved', ...this.#current().save() };
      case 'dispose':
        this.#life?.[Symbol.dispose]();
        this.#life = undefined;
        return { type: 'disposed' };
      default:
        throw new ConfigError(`a machine without a thread of its own cannot ${message.type}`);
    }
  }

  async #make(parts: HostedParts): Promise<Life> {
    const watcher = Object.values(parts.observe).some(Boolean) ? await import('./watcher.js') : undefined;
    const { devices, hypercalls } = parts.spec;
    const named =
      devices === undefined && hypercalls === undefined
        ? undefined
        : await (await import('./user-modules.js')).importUserParts(parts.spec);
    return new Life({
      ...parts,
      ...this.#streams.shared,
      control: this.control,
      ring: (name) => this.#streams.rings[name],
      ports: (index) => this.#streams.portRings(index),
      user: {
        devices: () => [...this.#devices, ...(named?.devices() ?? [])],
        hypercalls: () => named?.hypercalls() ?? {},
      },
      post: (message) => {
        if (message.type === 'inputWanted') this.#openInput();
        if (!this.#streams.receive(message)) this.#answer = message;
      },
      watcher: watcher?.wantsWatcher(parts.observe) ? watcher.watchMachine : undefined,
      threadName: undefined,
    });
  }

  async #run(options: PortableRunOptions): Promise<FromWorker> {
    const life = this.#current();
    const before = life.counters();
    let turned = performance.now();
    let sleeps = 0;
    const share: Share = {
      paused: false,
      wanted: (ms) => {
        sleeps = ms;
        return (
          ms > SHORT_SLEEP_MS ||
          this.#opensInput ||
          this.#streams.crowded ||
          performance.now() - turned >= TICK_MS
        );
      },
    };
    const onTick = (exits: number, coalesced: number) => life.tick(exits, coalesced);
    for (;;) {
      const outcome = life.machine.run({ ...options, onTick, share });
      if (!share.paused) {
        life.report(outcome, before);
        return this.#answer!;
      }
      await this.#turn(sleeps);
      turned = performance.now();
    }
  }

  /** The guest's input comes through the event loop: let it have its turn soon. */
  #openInput(): void {
    this.#opensInput = true;
    this.#life?.machine.cpu.setTimer(AT_ONCE_MS, TICK_MS);
  }

  /** Lets the event loop do its work. @param sleeps how long the guest sleeps, unless it is woken */
  async #turn(sleeps: number): Promise<void> {
    // Input from now on wakes the guest; each request to stop does so too.
    const seen = Atomics.load(this.control, Control.wake);
    const stopped = () => Atomics.load(this.control, Control.request) !== 0;
    const woken = () => stopped() || Atomics.load(this.control, Control.wake) !== seen;
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#streams.crowded && !stopped())
      await Promise.race([this.#streams.drain(), this.#woken(TICK_MS)]);
    if (this.#opensInput && this.#streams.inputComes && !woken()) await this.#woken(FIRST_INPUT_MS);
    this.#opensInput = false;
    if (sleeps > SHORT_SLEEP_MS && !woken()) await this.#woken(sleeps - SHORT_SLEEP_MS / 2);
  }

  /** Resolves when something wakes the guest, or after some milliseconds. */
  #woken(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.min(ms, LONGEST_TIMER_MS));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  kick(): void {
    wakeThread(this.control);
    this.#wake();
  }

  clearRequest(): void {
    Atomics.store(this.control, Control.request, 0);
  }

  /** The caller runs, so the guest does not: it is between two pieces of its run. */
  async saveRunning(): Promise<SavedMachine | undefined> {
    return this.#current().save();
  }

  requestStop(): void {
    Atomics.store(this.control, Control.request, 1);
    this.kick();
  }

  /** The caller runs, so the guest does not. */
  leaveGuest(): void {}

  async disposeMachine(): Promise<void> {
    await this.#do({ type: 'dispose' });
  }

  async release(): Promise<void> {}

  #current(): Life {
    if (this.#life === undefined) throw new ConfigError('this thread has no machine');
    return this.#life;
  }
}

/** The longest that Node's timers take: 24 days. */
const LONGEST_TIMER_MS = 0x7fff_ffff;
