import { type Ipv4, isMulticast, MAC_LENGTH } from '../packets/addresses.js';
import { isBroadcast } from '../packets/ethernet.js';
import { isGateways, isInNetwork } from './layout.js';
import { dropOldest } from './udp-flows.js';

/** Addresses that are remembered: a guest that sends under ever others does not make this grow. */
const MOST_KNOWN = 16;
/** The most packets that wait for the MAC address of their receiver. */
const MOST_WAITING = 8;

/** The addresses on the guest's side, as learned from their packets, and the packets for addresses that have not sent yet. */
export class Neighbours {
  readonly #known = new Map<Ipv4, Uint8Array>();
  #waiting: { to: Ipv4; frame: Uint8Array }[] = [];

  /** This address sends from there. @returns frames that waited for it, with their receiver filled in */
  learn(address: Ipv4, mac: Uint8Array): Uint8Array[] {
    if (!isInNetwork(address) || isGateways(address) || isMulticast(address) || isBroadcast(mac)) return [];
    const known = this.#known.get(address);
    if (known === undefined || !known.every((byte, at) => byte === mac[at])) {
      this.#known.set(address, mac.slice());
      dropOldest(this.#known, MOST_KNOWN);
    }
    if (this.#waiting.length === 0) return [];
    const ready = this.#waiting.filter(({ to }) => to === address);
    this.#waiting = this.#waiting.filter(({ to }) => to !== address);
    for (const { frame } of ready) frame.set(mac.subarray(0, MAC_LENGTH), 0);
    return ready.map(({ frame }) => frame);
  }

  macOf(address: Ipv4): Uint8Array | undefined {
    return this.#known.get(address);
  }

  /** Keeps a frame until its receiver is known; the oldest is dropped for it. */
  wait(to: Ipv4, frame: Uint8Array): void {
    this.#waiting.push({ to, frame });
    if (this.#waiting.length > MOST_WAITING) this.#waiting.shift();
  }
}
