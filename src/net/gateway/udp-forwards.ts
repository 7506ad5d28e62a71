/**
 * UDP from outside to a port of the guest: each sender gets a port of the gateway, by which the guest answers it.
 *
 * @module
 */
import type { Ipv4 } from '../packets/addresses.js';
import type { Udp } from '../packets/udp.js';
import { GUEST, HOST } from './layout.js';
import type { ToGuest } from './udp-flows.js';

const FIRST_PORT = 49_152;
/** The most senders at a time; a new one replaces the one that was silent longest. */
const MOST_SENDERS = 256;

interface Sender {
  readonly key: string;
  readonly port: number;
  answer(data: Uint8Array): void;
}

/** See the module's comment. */
export class UdpForwards {
  readonly #toGuest: ToGuest;
  readonly #senders = new Map<string, Sender>();
  readonly #byPort = new Map<number, Sender>();

  constructor(toGuest: ToGuest) {
    this.#toGuest = toGuest;
  }

  /** A datagram came for a port of the guest. @param sender its sender @param answer sends one back */
  receive(guestPort: number, sender: string, data: Uint8Array, answer: (data: Uint8Array) => void): void {
    const key = `${guestPort} ${sender}`;
    const known = this.#senders.get(key) ?? { key, port: this.#freePort(), answer };
    this.#senders.delete(key);
    this.#senders.set(key, known);
    this.#byPort.set(known.port, known);
    this.#toGuest(HOST, GUEST, { fromPort: known.port, toPort: guestPort, data });
  }

  /** True where this is the guest's answer to one of them. */
  answers(to: Ipv4, { toPort, data }: Udp): boolean {
    const sender = to === HOST ? this.#byPort.get(toPort) : undefined;
    sender?.answer(data);
    return sender !== undefined;
  }

  #freePort(): number {
    if (this.#senders.size < MOST_SENDERS) return FIRST_PORT + this.#senders.size;
    const [oldest] = this.#senders.values();
    this.#senders.delete(oldest!.key);
    return oldest!.port;
  }
}
