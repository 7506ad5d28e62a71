/** A reader is woken at most this often while bytes keep coming: milliseconds. A person types and reads slower. */
const QUIET_MS = 2;

/**
 * Wakes the reader of a ring: at once after a pause, and else with the next tick of the run. A guest that prints a byte
 * an exit would otherwise cost a message between threads, and a write of one byte to a terminal, for each of them.
 */
export class Wake {
  readonly #send: () => void;
  #due = false;
  #last = Number.NEGATIVE_INFINITY;

  constructor(send: () => void) {
    this.#send = send;
  }

  /** There is something to read. @param urgent the writer waits for room */
  notify(urgent: boolean): void {
    if (!urgent && performance.now() - this.#last < QUIET_MS) this.#due = true;
    else this.#wake();
  }

  /** Wakes the reader if that is still owed. */
  tick(): void {
    if (this.#due) this.#wake();
  }

  #wake(): void {
    this.#due = false;
    this.#last = performance.now();
    this.#send();
  }
}
