import { TerrariumError } from '../../errors.js';
import type { SystemRegisters } from '../../x86/index.js';
import type { EngineCpu, ExitKind, FaultRecord, IrqchipName } from '../contract/index.js';

/** A CPU that runs one instruction at a time. */
export interface Helper extends EngineCpu {
  /** Runs one instruction, or an iteration of it, or delivers a pending event; `interrupted` where no monitor was needed. */
  step(): ExitKind;
  /** Number of instructions so far. */
  readonly instructions: bigint;
}

/** True where an engine refuses a state that the helper may accept. */
export function isRefusal(error: unknown): boolean {
  return error instanceof TerrariumError && (error.code === 'ELIMIT' || error.code === 'EINVAL');
}

/** The options of an assisted CPU. */
export interface AssistOptions {
  /** `kernel`, `split`: the engine's own controllers deliver interrupts, and only to its own CPU. */
  irqchip?: IrqchipName;
  /** Finds the cause of a shutdown: see `replayShutdown`. */
  replay?: (cpu: EngineCpu, interrupt: number | undefined) => readonly FaultRecord[];
  /** The system registers after the next instruction, where that switches paging on: see `pagingSwitch`. */
  nextPaging?: (cpu: EngineCpu) => SystemRegisters | undefined;
}
