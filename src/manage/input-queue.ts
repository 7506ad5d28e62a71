/** Input that waits for the guest at most: bytes, of all connections together. */
const MOST_WAITING = 128 * 1024;

interface Waiting {
  readonly owner: object;
  readonly bytes: Uint8Array;
  readonly done: (sent: boolean) => void;
}

/**
 * What the connections type, one after the other. A guest that does not read its serial port takes nothing, so what
 * waits is bounded, and what a connection that has gone had waiting is forgotten.
 */
export class InputQueue {
  readonly #send: (bytes: Uint8Array) => Promise<void>;
  #waiting: Waiting[] = [];
  #bytes = 0;
  #busy = false;

  constructor(send: (bytes: Uint8Array) => Promise<void>) {
    this.#send = send;
  }

  /** Resolves with true when the bytes were taken, false when they were forgotten; undefined where there is no room. */
  add(owner: object, bytes: Uint8Array): Promise<boolean> | undefined {
    if (this.#bytes + bytes.length > MOST_WAITING) return undefined;
    this.#bytes += bytes.length;
    return new Promise((done) => {
      this.#waiting.push({ owner, bytes, done });
      void this.#drain();
    });
  }

  /** Drops what that connection still has waiting. */
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
