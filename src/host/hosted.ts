import type { Worker } from 'node:worker_threads';
import { type DebugMethod, type DebugTarget, runningMethods } from '../debug/index.js';
import type { Picture } from '../devices/contract.js';
import { type DeviceCounts, strokesOf } from '../devices/index.js';
import { Control, type CpuState, controlBytes, wakeThread } from '../engine/contract.js';
import { ConfigError, TerrariumError } from '../errors.js';
import type { Outcome } from '../machine/index.js';
import { GuestMemory } from '../memory/index.js';
import type { CounterRow } from '../observe/index.js';
import { kickEngine } from './engines.js';
import { remoteTarget } from './hosted-debug.js';
import { keyByte } from './keys.js';
import { PollingThread } from './polling-thread.js';
import {
  type BootReport,
  type Channels,
  type FromWorker,
  type PortableConfig,
  type PortableRunOptions,
  type ToWorker,
  unpackError,
} from './protocol.js';
import { type Frame, FrameReader } from './screen-feed.js';
import { SharedRing } from './shared-ring.js';
import type { MachineSigns } from './signs.js';
import { acquireWorker, releaseWorker } from './worker-pool.js';

const OUTPUT_BYTES = 256 * 1024;
const INPUT_BYTES = 64 * 1024;
const KEY_BYTES = 4096;
const LOG_BYTES = 64 * 1024;

/** How long a stopped guest's last words wait for their reader: milliseconds. */
const DRAIN_LIMIT_MS = 500;

/** How long a stop may take before it is an error: milliseconds. A kick that arrives takes well under one. */
const STOP_LIMIT_MS = 5000;

/** What a hosted run can be ended by. */
export interface HostedRunOptions extends PortableRunOptions {
  signal?: AbortSignal;
}

/** A run's outcome, and what was counted where `statistics` was asked for. */
export interface HostedOutcome extends Outcome {
  readonly statistics?: unknown;
  /** The engine's own counters with what the run added to them, beside `statistics`. */
  readonly counters?: readonly CounterRow[];
  /** What went through each SIMVIRTIO device since the machine was made, where it has them. */
  readonly simvirtio?: SimvirtioReport;
}

/** SIMVIRTIO's account of a run. */
export interface SimvirtioReport {
  readonly devices: readonly DeviceCounts[];
  /** By polling: times that the devices were looked at, and times that the polling thread slept. */
  readonly passes?: number;
  readonly sleeps?: number;
}

/** Machines whose threads may be inside a guest: a process must not end before they are out (see `onProcessExit`). */
const live = new Set<HostedMachine>();

/**
 * Puts a machine on a thread of its own and returns the handle to it.
 *
 * ```ts
 * await using machine = await hostMachine({ image: readImage('hello.bin') });
 * machine.onOutput((bytes) => process.stdout.write(bytes));
 * const outcome = await machine.run({ timeoutMs: 1000 });
 * ```
 * @throws what `new Machine` throws: a TerrariumError with a code and a hint.
 */
export async function hostMachine(config: PortableConfig): Promise<HostedMachine> {
  const machine = new HostedMachine();
  try {
    await machine.create(config);
    return machine;
  } catch (error) {
    await machine[Symbol.asyncDispose]();
    throw error;
  }
}

/** A machine on a thread of its own; made by `hostMachine`. */
export class HostedMachine implements AsyncDisposable {
  /** The guest's RAM, the same bytes that the guest sees: look at it at any time, even while it runs. */
  memory!: GuestMemory;
  /** How the guest was placed. */
  boot!: BootReport;
  /** `kvm` or `soft`. */
  engine!: string;
  /** Why `auto` did not take KVM, where it did not: a phrase for people. */
  engineBecause: string | undefined;
  readonly #worker: Worker;
  readonly #control = new Int32Array(new SharedArrayBuffer(controlBytes));
  readonly #output = new SharedRing(OUTPUT_BYTES);
  readonly #input = new SharedRing(INPUT_BYTES);
  readonly #keys = new SharedRing(KEY_BYTES);
  readonly #trace = new SharedRing(OUTPUT_BYTES);
  readonly #log = new SharedRing(LOG_BYTES);
  readonly #progress = new Float64Array(new SharedArrayBuffer(16));
  readonly #framesBusy = new Int32Array(new SharedArrayBuffer(4));
  readonly #frames = new FrameReader();
  /** Where SIMVIRTIO is polled. */
  #polling: PollingThread | undefined;
  #outputSink: ChunkSink | undefined;
  #traceSink: ChunkSink | undefined;
  #logSink: ChunkSink = () => {};
  #signSink: (signs: MachineSigns) => void = () => {};
  #frameSink: FrameSink = () => {};
  #capturedSink: CapturedSink | undefined;
  #pumps = new Map<SharedRing, Promise<void>>();
  #inputTaken: (() => void) | undefined;
  #sending: Promise<void> = Promise.resolve();
  #pending: { resolve(message: FromWorker): void; reject(error: Error): void } | undefined;
  #running = false;
  /** Counts the runs, so that a stop that is late does not stop the next one. */
  #runs = 0;
  #disposed = false;
  #failed: Error | undefined;

  /** @internal */
  constructor() {
    this.#worker = acquireWorker();
    this.#worker.on('message', (message: FromWorker) => this.#receive(message));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(new TerrariumError('ETHREAD', "the machine's thread ended")));
    watchProcessExit();
    live.add(this);
  }

  /** @internal */
  async create(config: PortableConfig): Promise<void> {
    const channels: Channels = {
      control: this.#control.buffer as SharedArrayBuffer,
      output: this.#output.buffer,
      input: this.#input.buffer,
      keys: this.#keys.buffer,
      trace: this.#trace.buffer,
      log: this.#log.buffer,
      progress: this.#progress.buffer as SharedArrayBuffer,
      frames: this.#framesBusy.buffer as SharedArrayBuffer,
    };
    // Both threads start at once.
    if (config.simvirtio === 'polling') this.#polling = new PollingThread(() => this.#pumpPolled());
    const made = await this.#ask({ type: 'create', config, channels }, 'created');
    this.memory = GuestMemory.attach(made.memory, made.regions);
    this.boot = made.boot;
    this.engine = made.engine;
    this.engineBecause = made.because;
    await this.#polling?.create(made.memory, made.regions);
  }

  /** Runs the guest until it ends; run again to go on from there. Rejects where a device's handler threw. */
  async run(options: HostedRunOptions = {}): Promise<HostedOutcome> {
    const { signal, ...portable } = options;
    if (this.#running) throw new ConfigError('the machine is running already');
    signal?.throwIfAborted();
    this.#running = true;
    this.#runs++;
    Atomics.store(this.#control, Control.request, 0);
    const abort = () => void this.stop();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      this.#polling?.start();
      const answer = await this.#ask({ type: 'run', options: portable }, 'outcome');
      const { outcome, statistics, counters } = answer;
      for (const { slot, address, size } of answer.regions) this.memory.place(slot, address, size);
      // Nobody to read what it prints: it would wait for ever.
      if (this.#outputSink === undefined) this.#polling?.abandon();
      const polled = await this.#polling?.finish();
      const drained = this.#drain();
      // Who stopped the guest does not wait for a reader that stands still.
      await (outcome.kind === 'stopped' ? Promise.race([drained, wait(DRAIN_LIMIT_MS)]) : drained);
      const simvirtio = polled ?? (answer.simvirtio && { devices: answer.simvirtio });
      return {
        ...outcome,
        ...(statistics !== undefined && { statistics }),
        ...(counters && { counters }),
        ...(simvirtio && { simvirtio }),
      };
    } finally {
      await this.#polling?.end();
      signal?.removeEventListener('abort', abort);
      this.#running = false;
    }
  }

  /**
   * Stops the run that is under way, whatever the guest does; its `run` then resolves with the outcome `stopped`.
   * Resolves when the guest has stopped. Does nothing where nothing runs.
   */
  async stop(): Promise<void> {
    const started = performance.now();
    const run = this.#runs;
    if (this.#running) this.#polling?.abandon();
    while (this.#running && this.#runs === run) {
      Atomics.store(this.#control, Control.request, 1);
      this.#kick();
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (performance.now() - started > STOP_LIMIT_MS) {
        throw new TerrariumError('ESTUCK', `the machine did not stop within ${STOP_LIMIT_MS} ms`, {
          hint: 'one of its devices may be in an endless loop; end the process',
        });
      }
    }
  }

  /**
   * A debugger's hold on the machine, which is run through it and no more with `run`; `debug` was set in the configuration.
   * `debugOutcome` ends it.
   */
  debugTarget(): DebugTarget {
    return remoteTarget(
      (method, args) => this.#debug(method, args),
      () => this.stop(),
    );
  }

  /** What the machine has come to under its debugger. */
  async debugOutcome(): Promise<HostedOutcome> {
    const { outcome, statistics, counters, simvirtio } = await this.#ask({ type: 'endDebug' }, 'outcome');
    await Promise.race([this.#drain(), wait(DRAIN_LIMIT_MS)]);
    return {
      ...outcome,
      ...(statistics !== undefined && { statistics }),
      ...(counters && { counters }),
      ...(simvirtio && { simvirtio: { devices: simvirtio } }),
    };
  }

  async #debug(method: DebugMethod, args: readonly unknown[]): Promise<unknown> {
    const message: ToWorker = { type: 'debug', method, args };
    if (this.#running) throw new ConfigError('the machine is running already');
    if (!runningMethods.has(method)) return (await this.#ask(message, 'debugged')).result;
    this.#running = true;
    this.#runs++;
    Atomics.store(this.#control, Control.request, 0);
    try {
      const { result, regions = [] } = await this.#ask(message, 'debugged');
      for (const { slot, address, size } of regions) this.memory.place(slot, address, size);
      return result;
    } finally {
      this.#running = false;
    }
  }

  /** Registers of a machine that does not run. */
  async state(): Promise<CpuState> {
    if (this.#running) throw new ConfigError('the machine is running', 'stop it first');
    return (await this.#ask({ type: 'state' }, 'state')).state;
  }

  /** What the guest shows, as a still picture, while it does not run; undefined where no device shows anything. */
  async screen(): Promise<Picture | undefined> {
    if (this.#running) throw new ConfigError('the machine is running', 'stop it first, or use onFrame');
    return (await this.#ask({ type: 'screen' }, 'screen')).picture;
  }

  /**
   * Takes what the guest shows whenever it has changed, 60 times a second at most; `frames` was set in the configuration.
   * The next picture waits until a sink that returns a promise is done.
   */
  onFrame(sink: FrameSink): void {
    this.#frameSink = sink;
  }

  /** Takes the pictures of the moments in the configuration's `captureAt` as they come, each with its place in that list. */
  onCaptured(sink: CapturedSink): void {
    this.#capturedSink = sink;
  }

  /** Takes the console's bytes from now on. A sink that returns a promise holds the guest's output back until it is done. */
  onOutput(sink: ChunkSink): void {
    this.#outputSink = sink;
    void this.#pump(this.#output, sink);
    void this.#pumpPolled();
  }

  /** Takes the trace's text from now on, as `onOutput` does. */
  onTrace(sink: ChunkSink): void {
    this.#traceSink = sink;
    void this.#pump(this.#trace, sink);
  }

  /** Takes the lines that the guest logs by hypercall from now on, as `onOutput` does; without a sink they are dropped. */
  onLog(sink: ChunkSink): void {
    this.#logSink = sink;
    void this.#pump(this.#log, sink);
  }

  /** Nobody reads the console any more: what the guest prints from now on is dropped. */
  closeOutput(): void {
    this.#output.close();
    this.#polling?.output.close();
  }

  /** What the run under way, or the last one, has come to; as of a few milliseconds ago. */
  get progress(): { exits: number; coalesced: number } {
    return { exits: this.#progress[0]!, coalesced: this.#progress[1]! };
  }

  /** Sends bytes to the guest's serial port; resolves when all are on their way. Several senders take turns. */
  send(bytes: Uint8Array): Promise<void> {
    this.#sending = this.#sending.then(() => this.#send(bytes));
    return this.#sending;
  }

  /**
   * A key of the guest's keyboard goes down (it repeats until it goes up) or up; keys are named by their place, as in
   * `keyNames`. Returns false where the guest has so many keys to read still that this one is lost.
   * @throws ConfigError for a name that is no key.
   */
  sendKey(name: string, down: boolean): boolean {
    const taken = this.#keys.tryWrite(new Uint8Array([keyByte(name, down)])) === 1;
    this.#kick();
    return taken;
  }

  /** Types a text on the guest's keyboard; resolves when all of it is on its way. */
  async type(text: string): Promise<void> {
    for (const { name, down } of strokesOf(text)) {
      while (!this.sendKey(name, down) && !this.#disposed) await wait(5);
    }
  }

  /** Told what the guest does to the keyboard's lights and the speaker, at most once in a few milliseconds. */
  onSigns(sink: (signs: MachineSigns) => void): void {
    this.#signSink = sink;
  }

  async #send(bytes: Uint8Array): Promise<void> {
    for (let rest = bytes; rest.length > 0 && !this.#disposed; ) {
      const taken = new Promise<void>((resolve) => {
        this.#inputTaken = resolve;
      });
      rest = rest.subarray(this.#input.tryWrite(rest));
      // Not at the next tick: a guest that is driven by interrupts gets this one now.
      this.#kick();
      if (rest.length > 0) await taken;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#disposed) return;
    await this.stop();
    this.#disposed = true;
    this.#inputTaken?.();
    if (this.#failed === undefined) await this.#ask({ type: 'dispose' }, 'disposed').catch(() => {});
    await this.#polling?.[Symbol.asyncDispose]();
    live.delete(this);
    this.memory?.release(false);
    if (this.#failed === undefined) releaseWorker(this.#worker);
    else await this.#worker.terminate();
  }

  /** Gets the thread out of its guest without the event loop; for a process that ends. */
  leaveGuest(): void {
    const limit = performance.now() + 1000;
    while (Atomics.load(this.#control, Control.running) === 1 && performance.now() < limit) {
      Atomics.store(this.#control, Control.request, 1);
      this.#output.close();
      this.#trace.close();
      this.#log.close();
      this.#kick();
      Atomics.wait(this.#control, Control.running, 1, 2);
    }
  }

  /** Makes the machine's thread look at its control block and its devices, wherever it is. */
  #kick(): void {
    wakeThread(this.#control);
    if (Atomics.load(this.#control, Control.running) === 1) kickEngine(this.engine, this.#control);
  }

  #ask<T extends FromWorker['type']>(
    message: ToWorker,
    _answer: T,
  ): Promise<Extract<FromWorker, { type: T }>> {
    if (this.#failed !== undefined) return Promise.reject(this.#failed);
    if (this.#pending !== undefined) return Promise.reject(new ConfigError('the machine is busy'));
    return new Promise((resolve, reject) => {
      this.#pending = { resolve: resolve as (message: FromWorker) => void, reject };
      this.#worker.postMessage(message);
    });
  }

  #receive(message: FromWorker): void {
    if (message.type === 'output') void this.#pump(this.#output, this.#outputSink);
    else if (message.type === 'trace') void this.#pump(this.#trace, this.#traceSink);
    else if (message.type === 'log') void this.#pump(this.#log, this.#logSink);
    else if (message.type === 'signs') this.#signSink(message);
    else if (message.type === 'inputTaken') this.#inputTaken?.();
    else if (message.type === 'frame') void this.#show(message.frame);
    else if (message.type === 'captured') this.#capturedSink?.(message.picture, message.index);
    else {
      const pending = this.#pending;
      this.#pending = undefined;
      if (message.type === 'error') pending?.reject(unpackError(message.error));
      else pending?.resolve(message);
    }
  }

  async #show(frame: Frame): Promise<void> {
    try {
      await this.#frameSink(this.#frames.add(frame));
    } finally {
      Atomics.store(this.#framesBusy, 0, 0);
    }
  }

  #fail(error: Error): void {
    this.#failed = error;
    this.#running = false;
    this.#pending?.reject(error);
    this.#pending = undefined;
  }

  /** Empties a ring into its sink, one chunk after the other; a second call while it does so joins the first. */
  #pump(ring: SharedRing, sink: ChunkSink | undefined): Promise<void> {
    if (sink === undefined) return Promise.resolve();
    const known = this.#pumps.get(ring);
    if (known !== undefined) return known;
    const pump = empty(ring, sink).finally(() => this.#pumps.delete(ring));
    this.#pumps.set(ring, pump);
    return pump;
  }

  #pumpPolled(): Promise<void> {
    if (this.#polling === undefined) return Promise.resolve();
    return this.#pump(this.#polling.output, this.#outputSink);
  }

  async #drain(): Promise<void> {
    await this.#pump(this.#output, this.#outputSink);
    await this.#pumpPolled();
    await this.#pump(this.#trace, this.#traceSink);
    await this.#pump(this.#log, this.#logSink);
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}

async function empty(ring: SharedRing, sink: ChunkSink): Promise<void> {
  try {
    for (let chunk = ring.read(); chunk.length > 0; chunk = ring.read()) await sink(chunk);
  } catch {
    // A sink that failed, such as a closed pipe, gets no more; the guest goes on without it.
    ring.close();
  }
}

/** Takes a chunk of a stream; the bytes are the sink's own. */
export type ChunkSink = (bytes: Uint8Array) => void | Promise<void>;

/** Takes a picture; it is valid until the sink is done. */
export type FrameSink = (picture: Picture) => void | Promise<void>;

/** Takes the picture of the moment `captureAt[index]`; its bytes are the sink's own. */
export type CapturedSink = (picture: Picture, index: number) => void;

let watching = false;

/** A thread inside a guest cannot be ended from outside: `process.exit` would hang for ever (KVM_RUN does not return). */
function watchProcessExit(): void {
  if (watching) return;
  watching = true;
  process.on('exit', () => {
    for (const machine of live) machine.leaveGuest();
  });
}
