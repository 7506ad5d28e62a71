import { type Origin, SourceError } from '../source.js';

interface Condition {
  active: boolean;
  /** One of its branches has been active. */
  taken: boolean;
  /** The outer condition is active. */
  readonly outer: boolean;
  readonly origin: Origin;
}

/** The open conditions, %if to %endif (NASM's manual, 4.4), the innermost last. */
export class Conditions {
  readonly #open: Condition[] = [];

  /** Lines count here. */
  get active(): boolean {
    return this.#open.at(-1)?.active ?? true;
  }

  get depth(): number {
    return this.#open.length;
  }

  /** Where each began. */
  get origins(): Origin[] {
    return this.#open.map(({ origin }) => origin);
  }

  /** @param holds called only where the answer matters: elsewhere it may be an error */
  begin(origin: Origin, holds: () => boolean): void {
    const outer = this.active;
    const active = outer && holds();
    this.#open.push({ active, taken: active, outer, origin });
  }

  /** Another branch of the innermost one. @param word the directive, for an error */
  branch(word: string, holds: () => boolean): void {
    const condition = this.#innermost(word);
    condition.active = condition.outer && !condition.taken && holds();
    condition.taken ||= condition.active;
  }

  end(word: string): void {
    this.#innermost(word);
    this.#open.pop();
  }

  /** Closes the conditions that were opened since there were this many. */
  leave(depth: number): void {
    this.#open.length = Math.min(this.#open.length, depth);
  }

  #innermost(word: string): Condition {
    const condition = this.#open.at(-1);
    if (condition === undefined) throw new SourceError(`%${word} without %if`);
    return condition;
  }
}
