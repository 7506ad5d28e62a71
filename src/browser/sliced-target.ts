/**
 * A debugger's target on the Worker's own thread that runs in slices: between them the Worker reads its messages.
 *
 * @module
 */
import { type DebugSession, type DebugTarget, localTarget, type Stop } from '../debug/index.js';

/** The part that runs between two reads of the messages. */
export interface Slices {
  /** Runs a part of the guest, which ends with `interrupt` when its slice is over. */
  run(part: () => Stop): Stop;
  /** Lets the messages have their turn. */
  turn(): Promise<void>;
  /** As `turn`, if the last one was long ago. */
  turnIfDue(): Promise<void>;
  /** Whether the page has requested a stop; reading it clears the request. */
  wanted(): boolean;
  /** Ends a wait between two slices. */
  wake(): void;
  /** A number that increases when the guest makes progress. */
  position(): number;
}

/** See the module's comment. */
export function slicedTarget(session: DebugSession, slices: Slices): DebugTarget {
  const until = async (first: () => Stop, again: (stop: Stop) => (() => Stop) | undefined): Promise<Stop> => {
    await slices.turnIfDue();
    let stop = slices.run(first);
    while (stop.why === 'interrupt' && !slices.wanted()) {
      const next = again(stop);
      if (next === undefined) return stop;
      await slices.turn();
      if (slices.wanted()) return stop;
      stop = slices.run(next);
    }
    return stop;
  };
  return {
    ...localTarget(session),
    async interrupt() {
      slices.wake();
    },
    resume: (stopHere = false) => {
      const began = slices.position();
      // A slice may end right at a breakpoint, which has not been met then.
      const next = () => session.resume(stopHere || slices.position() !== began);
      return until(
        () => session.resume(stopHere),
        () => next,
      );
    },
    step: () =>
      until(
        () => session.step(),
        () => () => session.step(),
      ),
    stepWithin: async (from, to) => {
      const stop = await until(
        () => session.stepWithin(from, to),
        ({ pc }) => (pc >= from && pc < to ? () => session.stepWithin(from, to) : undefined),
      );
      const left = stop.why === 'interrupt' && (stop.pc < from || stop.pc >= to);
      return left ? { ...stop, why: 'step' } : stop;
    },
    release: () =>
      until(
        () => session.release(),
        () => () => session.release(),
      ),
  };
}
