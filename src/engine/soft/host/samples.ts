import type { Sampling } from '../../contract/index.js';
import type { SoftClock } from './clock.js';

/** The moments of a CPU's samples. */
export class Samples {
  readonly #clock: SoftClock;
  #sampling: Sampling | undefined;
  /** The count of instructions at the next one. */
  #due = Number.POSITIVE_INFINITY;

  constructor(clock: SoftClock) {
    this.#clock = clock;
  }

  set(sampling: Sampling | undefined): void {
    this.#sampling = sampling;
    this.#next(sampling?.first ?? Number.POSITIVE_INFINITY);
  }

  /** Takes a sample of the running CPU, if it is due. */
  look(cpu: number): void {
    if (this.#sampling !== undefined && this.#clock.instructions >= this.#due)
      this.#next(this.#sampling.take(cpu));
  }

  #next(instructions: number): void {
    this.#due = this.#clock.instructions + Math.max(1, instructions);
    this.#clock.pauseAt(this.#due);
  }
}
