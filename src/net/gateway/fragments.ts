/**
 * IPv4 packets that came in pieces (RFC 791 3.2), put together again: a bounded number of them, for a bounded time.
 *
 * @module
 */
import type { Packet } from '../packets/ipv4.js';

/** The most packets that are reassembled at a time; a new one replaces the oldest. */
const MOST_PACKETS = 16;
/** Pieces of a packet of 64 KiB on an Ethernet, and some more. */
const MOST_PIECES = 64;
const MOST_LENGTH = 65_535 - 20;
/** How long a packet waits for its pieces: milliseconds (RFC 1122 3.3.2). */
const WAITS = 30_000;

interface Pieces {
  readonly since: number;
  /** By their offsets. */
  readonly pieces: Map<number, Uint8Array>;
  /** Known with the last piece. */
  length: number | undefined;
}

/** See the module's comment. */
export class Fragments {
  readonly #packets = new Map<string, Pieces>();

  get size(): number {
    return this.#packets.size;
  }

  /** The whole packet where this was its last missing piece. A packet whose pieces overlap is dropped (RFC 5722's rule for IPv6). */
  add(packet: Packet, now: number): Packet | undefined {
    const { from, to, protocol, identification, offset, more, payload } = packet;
    for (const [key, { since }] of this.#packets) if (now - since > WAITS) this.#packets.delete(key);
    const key = `${from}:${to}:${protocol}:${identification}`;
    const end = offset + payload.length;
    const isBad = end > MOST_LENGTH || payload.length === 0 || (more && payload.length % 8 !== 0);
    const held = this.#packets.get(key) ?? { since: now, pieces: new Map(), length: undefined };
    const overlaps = [...held.pieces].some(([at, piece]) => offset < at + piece.length && at < end);
    const isBeyond = held.length !== undefined && (end > held.length || !more);
    if (isBad || overlaps || isBeyond || held.pieces.size >= MOST_PIECES) {
      this.#packets.delete(key);
      return undefined;
    }
    held.pieces.set(offset, payload);
    if (!more) held.length = end;
    const sum = [...held.pieces.values()].reduce((bytes, piece) => bytes + piece.length, 0);
    if (held.length !== undefined && sum > held.length) {
      this.#packets.delete(key);
      return undefined;
    }
    if (held.length === undefined || sum < held.length) {
      if (!this.#packets.has(key)) this.#makeRoom();
      this.#packets.set(key, held);
      return undefined;
    }
    this.#packets.delete(key);
    const whole = new Uint8Array(held.length);
    for (const [at, piece] of held.pieces) whole.set(piece, at);
    return { ...packet, offset: 0, more: false, payload: whole };
  }

  #makeRoom(): void {
    if (this.#packets.size < MOST_PACKETS) return;
    const [oldest] = this.#packets.keys();
    if (oldest !== undefined) this.#packets.delete(oldest);
  }
}
