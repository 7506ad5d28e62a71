import { TerrariumError } from '../../errors.js';
import type { Outcome, RunOptions } from '../../machine/index.js';
import { DebugError } from '../errors.js';
import { History, type HistoryRange, type Rewindable } from './history.js';

/** A machine under a debugger, which may be able to go back. */
interface Runnable {
  run(options?: RunOptions): Outcome;
}

/** The past of a session's machine: its history where it can have one, and the end that it has reached. */
export class Past {
  readonly #machine: Runnable;
  readonly #history: History | undefined;
  readonly #problem: DebugError = new DebugError('this debugger keeps no history');
  #end: { at: number; outcome: Outcome } | undefined;

  /** @param wanted missing: there is no history */
  constructor(machine: Runnable | Rewindable, wanted?: { bytes?: number }) {
    this.#machine = machine;
    if (wanted === undefined || !('cycleTime' in machine)) return;
    try {
      this.#history = new History(machine, wanted.bytes);
    } catch (error) {
      // A machine that cannot be saved is debugged without a history.
      if (!(error instanceof TerrariumError)) throw error;
      this.#problem = new DebugError(`this guest cannot go back: ${error.message}`, error.hint);
    }
  }

  /** @throws DebugError where there is none */
  get history(): History {
    if (this.#history === undefined) throw this.#problem;
    return this.#history;
  }

  /** Why there is no history; undefined where there is one. */
  get problem(): DebugError | undefined {
    return this.#history === undefined ? this.#problem : undefined;
  }

  get bytes(): number {
    return this.#history?.bytes ?? 0;
  }

  get range(): HistoryRange | undefined {
    return this.#history?.range;
  }

  run(options?: RunOptions): Outcome {
    return (this.#history ?? this.#machine).run(options);
  }

  /** The guest was changed from outside. */
  changed(): void {
    this.#history?.changed();
  }

  /** The guest has ended here. */
  ended(outcome: Outcome): void {
    if (this.#history !== undefined) this.#end = { at: this.#history.range.now, outcome };
  }

  /** How the guest has ended, if it is at its end. */
  get endHere(): Outcome | undefined {
    return this.#end?.at === this.#history?.range.now ? this.#end?.outcome : undefined;
  }
}
