import type { Device } from '../devices/contract/index.js';
import type { DryRun, EngineCpu } from '../engine/contract/index.js';
import type { ImagePlace } from '../explain/index.js';
import type { Syntax } from '../isa/index.js';
import type { Outcome, RunOptions } from '../machine/index.js';
import type { GuestMemory } from '../memory/index.js';
import type { SymbolTable } from '../symbols/index.js';
import type { Rewindable } from './history/history.js';

/** The interface that a session needs: a `Machine` has it. */
export interface Debuggee {
  readonly engine: { readonly name: string };
  readonly cpus: readonly EngineCpu[];
  /** The number of the CPU that ran last. Default 0. */
  readonly current?: number;
  readonly memory: GuestMemory;
  /** Where the image was loaded. */
  readonly boot: ImagePlace;
  readonly devices: readonly Device[];
  run(options?: RunOptions): Outcome;
}

/** One that can go back. */
export type RewindableDebuggee = Debuggee & Rewindable;

/** The options of a session. */
export interface SessionOptions {
  /** For each run of the machine. */
  run?: RunOptions;
  /** The last exits as text. */
  exits?: () => string | undefined;
  /** Names for addresses, loaded on first use. */
  symbols?: () => SymbolTable;
  /** How instructions are written. Default `intel`. */
  syntax?: Syntax;
  /** Runs the next instruction on a copy of the memory. */
  dryRun?: (cpu: EngineCpu, memory: GuestMemory) => DryRun | undefined;
  /** Ends the machine and makes it again. */
  restart?: () => Debuggee;
  /** Keeps the machine's history, in at most this many bytes, so that the guest can go back. */
  history?: { bytes?: number };
}
