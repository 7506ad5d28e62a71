/**
 * UDP of the guest to outside and back: a socket of the host for each port of the guest that sends, closed when nothing has come for a
 * while. Only an address that was written to can answer.
 *
 * @module
 */
import type { Destination, Outside, OutsideDatagrams } from '../outside.js';
import type { Ipv4 } from '../packets/addresses.js';
import type { Udp } from '../packets/udp.js';

/** Ports of the guest at a time; the one that was silent longest is closed for another. */
const MOST_FLOWS = 256;
/** An address that a port has written to and may receive from. */
const MOST_PEERS = 64;
/** Time without a datagram after which a flow is closed: milliseconds. */
const SILENCE = 60_000;
const ANSWER = 5000;

interface Flow {
  readonly socket: OutsideDatagrams;
  /** Where the guest sent to, by whom that is outside. */
  readonly peers: Map<string, Ipv4>;
  used: number;
  asked: number;
}

/** Passes a datagram to the guest, from an address as the guest sees it. */
export type ToGuest = (from: Ipv4, to: Ipv4, datagram: Udp) => void;

/** See the module's comment. */
export class UdpFlows {
  readonly #outside: Outside;
  readonly #toGuest: ToGuest;
  readonly #flows = new Map<string, Flow>();

  constructor(outside: Outside, toGuest: ToGuest) {
    this.#outside = outside;
    this.#toGuest = toGuest;
  }

  get size(): number {
    return this.#flows.size;
  }

  /** True while an answer may be under way. */
  expects(now: number): boolean {
    for (const { asked } of this.#flows.values()) if (now - asked < ANSWER) return true;
    return false;
  }

  /** @param to as the guest sees it @param destination its outside address */
  send(guest: Ipv4, to: Ipv4, destination: Destination, datagram: Udp, now: number): void {
    const { fromPort, toPort, data } = datagram;
    const key = `${guest}:${fromPort}`;
    const flow = this.#flows.get(key) ?? this.#open(guest, fromPort, now);
    this.#flows.delete(key);
    // The last in the map is the one that was used last.
    this.#flows.set(key, flow);
    flow.used = now;
    flow.asked = now;
    flow.peers.set(`${destination}:${toPort}`, to);
    dropOldest(flow.peers, MOST_PEERS);
    flow.socket.send(destination, toPort, data);
  }

  tick(now: number): void {
    for (const [key, flow] of this.#flows) if (now - flow.used > SILENCE) this.#close(key, flow);
  }

  close(): void {
    for (const [key, flow] of this.#flows) this.#close(key, flow);
  }

  #open(guest: Ipv4, port: number, now: number): Flow {
    const [oldest] = this.#flows;
    if (this.#flows.size >= MOST_FLOWS && oldest !== undefined) this.#close(...oldest);
    const peers = new Map<string, Ipv4>();
    const socket = this.#outside.datagrams((from, fromPort, data) => {
      const known = peers.get(`${from}:${fromPort}`);
      if (known === undefined) return;
      flow.asked = Number.NEGATIVE_INFINITY;
      this.#toGuest(known, guest, { fromPort, toPort: port, data });
    });
    const flow: Flow = { socket, peers, used: now, asked: now };
    return flow;
  }

  #close(key: string, { socket }: Flow): void {
    this.#flows.delete(key);
    socket.close();
  }
}

/** Keeps a map from growing: the first of it is the oldest. */
export function dropOldest<T>(map: Map<T, unknown>, most: number): void {
  if (map.size <= most) return;
  const [oldest] = map.keys();
  map.delete(oldest!);
}
