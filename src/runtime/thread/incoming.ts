import type { ByteSource } from '../../devices/contract/index.js';
import type { SharedRing } from './shared-ring.js';

/** When this much is left, more is requested. */
const LOW = 32 * 1024;

/** Bytes for the guest: this side of a ring that the machine's thread empties. */
export class IncomingStream {
  readonly ring: SharedRing;
  readonly #kick: () => void;
  #taken: (() => void) | undefined;
  #sending: Promise<void> = Promise.resolve();
  #ended = false;

  /** @param kick makes the machine look at its devices */
  constructor(ring: SharedRing, kick: () => void) {
    this.ring = ring;
    this.#kick = kick;
  }

  /** Several senders take turns; resolves when the last byte is on its way. */
  send(bytes: Uint8Array): Promise<void> {
    this.#sending = this.#sending.then(() => this.#send(bytes));
    return this.#sending;
  }

  /** The machine's thread has taken some. */
  taken(): void {
    this.#taken?.();
  }

  /** The machine has gone: senders give up. */
  end(): void {
    this.#ended = true;
    this.#taken?.();
  }

  async #send(bytes: Uint8Array): Promise<void> {
    for (let rest = bytes; rest.length > 0 && !this.#ended; ) {
      const taken = new Promise<void>((resolve) => {
        this.#taken = resolve;
      });
      rest = rest.subarray(this.ring.tryWrite(rest));
      // Kick at once, not at the next tick: an interrupt-driven guest gets the input now.
      this.#kick();
      if (rest.length > 0) await taken;
    }
  }
}

/**
 * The machine's side of such a ring.
 * @param taken tells the sender, who waits while the ring is full, that half of it is free again
 * @param looked the guest looks for input
 */
export function incomingSource(ring: SharedRing, taken: () => void, looked = () => {}): ByteSource {
  return {
    get available() {
      looked();
      return ring.length > 0;
    },
    read() {
      const byte = ring.readByte();
      if (byte >= 0 && ring.length === LOW) taken();
      return byte;
    },
  };
}
