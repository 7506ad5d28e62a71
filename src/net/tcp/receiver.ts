/**
 * The receiving half of a connection: the guest's bytes in order, within the window that it was offered (RFC 9293 3.10.7.4).
 *
 * @module
 */
import { Flag, type Segment } from '../packets/tcp.js';
import { Reassembly } from './reassembly.js';
import { after, plus } from './sequence.js';

/** The receiver of the guest's data. */
export interface ReceiverSink {
  /** The next bytes of the guest. */
  deliver(bytes: Uint8Array): void;
  /** Data is missing before this: the guest must be informed at once. */
  missing(): void;
  /** The guest's FIN was taken: it sends no more. */
  finished(): void;
}

/** See the module's comment. */
export class Receiver {
  /** The next sequence number of the guest (RCV.NXT). */
  next = 0;
  /** The end of the window that was offered: it never moves back. */
  offered = 0;
  /** The guest's FIN was taken. */
  ended = false;
  /** An acknowledgment is due. */
  owes = false;
  readonly #sink: ReceiverSink;
  readonly #early = new Reassembly();
  /** Where the guest's data ends, once its FIN has come. */
  #finAt: number | undefined;

  constructor(sink: ReceiverSink) {
    this.#sink = sink;
  }

  /** @param sequence that of the guest's SYN */
  begin(sequence: number): void {
    this.next = plus(sequence, 1);
    this.offered = this.next;
  }

  isInWindow({ sequence, data, flags }: Segment): boolean {
    const length = data.length + (flags & Flag.fin ? 1 : 0) + (flags & Flag.syn ? 1 : 0);
    const from = after(sequence, this.next);
    const room = Math.max(0, after(this.offered, this.next));
    if (length === 0) return room === 0 ? from === 0 : from >= 0 && from < room;
    // A segment that begins before the window and reaches into it is cut.
    return from < Math.max(1, room) && from + length > 0;
  }

  /** Takes a segment's data and FIN. */
  take({ sequence, data, flags }: Segment): void {
    if (this.ended) {
      if (data.length > 0 || flags & Flag.fin) this.owes = true;
      return;
    }
    if (flags & Flag.fin) this.#finAt ??= plus(sequence, data.length);
    if (data.length > 0) {
      this.owes = true;
      const late = Math.max(0, after(this.next, sequence));
      const room = Math.max(0, after(this.offered, sequence));
      const news = data.subarray(late, Math.max(late, Math.min(data.length, room)));
      if (news.length > 0) this.#takeNews(plus(sequence, late), news);
    }
    if (this.#finAt !== this.next) return;
    this.ended = true;
    this.next = plus(this.next, 1);
    this.owes = true;
    this.#sink.finished();
  }

  #takeNews(sequence: number, news: Uint8Array): void {
    if (sequence === this.next && this.#early.isEmpty) {
      this.#deliver(news);
      return;
    }
    this.#early.add(sequence, news);
    for (let next = this.#early.take(this.next); next !== undefined; next = this.#early.take(this.next))
      this.#deliver(next);
    // At once, so that the guest gets three acknowledgments for the missing segment.
    if (!this.#early.isEmpty) this.#sink.missing();
  }

  #deliver(bytes: Uint8Array): void {
    this.next = plus(this.next, bytes.length);
    this.#sink.deliver(bytes);
  }

  /**
   * The window for an acknowledgment.
   *
   * @param room bytes that can be taken
   * @param shift of the window field
   */
  window(room: number, shift: number): number {
    const fresh = plus(this.next, Math.min(room, 0xffff << shift));
    const edge = after(fresh, this.offered) > 0 ? fresh : this.offered;
    return Math.min(Math.max(0, after(edge, this.next)) >>> shift, 0xffff);
  }

  /** An acknowledgment with that window was sent. */
  acknowledged(window: number, shift: number): void {
    this.owes = false;
    const offered = plus(this.next, window << shift);
    if (after(offered, this.offered) > 0) this.offered = offered;
  }
}
