import type { DebugRequest, EngineCpu, Watchpoint } from '../../engine/contract/index.js';
import type { Outcome } from '../../machine/index.js';
import { DebugError } from '../errors.js';
import type { Stop, StopPlace } from '../stop.js';
import { type Footprint, findLast, trailOf } from './backwards.js';
import type { History } from './history.js';
import { findLastStore } from './last-store.js';
import type { Past } from './past.js';

/** The most instructions of one `trail`. */
const LONGEST_TRAIL = 100_000;

/** The part of the session that is needed to move in time. */
export interface TravelParts {
  past(): Past;
  /** Passes a request to all CPUs. Returns why one refuses it; undefined where none does. */
  ask(request: DebugRequest | undefined): string | undefined;
  /** The CPU that runs. */
  cpu(): EngineCpu;
  /** The pages of RAM that hold a range; undefined where not all of it is mapped. */
  pagesOf(address: bigint, length: number): number[] | undefined;
  /** Where the guest is stopped. */
  here(): StopPlace;
  /** The guest is at another moment now. @param end how it ended, if this is its end */
  arrived(end: Outcome | undefined): void;
}

/** A debugger's moves through the history of its machine. Each throws a `DebugError` where there is no history. */
export class Travel {
  readonly #parts: TravelParts;

  constructor(parts: TravelParts) {
    this.#parts = parts;
  }

  goTo(instructions: number): Stop {
    return this.#go((history) => history.goTo(instructions));
  }

  goToExit(exit: number): Stop {
    return this.#go((history) => history.goToExit(exit));
  }

  stepBack(): Stop {
    const history = this.#history;
    const { first, now } = history.range;
    for (let back = 1; now - back >= first; back++) {
      const stop = this.goTo(now - back);
      // There are no moments within an instruction that counts as several.
      if (history.range.now < now || stop.why === 'interrupt') return stop;
    }
    return { why: 'begin', ...this.#parts.here() };
  }

  /** Back to the last breakpoint or access before this moment; to the beginning of the history where there is none. */
  findBack(breakpoints: readonly bigint[], watchpoints: readonly Watchpoint[]): Stop {
    const history = this.#history;
    const { ask, cpu, pagesOf } = this.#parts;
    const { now, first } = history.range;
    const pages = watchpoints.map(({ address, length, on }) =>
      on === 'write' ? pagesOf(address, length) : undefined,
    );
    const search = {
      arm: (step: boolean) => {
        const refused = ask({ step, breakpoints, watchpoints });
        if (refused !== undefined) throw new DebugError(refused);
      },
      touched: () => watchpoints[cpu().touchedWatchpoint],
      disarm: () => void ask(undefined),
    };
    const stores = breakpoints.length === 0 && pages.every((some) => some !== undefined);
    const found = stores ? findLastStore(history, now, pages.flat(), search) : findLast(history, now, search);
    if (found === 'interrupt') return { ...this.goTo(now), why: 'interrupt' };
    if (found === undefined) return { ...this.goTo(first), why: 'begin' };
    const { touched, at } = found;
    const why = touched ? 'watchpoint' : 'breakpoint';
    return { ...this.goTo(at), why, back: true, ...(touched && { touched }) };
  }

  /** The last `count` instructions before this moment, oldest first; fewer at the beginning of the history. */
  trail(count: number): Footprint[] {
    const { ask, cpu, here } = this.#parts;
    return trailOf(this.#history, Math.min(count, LONGEST_TRAIL), {
      step: () => ask({ step: true, breakpoints: [], watchpoints: [] }),
      look: () => {
        const { pc, bits } = here();
        return { pc, bits, sp: cpu().getRegisters().rsp };
      },
      disarm: () => ask(undefined),
    });
  }

  get #history(): History {
    return this.#parts.past().history;
  }

  #go(go: (history: History) => boolean): Stop {
    const { past, ask, arrived, here } = this.#parts;
    const { history } = past();
    ask(undefined);
    const isThere = go(history);
    const end = past().endHere;
    arrived(end);
    if (end) return { why: 'end', outcome: end, ...here() };
    return { why: isThere ? 'step' : 'interrupt', ...here() };
  }
}
