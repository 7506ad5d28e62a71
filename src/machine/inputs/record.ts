import { TerrariumError } from '../../errors.js';

/**
 * How a value came in: read from a stream, pushed into a port, or the answer to a device's request.
 */
export type InputKind = 'stream' | 'port' | 'answer';

/** An input from outside of a machine, as plain data. */
export interface InputEvent {
  /**
   * The machine's position (`Inputs.position`): the cycles of a CPU that counts its instructions, one for each instruction; the
   * number of exits before it on an engine that does not.
   */
  readonly at: number;
  readonly kind: InputKind;
  /** The device, and its name for the channel: `serial: bytes`. */
  readonly channel: string;
  /** It came between two instructions; else while an access of the guest, or an alarm, was handled. */
  readonly between: boolean;
  /** A byte, a key, a time: plain data. */
  readonly value: unknown;
}

/** All inputs of a run. With a machine that is made in the same way they determine the run. */
export interface InputRecord {
  readonly version: 1;
  /** In the order in which they came. */
  readonly events: readonly InputEvent[];
  /** The position at which the record ends. After it, a machine that replays it asks its own sources again. */
  readonly until: number;
  /** How many inputs of each channel had been taken before the first of `events`; missing channels: none. */
  readonly before?: Readonly<Record<string, number>>;
  /** Checksums of the devices' answers; missing in older records. */
  readonly answers?: AnswerSums;
}

/** Sums over a run's reads from devices: see answers.ts. */
export interface AnswerSums {
  /** A sum is kept after each group of this many reads, so that there are never many. */
  readonly every: number;
  /** Over all reads so far, with the instruction of the last one. */
  readonly sums: readonly { readonly at: number; readonly sum: number }[];
}

/** A replayed run takes other inputs than the record has: it is the record of another machine. */
export class ReplayError extends TerrariumError {
  constructor(message: string) {
    super('EREPLAY', message, {
      hint: 'replay it on a machine of the same configuration, image and version of Terrarium',
    });
  }
}

/** The remaining part of a record while it is replayed. */
export class Replay {
  readonly until: number;
  readonly #events: readonly InputEvent[];
  /** Those of each channel that were not taken yet; the first one is the next. */
  readonly #left = new Map<string, InputEvent[]>();
  /** Events before this one were taken, or came in accesses. */
  #between = 0;
  readonly #taken = new Set<InputEvent>();
  readonly #before: Readonly<Record<string, number>>;

  constructor({ version, events, until, before = {} }: InputRecord) {
    if (version !== 1) throw new ReplayError(`the record has version ${String(version)}, not 1`);
    this.#events = events;
    this.until = until;
    this.#before = before;
    for (const event of events) {
      const left = this.#left.get(event.channel);
      if (left === undefined) this.#left.set(event.channel, [event]);
      else left.push(event);
    }
    for (const left of this.#left.values()) left.reverse();
  }

  /** The next event between two instructions. */
  get nextBetween(): InputEvent | undefined {
    for (; this.#between < this.#events.length; this.#between++) {
      const event = this.#events[this.#between]!;
      if (event.between && !this.#taken.has(event)) return event;
    }
    return undefined;
  }

  /** True while the channel has more events. */
  hasMore(channel: string): boolean {
    return (this.#left.get(channel)?.length ?? 0) > 0;
  }

  get isDone(): boolean {
    return this.#taken.size === this.#events.length;
  }

  /** The channel's next event, if it is at this position. @throws ReplayError where it should have been taken earlier */
  take(channel: string, at: number, between: boolean): InputEvent | undefined {
    const left = this.#left.get(channel);
    const event = left?.at(-1);
    if (event === undefined || left === undefined || event.at > at) return undefined;
    if (event.at < at)
      throw new ReplayError(`'${channel}' took no input at ${event.at}, as it did when recorded`);
    if (event.between !== between) return undefined;
    left.pop();
    this.#taken.add(event);
    return event;
  }

  /** Skips the first events of a channel, of which the machine has taken `count` already. */
  skip(channel: string, count: number): void {
    const left = this.#left.get(channel) ?? [];
    const before = this.#before[channel] ?? 0;
    if (count < before || count - before > left.length)
      throw new ReplayError(
        `the record has the inputs ${before} to ${before + left.length} of '${channel}', and the machine took ${count}`,
      );
    for (let n = before; n < count; n++) this.#taken.add(left.pop()!);
  }
}
