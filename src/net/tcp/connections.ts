/**
 * All TCP connections of a gateway, by their ends. Their number is bounded: a guest that opens ever more is refused.
 *
 * @module
 */
import type { OutsideStream, StreamEvents } from '../outside.js';
import { Flag, type Segment } from '../packets/tcp.js';
import { Connection, type ConnectionLink, type Ends } from './connection.js';
import { plus } from './sequence.js';

/** Connections at a time, with those that have ended and are remembered. */
export const MOST_CONNECTIONS = 1024;
/** What may wait in each direction of a connection, while there are few of them and while there are many: bytes. */
const LIMIT = 256 * 1024;
const LIMIT_OF_MANY = 32 * 1024;
const MANY = 64;

/** What the connections need of their gateway. */
export interface TcpWire {
  now(): number;
  /** Sends a segment to the guest; false where there is no room for it. */
  send(ends: Ends, segment: Segment): boolean;
  readonly mss: number;
  /** 32 random bits that cannot be guessed. */
  random(): number;
}

export type OpenStream = (events: StreamEvents) => OutsideStream;

const keyOf = ({ guest, guestPort, peer, peerPort }: Ends) => `${guest}:${guestPort}:${peer}:${peerPort}`;

/** See the module's comment. */
export class Connections {
  readonly #wire: TcpWire;
  readonly #all = new Map<string, Connection>();
  /** Those that have something to send and found no room. */
  readonly #blocked = new Set<Connection>();
  /** Those that owe an acknowledgment since the last `flush`. */
  readonly #touched = new Set<Connection>();
  readonly #link: ConnectionLink;
  /** Segments come in rows for one connection. */
  #last: Connection | undefined;

  constructor(wire: TcpWire) {
    this.#wire = wire;
    this.#link = {
      now: wire.now,
      mss: wire.mss,
      send: (connection, segment) => {
        const sent = wire.send(connection.ends, segment);
        if (!sent) this.#blocked.add(connection);
        return sent;
      },
      limit: () => (this.#all.size > MANY ? LIMIT_OF_MANY : LIMIT),
      gone: (connection) => this.#forget(connection),
      firstSequence: wire.random,
    };
  }

  get size(): number {
    return this.#all.size;
  }

  /** Connections of which something is still to come. */
  get live(): number {
    let count = 0;
    for (const { phase } of this.#all.values()) if (phase !== 'timeWait') count++;
    return count;
  }

  /** Bytes that are held for all connections. */
  get held(): number {
    let sum = 0;
    for (const connection of this.#all.values()) sum += connection.held;
    return sum;
  }

  /**
   * A segment of the guest.
   * @param open opens the stream that a SYN asks for; undefined where this address cannot be reached
   */
  receive(ends: Ends, segment: Segment, open: () => OpenStream | undefined): void {
    let connection = this.#find(ends);
    const { flags } = segment;
    const opens = (flags & (Flag.syn | Flag.ack | Flag.rst)) === Flag.syn;
    // A guest that was started again no longer has this one.
    if (
      connection !== undefined &&
      opens &&
      connection.phase !== 'synSent' &&
      !connection.isRepeated(segment)
    ) {
      connection.abort();
      connection = undefined;
    }
    if (connection === undefined && opens) connection = this.#add(ends, open(), segment);
    else if (connection !== undefined) connection.receive(segment);
    if (connection === undefined) this.#refuse(ends, segment);
    else if (connection.owes) this.#touched.add(connection);
  }

  /** A connection from outside to the guest. False where there are too many. */
  accept(ends: Ends, open: OpenStream): boolean {
    return this.#find(ends) === undefined && this.#add(ends, open) !== undefined;
  }

  has(ends: Ends): boolean {
    return this.#all.has(keyOf(ends));
  }

  /** All segments that came together have been received: acknowledges them. */
  flush(): void {
    for (const connection of this.#touched) connection.flush();
    this.#touched.clear();
  }

  /** There is room for frames again. */
  resume(): void {
    const blocked = [...this.#blocked];
    this.#blocked.clear();
    for (const connection of blocked) connection.resumed();
  }

  get isBlocked(): boolean {
    return this.#blocked.size > 0;
  }

  tick(now: number): void {
    for (const connection of this.#all.values()) connection.tick(now);
  }

  /** Ends them all, for a gateway that ends. */
  abort(): void {
    for (const connection of [...this.#all.values()]) connection.abort();
  }

  #find(ends: Ends): Connection | undefined {
    const last = this.#last?.ends;
    const isLast =
      last !== undefined &&
      last.guestPort === ends.guestPort &&
      last.peerPort === ends.peerPort &&
      last.peer === ends.peer &&
      last.guest === ends.guest;
    if (!isLast) this.#last = this.#all.get(keyOf(ends));
    return this.#last;
  }

  #add(ends: Ends, open: OpenStream | undefined, syn?: Segment): Connection | undefined {
    if (open === undefined || !this.#hasRoom()) return undefined;
    const connection = new Connection(ends, this.#link, open, syn);
    this.#all.set(keyOf(ends), connection);
    connection.begin();
    return connection;
  }

  /** Makes room where one is only remembered. */
  #hasRoom(): boolean {
    if (this.#all.size < MOST_CONNECTIONS) return true;
    for (const connection of this.#all.values())
      if (connection.phase === 'timeWait') {
        this.#forget(connection);
        return true;
      }
    return false;
  }

  #forget(connection: Connection): void {
    const key = keyOf(connection.ends);
    if (this.#all.get(key) === connection) this.#all.delete(key);
    this.#blocked.delete(connection);
    this.#touched.delete(connection);
    this.#last = undefined;
  }

  /** There is no such connection (RFC 9293 3.10.7.1). */
  #refuse(ends: Ends, { flags, sequence, acknowledgment, data }: Segment): void {
    if (flags & Flag.rst) return;
    const length = data.length + (flags & Flag.syn ? 1 : 0) + (flags & Flag.fin ? 1 : 0);
    const answers = flags & Flag.ack;
    this.#wire.send(ends, {
      fromPort: ends.peerPort,
      toPort: ends.guestPort,
      sequence: answers ? acknowledgment : 0,
      acknowledgment: answers ? 0 : plus(sequence, length),
      flags: answers ? Flag.rst : Flag.rst | Flag.ack,
      window: 0,
      data: new Uint8Array(),
    });
  }
}
