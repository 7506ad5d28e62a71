import type { Watchpoint } from '../engine/contract/index.js';
import type { Outcome } from '../machine/index.js';
import type { CodeBits } from './mode.js';

/** Where a guest is stopped. */
export interface StopPlace {
  /** The CPU that stopped: its number. */
  cpu: number;
  /** Linear address of that CPU's next instruction. */
  pc: bigint;
  bits: CodeBits;
}

/** Why the guest has stopped, and where. */
export interface Stop extends StopPlace {
  /**
   * `step`: the instruction is done; `breakpoint`: before the instruction that has one; `watchpoint`: a watchpoint was
   * accessed (backwards: before the access); `interrupt`: it was requested; `end`: the guest ended, or cannot continue: see
   * `outcome`; `begin`: the history goes no further back.
   */
  why: 'step' | 'breakpoint' | 'watchpoint' | 'interrupt' | 'end' | 'begin';
  /** The watchpoint that was accessed. */
  touched?: Watchpoint;
  /** Linear address of the instruction that accessed it, where that is known: `pc` is the one after it. */
  by?: bigint;
  /** The guest went back to this moment, before the instruction. */
  back?: true;
  /** How the guest ended. */
  outcome?: Outcome;
  /** The guest had ended before and was not run. */
  again?: boolean;
}
