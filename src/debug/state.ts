import type { SourceLine } from '../symbols/index.js';
import type { CodeBits } from './mode.js';
import type { CpuView } from './registers.js';
import type { Stop } from './stop.js';

/** Where a guest is stopped. */
export interface State {
  /** The number of the CPU. */
  cpu: number;
  view: CpuView;
  /** Linear address of the next instruction. */
  pc: bigint;
  bits: CodeBits;
  /** `work+0x5`. */
  symbol?: string;
  source?: SourceLine;
}

/** Why the guest has stopped, and the debugger's points involved. */
export interface DebugStop extends Stop {
  /** Breakpoints that were reached, by their numbers. */
  breakpoints: readonly number[];
  /** The watchpoint that was accessed, and its value before and after. */
  watchpoint?: { id: number; before: bigint; after: bigint };
  /** Problems on the way, such as a condition that is not an expression. */
  notes: readonly string[];
}
