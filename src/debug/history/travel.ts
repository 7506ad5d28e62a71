import type { CpuEvents, DebugRequest, EngineCpu, Watchpoint } from '../../engine/contract/index.js';
import type { Outcome } from '../../machine/index.js';
import { SymbolTable } from '../../symbols/index.js';
import { codeSizeOf } from '../../x86/index.js';
import { DebugError } from '../errors.js';
import { parseExpression } from '../expression-syntax.js';
import { isRealAddressing } from '../mode.js';
import type { CpuView } from '../registers.js';
import type { Stop, StopPlace } from '../stop.js';
import { type Footprint, findLast, trailOf } from './backwards.js';
import { type ConditionWanted, look, momentOf } from './condition.js';
import type { History } from './history.js';
import { findLastStore } from './last-store.js';
import type { Past } from './past.js';
import { type SurveyPiece, type SurveyWanted, surveyOf } from './survey.js';

/** The most instructions of one `trail`. */
const LONGEST_TRAIL = 100_000;
/** The most instructions that one counts as: the elements of a repeated string instruction whose answers come at once. */
const MOST_COUNTED = 1024;

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
  cpus(): readonly EngineCpu[];
  view(): CpuView;
  /** As many of the bytes as are mapped. @throws DebugError for none */
  read(address: bigint, length: number): Uint8Array;
  symbols(): SymbolTable | undefined;
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

  /** What happened in pieces of the past. */
  survey(wanted: SurveyWanted): SurveyPiece[] {
    const { ask, cpus, here, view } = this.#parts;
    const { from, to, size, budgetMs } = wanted;
    if (
      ![from, to].every(Number.isSafeInteger) ||
      !(size >= 1) ||
      !Number.isSafeInteger(size) ||
      !(budgetMs >= 0)
    )
      throw new DebugError(`${size} instructions from ${from} to ${to} are no pieces of the past`);
    const sum = (name: keyof CpuEvents) =>
      cpus().reduce((all, { events }) => (all + (events?.[name] ?? 0)) >>> 0, 0);
    return this.#stay((history) =>
      surveyOf(history, wanted, {
        disarm: () => ask(undefined),
        exits: () => history.exits,
        events: () => ({
          interrupts: sum('interrupts'),
          exceptions: sum('exceptions'),
          modeChanges: sum('modeChanges'),
        }),
        mode: () => ({ bits: here().bits, real: isRealAddressing(view()) }),
      }),
    );
  }

  /** The first or the last moment at which a condition holds. */
  findMoment(text: string, wanted: ConditionWanted): number | 'none' | 'interrupt' {
    const { ask, cpu } = this.#parts;
    const condition = parseExpression(text);
    if (condition.kind === 'assignment')
      throw new DebugError(`'${text}' sets something`, 'to compare write ==');
    const { first, last } = this.#history.range;
    const { from, to } = wanted;
    if (!(Number.isSafeInteger(from) && Number.isSafeInteger(to) && from >= first && to <= last + 1))
      throw new DebugError(`moments ${from} to ${to} are not in this history, which has ${first} to ${last}`);
    const vectors = /mm\d|\bst\b|\bst\d/i.test(text);
    const symbols = this.#parts.symbols() ?? new SymbolTable({ format: 'flat' });
    const names = (outcome?: Outcome) => {
      const registers = outcome?.registers ?? cpu().getRegisters();
      const system = outcome?.system ?? cpu().getSystemRegisters();
      const fpu = vectors && { fpu: cpu().getState().fpu };
      return { symbols, bits: codeSizeOf(system), view: { registers, system, ...fpu } };
    };
    const parts = { names, read: (address: bigint, length: number) => this.#read(address, length) };
    const found = this.#stay((history) => {
      const at = momentOf(history, condition, wanted, {
        ...parts,
        arm: (step, watchpoints) => ask({ step, breakpoints: [], watchpoints }),
        disarm: () => ask(undefined),
      });
      // An instruction that counts as several has no moments within it.
      for (let back = 0; typeof at === 'number' && back < MOST_COUNTED && at - back >= from; back++) {
        if (!history.goTo(at - back)) return 'interrupt';
        if (history.range.now < to && look(condition, parts).holds) return at - back;
      }
      return at;
    });
    return found ?? 'none';
  }

  #read(address: bigint, length: number): Uint8Array {
    try {
      return this.#parts.read(address, length);
    } catch (error) {
      if (error instanceof DebugError) return new Uint8Array(0);
      throw error;
    }
  }

  /** Searches, and goes back to this moment. */
  #stay<T>(search: (history: History) => T): T {
    const history = this.#history;
    const { now } = history.range;
    try {
      return search(history);
    } finally {
      this.#parts.ask(undefined);
      history.goTo(now);
    }
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
