/**
 * The shortest interval between two wake-ups of a reader while bytes keep coming: milliseconds. People type and read more
 * slowly.
 */
const QUIET_MS = 2;

/**
 * Wakes the reader of a ring: at once after a pause, and else with the next tick of the run. Otherwise a guest that prints one
 * byte per exit would cost a message between threads, and a one-byte write to a terminal, for each byte.
 */
export class Wake {
  readonly #send: () => void;
  #due = false;
  #last = Number.NEGATIVE_INFINITY;

  constructor(send: () => void) {
    this.#send = send;
  }

  /** There are bytes to read. @param urgent the writer waits for room */
  notify(urgent: boolean): void {
    if (!urgent && performance.now() - this.#last < QUIET_MS) this.#due = true;
    else this.#wake();
  }

  /** Wakes the reader if a wake-up is pending. */
  tick(): void {
    if (this.#due) this.#wake();
  }

  #wake(): void {
    this.#due = false;
    this.#last = performance.now();
    this.#send();
  }
}
