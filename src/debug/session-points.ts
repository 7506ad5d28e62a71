import type { Watchpoint } from '../engine/contract/index.js';
import { DebugError } from './errors.js';
import { piecesOf, watchpointsFor } from './watch-pieces.js';

/** The breakpoints and watchpoints of a session. They are in the monitor, not in guest memory. */
export class SessionPoints {
  readonly #refusal: () => string | undefined;
  readonly #breakpoints = new Map<bigint, number>();
  readonly #watchpoints: Watchpoint[] = [];

  /** @param refusal why the CPUs do not support the current points; undefined where they do */
  constructor(refusal: () => string | undefined) {
    this.#refusal = refusal;
  }

  get breakpoints(): bigint[] {
    return [...this.#breakpoints.keys()];
  }

  get watchpoints(): readonly Watchpoint[] {
    return this.#watchpoints;
  }

  hasBreakpoint(address: bigint): boolean {
    return this.#breakpoints.has(address);
  }

  /** Breakpoints count: one that was set twice is removed with the second call. @throws DebugError where a CPU refuses it */
  addBreakpoint(address: bigint): void {
    this.#breakpoints.set(address, (this.#breakpoints.get(address) ?? 0) + 1);
    this.#check(() => this.removeBreakpoint(address));
  }

  removeBreakpoint(address: bigint): void {
    const left = (this.#breakpoints.get(address) ?? 0) - 1;
    if (left > 0) this.#breakpoints.set(address, left);
    else this.#breakpoints.delete(address);
  }

  /** Watches `length` bytes from `address`, in pieces that a processor can watch. @throws DebugError where a CPU refuses it */
  watch(address: bigint, length: number, on: Watchpoint['on']): void {
    const before = this.#watchpoints.length;
    this.#watchpoints.push(...watchpointsFor(address, length, on));
    this.#check(() => {
      this.#watchpoints.length = before;
    });
  }

  unwatch(address: bigint, length: number, on: Watchpoint['on']): void {
    for (const piece of piecesOf(address, length, on)) {
      const at = this.#watchpoints.findIndex(
        (p) => p.address === piece.address && p.length === piece.length && p.on === on,
      );
      if (at >= 0) this.#watchpoints.splice(at, 1);
    }
  }

  clear(): void {
    this.#breakpoints.clear();
    this.#watchpoints.length = 0;
  }

  #check(undo: () => void): void {
    const refused = this.#refusal();
    if (refused === undefined) return;
    undo();
    throw new DebugError(refused);
  }
}
