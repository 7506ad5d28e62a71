/** The most input that waits for the guest: bytes, of all connections together. */
const MAX_WAITING = 128 * 1024;

interface Waiting {
  readonly owner: object;
  readonly bytes: Uint8Array;
  readonly done: (sent: boolean) => void;
}

/**
 * The input of all connections, one after the other. A guest may not read its serial port, so the queue is bounded, and waiting
 * input of a closed connection is dropped.
 */
export class InputQueue {
  readonly #send: (bytes: Uint8Array) => Promise<void>;
  #waiting: Waiting[] = [];
  #bytes = 0;
  #busy = false;

  constructor(send: (bytes: Uint8Array) => Promise<void>) {
    this.#send = send;
  }

  /** Resolves with true when the bytes were taken, false when they were dropped; undefined where there is no room. */
  add(owner: object, bytes: Uint8Array): Promise<boolean> | undefined {
    if (this.#bytes + bytes.length > MAX_WAITING) return undefined;
    this.#bytes += bytes.length;
    return new Promise((done) => {
      this.#waiting.push({ owner, bytes, done });
      void this.#drain();
    });
  }

  /** Drops the waiting input of that connection. */
  forget(owner: object): void {
    this.#drop((waiting) => waiting.owner === owner);
  }

  close(): void {
    this.#drop(() => true);
  }

  #drop(which: (waiting: Waiting) => boolean): void {
    const dropped = this.#waiting.filter(which);
    this.#waiting = this.#waiting.filter((waiting) => !which(waiting));
    for (const { bytes, done } of dropped) {
      this.#bytes -= bytes.length;
      done(false);
    }
  }

  async #drain(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      await this.#send(next.bytes);
      this.#bytes -= next.bytes.length;
      next.done(true);
    }
    this.#busy = false;
  }
}
