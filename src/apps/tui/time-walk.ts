/**
 * The keys of the timeline, and the work for it in the time in which no key waits.
 *
 * @module
 */
import type { HistoryRange } from '../../debug/index.js';
import { columnsIn } from './panes/timeline.js';
import { type PaneContext, refreshPlaces, type StackMemory } from './refresh.js';
import { followed, momentFor, survey, unknownOf, wholeTimeline, widened, zoomed } from './timeline.js';

export interface TimeWalkParts {
  context: PaneContext;
  stack: StackMemory;
  /** The next key that waits. */
  waiting(): string | undefined;
  /** Goes to a moment, and shows it. */
  goTo(moment: number): Promise<void>;
  say(text: string, tone?: 'bad'): void;
}

/** See the module's comment. */
export class TimeWalk {
  readonly #parts: TimeWalkParts;
  /** The moment to which the guest goes when no other key waits. */
  #heading: number | undefined;
  /** The last look at the past found something, so that there may be more. */
  #more = true;
  /** The terminal has another size since the panes were filled. */
  #resized = false;

  constructor(parts: TimeWalkParts) {
    this.#parts = parts;
  }

  resized(): void {
    this.#resized = true;
  }

  /** The user does something. */
  wake(): void {
    this.#more = true;
  }

  /** The guest is at another moment. */
  moved(before: HistoryRange | undefined): void {
    const { model } = this.#parts.context;
    if (model.timeline !== undefined)
      model.timeline = model.history && followed(model.timeline, model.history, before);
  }

  /** @returns false for keys that are not those of an open timeline */
  async key(key: string): Promise<boolean> {
    const { model } = this.#parts.context;
    const { timeline, history } = model;
    if (timeline === undefined || history === undefined) return false;
    if (key === '+' || key === '-') model.timeline = zoomed(timeline, history, key === '+' ? 'in' : 'out');
    else if (key === '=') model.timeline = wholeTimeline(history, timeline.columns);
    else {
      const to = momentFor(timeline, history, this.#heading ?? history.now, key);
      if (to === undefined) return false;
      // Of the moves of a key that is held down, only the last one moves the guest.
      const next = this.#parts.waiting();
      const goesOn = next !== undefined && momentFor(timeline, history, to, next) !== undefined;
      this.#heading = goesOn ? to : undefined;
      if (!goesOn) await this.#parts.goTo(to);
    }
    return true;
  }

  /** Opens or closes it. */
  async toggle(): Promise<void> {
    const { context, stack, say } = this.#parts;
    const { model, debugger: held } = context;
    if (model.timeline !== undefined) model.timeline = undefined;
    else {
      const range = await held.history();
      if (range === undefined) return say((await held.target.noHistory()) ?? 'there is no history', 'bad');
      model.history = range;
      model.timeline = wholeTimeline(range, this.#columns);
      say(
        range.last === 0
          ? 'nothing has happened yet: c runs the guest'
          : '← → < > move along the timeline, + - = zoom, T closes it',
      );
    }
    await refreshPlaces(context, stack);
  }

  /** Work for the time in which no key waits; undefined where there is none. */
  idle(): (() => Promise<void>) | undefined {
    if (this.#resized) return () => this.#fit();
    const { model, debugger: held } = this.#parts.context;
    const { timeline, history } = model;
    if (timeline === undefined || history === undefined || !this.#more) return undefined;
    if (unknownOf(timeline, history) === undefined) return undefined;
    return async () => {
      this.#more = false;
      this.#more = await survey(held, timeline, history);
    };
  }

  async #fit(): Promise<void> {
    const { context, stack } = this.#parts;
    const { model } = context;
    this.#resized = false;
    if (model.timeline !== undefined && model.history !== undefined)
      model.timeline = widened(model.timeline, model.history, this.#columns);
    await refreshPlaces(context, stack);
  }

  get #columns(): number {
    return columnsIn(Math.max(0, ...this.#parts.context.places().map(({ x, width }) => x + width)));
  }
}
