import type { CpuState, Registers, SystemRegisters } from '../../x86/index.js';
import type { EngineClock } from './clock.js';
import type { DebugRequest } from './debug.js';
import type { Exit, ExitKind } from './exit.js';
import type { EngineFailure, FaultRecord } from './failure.js';
import type { Sampling } from './sampling.js';
import type { TranslatedCode, Translation } from './translation.js';

/** The assistance for an engine that gave up on instructions. */
export interface Assistance {
  /** How often it gave up and then continued. */
  times: number;
  /** Instructions that another CPU ran in its place. */
  instructions: number;
  /** Where the other CPU ran the guest from some instruction on, the reason: a phrase for messages. */
  because?: string;
}

/** The assistance of a CPU that needs none. */
export const NO_ASSISTANCE: Assistance = { times: 0, instructions: 0 };

/** The outcome of a CPU's next instruction, which another CPU ran on a copy of the memory. */
export interface DryRun {
  /** The exceptions that it raises, including those during their delivery. */
  readonly faults: readonly FaultRecord[];
  /** The instruction ends in a shutdown (triple fault). */
  readonly ends: boolean;
}

/** How many of each happened since the CPU was made, modulo 2^32. Only differences count: a state that is loaded does not set them back. */
export interface CpuEvents {
  /** External interrupts and NMIs that were delivered. */
  readonly interrupts: number;
  /** Exceptions that were raised. */
  readonly exceptions: number;
  /** How often the code became one of another size, or real-address mode began or ended. */
  readonly modeChanges: number;
}

/** A store that a CPU's store buffer holds: it has not reached the memory yet. */
export interface LateStore {
  /** Guest physical. */
  readonly address: number;
  readonly bytes: Uint8Array;
}

/** One virtual CPU. It belongs to the thread that created it. */
export interface EngineCpu extends Disposable {
  readonly index: number;
  /** The record that `run` fills. */
  readonly exit: Exit;
  /** The assistance of another CPU so far. */
  readonly assistance: Assistance;
  /** Undefined, or missing, where nothing is translated. */
  readonly translation?: Translation | undefined;
  /** The translated code. Undefined, or missing, where nothing is translated. */
  readonly translatedCode?: TranslatedCode | undefined;
  /** Undefined where the guest's time is the host's. */
  readonly clock: EngineClock | undefined;
  /**
   * Runs the guest to its next exit and fills `exit`. Writes that were coalesced before it come first, one per call.
   * For a read (`io` or `mmio` with `write` false), fill `exit.data` before the next call. @param untouched since a CPU
   * of this VM ran last, only that CPU has written to memory or registers
   */
  run(untouched?: boolean): ExitKind;
  /**
   * Completes the access that `exit` shows, without another instruction of the guest: afterwards registers and memory
   * have the values after the access (the result of an IN is in RAX, and RIP is past it).
   */
  completeExit(): void;
  /**
   * The store that stayed in the CPU's store buffer at the end of its turn (`EngineClock.setTurn`): the caller writes
   * it to memory before the CPU runs again. Missing where the CPUs of a machine take no turns.
   */
  takeLateStore?(): LateStore | undefined;
  getRegisters(): Registers;
  /**
   * An access that `exit` shows and that was not completed is dropped, with the rest of its instruction: the guest
   * continues at these registers. The same holds for `setSystemRegisters`.
   */
  setRegisters(registers: Registers): void;
  getSystemRegisters(): SystemRegisters;
  /** Throws an `EngineLimit` where this host's engine does not support the mode of these registers. */
  setSystemRegisters(system: SystemRegisters): void;
  /**
   * The whole state. `getRegisters` costs less. Throws where the engine cannot provide it in the middle of an access.
   */
  getState(): CpuState;
  /**
   * Makes this CPU continue from this state. The engine keeps the parts that it cannot run, and returns them with
   * `getState`; it refuses parts that it can neither run nor keep.
   * @param known the last state that this CPU returned, if only time has passed since: equal parts need not be written
   * @throws an error that names the refused part; then the state may have been loaded in part
   */
  setState(state: CpuState, known?: CpuState): void;
  /** False for a state that this host's engine cannot run, though others can. */
  canRun(system: SystemRegisters): boolean;
  /** True for a state in which this host's engine gives up on common instructions: the assisting engine prepares. */
  needsHelp(system: SystemRegisters): boolean;
  /**
   * Makes `run` return `interrupted` after `firstMs` of wall-clock time and then every `intervalMs` (0: never again);
   * both 0 turn it off.
   */
  setTimer(firstMs: number, intervalMs: number): void;
  /** True if the guest can take an external interrupt right now, as of the last exit. */
  readonly readyForInterrupt: boolean;
  /** RFLAGS.IF as of the last exit. */
  readonly interruptsEnabled: boolean;
  /**
   * CR8, the task priority, as of the last exit. With `VmOptions.apic`, `run` returns `interruptWindow` after the guest lowered it.
   */
  taskPriority: number;
  /** The guest's current result of RDTSC; undefined where the engine cannot get it cheaply. */
  readonly timeStamp: bigint | undefined;
  /** Requests an `interruptWindow` exit as soon as the guest can take an interrupt. */
  requestInterruptWindow(wanted: boolean): void;
  /** Delivers external interrupt `vector`; only while `readyForInterrupt`. */
  injectInterrupt(vector: number): void;
  injectNmi(): void;
  /**
   * Requests a `tprAccess` exit after each access to the task priority register. Throws where
   * `EngineCapabilities.tprAccess` is false.
   */
  reportTprAccess(wanted: boolean): void;
  /**
   * The pin IGNNE#: while it is asserted, x87 errors have no effect with CR0.NE = 0. Initially true: errors have no
   * effect. With false, `run` returns `x87Error` at the next one; a true that is set later lasts until the guest clears
   * the pending error. Missing where the engine lacks the pin.
   */
  ignoresFpuErrors?: boolean;
  /** Starts or stops sampling of all CPUs. The guest does not notice. Missing where instructions are not counted. */
  sample?(sampling: Sampling | undefined): void;
  /** True while the CPU sleeps in a HLT inside the engine, which has its own interrupt controllers. */
  readonly waiting: boolean;
  /**
   * Requests `debug` exits from the next `run` on, in place of the earlier request; undefined for none. Where this CPU
   * does not support that, returns the reason as text, and requests none.
   */
  debug(request: DebugRequest | undefined): string | undefined;
  /** After a `debug` exit: which of the request's `watchpoints` was accessed, as its index; -1 for none of them. */
  readonly touchedWatchpoint: number;
  /** The linear address of the instruction that accessed it; undefined, or missing, where the engine does not know. */
  readonly touchedBy?: bigint | undefined;
  /** The reason for the last `failEntry`, `internalError`, `shutdown` or `unknown` exit. */
  failure(): EngineFailure;
  /**
   * The last few exceptions, oldest first, including those that the delivery of others raised. Empty where the engine
   * does not see them. After a `shutdown` the last ones are its cause.
   */
  recentFaults(): readonly FaultRecord[];
  /** For differences between two moments of a run. Missing where the engine does not see them. */
  readonly events?: CpuEvents;
}
