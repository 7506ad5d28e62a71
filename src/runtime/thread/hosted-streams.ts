import type { Picture } from '../../devices/contract/index.js';
import type { MouseMove } from '../../devices/index.js';
import { IncomingStream } from './incoming.js';
import { keyByte, moveBytes } from './keys.js';
import { LocalRing } from './local-ring.js';
import { type Channels, type FromWorker, type StreamName, streamNames } from './protocol.js';
import { type Frame, FrameReader } from './screen-feed.js';
import { SharedRing } from './shared-ring.js';
import type { MachineSigns } from './signs.js';

const OUTPUT_BYTES = 256 * 1024;
const INPUT_BYTES = 64 * 1024;
const KEY_BYTES = 4096;
const MOUSE_BYTES = 4096;
const BUTTON_BYTES = 16;
const LOG_BYTES = 64 * 1024;

/** Receives a chunk of a stream; the bytes belong to the sink. A promise delays the next chunk. */
export type ChunkSink = (bytes: Uint8Array) => unknown;

/** Receives a picture; it is valid until the sink has finished. */
export type FrameSink = (picture: Picture) => void | Promise<void>;

/** Receives the picture of the moment `captureAt[index]`; its bytes belong to the sink. */
export type CapturedSink = (picture: Picture, index: number) => void;

/** A ring that the machine's thread fills, and its reader. */
class OutgoingStream {
  readonly ring: SharedRing;
  #sink: ChunkSink | undefined;
  #busy = false;
  #emptied: Promise<void> = Promise.resolve();

  constructor(ring: SharedRing, sink?: ChunkSink) {
    this.ring = ring;
    this.#sink = sink;
  }

  get hasSink(): boolean {
    return this.#sink !== undefined;
  }

  flowInto(sink: ChunkSink): void {
    this.#sink = sink;
    void this.pump();
  }

  /** Empties the ring into the sink, one chunk after the other; a second call while it does so joins the first. */
  pump(): Promise<void> {
    if (this.#sink !== undefined && !this.#busy) this.#emptied = this.#empty(this.#sink);
    return this.#emptied;
  }

  /** Does not wait where the sink does not: a guest on this thread prints while it runs. */
  async #empty(sink: ChunkSink): Promise<void> {
    this.#busy = true;
    try {
      for (let chunk = this.ring.read(); chunk.length > 0; chunk = this.ring.read()) {
        const taken = sink(chunk);
        if (taken !== undefined) await taken;
      }
    } catch {
      // A sink that failed, such as a closed pipe, gets no more chunks; the guest continues without it.
      this.ring.close();
    } finally {
      this.#busy = false;
    }
  }
}

/** Both directions of a console's port. */
export interface Port {
  readonly output: OutgoingStream;
  readonly input: IncomingStream;
}

/** A port of the guest's virtio console; a thread's end of it. */
export interface HostedPort {
  /** Receives what the guest writes, from now on. */
  onOutput(sink: ChunkSink): void;
  /** Resolves when all that the guest has written so far has gone to its sink. */
  drain(): Promise<void>;
  /** Resolves when the last byte is on its way; several senders take turns. */
  send(bytes: Uint8Array): Promise<void>;
}

/** The streams between a hosted machine and its user while the guest runs: bytes, keys, the mouse, pictures, lights. */
export class HostedStreams {
  readonly rings: Readonly<Record<StreamName, SharedRing>>;
  readonly #output: OutgoingStream;
  readonly #trace: OutgoingStream;
  readonly #log: OutgoingStream;
  readonly #input: IncomingStream;
  readonly #ports: Port[] = [];
  readonly #portNames = new Map<string, number>();
  readonly #keys: SharedRing;
  readonly #progress = new Float64Array(new SharedArrayBuffer(16));
  readonly #framesBusy = new Int32Array(new SharedArrayBuffer(4));
  readonly #frames = new FrameReader();
  readonly #kick: () => void;
  /** The output of SIMVIRTIO devices that another thread polls; part of the console. */
  #polled: OutgoingStream | undefined;
  #frameSink: FrameSink = () => {};
  #capturedSink: CapturedSink = () => {};
  readonly #signSinks: ((signs: MachineSigns) => void)[] = [];
  #inputSink: () => unknown = () => {};
  /** Input may still arrive that was ready before the guest looked for it. */
  inputComes = false;
  #inputWanted = false;
  #ended = false;
  readonly #here: boolean;

  /**
   * @param kick makes the machine look at its devices
   * @param here the machine runs on this very thread
   */
  constructor(kick: () => void, here = false) {
    this.#kick = kick;
    this.#here = here;
    const outgoing = (size: number) => this.#outgoing(size);
    this.rings = {
      output: outgoing(OUTPUT_BYTES),
      trace: outgoing(OUTPUT_BYTES),
      log: outgoing(LOG_BYTES),
      input: new SharedRing(INPUT_BYTES),
      keys: new SharedRing(KEY_BYTES),
      mouse: new SharedRing(MOUSE_BYTES),
      button: new SharedRing(BUTTON_BYTES),
    };
    const { output, trace, log, input, keys } = this.rings;
    this.#output = new OutgoingStream(output);
    this.#trace = new OutgoingStream(trace);
    this.#log = new OutgoingStream(log, () => {});
    this.#input = new IncomingStream(input, kick);
    this.#keys = keys;
  }

  #outgoing(size: number): SharedRing {
    return this.#here ? new LocalRing(size) : new SharedRing(size);
  }

  /** Makes the streams of a console's ports, before the machine is made. */
  openPorts(names: readonly string[]): void {
    for (const name of names) {
      this.#portNames.set(name, this.#ports.length);
      const output = new OutgoingStream(this.#outgoing(OUTPUT_BYTES));
      this.#ports.push({ output, input: new IncomingStream(new SharedRing(INPUT_BYTES), this.#kick) });
    }
  }

  /** The streams of a port; undefined where there is none of this name. */
  port(name: string): Port | undefined {
    const index = this.#portNames.get(name);
    return index === undefined ? undefined : this.#ports[index];
  }

  /** A port as its user sees it; undefined where there is none of this name. */
  hostedPort(name: string): HostedPort | undefined {
    const port = this.port(name);
    return (
      port && {
        onOutput: (sink) => port.output.flowInto(sink),
        drain: () => port.output.pump(),
        send: (bytes) => port.input.send(bytes),
      }
    );
  }

  portRings(index: number): { output: SharedRing; input: SharedRing } {
    const { output, input } = this.#ports[index]!;
    return { output: output.ring, input: input.ring };
  }

  /** True where the output should be read before more is printed; never where another thread prints, which waits. */
  get crowded(): boolean {
    const { output, trace, log } = this.rings;
    const rings = [output, trace, log, ...this.#ports.map((port) => port.output.ring)];
    return rings.some((ring) => ring instanceof LocalRing && ring.crowded);
  }

  /** The shared memory for the machine's thread. */
  get channels(): Omit<Channels, 'control'> {
    const buffers = streamNames.map((name) => [name, this.rings[name].buffer]);
    const ports = this.#ports.map(({ output, input }) => ({
      output: output.ring.buffer,
      input: input.ring.buffer,
    }));
    return {
      ...(Object.fromEntries(buffers) as Record<StreamName, SharedArrayBuffer>),
      ...this.shared,
      ports,
    };
  }

  /** The part of it that is no ring. */
  get shared(): Pick<Channels, 'progress' | 'frames'> {
    return {
      progress: this.#progress.buffer as SharedArrayBuffer,
      frames: this.#framesBusy.buffer as SharedArrayBuffer,
    };
  }

  /** Exits and coalesced writes, as of a few milliseconds ago. */
  get progress(): { exits: number; coalesced: number } {
    return { exits: this.#progress[0]!, coalesced: this.#progress[1]! };
  }

  get outputIsRead(): boolean {
    return this.#output.hasSink;
  }

  /** Told of a polling thread's output before its machine runs. */
  addPolled(ring: SharedRing): void {
    this.#polled = new OutgoingStream(ring);
  }

  onOutput(sink: ChunkSink): void {
    this.#output.flowInto(sink);
    this.#polled?.flowInto(sink);
  }

  onTrace(sink: ChunkSink): void {
    this.#trace.flowInto(sink);
  }

  onLog(sink: ChunkSink): void {
    this.#log.flowInto(sink);
  }

  onFrame(sink: FrameSink): void {
    this.#frameSink = sink;
  }

  onCaptured(sink: CapturedSink): void {
    this.#capturedSink = sink;
  }

  onSigns(sink: (signs: MachineSigns) => void): void {
    this.#signSinks.push(sink);
  }

  /** @param sink returns true where what it sent is all there is, or will be for now: nothing needs to wait for more */
  onInputWanted(sink: () => unknown): void {
    this.#inputSink = sink;
    if (this.#inputWanted) this.#openInput();
  }

  #openInput(): void {
    this.inputComes = this.#inputSink() !== true;
  }

  /** Handles a message about a stream; false for other messages. */
  receive(message: FromWorker): boolean {
    switch (message.type) {
      case 'output':
        void this.#output.pump();
        return true;
      case 'trace':
        void this.#trace.pump();
        return true;
      case 'log':
        void this.#log.pump();
        return true;
      case 'signs':
        for (const sink of this.#signSinks) sink(message);
        return true;
      case 'inputWanted':
        this.#inputWanted = true;
        this.#openInput();
        return true;
      case 'inputTaken':
        this.#input.taken();
        return true;
      case 'portOutput':
        void this.#ports[message.index]?.output.pump();
        return true;
      case 'portTaken':
        this.#ports[message.index]?.input.taken();
        return true;
      case 'frame':
        void this.#show(message.frame);
        return true;
      case 'captured':
        this.#capturedSink(message.picture, message.index);
        return true;
      default:
        return false;
    }
  }

  pumpPolled(): void {
    void this.#polled?.pump();
  }

  /** Resolves when all output has gone to its sink. */
  async drain(): Promise<void> {
    const ports = this.#ports.map(({ output }) => output);
    for (const stream of [this.#output, this.#polled, this.#trace, this.#log, ...ports]) await stream?.pump();
  }

  /** Sends bytes to the serial port; several senders take turns. */
  send(bytes: Uint8Array): Promise<void> {
    return this.#input.send(bytes);
  }

  /** False where there is no room for the key, or the machine has ended. */
  sendKey(name: string, down: boolean): boolean {
    const key = new Uint8Array([keyByte(name, down)]);
    const taken = !this.#ended && this.#keys.tryWrite(key) === 1;
    this.#kick();
    return taken;
  }

  /** False where there is no room for the move, or the machine has ended. */
  sendMouse(move: MouseMove): boolean {
    const taken = !this.#ended && this.rings.mouse.tryWrite(moveBytes(move)) > 0;
    this.#kick();
    return taken;
  }

  /** Presses the power button. One press more than a guest has noticed makes no difference. */
  pressPowerButton(): void {
    this.rings.button.tryWrite(Uint8Array.of(1));
    this.#kick();
  }

  /** Later output of the guest is dropped. */
  closeOutput(): void {
    this.#output.ring.close();
    this.#polled?.ring.close();
  }

  /** Closes all streams: a guest's thread that waits for its reader continues. */
  close(): void {
    const ports = this.#ports.map(({ output }) => output);
    for (const { ring } of [this.#output, this.#trace, this.#log, ...ports]) ring.close();
  }

  /** The machine has gone: senders give up. */
  end(): void {
    this.#ended = true;
    this.#input.end();
    for (const { input } of this.#ports) input.end();
  }

  async #show(frame: Frame): Promise<void> {
    try {
      await this.#frameSink(this.#frames.add(frame));
    } finally {
      Atomics.store(this.#framesBusy, 0, 0);
    }
  }
}
