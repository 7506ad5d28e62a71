/**
 * An interactive debugger without a user interface: the operations of a terminal and an editor, in their terms: lines,
 * functions, breakpoints with names, expressions.
 *
 * @module
 */
import type { SourceFile, SymbolTable } from '../symbols/index.js';
import { BackStepper } from './back-stepper.js';
import {
  type Breakpoint,
  type BreakpointOptions,
  type Location,
  locateLine,
  placesOfLine,
  type Watchpoint,
} from './breakpoints.js';
import { Functions, type Shown, type SourceFrame } from './c/index.js';
import { DebugError } from './errors.js';
import { assign, evaluate, requirePure } from './evaluate.js';
import { type Frame, readFrames } from './frames.js';
import type { HistoryRange } from './history/history.js';
import { type ListingLine, listing } from './listing.js';
import { type Origin, originText, type WantedPlace, type WriteRecord, writesText } from './origin/index.js';
import { type DebuggerEvents, Points } from './points.js';
import { readFrom } from './reading.js';
import { type Progress, Seeker } from './seeker.js';
import type { DebugStop, State } from './state.js';
import { Stepper } from './stepper.js';
import type { Stop } from './stop.js';
import { StoppedGuest } from './stopped-guest.js';
import type { DebugTarget } from './target.js';
import type { Place, Value } from './value.js';

/** A debugger with lines, names and expressions. One call at a time; only `interrupt` and `meanwhile` may be called while the guest runs. */
export class Debugger {
  readonly target: DebugTarget;
  readonly symbols: SymbolTable;
  /** How `disassemble` writes instructions by default. */
  syntax: 'intel' | 'att' = 'intel';
  readonly breakpoints: ReadonlyMap<number, Breakpoint>;
  readonly watchpoints: ReadonlyMap<number, Watchpoint>;
  readonly #points: Points;
  readonly #stepper: Stepper;
  readonly #back: BackStepper;
  readonly #seeker: Seeker;
  readonly #functions: Functions;
  readonly #stopped: StoppedGuest;
  /** The current run has been requested to end. */
  #interrupted = false;
  #running = false;
  /** Work to do as soon as the guest has stopped, before it continues. */
  #errands: (() => Promise<void>)[] = [];

  constructor(target: DebugTarget, symbols: SymbolTable, events: DebuggerEvents = {}) {
    this.target = target;
    this.symbols = symbols;
    this.#stopped = new StoppedGuest(target, symbols);
    this.#points = new Points({
      target,
      symbols,
      events,
      evaluate: (text, options) => this.evaluate(text, options),
    });
    this.breakpoints = this.#points.breakpoints;
    this.watchpoints = this.#points.watchpoints;
    const parts = {
      target,
      symbols,
      state: () => this.state(),
      frames: (limit: number) => this.frames(limit),
      run: (action: () => Promise<Stop>) => this.#arrive(action),
      wanted: () => this.#interrupted,
    };
    this.#functions = new Functions(parts);
    this.#stepper = new Stepper(parts);
    this.#back = new BackStepper(parts);
    this.#seeker = new Seeker({
      ...parts,
      evaluate: (text, options) => this.evaluate(text, options),
    });
  }

  /** How far the guest can go back and forward in its past; undefined where it cannot. */
  history(): Promise<HistoryRange | undefined> {
    return this.target.history();
  }

  /** One instruction back. @throws DebugError, as all calls that go back, where there is no history */
  stepBack(): Promise<DebugStop> {
    return this.#travel(() => this.#back.step());
  }

  /** One instruction back, over its calls and repetitions. */
  nextBack(): Promise<DebugStop> {
    return this.#travel(() => this.#back.next());
  }

  /** To the beginning of this line or of the previous one, also in functions that were called. */
  stepLineBack(): Promise<DebugStop> {
    return this.#travel(() => this.#back.line(true));
  }

  /** The same within this function; an instruction, as by `nextBack`, where no line is known. */
  nextLineBack(): Promise<DebugStop> {
    return this.#travel(() => this.#back.line(false));
  }

  /** To the call of the current function. */
  finishBack(): Promise<DebugStop> {
    return this.#travel(() => this.#back.finish());
  }

  /** Back to the last breakpoint, or to the instruction that accessed a watchpoint last. */
  resumeBack(): Promise<DebugStop> {
    return this.#travel(() => this.#back.resume());
  }

  /**
   * Back to the instruction that wrote memory last, or to the beginning of the history where none did.
   * @param what as for `addWatchpoint`
   */
  lastWrite(what: string | bigint, length?: number): Promise<DebugStop> {
    return this.#travel(() => this.#seeker.write('lastWrite', what, length));
  }

  /** To right after the next write to memory, also one that the guest has not reached yet. @param what as for `addWatchpoint` */
  nextWrite(what: string | bigint, length?: number): Promise<DebugStop> {
    return this.#begin(() => this.#seeker.write('nextWrite', what, length));
  }

  /** Back to the instruction that gave a register its value. */
  lastChange(register: string): Promise<DebugStop> {
    return this.#travel(() => this.#seeker.change(register));
  }

  /**
   * To the first moment of the history at which a condition holds: before the instruction.
   * @param condition as of a breakpoint, without expressions of C @throws DebugError where there is no such moment
   */
  firstTime(condition: string, report?: Progress): Promise<DebugStop> {
    return this.#travel(() => this.#seeker.condition('first', condition, report));
  }

  /** Back to the last moment before this one at which a condition holds; as `firstTime`. */
  lastTime(condition: string, report?: Progress): Promise<DebugStop> {
    return this.#travel(() => this.#seeker.condition('last', condition, report));
  }

  /**
   * Where a value comes from, as a tree and as text: back through the instructions that copied it to the one that made it, and on to that
   * one's inputs. The guest stays at this moment. @param what a register or memory: `rax`, `qword [rsp]`, `counter`, or an address @throws
   * DebugError where there is no history, or `what` is neither
   */
  async origin(what: string | bigint): Promise<{ origin: Origin; text: string }> {
    const range = await this.target.history();
    const place = typeof what === 'bigint' ? undefined : (await this.evaluate(what, { pure: true })).place;
    const wanted: WantedPlace =
      place?.kind === 'register' ? place : { kind: 'memory', ...(await this.#seeker.placeOf(what)) };
    const origin = await this.target.origin(wanted);
    return { origin, text: originText(origin, range?.now ?? 0) };
  }

  /** The writes to memory up to this moment, oldest first, as records and as text. @param what as for `addWatchpoint` */
  async writes(what: string | bigint, length?: number): Promise<{ records: WriteRecord[]; text: string }> {
    const { address, size } = await this.#seeker.placeOf(what);
    const records = await this.target.writes(address, length ?? size);
    return { records, text: writesText(records, (at) => this.symbols.locate(at)) };
  }

  /** To the moment after this many instructions. */
  goTo(instructions: number): Promise<DebugStop> {
    return this.#travel(() => this.#arrive(() => this.target.goTo(instructions)));
  }

  /** To right after an exit, by its number from 1. */
  goToExit(exit: number): Promise<DebugStop> {
    return this.#travel(() => this.#arrive(() => this.target.goToExit(exit)));
  }

  /** Registers and position; cached until the guest runs or is changed through this debugger. */
  state(): Promise<State> {
    return this.#stopped.state();
  }

  /** Drops cached state of the guest: for callers that change it through the target itself. */
  changed(): void {
    this.#stopped.changed();
  }

  /** How many CPUs there are, and the number of the one that is looked at. */
  cpus(): Promise<{ count: number; current: number }> {
    return this.target.cpus();
  }

  /** Looks at another CPU: its registers, its stack, its steps, until another one stops. */
  async select(cpu: number): Promise<void> {
    await this.target.select(cpu);
    this.changed();
  }

  /** One instruction; a HLT ends with the next interrupt. */
  step(): Promise<DebugStop> {
    return this.#begin(() => this.#stepper.step());
  }

  /** One instruction, over its calls and repetitions, and over an interrupt that comes. */
  next(): Promise<DebugStop> {
    return this.#begin(() => this.#stepper.next());
  }

  /** To the next line, into functions that have lines; an instruction where no line is known. */
  stepLine(): Promise<DebugStop> {
    return this.#begin(() => this.#stepper.line(true));
  }

  /** To the next line of this function; an instruction, as by `next`, where no line is known. */
  nextLine(): Promise<DebugStop> {
    return this.#begin(() => this.#stepper.line(false));
  }

  /** Until the current function has returned. */
  finish(): Promise<DebugStop> {
    return this.#begin(() => this.#stepper.finish());
  }

  /** Runs until the guest is before the instruction at a linear address, or stops for another reason. */
  runTo(address: bigint): Promise<DebugStop> {
    return this.#begin(() => this.#stepper.runTo(address));
  }

  /** Runs until the guest stops. A breakpoint at the current instruction does not stop it again. */
  resume(): Promise<DebugStop> {
    return this.#begin(() => this.#stepper.resume());
  }

  /** As `resume`, for a guest that has not run yet: a breakpoint at its first instruction stops it there. */
  start(): Promise<DebugStop> {
    return this.#begin(async () => {
      const { cpu, pc, bits } = await this.state();
      if (this.breakpointsAt(pc).length > 0) {
        const stop = await this.#arrive(async () => ({ why: 'breakpoint', cpu, pc, bits }));
        if (!stop.passed) return stop;
      }
      return this.#stepper.resume();
    });
  }

  /**
   * Calls a function while the guest is stopped: at once where it is, else the guest is stopped for that time and then
   * continues. For breakpoints that are set while the guest runs.
   */
  async meanwhile<T>(action: () => Promise<T>): Promise<T> {
    if (!this.#running) return action();
    return new Promise<T>((resolve, reject) => {
      this.#errands.push(() => action().then(resolve, reject));
      this.target.interrupt().catch(reject);
    });
  }

  /** Restarts the guest; breakpoints and watchpoints stay, and their hits begin at 0. */
  async restart(): Promise<State> {
    await this.target.restart();
    await this.#points.restarted();
    this.changed();
    return this.state();
  }

  /** Makes the call that runs the guest return with `interrupt`. */
  async interrupt(): Promise<void> {
    this.#interrupted = true;
    await this.target.interrupt();
  }

  /**
   * @param where an address, or `main`, `kernel.S:12`, `:12` in the current file, `0x7c00`, `cs:0x10`, `work+4`
   * @throws DebugError where there is no such code, or the engine cannot have one more
   */
  async addBreakpoint(where: string | bigint, options: BreakpointOptions = {}): Promise<Breakpoint> {
    return this.#points.addBreakpoint(String(where), await this.locate(where), options);
  }

  /** In a line of a source file, or the next one that has code. @throws DebugError as `addBreakpoint` */
  addLineBreakpoint(file: SourceFile, line: number, options: BreakpointOptions = {}): Promise<Breakpoint> {
    return this.#points.addBreakpoint(
      `${file.name}:${line}`,
      placesOfLine(this.symbols, file, line),
      options,
    );
  }

  /** Does nothing where there is none. */
  removeBreakpoint(id: number): Promise<void> {
    return this.#points.removeBreakpoint(id);
  }

  enableBreakpoint(id: number, enabled: boolean): Promise<void> {
    return this.#points.enableBreakpoint(id, enabled);
  }

  /** Enabled breakpoints at a linear address. */
  breakpointsAt(address: bigint): Breakpoint[] {
    return this.#points.breakpointsAt(address);
  }

  /**
   * @param what an address, or an expression: of memory (`counter:u16`, `word [0x500]`) the place and its length, else the address
   * @param length in bytes; without it as many as the expression has
   * @throws DebugError where that is no place, or the engine cannot watch one more
   */
  async addWatchpoint(
    what: string | bigint,
    length?: number,
    on: Watchpoint['on'] = 'write',
    options: BreakpointOptions = {},
  ): Promise<Watchpoint> {
    const { address, size } = await this.#seeker.placeOf(what);
    const watched = { expression: String(what), address, length: length ?? size, on };
    return this.#points.addWatchpoint(watched, options);
  }

  /** Does nothing where there is none. */
  removeWatchpoint(id: number): Promise<void> {
    return this.#points.removeWatchpoint(id);
  }

  enableWatchpoint(id: number, enabled: boolean): Promise<void> {
    return this.#points.enableWatchpoint(id, enabled);
  }

  /** The address of a location in the code. @throws DebugError where there is none */
  async locate(where: string | bigint): Promise<Location> {
    if (typeof where === 'bigint') return { addresses: [where] };
    const state = await this.state();
    const line = locateLine(this.symbols, where, state.source);
    if (line !== undefined) return line;
    const { value } = await this.evaluate(where);
    return { addresses: [BigInt.asUintN(state.bits === 64 ? 64 : 32, value)] };
  }

  /** The call stack, innermost function first; see `Frame`. */
  async frames(limit = 64): Promise<Frame[]> {
    const { view, pc } = await this.state();
    const stack = { symbols: this.symbols, view, mode: await this.#stopped.mode() };
    return readFrom(this.target, readFrames(stack, pc, limit));
  }

  /** The call stack; a function that was inlined is a frame of its own. */
  backtrace(limit = 64): Promise<SourceFrame[]> {
    return this.#functions.backtrace(limit);
  }

  /** The parameters and variables of a function of C. @param frame as `backtrace` counts them */
  locals(frame = 0): Promise<Shown[]> {
    return this.#functions.locals(frame);
  }

  /** A type of C, or that of an expression, with its members, as `ptype` of gdb writes it. @throws DebugError for neither */
  typeOf(text: string, frame = 0): Promise<string> {
    return this.#functions.describe(text, frame);
  }

  /**
   * An expression's value: registers (`rax`, `$rax`, `al`, `zf`), symbols (`counter`, `&counter`), memory (`word [es:di]`,
   * `counter:u16`, `*rsp`), arithmetic; `rax = 5` sets, unless the expression must be `pure`. Where it names a variable or a type
   * of C, it is an expression of C: `p->next->name`, `a[3]`, `*(struct node *) 0x1000`.
   * @param options `frame`: the function in which names are looked up, as `backtrace` counts them
   * @throws DebugError with a message for the user
   */
  async evaluate(text: string, { pure = false, frame = 0 } = {}): Promise<Value> {
    if (pure) requirePure(text);
    const set = async (place: Place, given: bigint) => {
      await assign(await this.#stopped.scope(), place, given);
      this.changed();
    };
    const ofC = await this.#functions.evaluate(text, frame, set);
    const value = ofC ?? (await evaluate(text, await this.#stopped.scope()));
    if (value.assigned) this.changed();
    return value;
  }

  /** Sets the location that an expression names. @throws DebugError where it cannot be set, or the value does not fit */
  async set(place: string, value: string): Promise<Value> {
    const { place: found, c } = await this.evaluate(place, { pure: true });
    if (c !== undefined) return this.evaluate(`${place} = (${value})`);
    if (found === undefined) throw new DebugError(`${place} cannot be set`);
    await assign(await this.#stopped.scope(), found, (await this.evaluate(value)).value);
    this.changed();
    return this.evaluate(place);
  }

  /** `before` instructions before a linear address, the one there, and `after` after it. */
  async disassemble(
    address: bigint,
    options: { before?: number; after?: number; syntax?: 'intel' | 'att' } = {},
  ): Promise<ListingLine[]> {
    const { before = 0, after = 0, syntax = this.syntax } = options;
    const name = (at: bigint) => this.symbols.symbolAt(at);
    return listing(this.target, this.symbols, address, {
      ...(await this.#stopped.mode()),
      before,
      after,
      syntax,
      name,
    });
  }

  /** As `#begin`, for calls that go to another moment: watched values are those of that moment. */
  async #travel(run: () => Promise<DebugStop>): Promise<DebugStop> {
    return this.#begin(async () => {
      const stop = await run();
      await this.#points.look();
      return stop;
    });
  }

  async #begin(run: () => Promise<DebugStop>): Promise<DebugStop> {
    this.#interrupted = false;
    this.#stopped.changed();
    this.#running = true;
    try {
      return await run();
    } finally {
      this.#running = false;
      this.#stopped.changed();
      await this.#runErrands();
    }
  }

  async #runErrands(): Promise<void> {
    for (let next = this.#errands.shift(); next !== undefined; next = this.#errands.shift()) await next();
  }

  /**
   * Runs the guest, and returns which of the debugger's own breakpoints it has reached; `passed` where none of them stops it.
   */
  async #arrive(action: () => Promise<Stop>): Promise<DebugStop & { passed?: true }> {
    let stop: Stop;
    do {
      await this.#runErrands();
      this.#stopped.changed();
      stop = await action();
      this.#stopped.changed();
    } while (stop.why === 'interrupt' && this.#errands.length > 0 && !this.#interrupted);
    return this.#points.reached(stop);
  }
}
