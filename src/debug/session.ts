import type { DebugRequest, EngineCpu, Watchpoint } from '../engine/contract/index.js';
import type { Explanation } from '../explain/index.js';
import type { Outcome } from '../machine/index.js';
import type { SymbolTable } from '../symbols/index.js';
import { codeSizeOf, type SystemRegisters } from '../x86/index.js';
import { accessorBefore } from './accessor.js';
import { CpuRequests } from './cpu-requests.js';
import type { Debuggee, RewindableDebuggee, SessionOptions } from './debuggee.js';
import { Descriptions } from './descriptions.js';
import { DebugError } from './errors.js';
import type { Footprint } from './history/backwards.js';
import type { ConditionWanted } from './history/condition.js';
import type { HistoryRange } from './history/history.js';
import { Past } from './history/past.js';
import type { SurveyPiece, SurveyWanted } from './history/survey.js';
import { Travel } from './history/travel.js';
import { pagesOf, readMemory, type Space, writeMemory } from './memory.js';
import { linearPc } from './mode.js';
import {
  type Origin,
  type OriginOptions,
  originText,
  Questions,
  type WantedPlace,
  type WriteRecord,
} from './origin/index.js';
import { type CpuView, changeRegister } from './registers.js';
import { SessionOutcome } from './session-outcome.js';
import { SessionPoints } from './session-points.js';
import type { Stop, StopPlace } from './stop.js';
import { watchpointsFor } from './watch-pieces.js';

/**
 * The most steps for one `stepWithin`, before waiting calls are served; this also ends a loop that never leaves its line.
 */
const LONGEST_RANGE = 10_000_000;

/**
 * A debugger's control of a machine, in the machine's own thread: it stops, steps and inspects it. All debuggers (gdb's
 * protocol, a terminal, an editor) are built only on this.
 *
 * Addresses of code and data are linear. Breakpoints are in the monitor, not in guest memory.
 */
export class DebugSession {
  /** Undefined after a restart that failed. */
  #made: Debuggee | undefined;
  readonly #points = new SessionPoints(() => this.#refusal());
  /** The instruction that accessed a watchpoint, where the guest stopped for that. */
  #accessed: bigint | undefined;
  #ended: Outcome | undefined;
  readonly #outcome = new SessionOutcome();

  /** The number of the inspected CPU: the one that stopped last, or one that was selected. */
  #current = 0;
  readonly #requests = new CpuRequests(() => this.#machine.cpus);
  readonly #options: SessionOptions;
  #symbols: SymbolTable | undefined;
  #past: Past;
  readonly #travel = new Travel({
    past: () => this.#past,
    ask: (request) => this.#requests.ask(request, this.#running),
    cpu: () => this.#machine.cpus[this.#running]!,
    pagesOf: (address, length) =>
      pagesOf(this.#machine.memory, this.#cpu.getSystemRegisters(), address, length),
    here: () => this.#here(),
    cpus: () => this.#machine.cpus,
    view: () => this.view(),
    read: (address, length) => this.read(address, length),
    symbols: () => this.#names(),
    arrived: (end) => {
      this.#current = this.#running;
      this.#requests.moved();
      this.#ended = end;
    },
  });

  readonly #questions = new Questions({
    past: () => this.#past,
    machine: () => this.#machine,
    ask: (request) => this.#requests.ask(request, this.#current),
    cpu: () => this.#cpu,
    here: () => this.#here(),
    locate: (address) => this.#names()?.locate(address),
    syntax: () => this.#options.syntax,
  });

  readonly #descriptions = new Descriptions({
    machine: () => this.#machine,
    cpu: () => this.#cpu,
    view: () => this.view(),
    ended: () => this.#ended,
    faults: () => this.#outcome.last?.faults,
    accessed: () => this.#accessed,
    names: () => this.#names(),
    origin: () => {
      const origin = this.#questions.cause();
      return origin && originText(origin, this.#past.history.range.now);
    },
    exits: () => this.#options.exits?.(),
    syntax: () => this.#options.syntax,
    dryRun: () => this.#options.dryRun?.(this.#cpu, this.#machine.memory),
  });

  /** @param machine one with a clock of instructions, `save` and `load` can go back */
  constructor(machine: Debuggee | RewindableDebuggee, options: SessionOptions = {}) {
    this.#made = machine;
    this.#options = options;
    this.#past = new Past(machine, options.history);
  }

  get #machine(): Debuggee {
    if (this.#made === undefined)
      throw new DebugError('there is no machine any more: it could not be made again', 'run it again');
    return this.#made;
  }

  /**
   * Restarts the machine, in its state before its first instruction. Breakpoints and watchpoints stay.
   * @throws DebugError where this machine cannot be restarted, and the error that prevented it
   */
  restart(): StopPlace {
    const { restart } = this.#options;
    if (restart === undefined) throw new DebugError('this machine cannot be restarted');
    this.#made = undefined;
    this.#ended = undefined;
    this.#outcome.clear();
    this.#current = 0;
    const made = restart();
    this.#made = made;
    this.#past = new Past(made, this.#options.history);
    return this.#here();
  }

  get #cpu(): EngineCpu {
    return this.#machine.cpus[this.#current]!;
  }

  /** The number of the CPU that ran last. */
  get #running(): number {
    return this.#machine.current ?? 0;
  }

  /** How many CPUs there are, and the number of the inspected one. */
  cpus(): { count: number; current: number } {
    return { count: this.#machine.cpus.length, current: this.#current };
  }

  /** Inspects another CPU until the guest runs again. @throws DebugError for an unknown number */
  select(cpu: number): void {
    const { length } = this.#machine.cpus;
    if (!(Number.isInteger(cpu) && cpu >= 0 && cpu < length))
      throw new DebugError(`there is no CPU ${cpu}: this machine has ${length}, from 0 on`);
    this.#current = cpu;
  }

  view(): CpuView {
    const cpu = this.#cpu;
    return {
      registers: cpu.getRegisters(),
      system: cpu.getSystemRegisters(),
      fpu: cpu.getState().fpu,
    };
  }

  /** Sets a register by its name; see `registerNamesOf`. A guest that had ended may continue afterwards. */
  setRegister(name: string, value: bigint): void {
    changeRegister(this.#cpu, name, value);
    this.#ended = undefined;
    this.#past.changed();
  }

  /** @throws DebugError where not even the first byte is mapped; else returns as many as are mapped. */
  read(address: bigint, length: number, space: Space = 'linear'): Uint8Array {
    return readMemory(this.#machine.memory, this.#systemFor(space), address, length);
  }

  /** Writes all or nothing. @throws DebugError where a byte is not mapped. */
  write(address: bigint, bytes: Uint8Array, space: Space = 'linear'): void {
    writeMemory(this.#machine.memory, this.#systemFor(space), address, bytes);
    this.#past.changed();
  }

  /** Breakpoints count: one that was set twice is removed with the second call. */
  addBreakpoint(address: bigint): void {
    this.#points.addBreakpoint(address);
  }

  removeBreakpoint(address: bigint): void {
    this.#points.removeBreakpoint(address);
  }

  /** Watches `length` bytes from `address`, in pieces that a processor can watch. */
  watch(address: bigint, length: number, on: Watchpoint['on']): void {
    this.#points.watch(address, length, on);
  }

  unwatch(address: bigint, length: number, on: Watchpoint['on']): void {
    this.#points.unwatch(address, length, on);
  }

  /** Removes all breakpoints and watchpoints. */
  clear(): void {
    this.#points.clear();
  }

  /** Runs one instruction. A HLT ends with the next interrupt. */
  step(): Stop {
    const { breakpoints, watchpoints } = this.#points;
    return this.#run({ step: true, breakpoints, watchpoints });
  }

  /** Steps while the next instruction is from `from` (included) to `to` (not included), a linear range. */
  stepWithin(from: bigint, to: bigint): Stop {
    for (let left = LONGEST_RANGE; ; left--) {
      const stop = this.step();
      if (stop.why !== 'step' || stop.pc < from || stop.pc >= to || left <= 0) return stop;
      if (this.#points.hasBreakpoint(stop.pc)) return { ...stop, why: 'breakpoint' };
    }
  }

  /**
   * Continues. A breakpoint at the current instruction does not count the first time.
   * @param stopHere it counts: for a debugger that steps over its breakpoints itself
   */
  resume(stopHere = false): Stop {
    const here = this.#here();
    if (this.#ended === undefined && this.#points.hasBreakpoint(here.pc)) {
      if (stopHere) return { why: 'breakpoint', ...here };
      const stop = this.step();
      if (stop.why !== 'step') return stop;
      if (this.#points.hasBreakpoint(stop.pc)) return { ...stop, why: 'breakpoint' };
    }
    return this.#run({
      step: false,
      breakpoints: this.#points.breakpoints,
      watchpoints: this.#points.watchpoints,
    });
  }

  /** How far the history goes; undefined where there is none, and `noHistory` says why. */
  history(): HistoryRange | undefined {
    return this.#past.range;
  }

  /** The approximate size of the history in bytes; 0 where there is none. */
  historyBytes(): number {
    return this.#past.bytes;
  }

  /** Why the guest cannot go back; undefined where it can. */
  noHistory(): string | undefined {
    return this.#past.problem?.message;
  }

  /**
   * Goes to the moment after this many instructions, forward or back.
   * @throws DebugError where there is no history, or it does not have that moment
   */
  goTo(instructions: number): Stop {
    return this.#travel.goTo(instructions);
  }

  /** Goes to the moment after an exit, by its number from 1. @throws DebugError as `goTo` */
  goToExit(exit: number): Stop {
    return this.#travel.goToExit(exit);
  }

  /** Takes one instruction back. @throws DebugError where there is no history */
  stepBack(): Stop {
    return this.#travel.stepBack();
  }

  /**
   * Runs backwards to the last breakpoint before, or to the instruction that accessed a watchpoint last; to the beginning of the
   * history where there is none.
   * @throws DebugError where there is no history, or the CPU does not support the points
   */
  resumeBack(): Stop {
    const refused = this.#refusal();
    if (refused !== undefined) throw new DebugError(refused);
    return this.#travel.findBack(this.#points.breakpoints, this.#points.watchpoints);
  }

  /**
   * Goes back to the instruction that wrote one of these bytes last; to the beginning of the history where none did.
   * @throws DebugError where there is no history
   */
  lastWrite(address: bigint, length: number): Stop {
    return this.#travel.findBack([], watchpointsFor(address, length, 'write'));
  }

  /** Runs to right after the next write to one of these bytes: through the known past, then live. */
  nextWrite(address: bigint, length: number): Stop {
    return this.#run({ step: false, breakpoints: [], watchpoints: watchpointsFor(address, length, 'write') });
  }

  /**
   * Goes back to the instruction that gave a register its value; to the beginning of the history where none did.
   * @throws DebugError where there is no history, or the register was not written in the last 300,000 instructions
   */
  lastChange(register: string): Stop {
    this.#requireOneCpu();
    const at = this.#questions.changed(register);
    return at === undefined ? { ...this.goTo(this.#past.history.range.first), why: 'begin' } : this.goTo(at);
  }

  /**
   * What happened in pieces of the past, for a timeline: see `SurveyWanted`. The guest stays at this moment.
   * @throws DebugError as `goTo`
   */
  survey(wanted: SurveyWanted): SurveyPiece[] {
    return this.#travel.survey(wanted);
  }

  /**
   * The first or the last moment of a piece of the past at which a condition holds, or why there is none. The guest stays at this moment.
   * @param condition as of breakpoints, without C's variables
   * @throws DebugError as `goTo`, and for an invalid condition
   */
  findMoment(condition: string, wanted: ConditionWanted): number | 'none' | 'interrupt' {
    this.#requireOneCpu();
    return this.#travel.findMoment(condition, wanted);
  }

  /** The last `count` instructions before this moment, oldest first; fewer at the beginning of the history. */
  trail(count: number): Footprint[] {
    this.#requireOneCpu();
    return this.#travel.trail(count);
  }

  /**
   * Where the value of a register or of memory comes from: back through the instructions that copied it to the one that made it, and on to
   * that one's inputs. The guest stays at this moment.
   * @throws DebugError where there is no history, for an unknown register, or where the search was interrupted
   */
  origin(place: WantedPlace, options: OriginOptions = {}): Origin {
    this.#requireOneCpu();
    return this.#questions.origin(place, options);
  }

  /** The writes to a range of memory, oldest first; the last `most` of them. The guest stays at this moment. @throws as `origin` */
  writes(address: bigint, length: number, most?: number): WriteRecord[] {
    this.#requireOneCpu();
    return this.#questions.writes(address, length, most);
  }

  /** What follows each instruction follows those of one CPU. */
  #requireOneCpu(): void {
    const { length } = this.#machine.cpus;
    if (length > 1)
      throw new DebugError(
        `this search follows the instructions of one CPU, and the machine has ${length}`,
        'last write and next write find who wrote to memory, on any CPU',
      );
  }

  /** Removes all points and continues: the CPU is as fast as without a debugger. */
  release(): Stop {
    this.clear();
    return this.#run(undefined);
  }

  /** The session's outcome, if it ends now. */
  outcome(): Outcome {
    return this.#outcome.now(this.#machine.engine.name, this.#cpu);
  }

  /**
   * As text: `why` (how the guest ended and why; or that it has not ended), `cause` (where the fatal value comes from), `devices`, `exits`,
   * `accessor`, or what can be dumped (`regs`, `gdt`, `walk:0x1000`, …: see `parseDump`).
   * @throws ConfigError for anything else
   */
  describe(what: string): string {
    return this.#descriptions.describe(what);
  }

  /**
   * Why the guest ended, as a structure; for one that has not ended: where it is stopped, and what its next instruction raises.
   */
  why(): Explanation {
    return this.#descriptions.why();
  }

  /** Where the guest is stopped. */
  here(): StopPlace {
    return this.#here();
  }

  #names(): SymbolTable | undefined {
    this.#symbols ??= this.#options.symbols?.();
    this.#symbols?.refresh();
    return this.#symbols;
  }

  #systemFor(space: Space): SystemRegisters | undefined {
    return space === 'linear' ? this.#cpu.getSystemRegisters() : undefined;
  }

  #here(): StopPlace {
    const cpu = this.#cpu;
    const system = cpu.getSystemRegisters();
    return { cpu: cpu.index, pc: linearPc(cpu.getRegisters().rip, system), bits: codeSizeOf(system) };
  }

  /** Undefined where the CPU supports all current requests. */
  #refusal(): string | undefined {
    const { breakpoints, watchpoints } = this.#points;
    return this.#requests.ask({ step: false, breakpoints, watchpoints }, this.#current);
  }

  #run(request: DebugRequest | undefined): Stop {
    const ended = this.#ended;
    if (ended !== undefined) return { why: 'end', outcome: ended, again: true, ...this.#here() };
    this.#accessed = undefined;
    const stepped = this.#current;
    const outcome = this.#requests.run(request, stepped, () => {
      const part = this.#past.run(this.#options.run);
      this.#outcome.add(part);
      return part;
    });
    const { cpu, registers, system } = outcome;
    this.#current = cpu;
    const here = { cpu, pc: linearPc(registers.rip, system), bits: codeSizeOf(system) };
    if (outcome.kind === 'stopped') return { why: 'interrupt', outcome, ...here };
    if (outcome.kind !== 'debug') {
      this.#ended = outcome;
      this.#past.ended(outcome);
      return { why: 'end', outcome, ...here };
    }
    const touched = request?.watchpoints[this.#cpu.touchedWatchpoint];
    if (touched !== undefined) return { why: 'watchpoint', touched, ...this.#accessor(here), ...here };
    if (request?.step && cpu === stepped) return { why: 'step', ...here };
    this.#requests.stands(cpu, here.pc);
    return { why: 'breakpoint', ...here };
  }

  /** The instruction that accessed a watchpoint now. */
  #accessor({ pc, bits }: StopPlace): Pick<Stop, 'by'> {
    const symbols = this.#names();
    const by =
      this.#cpu.touchedBy ??
      (symbols && accessorBefore({ ...this.view(), memory: this.#machine.memory }, symbols, pc, bits));
    this.#accessed = by;
    return by === undefined ? {} : { by };
  }
}
