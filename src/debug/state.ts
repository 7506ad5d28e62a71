import type { SourceLine } from '../symbols/index.js';
import type { CodeBits } from './mode.js';
import type { CpuView } from './registers.js';
import type { Stop } from './session.js';

/** Where a guest stands still. */
export interface State {
  /** The number of the CPU that this is of. */
  cpu: number;
  view: CpuView;
  /** Linear address of the next instruction. */
  pc: bigint;
  bits: CodeBits;
  /** `work+0x5`. */
  symbol?: string;
  source?: SourceLine;
}

/** Why the guest stands still, with what of the debugger's own had to do with it. */
export interface DebugStop extends Stop {
  /** Breakpoints that were reached, by their numbers. */
  breakpoints: readonly number[];
  /** The watchpoint that was touched, and its value before and after. */
  watchpoint?: { id: number; before: bigint; after: bigint };
  /** What could not be done on the way, such as a condition that is no expression. */
  notes: readonly string[];
}
