import type { EngineCpu } from '../engine/contract/index.js';
import type { Outcome } from '../machine/index.js';

/** A session's outcome: the last one of its runs, with the exits and times of all of them. */
export class SessionOutcome {
  #last: Outcome | undefined;

  get last(): Outcome | undefined {
    return this.#last;
  }

  clear(): void {
    this.#last = undefined;
  }

  add(outcome: Outcome): void {
    const before = this.#last ?? { exits: 0, coalesced: 0, elapsedMs: 0 };
    this.#last = {
      ...outcome,
      exits: before.exits + outcome.exits,
      coalesced: before.coalesced + outcome.coalesced,
      elapsedMs: before.elapsedMs + outcome.elapsedMs,
    };
  }

  /** The outcome if the session ends now. */
  now(engine: string, cpu: EngineCpu): Outcome {
    const last = this.#last;
    if (last !== undefined && last.kind !== 'debug') return last;
    return {
      ...(last ?? { cpu: cpu.index, engine, exits: 0, coalesced: 0, elapsedMs: 0, unclaimed: [] }),
      kind: 'stopped',
      reason: 'ended by the debugger',
      registers: cpu.getRegisters(),
      system: cpu.getSystemRegisters(),
    };
  }
}
