import { type DebugMethod, type DebugTarget, runningMethods } from '../../debug/index.js';
import type { Device, Glance, Picture } from '../../devices/contract/index.js';
import { type MouseMove, strokesOf } from '../../devices/index.js';
import { abortReason, ConfigError, TerrariumError } from '../../errors.js';
import type { InputRecord, MachineState } from '../../machine/index.js';
import { GuestMemory, type MemoryRegion } from '../../memory/index.js';
import { requireOwnDisks } from '../../pc/index.js';
import type { TraceRecord } from '../../trace/index.js';
import type { CpuRegisters } from '../../x86/index.js';
import { remoteTarget } from './hosted-debug.js';
import { type HostedOutcome, hostedOutcome } from './hosted-outcome.js';
import {
  type CapturedSink,
  type ChunkSink,
  type FrameSink,
  type HostedPort,
  HostedStreams,
} from './hosted-streams.js';
import { MachineThread } from './hosted-thread.js';
import { OwnThread } from './own-thread.js';
import type { Place } from './place.js';
import { PollingThread } from './polling-thread.js';
import type {
  BootReport,
  HostedParts,
  MadeMachine,
  ObserveOptions,
  PortableRunOptions,
  ToWorker,
} from './protocol.js';
import type { MachineSigns } from './signs.js';
import { type ChunkStream, exitsOf, WebStreams } from './web-streams.js';

/** How long the last output of a stopped guest waits for its reader: milliseconds. */
const DRAIN_LIMIT_MS = 500;

/** How long a stop may take before it is an error: milliseconds. A kick that arrives takes less than one. */
const STOP_LIMIT_MS = 5000;

/** The options that end a hosted run. */
export interface HostedRunOptions extends PortableRunOptions {
  /** Stops the run: its outcome is `stopped`, also where the signal was aborted before the run began. */
  signal?: AbortSignal;
}

/** A machine on its own thread; made by `hostMachine`. */
export class HostedMachine implements AsyncDisposable {
  /**
   * The guest's RAM, the same bytes that the guest sees: readable at any time, even while it runs. A restart replaces the
   * object.
   */
  memory!: GuestMemory;
  /** Where the guest was loaded. */
  boot!: BootReport;
  /** `kvm` or `soft`. */
  engine!: string;
  /** Why `auto` did not choose KVM, where it did not: a phrase for messages. */
  engineBecause: string | undefined;
  readonly #here: boolean;
  readonly #streams: HostedStreams;
  readonly #thread: Place;
  /** Where SIMVIRTIO is polled. */
  #polling: PollingThread | undefined;
  readonly #webStreams = new WebStreams();
  #output: ChunkStream | undefined;
  #input: WritableStream<Uint8Array> | undefined;
  #traceFormat: string | undefined;
  #endSink: (outcome: HostedOutcome) => void = () => {};
  #running = false;
  /** It is run by a debugger. */
  #debugged = false;
  /** Counts the runs, so that a late stop does not stop the next one. */
  #runs = 0;
  #parts: HostedParts | undefined;
  /** User modules run on its thread. */
  #foreign = false;
  #disposed = false;
  #ending: Promise<void> | undefined;
  #hasPowerButton = false;

  /** @internal */
  constructor(here = false, devices: readonly Device[] = []) {
    this.#here = here;
    this.#streams = new HostedStreams(() => this.#thread.kick(), here);
    this.#thread = here ? new OwnThread(this.#streams, devices) : new MachineThread(this.#streams);
  }

  /** @internal */
  async create(parts: HostedParts): Promise<void> {
    this.#parts = parts;
    this.#streams.openPorts(parts.observe.ports ?? []);
    const channels = { control: this.#thread.control.buffer as SharedArrayBuffer, ...this.#streams.channels };
    const { devices, hypercalls } = parts.spec;
    this.#traceFormat = parts.observe.trace?.format;
    this.#foreign = devices !== undefined || hypercalls !== undefined;
    // Both threads start at once.
    if (parts.spec.simvirtio === 'polling') {
      this.#polling = new PollingThread(() => this.#streams.pumpPolled());
      this.#streams.addPolled(this.#polling.output);
    }
    const made = await this.#thread.ask({ type: 'create', parts, channels }, 'created');
    this.#take(made);
    await this.#polling?.create(made.memory, made.regions);
  }

  #take({ memory, regions, boot, engine, hostKernel, hasPowerButton, because }: MadeMachine): void {
    this.#hasPowerButton = hasPowerButton;
    this.memory?.release(false);
    this.memory = GuestMemory.attach(memory, regions);
    this.boot = boot;
    this.engine = engine;
    this.#thread.hostKernel = hostKernel;
    this.engineBecause = because;
  }

  /** Runs the guest until it ends; run again to continue from there. Rejects where a device's handler threw. */
  async run(options: HostedRunOptions = {}): Promise<HostedOutcome> {
    const { signal, ...portable } = options;
    if (this.#running) throw new ConfigError('the machine is running already');
    this.#setRunning(true);
    this.#runs++;
    this.#thread.clearRequest();
    const abort = () => void this.stop();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      this.#polling?.start();
      const answer = await this.#thread.ask(
        { type: 'run', options: portable, ...(signal?.aborted && { aborted: abortReason(signal) }) },
        'outcome',
      );
      this.#placeRegions(answer.regions);
      this.#webStreams.flow = false;
      // Nothing reads its output: it would wait forever.
      if (!this.#streams.outputIsRead) this.#polling?.abandon();
      const polled = await this.#polling?.finish();
      const drained = this.#streams.drain();
      // The caller that stopped the guest does not wait for a reader that does not read.
      await (answer.outcome.kind === 'stopped' ? Promise.race([drained, wait(DRAIN_LIMIT_MS)]) : drained);
      const outcome = hostedOutcome(answer, polled, signal);
      this.#endSink(outcome);
      return outcome;
    } finally {
      await this.#polling?.end();
      signal?.removeEventListener('abort', abort);
      this.#setRunning(false);
    }
  }

  /**
   * Stops the current run at any instruction of the guest; its `run` then resolves with the outcome `stopped`.
   * Resolves when the guest has stopped. Does nothing where nothing runs.
   */
  async stop(): Promise<void> {
    const started = performance.now();
    const run = this.#runs;
    if (this.#running) this.#polling?.abandon();
    while (this.#running && this.#runs === run && this.#thread.failed === undefined) {
      this.#thread.requestStop();
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (performance.now() - started > STOP_LIMIT_MS) {
        throw new TerrariumError('ESTUCK', `the machine did not stop within ${STOP_LIMIT_MS} ms`, {
          hint: 'one of its devices may be in an endless loop; end the process',
        });
      }
    }
  }

  /**
   * A debugger's control of the machine, which is then run through it and not with `run`; `debug` was set in the configuration.
   * `debugOutcome` ends it.
   */
  debugTarget(): DebugTarget {
    return remoteTarget(
      (method, args) => this.#debug(method, args),
      () => this.stop(),
    );
  }

  /** The outcome of a machine that a debugger ran; ends the debug session. */
  async debugOutcome(): Promise<HostedOutcome> {
    const answer = await this.#thread.ask({ type: 'endDebug' }, 'outcome');
    await Promise.race([this.#streams.drain(), wait(DRAIN_LIMIT_MS)]);
    return hostedOutcome(answer, undefined);
  }

  async #debug(method: DebugMethod, args: readonly unknown[]): Promise<unknown> {
    const message: ToWorker = { type: 'debug', method, args };
    if (this.#running) throw new ConfigError('the machine is running already');
    this.#debugged = true;
    if (!runningMethods.has(method)) {
      const { result, made } = await this.#thread.ask(message, 'debugged');
      if (made !== undefined) this.#take(made);
      return result;
    }
    this.#setRunning(true);
    this.#runs++;
    this.#thread.clearRequest();
    try {
      const { result, regions = [] } = await this.#thread.ask(message, 'debugged');
      this.#placeRegions(regions);
      return result;
    } finally {
      this.#setRunning(false);
    }
  }

  /** The registers of a machine that does not run. */
  async state(): Promise<CpuRegisters> {
    if (this.#running) throw new ConfigError('the machine is running', 'stop it first');
    return (await this.#thread.ask({ type: 'state' }, 'state')).state;
  }

  /**
   * The inputs from outside since the machine was made, while it does not run; `record` was set in the configuration. A machine
   * that is made in the same way with it as `replay` repeats the run on the software CPU.
   */
  async record(): Promise<InputRecord> {
    if (this.#running) throw new ConfigError('the machine is running', 'stop it first');
    return (await this.#thread.ask({ type: 'record' }, 'recorded')).record;
  }

  /**
   * The whole state, and how many instructions its CPU has run (undefined where they are not counted). A run is stopped meanwhile, and
   * continues. A machine that is made in the same way with it as `from` continues from there, also on the other engine.
   * @throws TerrariumError `ESTATE` where a device, or an engine with controllers of its own, does not give its state
   */
  async save(): Promise<{ state: MachineState; instructions: number | undefined }> {
    if (this.#running && (this.#debugged || this.#polling !== undefined))
      throw new ConfigError(
        `the machine is running, ${this.#debugged ? 'under a debugger' : 'and another thread polls its memory'}`,
        'stop it first',
      );
    while (this.#running && this.#thread.failed === undefined) {
      const saved = await this.#thread.saveRunning();
      if (saved !== undefined) return saved;
      // Its run has ended meanwhile, and is about to report it.
      await wait(1);
    }
    const { state, instructions } = await this.#thread.ask({ type: 'save' }, 'saved');
    return { state, instructions };
  }

  /**
   * An independent machine in the same state, on a thread of its own, while this one does not run. Its modules are loaded again; to
   * be observed it needs options of its own.
   * @throws ConfigError where both would write to the same file; TerrariumError `ESTATE` as `save`
   */
  async fork(observe: Omit<ObserveOptions, 'from'> = {}): Promise<HostedMachine> {
    const { spec, image } = this.#parts!;
    requireOwnDisks(spec);
    const { state } = await this.save();
    const fork = new HostedMachine(this.#here);
    try {
      await fork.create({ spec, image, observe: { ...observe, from: state } });
      return fork;
    } catch (error) {
      await fork[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** A picture of the guest's screen, while it does not run; undefined without a display device. */
  async screen(): Promise<Picture | undefined> {
    if (this.#running) throw new ConfigError('the machine is running', 'stop it first, or use onFrame');
    return (await this.#thread.ask({ type: 'screen' }, 'screen')).picture;
  }

  /** The display state of the guest's screen while it does not run, at little cost; undefined where it has none. */
  async glance(): Promise<Glance | undefined> {
    if (this.#running) throw new ConfigError('the machine is running', 'stop it first, or use onFrame');
    return (await this.#thread.ask({ type: 'glance' }, 'glance')).glance;
  }

  /**
   * Receives the guest's screen whenever it has changed, at most 60 times a second; `frames` was set in the configuration. The
   * next picture waits until the promise of the sink resolves.
   */
  onFrame(sink: FrameSink): void {
    this.#streams.onFrame(sink);
  }

  /** Receives the pictures of the moments in the configuration's `captureAt` as they come, each with its index in that list. */
  onCaptured(sink: CapturedSink): void {
    this.#streams.onCaptured(sink);
  }

  /**
   * The console's bytes as a Web stream, from now on and instead of `onOutput`'s sink; it ends when the machine is disposed. A
   * guest that prints faster than its reader reads must wait.
   */
  get output(): ReadableStream<Uint8Array> {
    if (this.#output === undefined) {
      this.#output = this.#webStreams.open(() => this.closeOutput());
      this.onOutput(this.#output.sink);
    }
    return this.#output.readable;
  }

  /** The guest's serial port as a Web stream: see `send`. */
  get input(): WritableStream<Uint8Array> {
    this.#input ??= new WritableStream({ write: (bytes) => this.send(bytes) });
    return this.#input;
  }

  /**
   * The exits as they come, `for await (const exit of machine.exits())`, until the machine is disposed. `trace` was set to
   * `{ format: 'ndjson' }`; it replaces `onTrace`'s sink.
   * @throws ConfigError where the machine was made with another `trace` or none
   */
  exits(): AsyncIterable<TraceRecord> {
    if (this.#traceFormat !== 'ndjson')
      throw new ConfigError(
        'the machine does not trace its exits for programs',
        "make it with trace: { format: 'ndjson' }",
      );
    const stream = this.#webStreams.open(() => this.onTrace(() => {}));
    this.onTrace(stream.sink);
    return exitsOf(stream.readable);
  }

  /**
   * A port of the guest's virtio console, which the configuration's `ports` names: the guest's bytes go to a sink, and the guest reads the
   * sent bytes.
   * @throws ConfigError where there is no such port
   */
  port(name: string): HostedPort {
    const port = this.#streams.hostedPort(name);
    if (port === undefined)
      throw new ConfigError(`the machine has no port '${name}'`, 'make it with ports: [name]');
    return port;
  }

  /** Told how each run ends, before `run` resolves. */
  onEnd(sink: (outcome: HostedOutcome) => void): void {
    this.#endSink = sink;
  }

  #setRunning(running: boolean): void {
    this.#running = running;
    this.#webStreams.flow = running;
  }

  /** Receives the console's bytes from now on. While the promise of a sink is pending, the guest's output waits. */
  onOutput(sink: ChunkSink): void {
    this.#streams.onOutput(sink);
  }

  /** Receives the trace's text from now on, as `onOutput` does. */
  onTrace(sink: ChunkSink): void {
    this.#streams.onTrace(sink);
  }

  /** Receives the lines that the guest logs by hypercall from now on, as `onOutput` does; without a sink they are dropped. */
  onLog(sink: ChunkSink): void {
    this.#streams.onLog(sink);
  }

  /** Closes the console: later output of the guest is dropped. */
  closeOutput(): void {
    this.#streams.closeOutput();
  }

  /** Exits and coalesced writes of the current run, or of the last one, as of a few milliseconds ago. */
  get progress(): { exits: number; coalesced: number } {
    return this.#streams.progress;
  }

  /**
   * Called once, when the guest looks for input for the first time; at once where that is not known. Before that a program need not open
   * its source of input.
   */
  onInputWanted(sink: () => unknown): void {
    if (this.#here) this.#streams.onInputWanted(sink);
    else sink();
  }

  /** Sends bytes to the guest's serial port; resolves when all are queued. Several senders take turns. */
  send(bytes: Uint8Array): Promise<void> {
    return this.#streams.send(bytes);
  }

  /**
   * A key of the guest's keyboard goes down (it repeats until it goes up) or up; keys are named by their position, as in
   * `keyNames`. Returns false where the guest's queue is full, so that the key is lost.
   * @throws ConfigError for an unknown key.
   */
  sendKey(name: string, down: boolean): boolean {
    return this.#streams.sendKey(name, down);
  }

  /**
   * Moves the guest's mouse by steps to the right and down, and says which buttons are down (1 left, 2 right, 4 middle). Returns
   * false where the queue is full, so that the move is lost. A guest that does not listen to its mouse does not hear of it.
   */
  sendMouse(move: MouseMove): boolean {
    return this.#streams.sendMouse(move);
  }

  /**
   * Presses the power button of a whole PC: a guest that listens to it (ACPI) switches its machine off. False where there is no
   * such button.
   */
  pressPowerButton(): boolean {
    if (this.#hasPowerButton) this.#streams.pressPowerButton();
    return this.#hasPowerButton;
  }

  /** Types a text on the guest's keyboard; resolves when all of it is queued. */
  async type(text: string): Promise<void> {
    for (const { name, down } of strokesOf(text)) {
      while (!this.sendKey(name, down) && !this.#disposed) await wait(5);
    }
  }

  /** Called when the guest changes the keyboard's lights or the speaker, or begins to listen to the mouse, at most once in a few milliseconds. */
  onSigns(sink: (signs: MachineSigns) => void): void {
    this.#streams.onSigns(sink);
  }

  /** A device's memory may be mapped elsewhere after a run. */
  #placeRegions(regions: readonly MemoryRegion[]): void {
    for (const { slot, address, size } of regions) this.memory.place(slot, address, size);
  }

  /** Ends the machine and releases its thread. All calls wait for the same end. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  async #end(): Promise<void> {
    await this.stop();
    this.#disposed = true;
    this.#streams.end();
    this.#webStreams.close();
    await this.#thread.disposeMachine();
    await this.#polling?.[Symbol.asyncDispose]();
    this.memory?.release(false);
    await this.#thread.release(this.#foreign);
  }

  /** Gets the thread out of its guest without the event loop; for a process that ends. */
  leaveGuest(): void {
    this.#thread.leaveGuest();
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
