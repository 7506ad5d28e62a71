/**
 * A switch between machines (IEEE 802.1D 7.7): it learns at which port a MAC address is, and sends a frame only there.
 *
 * @module
 */
import { MAC_LENGTH } from './packets/addresses.js';
import { ETHERNET, isBroadcast, MOST_FRAME } from './packets/ethernet.js';

/** The most addresses that are remembered; a new one replaces the oldest. */
const MOST_ADDRESSES = 1024;

/** A port of the switch: where frames for it go. */
export interface SwitchPort {
  send(frame: Uint8Array): void;
}

/** See the module's comment. */
export class Switch {
  readonly #ports = new Set<SwitchPort>();
  readonly #addresses = new Map<number, SwitchPort>();

  get size(): number {
    return this.#ports.size;
  }

  get addresses(): number {
    return this.#addresses.size;
  }

  add(port: SwitchPort): void {
    this.#ports.add(port);
  }

  remove(port: SwitchPort): void {
    this.#ports.delete(port);
    for (const [address, at] of this.#addresses) if (at === port) this.#addresses.delete(address);
  }

  /** A frame came in at a port. */
  receive(frame: Uint8Array, from: SwitchPort): void {
    if (frame.length < ETHERNET || frame.length > MOST_FRAME) return;
    const [to, sender] = [frame.subarray(0, MAC_LENGTH), frame.subarray(MAC_LENGTH, 2 * MAC_LENGTH)];
    if (!isBroadcast(sender)) this.#learn(numberOf(sender), from);
    const known = isBroadcast(to) ? undefined : this.#addresses.get(numberOf(to));
    if (known !== undefined) {
      if (known !== from) known.send(frame);
      return;
    }
    for (const port of this.#ports) if (port !== from) port.send(frame);
  }

  #learn(address: number, port: SwitchPort): void {
    if (this.#addresses.get(address) === port) return;
    this.#addresses.delete(address);
    if (this.#addresses.size >= MOST_ADDRESSES) {
      const [oldest] = this.#addresses.keys();
      this.#addresses.delete(oldest!);
    }
    this.#addresses.set(address, port);
  }
}

const numberOf = (mac: Uint8Array): number => mac.reduce((number, byte) => number * 256 + byte, 0);
