import { MAX_LENGTH } from '../../../isa/index.js';
import { type CpuState, checkCpuState, type Registers, type SystemRegisters } from '../../../x86/index.js';
import {
  type CpuEvents,
  type DebugRequest,
  type EngineCpu,
  type EngineFailure,
  type Exit,
  ExitKind,
  emptyExit,
  type FaultRecord,
  isAccess,
  type LateStore,
  NO_ASSISTANCE,
  type Sampling,
  type TranslatedCode,
  type Translation,
} from '../../contract/index.js';
import * as L from '../layout.js';
import type { SoftClock } from './clock.js';
import { SoftError } from './errors.js';
import { readFaults } from './faults.js';
import type { Program } from './program.js';
import { readRegisters, readSystemRegisters, writeRegisters, writeSystemRegisters } from './registers.js';
import { isSame, NO_REQUEST, type Shared } from './shared.js';
import { nothingForeign, readState, refuseForeign, writeState } from './state.js';

const watchpointKinds = { access: L.WATCHPOINT_BOTH, write: L.WATCHPOINT_WRITES, read: L.WATCHPOINT_READS };

/** The guest physical address of a byte of RAM, by its place in the program's memory. */
function physicalOf(view: DataView, place: number): number {
  for (let n = view.getUint32(L.REGION_COUNT, true) - 1; n >= 0; n--) {
    const region = L.REGIONS + n * L.REGION_SIZE;
    const from = view.getUint32(region + 16, true);
    const size = Number(view.getBigUint64(region + 8, true));
    if (place >= from && place < from + size) return Number(view.getBigUint64(region, true)) + place - from;
  }
  throw new SoftError('EINVAL', `place ${place} is not in RAM`, 'this is a defect of Terrarium');
}

/** One CPU of the software engine. */
export class SoftCpu implements EngineCpu {
  readonly index: number;
  readonly exit: Exit;
  readonly assistance = NO_ASSISTANCE;
  readonly clock: SoftClock;
  readonly #shared: Shared;
  readonly #program: Program;
  readonly #view: DataView;
  /** State that only another engine's CPU uses. */
  #foreign = nothingForeign;
  #disposed = false;
  /** A debugger single-steps. */
  #steps = false;
  /** An instruction was run for the debugger, and another exit is reported before its `debug` exit. */
  #stepped = false;
  touchedWatchpoint = -1;
  touchedBy: bigint | undefined;

  #request = NO_REQUEST;

  /** @internal */
  constructor(index: number, shared: Shared) {
    this.index = index;
    this.#shared = shared;
    this.#program = shared.program;
    this.#view = shared.view;
    this.clock = shared.clock;
    this.exit = emptyExit(shared.view, L.EXIT_DATA, index);
  }

  /** Number of instructions so far; each iteration of a repeated string instruction counts as one. */
  get instructions(): bigint {
    return this.#live().getBigInt64(L.CLOCK, true) - BigInt(this.clock.skipped);
  }

  /** What the translator did so far; undefined where nothing is translated. */
  get translation(): Translation | undefined {
    const { translator } = this.#shared;
    if (translator === undefined) return undefined;
    const { stats, ran, left, places } = translator;
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
    return this.#shared.translator?.listing;
  }

  run(untouched = false): ExitKind {
    this.#live();
    const shared = this.#shared;
    if (this.#request !== shared.request) this.#watch(this.#request);
    if (this.#steps) return this.#runOne();
    const answering = this.#asks();
    this.#answer();
    if (shared.isDue()) return this.#report(answering ? this.#finish() : ExitKind.interrupted);
    for (let looked = 0, goesOn = untouched; ; goesOn = true) {
      const kind = this.#program.run(shared.slice, 0, goesOn ? 1 : 0) as ExitKind;
      shared.samples.look(this.index);
      shared.translator?.look(kind === ExitKind.interrupted);
      if (kind !== ExitKind.interrupted || this.clock.rings()) return this.#report(kind);
      if (this.clock.turnIsOver) return this.#report(ExitKind.turn);
      looked = shared.fitSlice(looked);
      if (shared.isDue()) return this.#report(ExitKind.interrupted);
    }
  }

  /**
   * Delivers a pending interrupt or trap, which is a separate step: a debugger sees the handler before its first
   * instruction. Returns the exit's kind; undefined where nothing is pending.
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
      if (this.clock.rings() || this.#shared.isDue()) return kind;
    }
    this.#stepped = false;
    return this.#report(ExitKind.debug);
  }

  debug(request: DebugRequest | undefined): string | undefined {
    this.#request = this.#known(request);
    const refused = this.#watch(this.#request);
    this.#steps = refused === undefined && request?.step === true;
    this.#stepped = false;
    return refused;
  }

  /** The request in the tables, if it is the same. */
  #known(request = NO_REQUEST): DebugRequest {
    return isSame(request, this.#shared.request) ? this.#shared.request : request;
  }

  /** Writes the tables of the debugger, which the CPUs share. */
  #watch(request: DebugRequest): string | undefined {
    const { step, breakpoints, watchpoints } = request;
    const view = this.#live();
    this.#shared.request = request;
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

  /** Interrupt after the answered instruction and not before it: its alarm would ring there as well. */
  #finish(): ExitKind {
    const kind = this.#program.run(1n, 1, 0) as ExitKind;
    // It makes another access: the pending event comes after that.
    if (kind !== ExitKind.interrupted) this.#shared.ring();
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

  takeLateStore(): LateStore | undefined {
    const view = this.#live();
    const length = view.getUint32(L.LATE_SIZE, true);
    if (length === 0) return undefined;
    view.setUint32(L.LATE_SIZE, 0, true);
    const address = physicalOf(view, view.getUint32(L.LATE_PLACE, true));
    const bytes = new Uint8Array(view.buffer, view.byteOffset + L.LATE_VALUE, length).slice();
    return { address, bytes };
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
    this.#shared.samples.set(sampling);
  }

  /** It supports all modes. */
  canRun(): boolean {
    return true;
  }

  needsHelp(): boolean {
    return false;
  }

  setTimer(firstMs: number, intervalMs: number): void {
    this.#open();
    this.#shared.setTimer(firstMs, intervalMs);
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

  // These are called while another CPU's access is answered, to which the fixed addresses belong.
  get taskPriority(): number {
    return this.#open().getUint32(this.#place(L.CR8), true);
  }

  set taskPriority(value: number) {
    this.#open().setUint32(this.#place(L.CR8), value & 15, true);
  }

  get ignoresFpuErrors(): boolean {
    return this.#open().getUint32(this.#place(L.IGNNE), true) !== L.IGNNE_LOW;
  }

  set ignoresFpuErrors(ignores: boolean) {
    this.#open().setUint32(this.#place(L.IGNNE), ignores ? L.IGNNE_FOR_NOW : L.IGNNE_LOW, true);
  }

  get timeStamp(): bigint {
    const view = this.#open();
    const offset = view.getBigUint64(this.#place(L.TSC_OFFSET), true);
    return BigInt.asUintN(64, view.getBigUint64(L.CLOCK, true) + offset);
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
    this.#open().setUint32(this.#place(L.NMI_PENDING), 1, true);
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

  get events(): CpuEvents {
    const view = this.#live();
    return {
      interrupts: view.getUint32(L.INTERRUPT_COUNT, true),
      exceptions: view.getUint32(L.FAULT_COUNT, true),
      modeChanges: view.getUint32(L.MODE_COUNT, true),
    };
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    this.exit.data = new DataView(new ArrayBuffer(0));
  }

  /** For uses of this CPU's state: the fixed addresses belong to it from here on. */
  #live(): DataView {
    const view = this.#open();
    if (this.#shared.now !== this.index) this.#shared.select(this.index);
    return view;
  }

  #open(): DataView {
    if (this.#disposed)
      throw new SoftError('ECLOSED', 'the CPU was used after it was disposed', 'create a new one');
    return this.#view;
  }

  #place(at: number): number {
    return this.#shared.placeOf(this.index, at);
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
