/**
 * Steps over calls, by lines and out of functions. They consist of single steps and temporary breakpoints.
 *
 * @module
 */
import type { AddressRange, SymbolTable } from '../symbols/index.js';
import { type CodeLine, decodeAt, type Flow, fetchInstruction, flowOf, readSome } from './code.js';
import type { Frame } from './frames.js';
import { interruptedAt } from './handlers.js';
import { codeBase, stackPointer } from './mode.js';
import { readFrom } from './reading.js';
import type { DebugStop, State } from './state.js';
import type { Stop } from './stop.js';
import type { DebugTarget } from './target.js';

/** The interface that the stepper needs. */
export interface StepperParts {
  target: DebugTarget;
  symbols: SymbolTable;
  state(): Promise<State>;
  frames(limit: number): Promise<Frame[]>;
  /** Runs the guest; `passed` at a breakpoint that does not stop it. */
  run(action: () => Promise<Stop>): Promise<Ran>;
  /** Whether a stop was requested. */
  wanted(): boolean;
}

type Ran = DebugStop & { passed?: true };

/** The most code that is searched for the exits of a function, and the most breakpoints that are set there. */
const LONGEST_FUNCTION = 4096n;
const MAX_EXITS = 200;

export class Stepper {
  readonly #parts: StepperParts;

  constructor(parts: StepperParts) {
    this.#parts = parts;
  }

  async step(): Promise<DebugStop> {
    const stop = await this.#run(() => this.#parts.target.step());
    return stop.passed ? { ...stop, why: 'step' } : stop;
  }

  async next(): Promise<DebugStop> {
    for (;;) {
      const before = await this.#parts.state();
      const line = await this.#instruction(before);
      if (line === undefined) return this.step();
      const behind = line.address + BigInt(line.bytes.length);
      const flow = flowOf(line.instruction);
      if (flow === 'call' || flow === 'repeat') return this.#until([behind], before);
      const stop = await this.step();
      if (stop.why !== 'step' || stop.pc === behind) return stop;
      const back = await this.#interruptedAt(before);
      if (back === undefined) return stop;
      const returned = await this.#until([back], before);
      // It came before the instruction completed: run it now.
      if (returned.why !== 'step' || returned.pc !== before.pc) return returned;
    }
  }

  async resume(): Promise<DebugStop> {
    for (;;) {
      if (this.#parts.wanted()) return this.#interrupted();
      const stop = await this.#run(() => this.#parts.target.resume());
      if (!stop.passed) return stop;
    }
  }

  runTo(address: bigint): Promise<DebugStop> {
    return this.#until([address]);
  }

  /** To the beginning of another line. @param into functions as well, where their lines are known */
  async line(into: boolean): Promise<DebugStop> {
    const { symbols } = this.#parts;
    const start = await this.#parts.state();
    let range = symbols.lines.rangeAt(start.pc);
    if (range === undefined || start.source === undefined) return into ? this.step() : this.next();
    const { file, line } = start.source;
    for (;;) {
      const stop = await this.#leave(range, into);
      if (stop.why !== 'step' || (stop.pc >= range.from && stop.pc < range.to)) return stop;
      range = symbols.lines.rangeAt(stop.pc);
      if (range === undefined) return stop;
      const now = symbols.lines.at(stop.pc)!;
      const same = now.line === line && now.file.path === file.path;
      if (!same && symbols.lines.beginsStatement(stop.pc)) return stop;
    }
  }

  async finish(): Promise<DebugStop> {
    const [inner, outer] = await this.#parts.frames(2);
    if (inner?.base !== undefined && outer !== undefined && outer.by !== 'stack')
      return this.#until([outer.pc], undefined, inner.base);
    return this.#stepOut();
  }

  /** Without a certain frame: over calls, to the RET or IRET of the current function, and over that. */
  async #stepOut(): Promise<DebugStop> {
    for (;;) {
      if (this.#parts.wanted()) return this.#interrupted();
      const state = await this.#parts.state();
      const line = await this.#instruction(state);
      const flow = line === undefined ? 'next' : flowOf(line.instruction);
      if (flow === 'return') return this.step();
      const exits = flow === 'next' ? await this.#waysOut(state) : [];
      const stop = exits.length > 0 ? await this.#until(exits) : await this.next();
      if (stop.why !== 'step') return stop;
    }
  }

  /**
   * Where the current code leaves its function or calls another: each CALL, RET and jump, and the address right after its end.
   */
  async #waysOut(state: State): Promise<bigint[]> {
    const range = this.#parts.symbols.functionAt(state.pc);
    if (range === undefined || range.to - range.from > LONGEST_FUNCTION) return [];
    const lines = await this.#decode({ from: state.pc, to: range.to }, state);
    const all = await this.#decode(range, state);
    const exits = new Set([range.to]);
    for (const { address, instruction } of [...lines, ...all]) {
      const flow = flowOf(instruction);
      if (flow === 'next' || flow === 'repeat') continue;
      const [operand] = instruction.operands;
      const aim = operand?.kind === 'target' ? operand.address + codeBase(state.view.system) : undefined;
      const inside = aim !== undefined && aim >= range.from && aim < range.to;
      if (flow !== 'jump' || !inside) exits.add(address);
    }
    return exits.size > MAX_EXITS ? [] : [...exits];
  }

  /** Steps in a range until it is left, over calls or, with `into`, to the beginning of the callee. */
  async #leave(range: AddressRange, into: boolean): Promise<Ran> {
    const { target } = this.#parts;
    const before = await this.#parts.state();
    const special = await this.#specialIn(range, before);
    for (;;) {
      if (this.#parts.wanted()) return this.#interrupted();
      const here = await this.#parts.state();
      const flow = special.get(here.pc);
      if (flow === 'jump') return this.step();
      let stop: Ran;
      if (flow === 'call' && into) stop = await this.#into(here);
      else if (flow !== undefined) stop = await this.next();
      else stop = await this.#within([...special.keys()], () => target.stepWithin(range.from, range.to));
      if (stop.why !== 'step' && !stop.passed) return stop;
      if (stop.pc >= range.from && stop.pc < range.to) continue;
      const back = flow === 'call' ? undefined : await this.#interruptedAt(before);
      if (back === undefined) return { ...stop, why: 'step' };
      const returned = await this.#until([back], before);
      if (returned.why !== 'step' || returned.pc < range.from || returned.pc >= range.to) return returned;
    }
  }

  /** Into the callee, where its lines are known; else over it. */
  async #into(before: State): Promise<Ran> {
    const line = await this.#instruction(before);
    const stop = await this.step();
    if (stop.why !== 'step' || line === undefined) return stop;
    if (this.#parts.symbols.lines.at(stop.pc) !== undefined) return stop;
    return this.#until([line.address + BigInt(line.bytes.length)], before);
  }

  /**
   * Instructions in a range that need more than a single step: calls, repeated instructions, and a jump to itself, which would
   * never leave.
   */
  async #specialIn(range: AddressRange, state: State): Promise<Map<bigint, Flow>> {
    const special = new Map<bigint, Flow>();
    for (const { address, instruction } of await this.#decode(range, state)) {
      const flow = flowOf(instruction);
      const [operand] = instruction.operands;
      const itself = operand?.kind === 'target' && operand.address === instruction.address;
      if (flow === 'call' || flow === 'repeat' || (flow === 'jump' && itself)) special.set(address, flow);
    }
    return special;
  }

  async #decode({ from, to }: AddressRange, state: State): Promise<CodeLine[]> {
    const length = to - from;
    if (length <= 0n || length > LONGEST_FUNCTION) return [];
    const bytes = await readSome(this.#parts.target, from, Number(length));
    const lines: CodeLine[] = [];
    for (let at = 0; at < bytes.length; ) {
      const line = decodeAt(bytes.subarray(at), from + BigInt(at), modeOf(state));
      lines.push(line);
      at += line.instruction.length;
    }
    return lines;
  }

  /** Runs until the guest is before one of `addresses`, with a stack that is no deeper than `before`'s or than `base`. */
  async #until(addresses: readonly bigint[], before?: State, base?: bigint): Promise<DebugStop> {
    const deepest = base ?? (before && stackPointer(before.view));
    return this.#withBreakpoints(addresses, async () => {
      for (;;) {
        if (this.#parts.wanted()) return this.#interrupted();
        const stop = await this.#run(() => this.#parts.target.resume());
        const there = stop.why === 'breakpoint' && addresses.includes(stop.pc);
        if (there && (deepest === undefined || stackPointer((await this.#parts.state()).view) >= deepest))
          return { ...stop, why: stop.breakpoints.length > 0 ? 'breakpoint' : 'step' };
        if (!stop.passed) return stop;
      }
    });
  }

  /** One run with breakpoints at `addresses`, which count as steps. */
  #within(addresses: readonly bigint[], action: () => Promise<Stop>): Promise<Ran> {
    return this.#withBreakpoints(addresses, async () => {
      const stop = await this.#run(action);
      return stop.passed ? { ...stop, why: 'step' } : stop;
    });
  }

  async #withBreakpoints<T>(addresses: readonly bigint[], run: () => Promise<T>): Promise<T> {
    const { target } = this.#parts;
    const done: bigint[] = [];
    try {
      for (const address of addresses) {
        await target.addBreakpoint(address);
        done.push(address);
      }
      return await run();
    } finally {
      for (const address of done) await target.removeBreakpoint(address);
    }
  }

  async #interruptedAt(before: State): Promise<bigint | undefined> {
    return readFrom(this.#parts.target, interruptedAt(before, await this.#parts.state()));
  }

  #instruction(state: State): Promise<CodeLine | undefined> {
    return fetchInstruction(this.#parts.target, state.pc, modeOf(state));
  }

  #run(action: () => Promise<Stop>): Promise<Ran> {
    return this.#parts.run(action);
  }

  async #interrupted(): Promise<DebugStop> {
    const { cpu, pc, bits } = await this.#parts.state();
    return { why: 'interrupt', cpu, pc, bits, breakpoints: [], notes: [] };
  }
}

const modeOf = ({ view, bits }: State) => ({ bits, base: codeBase(view.system) });
