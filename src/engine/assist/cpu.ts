import { TerrariumError } from '../../errors.js';
import type { CpuState, Registers, SystemRegisters } from '../../x86/index.js';
import {
  type Assistance,
  Control,
  type DebugRequest,
  type EngineClock,
  type EngineCpu,
  type EngineFailure,
  type Exit,
  ExitKind,
  type FaultRecord,
  type IrqchipName,
} from '../contract/index.js';

/** A CPU that runs one instruction at a time. */
export interface Helper extends EngineCpu {
  /** Runs one instruction, or a round of it, or delivers what waits; `interrupted` where it needed nobody. */
  step(): ExitKind;
  /** Instructions that it ran so far. */
  readonly instructions: bigint;
}

/**
 * Instructions in a row at most. An engine that gives up again and again, without anything else in between, is helped for
 * twice as long each time: going from one CPU to the other costs more than hundreds of instructions.
 */
const LONGEST_STRETCH = 4096;

const NO_WAY_BACK = 'NO_WAY_BACK';

/** True where an engine says that it does not take a state, which the helper may take. */
function isRefusal(error: unknown): boolean {
  return error instanceof TerrariumError && (error.code === 'ELIMIT' || error.code === 'EINVAL');
}

/** How a CPU is helped. */
export interface AssistOptions {
  /** `kernel`: the engine delivers interrupts by itself, and only to its own CPU. */
  irqchip?: IrqchipName;
  /** Finds what a shutdown came from: see `replayShutdown`. */
  replay?: (cpu: EngineCpu, interrupt: number | undefined) => readonly FaultRecord[];
}

/**
 * A CPU that is helped: where its engine gives up on an instruction, another CPU on the same memory takes the whole state
 * over, does that instruction, and gives the state back. To its machine it is one CPU.
 */
export class AssistedCpu implements EngineCpu {
  readonly index: number;
  readonly exit: Exit;
  readonly clock: EngineClock | undefined;
  readonly #inner: EngineCpu;
  readonly #control: Int32Array;
  readonly #makeHelper: () => Helper;
  readonly #data: DataView;
  /** The engine's own controllers deliver the interrupts. */
  readonly #irqchip: boolean;
  readonly #replay: AssistOptions['replay'];
  #helper: Helper | undefined;
  /** The interrupt that was injected before the run that ended last. */
  #injected: number | undefined;
  /** The helper ran last, and knows what it ran into. */
  #helpedLast = false;
  /** The helper has the state. */
  #helping = false;
  /** The engine cannot run what the guest does now: the helper goes on until it can. */
  #stays = false;
  #times = 0;
  /** What the engine's CPU holds while the helper runs. */
  #known: CpuState | undefined;
  #streak = 0;
  #left = 0;
  #wantsWindow = false;
  /** When the engine's timer is due, in milliseconds of `performance.now()`, and how often after that. */
  #due = Number.POSITIVE_INFINITY;
  #interval = 0;
  /** The helper's own account, where it could not either. */
  #failure: EngineFailure | undefined;
  /** Why the engine did not take the state back last. */
  #refusal = '';
  /** A debugger asks what the engine cannot do: the helper runs the guest until it asks no more. */
  #debugs = false;

  constructor(
    inner: EngineCpu,
    makeHelper: () => Helper,
    control: Int32Array,
    { irqchip = 'none', replay }: AssistOptions = {},
  ) {
    this.#irqchip = irqchip === 'kernel';
    this.#replay = replay;
    this.#inner = inner;
    this.#makeHelper = makeHelper;
    this.#control = control;
    this.index = inner.index;
    this.exit = inner.exit;
    this.#data = inner.exit.data;
    this.clock = inner.clock;
  }

  run(): ExitKind {
    const kind = this.#run();
    if (kind !== ExitKind.shutdown && !this.#stillWaits(kind)) this.#injected = undefined;
    return kind;
  }

  /** True where the engine was interrupted before it delivered what it was given. */
  #stillWaits(kind: ExitKind): boolean {
    if (this.#injected === undefined || kind !== ExitKind.interrupted || this.#helping) return false;
    return this.#inner.getState().events.interrupt === this.#injected;
  }

  #run(): ExitKind {
    for (;;) {
      if (this.#helping) {
        this.#helpedLast = true;
        const kind = this.#help();
        if (kind !== undefined) return kind;
      } else if (this.#debugs) {
        if (!this.#takeOver()) return this.#noHelp();
        this.#stay();
        continue;
      }
      this.#helpedLast = false;
      const kind = this.#inner.run();
      if (kind !== ExitKind.internalError) {
        if (kind !== ExitKind.interrupted) this.#streak = 0;
        return kind;
      }
      if (!this.#takeOver()) return kind;
    }
  }

  completeExit(): void {
    if (!this.#helping) {
      this.#inner.completeExit();
      return;
    }
    this.#helper?.completeExit();
    if (!this.#stays && !this.#giveBack() && !this.#irqchip) this.#stay();
  }

  /** Times that the engine gave up and went on afterwards, and the instructions that were run in its place. */
  get assistance(): Assistance {
    return { times: this.#times, instructions: Number(this.#helper?.instructions ?? 0n) };
  }

  /** Gives the helper the state; false where there is none that can take it. */
  #takeOver(): boolean {
    const inner = this.#inner;
    this.#failure = undefined;
    try {
      // The answer to an open access is with the engine.
      inner.completeExit();
      this.#known = inner.getState();
      this.#handOver(this.#known);
    } catch (error) {
      this.#failure = { name: 'NO_HELP', message: (error as Error).message };
      return false;
    }
    this.#left = Math.min(2 ** this.#streak, LONGEST_STRETCH);
    this.#streak = Math.min(this.#streak + 1, 30);
    return true;
  }

  /** The helper goes on from a state. A local APIC stays with the engine. @throws Error where the helper refuses it */
  #handOver(state: CpuState): void {
    this.#helper ??= this.#makeHelper();
    this.#helper.setState({ ...state, apic: null, halted: false });
    this.#helper.requestInterruptWindow(this.#wantsWindow);
    this.#helping = true;
  }

  #noHelp(): ExitKind {
    this.exit.kind = ExitKind.internalError;
    return ExitKind.internalError;
  }

  /** Goes on with the helper; undefined where the state is back with the engine, which goes on. */
  #help(): ExitKind | undefined {
    const helper = this.#helper!;
    for (let steps = 0; ; steps++) {
      const kind = this.#stays ? helper.run() : helper.step();
      if (kind === ExitKind.internalError) return this.#stuck(steps > 0 || (this.#stays && !this.#debugs));
      if (steps === 0 && this.#left > 0 && !this.#stays) this.#times++;
      if (this.#stays && !this.#debugs && kind === ExitKind.interrupted) this.#giveBack();
      if (kind === ExitKind.halt && this.#irqchip) return this.#haltThere();
      if (this.#stays || kind !== ExitKind.interrupted) return this.#show(kind);
      if (!this.#helping) return this.#show(kind);
      if (--this.#left > 0 && Atomics.load(this.#control, Control.request) === 0) continue;
      if (this.#giveBack()) return undefined;
      if (this.#irqchip) return this.#refused();
      this.#stay();
    }
  }

  /** The engine's own CPU has to sleep, so that the engine's interrupts wake it: it does the HLT (F4) once more. */
  #haltThere(): ExitKind | undefined {
    const registers = this.#helper!.getRegisters();
    this.#helper!.setRegisters({ ...registers, rip: registers.rip - 1n });
    return this.#giveBack() ? undefined : this.#refused();
  }

  /** The engine refuses the state, and its interrupts reach nobody but its own CPU: that is the end. */
  #refused(): ExitKind {
    const message = `the engine does not take the CPU's state back: ${this.#refusal}`;
    this.#failure = { name: NO_WAY_BACK, message };
    return this.#noHelp();
  }

  #engineCan(): boolean {
    if (this.#irqchip) return true;
    return this.#inner.canRun(this.#helper!.getSystemRegisters());
  }

  #stay(): void {
    this.#stays = true;
    if (this.#due === Number.POSITIVE_INFINITY) this.#helper!.setTimer(0, 0);
    else this.#helper!.setTimer(Math.max(1, this.#due - performance.now()), this.#interval);
  }

  /** The helper cannot go on either. Where it got anywhere the engine may be able to; else it is the end. */
  #stuck(progress: boolean): ExitKind | undefined {
    this.#failure = this.#helper!.failure();
    if (this.#giveBack() && progress) return undefined;
    return this.#noHelp();
  }

  /** The helper's exit as this CPU's own. Only accesses leave it something to do, unless it stays. */
  #show(kind: ExitKind): ExitKind {
    const { exit } = this.#helper!;
    const shown = this.exit;
    if (kind === ExitKind.io || kind === ExitKind.mmio) {
      shown.address = exit.address;
      shown.size = exit.size;
      shown.count = exit.count;
      shown.write = exit.write;
      shown.data = exit.data;
      shown.offset = exit.offset;
    } else {
      if (!this.#stays && this.#helping && !this.#giveBack() && !this.#irqchip) this.#stay();
      shown.address = 0;
      shown.size = 0;
      shown.count = 0;
      shown.write = false;
    }
    shown.coalesced = false;
    shown.reason = exit.reason;
    shown.ripLow = exit.ripLow;
    shown.ripHigh = exit.ripHigh;
    shown.kind = kind;
    return kind;
  }

  /** Gives the engine its state back. Where it does not take it, the helper keeps it and goes on: false. */
  #giveBack(): boolean {
    const state = this.#helper!.getState();
    if (state.unfinished !== null || !this.#engineCan()) return false;
    try {
      this.#inner.setState(state, this.#known);
    } catch (error) {
      this.#refusal = (error as Error).message;
      // Parts of it may have been taken.
      this.#known = this.#inner.getState();
      return false;
    }
    this.#helping = false;
    this.#stays = false;
    this.exit.data = this.#data;
    this.exit.kind = ExitKind.interrupted;
    return true;
  }

  /** The CPU that has the state. */
  get #active(): EngineCpu {
    return this.#helping ? this.#helper! : this.#inner;
  }

  getState(): CpuState {
    return this.#active.getState();
  }

  /** The helper takes what the engine cannot, such as a state in the middle of an instruction. */
  setState(state: CpuState, known?: CpuState): void {
    if (this.#helping) {
      this.#helper!.setState(state, known);
      return;
    }
    try {
      this.#inner.setState(state, known);
    } catch (error) {
      if (this.#irqchip || !isRefusal(error)) throw error;
      this.#known = this.#inner.getState();
      this.#handOver(state);
      this.#stay();
    }
  }

  getRegisters(): Registers {
    return this.#active.getRegisters();
  }

  setRegisters(registers: Registers): void {
    this.#active.setRegisters(registers);
  }

  getSystemRegisters(): SystemRegisters {
    return this.#active.getSystemRegisters();
  }

  setSystemRegisters(system: SystemRegisters): void {
    this.#active.setSystemRegisters(system);
    // Not in the middle of the run, where the guest's timers would go on meanwhile.
    if (this.#helper === undefined && this.#inner.needsHelp(system)) this.#prepare();
  }

  /** The helper runs what the engine cannot; not with interrupt controllers inside the engine. */
  canRun(system: SystemRegisters): boolean {
    return !this.#irqchip || this.#inner.canRun(system);
  }

  needsHelp(): boolean {
    return false;
  }

  reportTprAccess(wanted: boolean): void {
    this.#inner.reportTprAccess(wanted);
  }

  #prepare(): void {
    try {
      this.#helper ??= this.#makeHelper();
    } catch {
      // There may be no need for it; where there is, the failure says why.
    }
  }

  /** The engine's timer goes on while the helper runs: what it rings for is seen as soon as the engine runs again. */
  setTimer(firstMs: number, intervalMs: number): void {
    const off = firstMs === 0 && intervalMs === 0;
    this.#due = off ? Number.POSITIVE_INFINITY : performance.now() + firstMs;
    this.#interval = intervalMs;
    this.#inner.setTimer(firstMs, intervalMs);
    if (this.#stays) this.#stay();
  }

  get readyForInterrupt(): boolean {
    return this.#active.readyForInterrupt;
  }

  get taskPriority(): number {
    return this.#active.taskPriority;
  }

  set taskPriority(value: number) {
    this.#active.taskPriority = value;
  }

  get timeStamp(): bigint | undefined {
    return this.#inner.timeStamp;
  }

  get interruptsEnabled(): boolean {
    return this.#active.interruptsEnabled;
  }

  requestInterruptWindow(wanted: boolean): void {
    this.#wantsWindow = wanted;
    this.#inner.requestInterruptWindow(wanted);
    if (this.#helping) this.#helper!.requestInterruptWindow(wanted);
  }

  debug(request: DebugRequest | undefined): string | undefined {
    const refused = this.#inner.debug(request);
    this.#debugs = false;
    if (request === undefined || refused === undefined) {
      this.#helper?.debug(undefined);
      if (this.#stays) this.#giveBack();
      return undefined;
    }
    if (this.#irqchip)
      return `${refused}, and the software CPU cannot take over from interrupt controllers inside the engine`;
    this.#prepare();
    if (this.#helper === undefined) return `${refused}, and the software CPU is not here to help`;
    const alsoRefused = this.#helper.debug(request);
    this.#debugs = alsoRefused === undefined;
    return alsoRefused && `${refused}; ${alsoRefused}`;
  }

  get touchedWatchpoint(): number {
    return this.#active.touchedWatchpoint;
  }

  injectInterrupt(vector: number): void {
    this.#injected = vector;
    this.#active.injectInterrupt(vector);
  }

  injectNmi(): void {
    this.#active.injectNmi();
  }

  get waiting(): boolean {
    return !this.#helping && this.#inner.waiting;
  }

  failure(): EngineFailure {
    if (this.#failure?.name === NO_WAY_BACK && this.exit.kind === ExitKind.internalError)
      return this.#failure;
    if (this.#helping) return this.#helper!.failure();
    if (this.#debugs && this.#failure !== undefined) return this.#failure;
    const failure = this.#inner.failure();
    const other = this.#failure;
    if (other === undefined || this.exit.kind !== ExitKind.internalError) return failure;
    // An engine cannot know why there was nothing to emulate.
    if (other.name === 'NO_CODE') return other;
    const message = `${failure.message}, and the software CPU cannot help: ${other.message}`;
    return { ...failure, message };
  }

  /** After a shutdown: what a CPU on a copy of the memory does in the same state. */
  recentFaults(): readonly FaultRecord[] {
    if (this.#helping || this.#helpedLast) return this.#helper?.recentFaults() ?? [];
    if (this.exit.kind !== ExitKind.shutdown) return [];
    return this.#replay?.(this.#inner, this.#injected) ?? [];
  }

  [Symbol.dispose](): void {
    this.#inner[Symbol.dispose]();
    this.#helper?.[Symbol.dispose]();
  }
}
