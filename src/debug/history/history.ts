/**
 * The past of a machine whose CPU counts its instructions: the machine can go to any moment of it.
 *
 * While the machine runs, its inputs are recorded and its state is saved from time to time. To go to a moment, the last state before it is
 * loaded, and the machine runs from there with the same inputs, to the same instruction and exactly the same state. It prints nothing a
 * second time.
 *
 * @module
 */
import type { InputEvent, Inputs, MachineState, Outcome, RunOptions } from '../../machine/index.js';
import { DebugError } from '../errors.js';
import { type Checkpoint, Checkpoints, type Moment } from './checkpoints.js';

/** The interface that a history needs: a `Machine` has it. */
export interface Rewindable {
  readonly cycleTime: { readonly instructions: number; readonly cycles: number } | undefined;
  readonly inputs: Inputs;
  readonly exits: number;
  quiet: boolean;
  save(): MachineState;
  logWrites(): MachineState;
  writtenSince(state: MachineState): ReadonlySet<number> | undefined;
  load(state: MachineState): void;
  run(options?: RunOptions): Outcome;
}

/** How far a history goes, in instructions. */
export interface HistoryRange {
  first: number;
  now: number;
  /** The present: later moments have not happened yet. */
  last: number;
}

/** Default bound on the memory of a history: 256 MiB. */
export const HISTORY_BYTES = 256 * 2 ** 20;

/** Saving states takes at most this part of a run's time. */
const SHARE_OF_TIME = 1 / 32;
/** States are not closer together than this, in instructions. */
const CLOSEST = 100_000;
/** A state is saved this many instructions before a moment that was visited. */
const NEAR = 10_000;
/** The size of a recorded input in bytes. */
const EVENT_BYTES = 128;
/** The most memory for inputs: a part of the memory limit. */
const SHARE_OF_EVENTS = 1 / 4;

/** See the module's comment. */
export class History {
  readonly #machine: Rewindable;
  readonly #checkpoints: Checkpoints;
  readonly #mostEvents: number;
  #events: InputEvent[] = [];
  /** How much each channel had read before the first event. */
  #before: Readonly<Record<string, number>>;
  /** The end of the recording that the machine repeats, in cycles; 0 where it repeats none. */
  #recordedUntil = 0;
  /** The latest moment that the machine has reached. */
  #present: Moment;
  /** When the next state is saved, in instructions. */
  #due = 0;
  /** The state that the machine saved or loaded last: its log of written pages is relative to it. */
  #base: MachineState | undefined;
  /** The debugger has changed the guest: the later moments will not come again. */
  #changed = false;

  /**
   * The history of a stopped machine from now on.
   * @throws DebugError where its instructions are not counted; TerrariumError `ESTATE` where its state cannot be saved
   */
  constructor(machine: Rewindable, bytes = HISTORY_BYTES) {
    if (machine.cycleTime === undefined)
      throw new DebugError(
        'this machine cannot go back: its instructions are not counted',
        'run it on the software CPU: --engine soft, without --clock wall',
      );
    this.#machine = machine;
    this.#checkpoints = new Checkpoints(bytes);
    this.#mostEvents = Math.floor((bytes * SHARE_OF_EVENTS) / EVENT_BYTES);
    this.#present = this.#moment();
    // All inputs of a recording are known from the beginning, and they are not recorded again.
    const given = machine.inputs.isReplaying ? machine.inputs.record : undefined;
    this.#recordedUntil = given?.until ?? 0;
    this.#events = [...(given?.events ?? [])];
    this.#before = given === undefined ? machine.inputs.save().taken : (given.before ?? {});
    // From here on a state costs only the changes since the previous one.
    this.#base = machine.logWrites();
    this.#checkpoints.add({ ...this.#moment(), state: this.#base, changed: false });
    machine.inputs.listen((event) => this.#events.push(event));
  }

  get range(): HistoryRange {
    const now = this.#now;
    return {
      first: this.#checkpoints.first!.instructions,
      now,
      last: Math.max(now, this.#present.instructions),
    };
  }

  /** Exits before this moment, since the machine was made. */
  get exits(): number {
    return this.#machine.exits;
  }

  /** The approximate size of the history in bytes. */
  get bytes(): number {
    return this.#checkpoints.bytes + this.#events.length * EVENT_BYTES;
  }

  /** A device's last input from outside, at the present moment. */
  lastInput(device: string): InputEvent | undefined {
    const { cycles } = this.#machine.cycleTime!;
    return this.#events.findLast(({ at, channel }) => at <= cycles && channel.startsWith(`${device}: `));
  }

  /** The guest was changed from outside: from here on its run is a different one. */
  changed(): void {
    this.#changed = true;
  }

  /** As `Machine.run`: from a moment of the past through its known future, then live. */
  run(options: RunOptions = {}): Outcome {
    this.#settle();
    const { maxInstructions = Number.POSITIVE_INFINITY, maxExits = Number.POSITIVE_INFINITY } = options;
    const last = this.#now + maxInstructions;
    const lastExit = this.#machine.exits + maxExits;
    let [exits, coalesced, elapsedMs] = [0, 0, 0];
    for (;;) {
      const here = this.#now;
      const past = here < this.#present.instructions;
      const change = past ? this.#checkpoints.nextChange(here) : undefined;
      const known = change?.instructions ?? this.#present.instructions;
      const until = Math.min(last, past ? known : Math.max(this.#due, here + 1));
      const began = performance.now();
      const outcome = this.#run(past, {
        ...options,
        maxInstructions: until - here,
        ...(lastExit !== Number.POSITIVE_INFINITY && { maxExits: lastExit - this.#machine.exits }),
      });
      const ran = performance.now() - began;
      exits += outcome.exits;
      coalesced += outcome.coalesced;
      elapsedMs += outcome.elapsedMs;
      this.#arrive();
      const now = this.#now;
      if (outcome.kind !== 'limit' || now < until || now >= last || this.#machine.exits >= lastExit)
        return { ...outcome, exits, coalesced, elapsedMs };
      if (change !== undefined && now === change.instructions) this.#load(change);
      else if (!past) this.#keepTimed((now - here) / ran);
    }
  }

  /**
   * Goes to the moment after this many instructions; false where that was interrupted.
   * @throws DebugError for a moment that the history does not have
   */
  goTo(instructions: number): boolean {
    this.#settle();
    const { first, now, last } = this.range;
    if (!Number.isSafeInteger(instructions) || instructions < first || instructions > last)
      throw new DebugError(
        `instruction ${instructions} is not in this history, which has ${first} to ${last}`,
        instructions > last ? 'continue the guest: later moments are not known yet' : undefined,
      );
    if (now === instructions) return true;
    const from = this.#checkpoints.before(instructions)!;
    if (now > instructions || now < from.instructions) this.#load(from);
    if (this.#now === instructions) return true;
    // A user who goes to a moment usually steps around there, mostly backwards.
    const near = instructions - NEAR;
    if (near - this.#now > NEAR) {
      if (this.#repeat({}, near).kind !== 'limit') return false;
      if (this.#checkpoints.before(near)!.instructions !== this.#now) this.#keep();
    }
    return this.#repeat({}, instructions).kind === 'limit' || this.#now === instructions;
  }

  /**
   * Goes to right after an exit, by its number from 1; false where that was interrupted.
   * @throws DebugError for one that the history does not have
   */
  goToExit(exit: number): boolean {
    this.#settle();
    const from = this.#checkpoints.beforeExit(exit);
    if (!Number.isSafeInteger(exit) || from === undefined || exit > this.#present.exits)
      throw new DebugError(
        `exit ${exit} is not in this history, which has ${this.#checkpoints.first!.exits + 1} to ${this.#present.exits}`,
      );
    this.#load(from);
    while (this.#machine.exits < exit) {
      const outcome = this.#repeat({ maxExits: exit - this.#machine.exits }, this.#present.instructions);
      if (outcome.kind !== 'limit') return this.#machine.exits >= exit;
    }
    return true;
  }

  /**
   * Runs through the known past, without output, at most to a moment: for searches. The outcome there is `limit`, and `debug` where the
   * debugger's request is met before.
   */
  repeat(until: number, maxExits?: number): Outcome {
    return this.#repeat(maxExits === undefined ? {} : { maxExits }, until);
  }

  get #now(): number {
    return this.#machine.cycleTime!.instructions;
  }

  #moment(): Moment {
    const { cycleTime, exits } = this.#machine;
    return { instructions: this.#now, cycles: cycleTime!.cycles, exits };
  }

  /** The machine has reached a moment that may be the latest so far. */
  #arrive(): void {
    const now = this.#moment();
    if (now.cycles > this.#present.cycles || now.instructions > this.#present.instructions)
      this.#present = now;
  }

  #run(quiet: boolean, options: RunOptions): Outcome {
    this.#machine.quiet = quiet;
    try {
      return this.#machine.run(options);
    } finally {
      this.#machine.quiet = false;
    }
  }

  #repeat(options: RunOptions, until: number): Outcome {
    for (;;) {
      const change = this.#checkpoints.nextChange(this.#now);
      const stop = Math.min(until, change?.instructions ?? until);
      const outcome = this.#run(true, { ...options, maxInstructions: Math.max(1, stop - this.#now) });
      if (outcome.kind !== 'limit' || this.#now < stop) return outcome;
      if (change !== undefined && this.#now === change.instructions) this.#load(change);
      if (this.#now >= until) return outcome;
    }
  }

  #load(checkpoint: Checkpoint): void {
    const { inputs } = this.#machine;
    const until = Math.max(this.#present.cycles, this.#recordedUntil);
    inputs.replay({ version: 1, events: this.#events, until, before: this.#before });
    this.#machine.load(checkpoint.state);
    this.#base = checkpoint.state;
  }

  /** The debugger's change begins a different future. */
  #settle(): void {
    if (!this.#changed) return;
    this.#changed = false;
    const { inputs } = this.#machine;
    const { taken } = inputs.save();
    const left = new Map(Object.entries(taken).map(([name, n]) => [name, n - (this.#before[name] ?? 0)]));
    this.#events = this.#events.filter(({ channel }) => {
      const count = left.get(channel) ?? 0;
      left.set(channel, count - 1);
      return count > 0;
    });
    this.#present = this.#moment();
    this.#recordedUntil = 0;
    this.#checkpoints.cut(this.#present.instructions);
    const before = this.#checkpoints.count === 0 ? taken : this.#before;
    if (before === taken) this.#events = [];
    this.#before = before;
    inputs.replay({ version: 1, events: this.#events, until: this.#present.cycles, before });
    this.#keep(true);
  }

  #keep(changed = false): void {
    // The pages written since an older state include those written since the previous checkpoint.
    const written = changed || this.#base === undefined ? undefined : this.#machine.writtenSince(this.#base);
    const state = this.#machine.save();
    this.#base = state;
    this.#checkpoints.add({ ...this.#moment(), state, changed, written });
    this.#forget();
  }

  /** The last moment before another one whose state is kept; the first moment of the history where there is none. */
  kept(before: number): number {
    return this.#checkpoints.before(before - 1)?.instructions ?? this.range.first;
  }

  /** Whether a page of RAM may have been written between a moment whose state is kept and a later one, before the next such. */
  mayWrite(pages: readonly number[], to: number): boolean {
    const written = this.#checkpoints.notBefore(to)?.written;
    return written === undefined || pages.some((page) => written.has(page));
  }

  /** Runs to a moment; returns whether pages may have been written on the way, or undefined where it was interrupted. */
  writesUntil(pages: readonly number[], until: number): boolean | undefined {
    const base = this.#machine.save();
    while (this.#now < until) {
      const { kind } = this.#repeat({}, until);
      if (kind === 'stopped') return undefined;
      if (kind !== 'limit') break;
    }
    const written = this.#machine.writtenSince(base);
    // No checkpoint begins here: a later one must not record its pages relative to this moment.
    this.#base = undefined;
    return written === undefined || pages.some((page) => written.has(page));
  }

  /** Saves the present state, and computes when the next one is due. @param rate instructions per millisecond of the run so far */
  #keepTimed(rate: number): void {
    const began = performance.now();
    this.#keep();
    const cost = performance.now() - began;
    this.#due = this.#now + Math.max(CLOSEST, Math.round((cost / SHARE_OF_TIME) * rate));
  }

  /** Drops the inputs before the first state; where there are too many, the oldest states and with them their inputs. */
  #forget(): void {
    while (this.#events.length > this.#mostEvents && this.#checkpoints.count > 1)
      this.#checkpoints.dropFirst();
    const { taken } = this.#checkpoints.first!.state.inputs;
    const gone = new Map(Object.entries(taken).map(([name, n]) => [name, n - (this.#before[name] ?? 0)]));
    if (![...gone.values()].some((count) => count > 0)) return;
    this.#events = this.#events.filter(({ channel }) => {
      const count = gone.get(channel) ?? 0;
      gone.set(channel, count - 1);
      return count <= 0;
    });
    this.#before = taken;
  }
}
