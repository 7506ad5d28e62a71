/**
 * Steps backwards over calls, by lines, and out to the caller. They find the target moment on the trail of the last instructions, or with
 * temporary breakpoints.
 *
 * @module
 */
import type { SymbolTable } from '../symbols/index.js';
import { type Flow, fetchInstruction, flowOf } from './code.js';
import { DebugError } from './errors.js';
import type { Frame } from './frames.js';
import type { Footprint } from './history/backwards.js';
import { codeBase, stackPointer } from './mode.js';
import type { DebugStop, State } from './state.js';
import type { Stop } from './stop.js';
import type { DebugTarget } from './target.js';

/** The interface that the stepper needs. */
export interface BackStepperParts {
  target: DebugTarget;
  symbols: SymbolTable;
  state(): Promise<State>;
  frames(limit: number): Promise<Frame[]>;
  /** Runs the guest; `passed` at a breakpoint that does not stop it. */
  run(action: () => Promise<Stop>): Promise<DebugStop & { passed?: true }>;
  /** Whether a stop was requested. */
  wanted(): boolean;
}

/** Lengths of the trails that are searched, one after the other, in instructions. */
const TRAILS = [256, 4096, 65_536] as const;
/** The longest CALL or INT, in bytes. */
const LONGEST_CALL = 10;

export class BackStepper {
  readonly #parts: BackStepperParts;

  constructor(parts: BackStepperParts) {
    this.#parts = parts;
  }

  /** One instruction back. */
  step(): Promise<DebugStop> {
    return this.#run(() => this.#parts.target.stepBack());
  }

  /** One instruction back, over its calls and repetitions. */
  async next(): Promise<DebugStop> {
    const trail = await this.#trail(TRAILS[0]);
    const at = trail.previous(trail.end, false);
    if (at >= 0) return this.#goTo(trail.moments[at]!.at);
    return (await this.#beforeCall()) ?? this.step();
  }

  /** Back to the last breakpoint or access; to the beginning of the history where there is none. */
  async resume(): Promise<DebugStop> {
    for (;;) {
      const stop = await this.#run(() => this.#parts.target.resumeBack());
      if (!stop.passed || this.#parts.wanted()) return stop;
    }
  }

  /** To the beginning of this line, or of the one before. @param into functions as well, where their lines are known */
  async line(into: boolean): Promise<DebugStop> {
    const { pc } = await this.#parts.state();
    if (this.#lineAt(pc) === undefined) return into ? this.step() : this.next();
    let last: Footprint | undefined;
    for (const length of TRAILS) {
      const trail = await this.#trail(length);
      let at = trail.previous(trail.end, into);
      if (at < 0) continue;
      // The line to step back: this one, or, from its beginning, the previous one.
      let line = this.#lineAt(trail.moments[at]!.pc);
      for (let before = at; line !== undefined; ) {
        const here = this.#lineAt(trail.moments[before]!.pc);
        // The line called a function: to the last line of that function.
        if (here !== line && into && trail.returns(before)) line = here;
        if (here === undefined || here !== line) break;
        at = before;
        before = trail.previous(at, into);
        if (before >= 0) continue;
        last = trail.moments[at];
        break;
      }
      if (last === undefined || trail.complete) return this.#goTo(trail.moments[at]!.at);
    }
    return last === undefined ? this.next() : this.#goTo(last.at);
  }

  #lineAt(pc: bigint): string | undefined {
    const line = this.#parts.symbols.lines.at(pc);
    return line && `${line.file.path}:${line.line}`;
  }

  /** To the CALL of the current function. @throws DebugError where no caller is known */
  async finish(): Promise<DebugStop> {
    const [inner, outer] = await this.#parts.frames(2);
    if (inner?.base === undefined || outer === undefined)
      throw new DebugError('the caller of this code is not known', 'step back until it is reached');
    const stop = await this.#toCall(outer.pc, inner.base - 1n);
    if (stop === undefined) throw new DebugError('no call of this function was found in the history');
    return stop;
  }

  /** From right after a call, back to the call, over any number of instructions; undefined where there is none. */
  async #beforeCall(): Promise<DebugStop | undefined> {
    const { pc, view } = await this.#parts.state();
    return this.#toCall(pc, stackPointer(view) - 1n);
  }

  /** Back to a call that returns to an address, with a stack pointer above `below`. */
  async #toCall(returnsTo: bigint, below: bigint): Promise<DebugStop | undefined> {
    const calls: bigint[] = [];
    for (let length = 2n; length <= LONGEST_CALL; length++) {
      const line = await this.#decode(returnsTo - length);
      if (line?.length === Number(length) && line.flow === 'call') calls.push(returnsTo - length);
    }
    if (calls.length === 0) return undefined;
    const { target } = this.#parts;
    const here = await target.history();
    for (const call of calls) await target.addBreakpoint(call);
    try {
      for (;;) {
        const stop = await this.#run(() => target.resumeBack());
        const there = stop.why === 'breakpoint' && calls.includes(stop.pc);
        if (there && stackPointer((await this.#parts.state()).view) > below)
          return { ...stop, why: stop.breakpoints.length > 0 ? 'breakpoint' : 'step' };
        if (stop.why === 'begin' && here !== undefined) {
          await this.#goTo(here.now);
          return undefined;
        }
        if (!stop.passed || this.#parts.wanted()) return stop;
      }
    } finally {
      for (const call of calls) await target.removeBreakpoint(call);
    }
  }

  async #trail(length: number): Promise<Trail> {
    const { target, symbols } = this.#parts;
    const moments = await target.trail(length);
    const flows = new Map<bigint, Flow>();
    for (const { pc, bits } of moments)
      if (!flows.has(pc)) flows.set(pc, (await this.#decode(pc, bits))?.flow ?? 'next');
    return new Trail({
      moments,
      flows,
      complete: moments.length < length,
      hasLine: (at) => symbols.lines.at(at) !== undefined,
    });
  }

  async #decode(pc: bigint, width?: State['bits']): Promise<{ flow: Flow; length: number } | undefined> {
    const { bits, view } = await this.#parts.state();
    const line = await fetchInstruction(this.#parts.target, pc, {
      bits: width ?? bits,
      base: codeBase(view.system),
    });
    return line && { flow: flowOf(line.instruction), length: line.instruction.length };
  }

  async #goTo(at: number): Promise<DebugStop> {
    const stop = await this.#run(() => this.#parts.target.goTo(at));
    return stop.passed ? { ...stop, why: 'step' } : stop;
  }

  #run(action: () => Promise<Stop>): Promise<DebugStop & { passed?: true }> {
    return this.#parts.run(action);
  }
}

interface TrailParts {
  moments: readonly Footprint[];
  flows: ReadonlyMap<bigint, Flow>;
  /** It reaches to the beginning of the history. */
  complete: boolean;
  hasLine(pc: bigint): boolean;
}

/** The last instructions, and the user's steps in them. */
class Trail {
  readonly #parts: TrailParts;

  constructor(parts: TrailParts) {
    this.#parts = parts;
  }

  get moments(): readonly Footprint[] {
    return this.#parts.moments;
  }

  get complete(): boolean {
    return this.#parts.complete;
  }

  /** The index of the present moment. */
  get end(): number {
    return this.moments.length;
  }

  /** True where the instruction at an index is a return. */
  returns(index: number): boolean {
    return this.#parts.flows.get(this.moments[index]!.pc) === 'return';
  }

  /** The index of the step before the one at `from`: over calls and repetitions. -1 where the trail does not reach it. */
  previous(from: number, into: boolean): number {
    const { moments, flows } = this.#parts;
    const last = moments[from - 1];
    if (last === undefined) return -1;
    const flow = flows.get(last.pc);
    if (flow === 'repeat') {
      let first = from - 1;
      while (moments[first - 1]?.pc === last.pc) first--;
      return first > 0 || this.complete ? first : -1;
    }
    if (flow !== 'return' || (into && this.#parts.hasLine(last.pc))) return from - 1;
    // Code that ran with a stack below the return address was the call.
    for (let at = from - 2; at >= 0; at--) if (moments[at]!.sp > last.sp) return at;
    return -1;
  }
}
