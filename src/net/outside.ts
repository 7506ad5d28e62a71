/**
 * What a gateway needs of the host to reach the world: streams, datagrams and echoes. `runtime/` implements it by Node's sockets, and
 * tests by objects of theirs.
 *
 * @module
 */
import type { Ipv4 } from './packets/addresses.js';

/** An address of the world, or the host's resolver for names. */
export type Destination = Ipv4 | 'resolver';

/** Why a stream could not be opened, or broke. */
export type OutsideProblem = 'refused' | 'unreachable' | 'timeout' | 'reset' | 'limit';

/** What happens to a stream. */
export interface StreamEvents {
  opened(): void;
  /** The bytes belong to the receiver. */
  data(bytes: Uint8Array): void;
  /** The other side sends no more. */
  ended(): void;
  /** So many bytes of those that were written have left. */
  written(count: number): void;
  /** The last event. */
  closed(problem?: OutsideProblem): void;
}

/** A connection of the host. */
export interface OutsideStream {
  /** The bytes belong to the stream. */
  write(bytes: Uint8Array): void;
  /** Nothing more is written. */
  end(): void;
  /** Ends both directions at once; no further event comes. */
  destroy(): void;
  /** Both sides have ended, and nothing reads any more: data that was written is still sent, unless that takes minutes. */
  leave(): void;
  /** No `data` until `resume`, or little. */
  pause(): void;
  resume(): void;
}

/** A socket of the host for datagrams. */
export interface OutsideDatagrams {
  send(to: Destination, port: number, data: Uint8Array): void;
  close(): void;
}

/** See the module's comment. Nothing here throws: a failure is an event. */
export interface Outside {
  connect(to: Destination, port: number, events: StreamEvents): OutsideStream;
  /** @param received gives the sender as it was named when sent to */
  datagrams(received: (from: Destination, port: number, data: Uint8Array) => void): OutsideDatagrams;
  /** Does this address answer an echo request? Undefined: this host has no way to ask. */
  echo(to: Ipv4): Promise<boolean> | undefined;
}
