import { MAX_LENGTH } from '../../../isa/index.js';
import { type CpuState, checkCpuState, type Registers, type SystemRegisters } from '../../../x86/index.js';
import {
  Control,
  type DebugRequest,
  type EngineCpu,
  type EngineFailure,
  type Exit,
  ExitKind,
  emptyExit,
  type FaultRecord,
  isAccess,
  NO_ASSISTANCE,
  type Sampling,
  type TranslatedCode,
  type Translation,
} from '../../contract/index.js';
import * as L from '../layout.js';
import type { Translator } from '../translate/index.js';
import { SoftClock } from './clock.js';
import { SoftError } from './errors.js';
import { readFaults } from './faults.js';
import type { Program } from './program.js';
import { readRegisters, readSystemRegisters, writeRegisters, writeSystemRegisters } from './registers.js';
import { Samples } from './samples.js';
import { nothingForeign, readState, refuseForeign, writeState } from './state.js';

/**
 * Instructions between two checks of the clock and the control block. The slowest (self-modifying code) take some hundred times
 * as long as the fastest, so each check computes the number until the next one: at most SLICE_MS of time, so that a stop or a
 * deadline is prompt. The guest's behaviour does not depend on it.
 */
const slices = [11, 12, 13, 14, 15, 16, 17, 18, 19, 20].map((power) => 1n << BigInt(power));
const SLICE_MS = 1;

const watchpointKinds = { access: L.WATCHPOINT_BOTH, write: L.WATCHPOINT_WRITES, read: L.WATCHPOINT_READS };

const NOTHING: DebugRequest = { step: false, breakpoints: [], watchpoints: [] };

/** One CPU of the software engine. */
export class SoftCpu implements EngineCpu {
  readonly index = 0;
  readonly exit: Exit;
  readonly assistance = NO_ASSISTANCE;
  readonly clock: SoftClock;
  readonly #program: Program;
  readonly #view: DataView;
  readonly #control: Int32Array;
  readonly #translator: Translator | undefined;
  readonly #samples: Samples;
  /** When `run` returns `interrupted` next, in milliseconds of `performance.now()`. */
  #due = Number.POSITIVE_INFINITY;
  #interval = 0;
  /** The index of the next slice. */
  #slice = 0;
  /** State that only another engine's CPU uses. */
  #foreign = nothingForeign;
  #disposed = false;
  /** A debugger single-steps. */
  #steps = false;
  /** An instruction was run for the debugger, and another exit is reported before its `debug` exit. */
  #stepped = false;
  touchedWatchpoint = -1;
  touchedBy: bigint | undefined;

  /** @internal */
  constructor(program: Program, view: DataView, control: Int32Array, translator?: Translator) {
    this.#program = program;
    this.#view = view;
    this.#control = control;
    this.#translator = translator;
    this.clock = new SoftClock(view);
    this.#samples = new Samples(this.clock);
    this.exit = emptyExit(view, L.EXIT_DATA);
  }

  /** Number of instructions so far; each iteration of a repeated string instruction counts as one. */
  get instructions(): bigint {
    return this.#live().getBigInt64(L.CLOCK, true) - BigInt(this.clock.skipped);
  }

  /** What the translator did so far; undefined where nothing is translated. */
  get translation(): Translation | undefined {
    if (this.#translator === undefined) return undefined;
    const { stats, ran, left, places } = this.#translator;
    const { functions, instructions, bytes, ms, stopped } = stats;
    return {
      instructions: Number(this.instructions),
      ...{ translated: Number(ran), left, places, functions, size: instructions, bytes, ms },
      ...(stopped !== undefined && { stopped }),
    };
  }

  /** The functions that guest code became; undefined where nothing is translated. */
  get translatedCode(): TranslatedCode | undefined {
    this.#live();
    return this.#translator?.listing;
  }

  run(): ExitKind {
    this.#live();
    if (this.#steps) return this.#runOne();
    const answering = this.#asks();
    this.#answer();
    if (this.#isDue()) return this.#report(answering ? this.#finish() : ExitKind.interrupted);
    for (let looked = 0; ; ) {
      const kind = this.#program.run(slices[this.#slice]!, 0, looked === 0 ? 0 : 1) as ExitKind;
      this.#samples.look();
      this.#translator?.look(kind === ExitKind.interrupted);
      if (kind !== ExitKind.interrupted || this.clock.rings()) return this.#report(kind);
      const now = performance.now();
      if (looked !== 0) this.#setSlice(now - looked);
      looked = now;
      if (this.#isDue()) return this.#report(ExitKind.interrupted);
    }
  }

  /**
   * Delivers a pending interrupt or trap, which is a step of its own: a debugger sees the handler before its first instruction.
   * Returns the exit's kind; undefined where nothing is pending.
   */
  #deliver(): ExitKind | undefined {
    if (this.#asks()) return undefined;
    const view = this.#live();
    const place = () => [view.getBigUint64(L.RIP, true), view.getBigUint64(L.RSP, true)].join();
    const before = place();
    const kind = this.#program.run(0n, 1, 0) as ExitKind;
    return kind === ExitKind.interrupted && place() === before ? undefined : this.#report(kind);
  }

  /** For a debugger that steps: the exit of one instruction, then `debug`; pending events come in between. */
  #runOne(): ExitKind {
    if (!this.#stepped) {
      const kind = this.#deliver() ?? this.step();
      if (kind !== ExitKind.interrupted) return kind;
      this.#stepped = true;
      if (this.clock.rings() || this.#isDue()) return kind;
    }
    this.#stepped = false;
    return this.#report(ExitKind.debug);
  }

  debug(request: DebugRequest | undefined): string | undefined {
    const refused = this.#watch(request);
    this.#steps = refused === undefined && request?.step === true;
    this.#stepped = false;
    return refused;
  }

  #watch({ step, breakpoints, watchpoints }: DebugRequest = NOTHING): string | undefined {
    const view = this.#live();
    const tooMany = breakpoints.length > L.MAX_BREAKPOINTS || watchpoints.length > L.MAX_WATCHPOINTS;
    const breaks = tooMany || step ? [] : breakpoints;
    const watched = tooMany ? [] : watchpoints;
    view.setUint32(L.MONITOR_BREAKPOINTS, breaks.length, true);
    view.setUint32(L.MONITOR_WATCHPOINTS, watched.length, true);
    for (const [index, address] of breaks.entries())
      view.setBigUint64(L.MONITOR_BREAKPOINT + 8 * index, address, true);
    for (const [index, { address, length, on }] of watched.entries()) {
      const at = L.MONITOR_WATCHPOINT + L.WATCHPOINT_SIZE * index;
      view.setBigUint64(at, address, true);
      view.setBigUint64(at + 8, BigInt(length), true);
      view.setUint32(at + 16, watchpointKinds[on], true);
    }
    this.#program.setMonitor();
    if (!tooMany) return undefined;
    return `the software CPU has ${L.MAX_BREAKPOINTS} breakpoints and ${L.MAX_WATCHPOINTS} watchpoints`;
  }

  #setSlice(ms: number): void {
    if (ms > SLICE_MS && this.#slice > 0) this.#slice--;
    else if (ms < SLICE_MS / 4 && this.#slice < slices.length - 1) this.#slice++;
  }

  /** Interrupt after the answered instruction and not before it: its alarm would ring there as well. */
  #finish(): ExitKind {
    const kind = this.#program.run(1n, 1, 0) as ExitKind;
    // It makes another access: the pending event comes after that.
    if (kind !== ExitKind.interrupted) this.#due = 0;
    return kind;
  }

  /** Runs one instruction, or delivers a pending event; returns the exit's kind, `interrupted` where there was none. */
  step(): ExitKind {
    this.#live();
    this.#answer();
    return this.#report(this.#program.run(1n, 1, 0) as ExitKind);
  }

  completeExit(): void {
    this.#live();
    if (!this.#asks()) return;
    this.#answer();
    // Where the instruction makes another access, it has not changed anything: the next run repeats it.
    this.#program.run(1n, 1, 0);
    this.exit.kind = ExitKind.interrupted;
  }

  getRegisters(): Registers {
    return readRegisters(this.#live(), this.#program.rflags());
  }

  setRegisters(registers: Registers): void {
    writeRegisters(this.#live(), registers);
    this.#program.setFlags(Number(registers.rflags & 0xffff_ffffn));
    this.#forgetExit();
  }

  getSystemRegisters(): SystemRegisters {
    return readSystemRegisters(this.#live());
  }

  setSystemRegisters(system: SystemRegisters): void {
    writeSystemRegisters(this.#live(), system);
    this.#program.setSystem();
    this.#forgetExit();
  }

  getState(): CpuState {
    return readState(this.#parts(), this.#foreign);
  }

  setState(state: CpuState): void {
    const parts = this.#parts();
    checkCpuState(state);
    refuseForeign(state);
    this.#stepped = false;
    this.#foreign = writeState(parts, state);
  }

  #parts() {
    return { view: this.#live(), program: this.#program, exit: this.exit, clock: this.clock };
  }

  sample(sampling: Sampling | undefined): void {
    this.#live();
    this.#samples.set(sampling);
  }

  /** It supports all modes. */
  canRun(): boolean {
    return true;
  }

  needsHelp(): boolean {
    return false;
  }

  setTimer(firstMs: number, intervalMs: number): void {
    this.#live();
    const first = firstMs === 0 && intervalMs === 0 ? Number.POSITIVE_INFINITY : firstMs;
    this.#due = performance.now() + first;
    this.#interval = intervalMs;
  }

  get readyForInterrupt(): boolean {
    // The answer to the current exit has not been used, so its instruction has not completed.
    this.#live();
    return this.#program.ready() !== 0 && !this.#asks();
  }

  get interruptsEnabled(): boolean {
    this.#live();
    return (this.#program.rflags() & 0x200) !== 0;
  }

  get taskPriority(): number {
    return this.#live().getUint32(L.CR8, true);
  }

  set taskPriority(value: number) {
    this.#live().setUint32(L.CR8, value & 15, true);
  }

  get ignoresFpuErrors(): boolean {
    return this.#live().getUint32(L.IGNNE, true) !== L.IGNNE_LOW;
  }

  set ignoresFpuErrors(ignores: boolean) {
    this.#live().setUint32(L.IGNNE, ignores ? L.IGNNE_FOR_NOW : L.IGNNE_LOW, true);
  }

  get timeStamp(): bigint {
    const view = this.#live();
    return BigInt.asUintN(64, view.getBigUint64(L.CLOCK, true) + view.getBigUint64(L.TSC_OFFSET, true));
  }

  requestInterruptWindow(wanted: boolean): void {
    this.#live();
    this.#program.wantWindow(wanted ? 1 : 0);
  }

  injectInterrupt(vector: number): void {
    if (!Number.isInteger(vector) || vector < 0 || vector > 255) {
      throw new SoftError('EINVAL', `there is no interrupt vector ${vector}`, 'vectors are 0 to 255');
    }
    if (!this.readyForInterrupt) {
      const hint = 'check readyForInterrupt, or call requestInterruptWindow and wait for that exit';
      throw new SoftError('ENOTREADY', `the CPU cannot take interrupt ${vector} now`, hint);
    }
    this.#program.inject(vector);
  }

  injectNmi(): void {
    this.#live().setUint32(L.NMI_PENDING, 1, true);
  }

  reportTprAccess(): never {
    throw new SoftError(
      'ELIMIT',
      'the software CPU has no local APIC, so no task priority register',
      'use the engine kvm',
    );
  }

  /** A HLT always leaves the engine: its interrupt controllers are devices. */
  readonly waiting = false;

  failure(): EngineFailure {
    const view = this.#live();
    if (this.exit.kind === ExitKind.shutdown) return { name: 'SHUTDOWN', message: 'triple fault' };
    const length = view.getUint32(L.EXIT_LENGTH, true);
    const nothing = 'the guest jumped or ran to an address that is not RAM';
    if (length === 0) return { name: 'NO_CODE', message: nothing };
    if (length < MAX_LENGTH) {
      const there = `${length} byte${length === 1 ? ' of its next instruction is' : 's of its next instruction are'} in RAM`;
      return { name: 'NO_CODE', message: `${nothing}: only ${there}` };
    }
    return {
      name: 'TOO_MANY_ACCESSES',
      message: `one instruction makes more than ${L.MAX_ANSWERS} accesses outside RAM`,
      instruction: Uint8Array.from({ length }, (_, n) => view.getUint8(L.EXIT_BYTES + n)),
    };
  }

  recentFaults(): FaultRecord[] {
    return readFaults(this.#live());
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.exit.data = new DataView(new ArrayBuffer(0));
  }

  #live(): DataView {
    if (this.#disposed)
      throw new SoftError('ECLOSED', 'the CPU was used after it was disposed', 'create a new one');
    return this.#view;
  }

  /** True while the current exit is an access that has not been completed. */
  #asks(): boolean {
    return isAccess(this.exit.kind);
  }

  /** Stores the answer to the current exit, whose data the caller may have filled in. */
  #answer(): void {
    if (this.#asks()) {
      this.#program.takeAnswer();
      if (this.exit.kind === ExitKind.msr)
        this.#view.setUint32(L.MSR_REFUSED, this.exit.refused ? 1 : 0, true);
      // A processor's own registers are not behind a bus.
      else this.clock.answered(this.exit.count);
    }
    this.exit.kind = ExitKind.interrupted;
  }

  /** Registers were set from outside: the instruction that made the access is abandoned. */
  #forgetExit(): void {
    this.exit.kind = ExitKind.interrupted;
    this.#view.setUint32(L.ANSWER_COUNT, 0, true);
  }

  #noteTouched(): void {
    this.touchedWatchpoint = this.#view.getUint32(L.MONITOR_TOUCHED, true) - 1;
    this.touchedBy =
      this.touchedWatchpoint < 0 ? undefined : this.#view.getBigUint64(L.MONITOR_ACCESSOR, true);
    this.#view.setUint32(L.MONITOR_TOUCHED, 0, true);
  }

  #isDue(): boolean {
    if (Atomics.load(this.#control, Control.request) !== 0) return true;
    if (this.#due === Number.POSITIVE_INFINITY) return false;
    const now = performance.now();
    if (now < this.#due) return false;
    this.#due = this.#interval === 0 ? Number.POSITIVE_INFINITY : now + this.#interval;
    return true;
  }

  #report(kind: ExitKind): ExitKind {
    const view = this.#view;
    const exit = this.exit;
    exit.kind = kind;
    exit.reason = kind;
    exit.ripLow = view.getUint32(L.RIP, true);
    exit.ripHigh = view.getUint32(L.RIP + 4, true);
    if (kind === ExitKind.debug) this.#noteTouched();
    if (this.#asks()) {
      exit.address =
        view.getUint32(L.EXIT_ADDRESS, true) + view.getUint32(L.EXIT_ADDRESS + 4, true) * 0x1_0000_0000;
      exit.size = view.getUint32(L.EXIT_SIZE, true);
      exit.count = view.getUint32(L.EXIT_COUNT, true);
      exit.offset = view.getUint32(L.EXIT_PLACE, true);
      exit.write = view.getUint32(L.EXIT_WRITE, true) !== 0;
      exit.refused = false;
    } else {
      exit.address = 0;
      exit.size = 0;
      exit.count = 0;
      exit.write = false;
    }
    return kind;
  }
}
