/**
 * Goes to moments by what happened then: a write to memory, a change of a register, a condition that holds.
 *
 * @module
 */
import { DebugError } from './errors.js';
import { requirePure } from './evaluate.js';
import { parseExpression } from './expression-syntax.js';
import { readsMemoryAlone } from './history/condition.js';
import type { DebugStop, State } from './state.js';
import type { Stop } from './stop.js';
import type { DebugTarget } from './target.js';
import type { Value } from './value.js';

/** The part of the debugger that is needed. */
export interface SeekerParts {
  target: DebugTarget;
  state(): Promise<State>;
  evaluate(text: string, options?: { pure: true }): Promise<Value>;
  /** Runs the guest. */
  run(action: () => Promise<Stop>): Promise<DebugStop>;
  /** Whether a stop was requested. */
  wanted(): boolean;
}

/** How far a search has come: instructions that were searched, of how many. */
export type Progress = (done: number, all: number) => void;

/** The pieces that are searched without a report: the shortest and the longest, in instructions; the latter also for writes to memory. */
const FIRST_PIECE = 4096;
const LONGEST_STEPPED = 32_768;
const LONGEST_WATCHED = 4_194_304;
const GROWTH = 4;

/** See the module's comment. */
export class Seeker {
  readonly #parts: SeekerParts;

  constructor(parts: SeekerParts) {
    this.#parts = parts;
  }

  /** The memory that an expression names, or the address that is its value. */
  async placeOf(what: string | bigint): Promise<{ address: bigint; size: number }> {
    const size = (await this.#parts.state()).bits / 8;
    if (typeof what === 'bigint') return { address: what, size };
    const { place, value } = await this.#parts.evaluate(what);
    if (place?.kind === 'memory') return { address: place.address, size: place.size };
    if (place?.kind === 'register')
      throw new DebugError(
        `${what} is a register, not memory to watch`,
        `watch what it points to: [${what}]`,
      );
    return { address: value, size };
  }

  async write(search: 'lastWrite' | 'nextWrite', what: string | bigint, length?: number): Promise<DebugStop> {
    const { target, run } = this.#parts;
    const { address, size } = await this.placeOf(what);
    return run(() => target[search](address, length ?? size));
  }

  async change(register: string): Promise<DebugStop> {
    const { target, evaluate, run } = this.#parts;
    const { place } = await evaluate(register, { pure: true });
    if (place?.kind !== 'register')
      throw new DebugError(`${register} is no register`, 'memory has a last write');
    return run(() => target.lastChange(place.name));
  }

  /** To the first moment of the history at which a condition holds, or the last one before this moment. */
  async condition(which: 'first' | 'last', text: string, report: Progress = () => {}): Promise<DebugStop> {
    const { target, run } = this.#parts;
    const history = await target.history();
    if (history === undefined) throw new DebugError((await target.noHistory()) ?? 'there is no history');
    const steps = await this.#steps(text);
    const { first, now, last } = history;
    const from = first;
    const to = which === 'first' ? last + 1 : now;
    const longest = steps ? LONGEST_STEPPED : LONGEST_WATCHED;
    let [low, high] = [from, to];
    for (let length = FIRST_PIECE; low < high; length = Math.min(length * GROWTH, longest)) {
      report(to - from - (high - low), to - from);
      const piece =
        which === 'first'
          ? { from: low, to: Math.min(high, low + length) }
          : { from: Math.max(low, high - length), to: high };
      const found = await target.findMoment(text, { ...piece, which });
      if (found === 'interrupt' || this.#parts.wanted())
        return run(async () => ({ ...(await target.goTo(now)), why: 'interrupt' }));
      if (found !== 'none') return run(() => target.goTo(found));
      if (which === 'first') low = piece.to;
      else high = piece.from;
    }
    const when = which === 'first' ? 'in this history' : 'before this moment';
    throw new DebugError(
      `${text} holds at no moment ${when}, which has ${from.toLocaleString('en')} to ${Math.max(from, to - 1).toLocaleString('en')}`,
    );
  }

  /** Checks a condition. @returns whether it is looked at before each instruction */
  async #steps(text: string): Promise<boolean> {
    requirePure(text);
    // Names that do not exist are refused before the search.
    const { c } = await this.#parts.evaluate(text, { pure: true }).catch((error) => {
      if (/^there is no memory at/.test(error.message)) return { c: undefined };
      throw error;
    });
    if (c !== undefined && /[<>.[]|->|^\s*\*/.test(text))
      throw new DebugError(
        `${text} is an expression of C, which a search does not evaluate at each moment`,
        'write it of registers, symbols and memory: counter == 5, counter:s32 < 0, word [rbp-8] > 3',
      );
    return !readsMemoryAlone(parseExpression(text));
  }
}
