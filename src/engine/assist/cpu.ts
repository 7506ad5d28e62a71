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
} from '../contract/index.js';
import { type AssistOptions, type Helper, isRefusal } from './helper.js';

/**
 * The most instructions in a row. Where an engine gives up again and again, without another exit in between, the helper runs
 * twice as many each time: switching between the CPUs is more expensive than hundreds of instructions.
 */
const LONGEST_STRETCH = 4096;

const STATE_REFUSED = 'STATE_REFUSED';

/**
 * An assisted CPU: where its engine gives up on an instruction, another CPU on the same memory, the helper, takes over the
 * whole state, executes that instruction, and returns the state. For its machine this is one CPU.
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
  readonly #nextPaging: AssistOptions['nextPaging'];
  #helper: Helper | undefined;
  /** The interrupt that was injected before the last run. */
  #injected: number | undefined;
  /** The helper ran last, and has the reason of its exit. */
  #helpedLast = false;
  /** The helper has the state. */
  #helping = false;
  /** The engine cannot run the current code: the helper continues until it can. */
  #stays = false;
  #times = 0;
  #refusedPaging = false;
  /** The state in the engine's CPU while the helper runs. */
  #known: CpuState | undefined;
  #streak = 0;
  #left = 0;
  #wantsWindow = false;
  /** When the engine's timer is due, in milliseconds of `performance.now()`, and its interval. */
  #due = Number.POSITIVE_INFINITY;
  #interval = 0;
  /** The helper's own failure, where it could not continue either. */
  #failure: EngineFailure | undefined;
  /** Why the engine last refused to take the state back. */
  #refusal = '';
  /** A debugger's request that the engine cannot serve: the helper runs the guest until the request ends. */
  #debugs = false;

  constructor(
    inner: EngineCpu,
    makeHelper: () => Helper,
    control: Int32Array,
    { irqchip = 'none', replay, nextPaging }: AssistOptions = {},
  ) {
    this.#nextPaging = nextPaging;
    this.#irqchip = irqchip === 'kernel' || irqchip === 'split';
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

  /** True where the engine was interrupted before it delivered an injected event. */
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
      if (kind !== ExitKind.internalError && !(kind === ExitKind.shutdown && this.#refusesPaging())) {
        if (kind !== ExitKind.interrupted) this.#streak = 0;
        return kind;
      }
      if (!this.#takeOver()) return kind;
    }
  }

  /**
   * An engine without support for a paging mode shuts down when a guest switches it on: then the helper executes that
   * instruction, and keeps the state.
   */
  #refusesPaging(): boolean {
    if (this.#irqchip) return false;
    const next = this.#nextPaging?.(this.#inner);
    if (next === undefined || this.#inner.canRun(next)) return false;
    this.#refusedPaging = true;
    return true;
  }

  completeExit(): void {
    if (!this.#helping) {
      this.#inner.completeExit();
      return;
    }
    this.#helper?.completeExit();
    if (!this.#stays && !this.#giveBack() && !this.#irqchip) this.#stay();
  }

  /** How often the engine gave up and then continued, and how many instructions were run in its place. */
  get assistance(): Assistance {
    return {
      times: this.#times,
      instructions: Number(this.#helper?.instructions ?? 0n),
      ...(this.#refusedPaging && { because: 'this host’s KVM cannot do 32-bit paging' }),
    };
  }

  /** Gives the helper the state; false where there is no helper that accepts it. */
  #takeOver(): boolean {
    const inner = this.#inner;
    this.#failure = undefined;
    try {
      // The engine has the answer to an open access.
      inner.completeExit();
      this.#known = inner.getState();
      this.#handOver(this.#known);
    } catch (error) {
      this.#failure = { name: 'NO_HELP', message: (error as Error).message };
      return false;
    }
    // The helper does not see the engine's own controllers: it must not continue to an access to them, such as an EOI.
    this.#left = this.#irqchip ? 1 : Math.min(2 ** this.#streak, LONGEST_STRETCH);
    this.#streak = Math.min(this.#streak + 1, 30);
    return true;
  }

  /** Loads a state into the helper. A local APIC stays with the engine. @throws Error where the helper refuses the state */
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

  /** Runs the helper; undefined where the engine has the state again and continues. */
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

  /** The engine's own CPU must sleep, so that the engine's interrupts wake it: it executes the HLT (F4) again. */
  #haltThere(): ExitKind | undefined {
    const registers = this.#helper!.getRegisters();
    this.#helper!.setRegisters({ ...registers, rip: registers.rip - 1n });
    return this.#giveBack() ? undefined : this.#refused();
  }

  /** The engine refuses the state, and its interrupts reach only its own CPU: the run ends. */
  #refused(): ExitKind {
    const message = `the engine refuses to take the CPU’s state back: ${this.#refusal}`;
    this.#failure = { name: STATE_REFUSED, message };
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

  /** The helper cannot continue either. Where it made progress, the engine may be able to; else the run ends. */
  #stuck(progress: boolean): ExitKind | undefined {
    this.#failure = this.#helper!.failure();
    if (this.#giveBack() && progress) return undefined;
    return this.#noHelp();
  }

  /**
   * Reports the helper's exit as this CPU's own. The helper has to complete something only after accesses, unless it
   * keeps the state.
   */
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

  /** Returns the state to the engine. Where the engine refuses it, the helper keeps it and continues: false. */
  #giveBack(): boolean {
    const state = this.#helper!.getState();
    if (state.unfinished !== null || !this.#engineCan()) return false;
    try {
      this.#inner.setState(state, this.#known);
    } catch (error) {
      this.#refusal = (error as Error).message;
      // Parts of it may have been loaded.
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

  /** The helper accepts states that the engine refuses, such as one in the middle of an instruction. */
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
    // Not in the middle of the run, where the guest's timers would continue meanwhile.
    if (this.#helper === undefined && this.#inner.needsHelp(system)) this.#prepare();
  }

  /** The helper runs states that the engine cannot run; not with interrupt controllers inside the engine. */
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
      // The helper may never be needed; where it is, the failure says why it is missing.
    }
  }

  /** The engine's timer keeps running while the helper runs: its alarm is reported as soon as the engine runs again. */
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
    if (this.#helper === undefined) return `${refused}, and there is no software CPU to assist`;
    const alsoRefused = this.#helper.debug(request);
    this.#debugs = alsoRefused === undefined;
    return alsoRefused && `${refused}; ${alsoRefused}`;
  }

  get touchedWatchpoint(): number {
    return this.#active.touchedWatchpoint;
  }

  get touchedBy(): bigint | undefined {
    return this.#active.touchedBy;
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
    if (this.#failure?.name === STATE_REFUSED && this.exit.kind === ExitKind.internalError)
      return this.#failure;
    // A shutdown that the helper found: the engine's own last exit says nothing of it.
    const isHelpers = this.#helping || (this.#helpedLast && this.exit.kind === ExitKind.shutdown);
    if (isHelpers && this.#helper !== undefined) return this.#helper.failure();
    if (this.#debugs && this.#failure !== undefined) return this.#failure;
    const failure = this.#inner.failure();
    const other = this.#failure;
    if (other === undefined || this.exit.kind !== ExitKind.internalError) return failure;
    // An engine cannot know that there was no instruction to emulate.
    if (other.name === 'NO_CODE') return other;
    const message = `${failure.message}, and the software CPU cannot help: ${other.message}`;
    return { ...failure, message };
  }

  /** After a shutdown: the exceptions of a CPU in the same state, on a copy of the memory. */
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
