import type { SymbolTable } from '../symbols/index.js';
import type { CodeMode } from './code.js';
import type { Scope } from './evaluate.js';
import { codeBase } from './mode.js';
import type { State } from './state.js';
import type { DebugTarget } from './target.js';

/** The state of a stopped guest, which is read once and kept until the guest runs or is changed. */
export class StoppedGuest {
  readonly #target: DebugTarget;
  readonly #symbols: SymbolTable;
  #state: Promise<State> | undefined;

  constructor(target: DebugTarget, symbols: SymbolTable) {
    this.#target = target;
    this.#symbols = symbols;
  }

  /** Drops the state: the next call reads it again. */
  changed(): void {
    this.#state = undefined;
    this.#symbols.refresh();
  }

  /** Registers and position. */
  state(): Promise<State> {
    this.#state ??= this.#read();
    return this.#state;
  }

  /** The size and the base of its code. */
  async mode(): Promise<CodeMode> {
    const { view, bits } = await this.state();
    return { bits, base: codeBase(view.system) };
  }

  /** The names and values that an expression may use. */
  async scope(): Promise<Scope> {
    const { view, bits } = await this.state();
    return { target: this.#target, symbols: this.#symbols, view, bits };
  }

  async #read(): Promise<State> {
    const [view, { cpu, pc, bits }] = [await this.#target.view(), await this.#target.here()];
    const symbol = this.#symbols.symbolAt(pc);
    const source = this.#symbols.lines.at(pc);
    return { cpu, view, pc, bits, ...(symbol !== undefined && { symbol }), ...(source && { source }) };
  }
}
