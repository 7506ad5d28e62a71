/**
 * The only gate for inputs from outside of a machine: keys, bytes, wall-clock time, random numbers, answers.
 *
 * It stamps each with the machine's position. A listener records them; a record that replaces the sources repeats the run: on a CPU that
 * counts its instructions each input comes at exactly the same one.
 *
 * @module
 */
import type { DeviceInputs, InputSource, InputStream } from '../../devices/contract/index.js';
import { MILLISECOND } from '../../time/index.js';
import { hostRandom, hostUnix } from './host.js';
import { type InputEvent, type InputKind, type InputRecord, Replay, ReplayError } from './record.js';
import { SeededRandom, type SeededState } from './seeded.js';

/** How often sources are checked that do not announce their input, in nanoseconds of the machine's clock. */
const LOOK = 8 * MILLISECOND;

/** The time of day at which a machine starts whose time is its CPU's cycles: 2026-01-01 00:00 UTC. */
const EPOCH = BigInt(Date.UTC(2026, 0, 1)) * 1_000_000n;

export interface InputsOptions {
  /** The current position; see `InputEvent.at`. */
  position: () => number;
  /** The moment of the machine's clock at which a CPU that counts its instructions is at a position; undefined for others. */
  momentOf?: (position: number) => number;
  /** The machine's clock. */
  now: () => number;
  /** The time of day is the host's, also where the machine's time is the CPU's. */
  isOfToday?: boolean;
  /** The seed of random numbers where time is the guest's instructions. */
  seed?: number;
  /** Is called for each input. */
  listener?: (event: InputEvent) => void;
  replay?: InputRecord;
}

/** The gate's state, as plain data. */
export interface InputsState {
  random: SeededState | null;
  /** When sources are checked next, in nanoseconds of the machine's clock; null for never. */
  lookAt: number | null;
  /** How many inputs each channel has taken. */
  taken: Record<string, number>;
}

interface Channel {
  readonly name: string;
  readonly kind: InputKind;
  taken: number;
  /** A stream has input. */
  arrived?(): void;
  available?(): boolean;
  /** See `InputSource.awaits`. */
  awaits?(): boolean;
  /** Takes a value that was pushed. */
  receive?(value: unknown): void;
}

/** See the module's comment. */
export class Inputs {
  readonly #options: InputsOptions;
  readonly #channels = new Map<string, Channel>();
  readonly #random: SeededRandom | undefined;
  readonly #listeners: ((event: InputEvent) => void)[] = [];
  #streams: Channel[] = [];
  /** The replayed record: from its beginning again where a state is loaded. */
  #record: InputRecord | undefined;
  #replay: Replay | undefined;
  #lookAt = Number.POSITIVE_INFINITY;
  /** Input comes between two instructions now, as it does while the machine is stopped. */
  #between = true;

  constructor(options: InputsOptions) {
    this.#options = options;
    const { momentOf, seed = 0, replay, listener } = options;
    if (momentOf !== undefined) this.#random = new SeededRandom(seed);
    if (listener !== undefined) this.#listeners.push(listener);
    if (replay !== undefined) this.replay(replay);
  }

  /** Adds a listener for each input from a source, but not for replayed ones. */
  listen(listener: (event: InputEvent) => void): void {
    this.#listeners.push(listener);
  }

  /**
   * From here on a record replaces the sources, up to its end. Inputs that the machine has taken already are skipped. @throws ReplayError
   * on an engine without a count, and for a record of another machine
   */
  replay(record: InputRecord): void {
    if (this.#options.momentOf === undefined)
      throw new ReplayError(
        'a record is replayed by a CPU that counts its instructions, and this one does not',
      );
    this.#record = record;
    this.#replay = new Replay(record);
    for (const { name, taken } of this.#channels.values()) this.#replay.skip(name, taken);
    this.#plan();
  }

  /** The record that replaces the sources, or did up to its end. */
  get record(): InputRecord | undefined {
    return this.#record;
  }

  /** True while a record replaces the sources. */
  get isReplaying(): boolean {
    return this.#replay !== undefined;
  }

  /** See `InputEvent.at`. */
  get position(): number {
    return this.#options.position();
  }

  /** The gate for one device. */
  of(device: string): DeviceInputs {
    const named = (name: string) => `${device}: ${name}`;
    return {
      stream: (name, source, arrived) => this.#stream(named(name), source, arrived),
      port: (name, receive) => this.#port(named(name), receive),
      ask: (name, answer) => this.#ask(named(name), answer),
      unix: () => this.unix(),
      random: (bytes) => this.random(bytes),
    };
  }

  /** Nanoseconds since 1970: the host's, or computed from the machine's clock where that is the CPU's. */
  readonly unix = (): bigint => {
    const { now, momentOf, isOfToday } = this.#options;
    return momentOf === undefined || isOfToday === true
      ? this.#ask('machine: unix', hostUnix)
      : EPOCH + BigInt(now());
  };

  /** Fills the bytes with random numbers: the host's, or computed from a seed where time is the CPU's clock. */
  random(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#random !== undefined) this.#random.fill(bytes);
    else bytes.set(this.#ask('machine: random', () => hostRandom(bytes.length)));
  }

  /** A run begins, or has ended. While the machine is stopped, input comes between two instructions. */
  running(runs: boolean): void {
    this.#between = !runs;
    // Input of a stopped machine may have been next in the record.
    if (runs && (this.#replay !== undefined || this.#lookAt === Number.POSITIVE_INFINITY)) this.#plan();
  }

  /** True where input may come by itself. */
  get hasStreams(): boolean {
    return this.#replay !== undefined || this.#streams.length > 0;
  }

  /** The moment at which `look` must be called next; Infinity for never. Infinity on an engine without a count. */
  get next(): number {
    return this.#lookAt;
  }

  /** The same for a sleeping guest: the next input of a record. For sources the thread waits. */
  get nextAwaited(): number {
    return this.#replay === undefined ? Number.POSITIVE_INFINITY : this.#lookAt;
  }

  /** True while a source waits for the host: see `InputSource.awaits`. Never while a record takes its place. */
  get awaitsHost(): boolean {
    return this.#replay === undefined && this.#streams.some((stream) => stream.awaits?.() === true);
  }

  /** Takes the input that has come. Call it between two instructions of the guest. */
  look(): void {
    const before = this.#between;
    this.#between = true;
    try {
      if (this.#replay === undefined) {
        for (const stream of this.#streams) if (stream.available?.()) stream.arrived?.();
      } else this.#repeat(this.#replay);
    } finally {
      this.#between = before;
    }
    this.#plan();
  }

  save(): InputsState {
    const taken = [...this.#channels.values()].filter((channel) => channel.taken > 0);
    return {
      random: this.#random?.save() ?? null,
      lookAt: this.#lookAt === Number.POSITIVE_INFINITY ? null : this.#lookAt,
      taken: Object.fromEntries(taken.map((channel) => [channel.name, channel.taken])),
    };
  }

  /** A machine that replays a record continues after the inputs that had been taken. */
  load({ random, lookAt, taken }: InputsState): void {
    if (random !== null) this.#random?.load(random);
    this.#replay = this.#record && new Replay(this.#record);
    for (const channel of this.#channels.values()) channel.taken = 0;
    for (const [name, count] of Object.entries(taken)) {
      this.#replay?.skip(name, count);
      const channel = this.#channels.get(name);
      if (channel !== undefined) channel.taken = count;
    }
    this.#lookAt = lookAt ?? Number.POSITIVE_INFINITY;
    if (this.#replay !== undefined) this.#plan();
  }

  #stream<T>(name: string, source: InputSource<T> | undefined, arrived: () => void): InputStream<T> {
    const channel = this.#open(name, 'stream');
    channel.arrived = arrived;
    channel.available = () => source?.available === true;
    channel.awaits = () => source?.awaits === true;
    if (source !== undefined) this.#streams.push(channel);
    const isOpen = () => this.#replay?.hasMore(name) ?? source !== undefined;
    /** The position of an access that found the source empty: it stays so for the rest of that access. */
    let emptyAt = -1;
    return {
      get open() {
        return isOpen();
      },
      read: () => {
        if (this.#replay !== undefined) return this.#repeated(channel) as T | undefined;
        if (source === undefined || (!this.#between && emptyAt === this.position)) return undefined;
        const value = source.available ? source.read() : undefined;
        if (value !== undefined && value !== -1) return this.#taken(channel, value);
        if (!this.#between) emptyAt = this.position;
        return undefined;
      },
    };
  }

  #port<T>(name: string, receive: (value: T) => void): (value: T) => void {
    const channel = this.#open(name, 'port');
    channel.receive = (value) => receive(value as T);
    return (value) => {
      if (this.#replay === undefined) receive(this.#taken(channel, value));
      else if (!this.#between) {
        // The handler that pushes did the same in the recorded run. A push from outside does not belong to the record.
        const recorded = this.#repeated(channel);
        if (recorded !== undefined) receive(recorded as T);
      }
    };
  }

  #ask<T>(name: string, answer: () => T): T {
    const channel = this.#channels.get(name) ?? this.#open(name, 'answer');
    if (this.#replay === undefined) return this.#taken(channel, answer());
    const { position } = this;
    const event = this.#replay.take(name, position, this.#between);
    if (event !== undefined) return this.#counted(channel, event.value as T);
    if (!this.#endsHere())
      throw new ReplayError(`'${name}' asks at ${position}, as it did not when recorded`);
    return this.#taken(channel, answer());
  }

  #open(name: string, kind: InputKind): Channel {
    if (this.#channels.has(name)) throw new RangeError(`two inputs are called '${name}'`);
    const channel: Channel = { name, kind, taken: 0 };
    this.#channels.set(name, channel);
    return channel;
  }

  #taken<T>(channel: Channel, value: T): T {
    channel.taken++;
    if (this.#listeners.length > 0) this.#tell(channel, value);
    return value;
  }

  #tell({ name, kind }: Channel, value: unknown): void {
    const event: InputEvent = {
      at: this.position,
      kind,
      channel: name,
      between: this.#between,
      value: typeof value === 'object' ? structuredClone(value) : value,
    };
    for (const listener of this.#listeners) listener(event);
  }

  #counted<T>(channel: Channel, value: T): T {
    channel.taken++;
    return value;
  }

  #repeated(channel: Channel): unknown {
    const event = this.#replay?.take(channel.name, this.position, this.#between);
    return event === undefined ? undefined : this.#counted(channel, event.value);
  }

  /** Delivers the record's inputs before the next instruction. */
  #repeat(replay: Replay): void {
    for (;;) {
      const event = replay.nextBetween;
      if (event === undefined || event.at > this.position) break;
      const channel = this.#channels.get(event.channel);
      const taken = channel?.taken;
      if (channel?.receive !== undefined) channel.receive(this.#repeated(channel));
      else channel?.arrived?.();
      if (channel === undefined || channel.taken === taken)
        throw new ReplayError(
          `no device takes '${event.channel}' in at ${event.at}, as one did when recorded`,
        );
    }
    this.#endsHere();
  }

  /** True at the end of the record: input from now on is live. */
  #endsHere(): boolean {
    const replay = this.#replay;
    if (replay?.isDone && this.position >= replay.until) this.#replay = undefined;
    return this.#replay === undefined;
  }

  /** Computes when to look next. */
  #plan(): void {
    const { momentOf, now } = this.#options;
    const replay = this.#replay;
    if (momentOf === undefined) return;
    if (replay !== undefined) this.#lookAt = momentOf(replay.nextBetween?.at ?? replay.until);
    else if (this.#streams.length > 0) this.#lookAt = (Math.floor(now() / LOOK) + 1) * LOOK;
    else this.#lookAt = Number.POSITIVE_INFINITY;
  }
}
