/**
 * The sending half of a connection: bytes for the guest wait in a queue, are sent within its window and repeated after a loss
 * (RFC 9293 3.8, RFC 5681).
 *
 * @module
 */
import { Flag, type Segment } from '../packets/tcp.js';
import { SendQueue } from './send-queue.js';
import { after, plus } from './sequence.js';
import { RetransmissionTimer } from './timers.js';

/** The segment size of a guest whose SYN names none (RFC 9293 3.7.1). */
export const DEFAULT_MSS = 536;
/** Smaller segments are not sent: a guest that asks for 1 byte a segment would get millions of frames. */
const SMALLEST_MSS = 64;
/** In flight after a loss: segments. */
const AFTER_LOSS = 4;
const DUPLICATES = 3;

/** The sender's interface to its connection. */
export interface SenderLink {
  now(): number;
  /** Sends a segment; false where there is no room for its frame now. */
  send(part: Pick<Segment, 'sequence' | 'flags' | 'data'>): boolean;
}

/** See the module's comment. */
export class Sender {
  readonly #link: SenderLink;
  readonly #queue = new SendQueue();
  readonly #timer = new RetransmissionTimer();
  /** The first sequence number that is not acknowledged, and the one after the last that was ever sent. */
  #unacknowledged: number;
  #highest: number;
  /** Bytes of the queue that are in flight. */
  #sent = 0;
  #fin: 'no' | 'wanted' | 'sent' | 'acknowledged' = 'no';
  #window = 0;
  #shift = 0;
  /** Sequence and acknowledgment of the segment with the last window. */
  #windowFrom = { sequence: 0, acknowledgment: 0 };
  #mss: number;
  #congestion = Number.POSITIVE_INFINITY;
  #duplicates = 0;
  /** Until this is acknowledged, each new acknowledgment names the next lost segment (RFC 6582). */
  #recover: number | undefined;

  constructor(link: SenderLink, first: number, mss: number) {
    this.#link = link;
    this.#unacknowledged = first;
    this.#highest = first;
    this.#mss = mss;
  }

  /** Takes the values of the guest's SYN. @param largest the largest segment that goes into a frame */
  begin({ mss, windowShift, window }: Segment, largest: number): void {
    this.#mss = Math.max(SMALLEST_MSS, Math.min(mss ?? DEFAULT_MSS, largest));
    this.#shift = windowShift ?? 0;
    this.#window = window;
  }

  /** The sequence number of a SYN, which was not acknowledged yet. */
  get first(): number {
    return this.#unacknowledged;
  }

  /** The sequence number after the last that was ever sent. */
  get highest(): number {
    return this.#highest;
  }

  /** The sequence number after all that is in flight. */
  get end(): number {
    return plus(this.#unacknowledged, this.#inFlight);
  }

  get mss(): number {
    return this.#mss;
  }

  get queued(): number {
    return this.#queue.length;
  }

  /** The last byte will be, or was, followed by a FIN. */
  get isFinished(): boolean {
    return this.#fin !== 'no';
  }

  get finWasSent(): boolean {
    return this.#fin === 'sent' || this.#fin === 'acknowledged';
  }

  get finWasAcknowledged(): boolean {
    return this.#fin === 'acknowledged';
  }

  get #inFlight(): number {
    return this.#sent + (this.#fin === 'sent' ? 1 : 0);
  }

  add(bytes: Uint8Array): void {
    this.#queue.push(bytes);
  }

  finish(): void {
    if (this.#fin === 'no') this.#fin = 'wanted';
  }

  /** Notes that the SYN is sent, for the first time. */
  synBegins(): void {
    this.#highest = plus(this.#unacknowledged, 1);
  }

  synWasSent(): void {
    this.#timer.sent(this.#highest, this.#link.now());
  }

  /** The guest lives. */
  heard(): void {
    this.#timer.heard();
  }

  isBeyond(acknowledgment: number): boolean {
    return after(acknowledgment, this.#highest) > 0;
  }

  /** True where this segment acknowledges the SYN. */
  takeSyn(segment: Segment): boolean {
    if (after(segment.acknowledgment, this.#unacknowledged) <= 0) return false;
    this.#unacknowledged = plus(this.#unacknowledged, 1);
    this.#timer.acknowledged(this.#link.now(), () => true);
    this.#noteWindow(segment);
    return true;
  }

  /** Takes a segment's acknowledgment and window. */
  take(segment: Segment): void {
    const { acknowledgment, sequence } = segment;
    const news = after(acknowledgment, this.#unacknowledged);
    if (news > 0) this.#acknowledged(acknowledgment, news);
    else if (news === 0) this.#noteDuplicate(segment);
    const from = this.#windowFrom;
    const isNewer =
      after(sequence, from.sequence) > 0 ||
      (sequence === from.sequence && after(acknowledgment, from.acknowledgment) >= 0);
    if (isNewer) this.#noteWindow(segment);
  }

  #acknowledged(acknowledgment: number, news: number): void {
    const now = this.#link.now();
    const bytes = Math.min(news, this.#queue.length);
    if (news > bytes) this.#fin = 'acknowledged';
    this.#queue.drop(bytes);
    this.#sent = Math.max(0, this.#sent - bytes);
    this.#unacknowledged = acknowledgment;
    this.#duplicates = 0;
    this.#congestion += bytes;
    this.#timer.acknowledged(now, (sequence) => after(acknowledgment, sequence) >= 0);
    if (this.#inFlight > 0) this.#timer.start(now);
    if (this.#recover !== undefined && after(acknowledgment, this.#recover) >= 0) this.#recover = undefined;
    if (this.#recover !== undefined && this.#sent > 0) this.#emit(0, Math.min(this.#mss, this.#sent));
  }

  /** Duplicate acknowledgments: the next segment is lost, and later ones came (RFC 5681 3.2). */
  #noteDuplicate({ data, window }: Segment): void {
    if (data.length > 0 || this.#sent === 0 || window * 2 ** this.#shift !== this.#window) return;
    if (++this.#duplicates !== DUPLICATES || this.#recover !== undefined) return;
    this.#recover = this.#highest;
    this.#congestion = Math.max(this.#inFlight / 2, AFTER_LOSS * this.#mss);
    this.#emit(0, Math.min(this.#mss, this.#sent));
  }

  #noteWindow({ window, sequence, acknowledgment, flags }: Segment): void {
    this.#window = flags & Flag.syn ? window : window * 2 ** this.#shift;
    this.#windowFrom = { sequence, acknowledgment };
  }

  /** Sends as much as the windows allow. */
  push(): void {
    for (;;) {
      const unsent = this.#queue.length - this.#sent;
      const usable = Math.min(this.#window, this.#congestion) - this.#inFlight;
      const length = Math.min(unsent, this.#mss, usable);
      const endsNow = this.#fin === 'wanted' && length === unsent;
      if (length <= 0 && !(endsNow && unsent === 0)) break;
      // No small segment because of a small rest of the window (RFC 9293 3.8.6.2.1).
      if (length < unsent && length < this.#mss && this.#inFlight > 0) break;
      if (!this.#emit(this.#sent, length, endsNow)) return;
      this.#sent += length;
      if (endsNow) this.#fin = 'sent';
      this.#timer.sent(this.end, this.#link.now());
      if (endsNow) break;
    }
    // A window of 0 is probed from time to time.
    if (this.#queue.length > this.#sent || this.#inFlight > 0) this.#timer.start(this.#link.now());
  }

  /** When to repeat; Infinity while nothing is in flight. */
  get due(): number {
    return this.#timer.due;
  }

  /** The timer has expired. @returns false where the guest has not answered for too long */
  expired(now: number): boolean {
    this.#timer.expired(now);
    return !this.#timer.isHopeless;
  }

  /** Repeats the data that was not acknowledged, or probes a window of 0. */
  repeat(): void {
    if (this.#inFlight > 0) this.#repeatAll();
    else if (this.#queue.length > 0) this.#emit(0, 1);
    else this.#timer.stop();
  }

  #repeatAll(): void {
    this.#sent = 0;
    this.#recover = undefined;
    if (this.#fin === 'sent') this.#fin = 'wanted';
    this.#congestion = AFTER_LOSS * this.#mss;
    if (this.#window === 0 && this.#queue.length > 0) this.#emit(0, 1);
    else this.push();
  }

  /** One segment of the queue. False where there is no room for it. */
  #emit(offset: number, length: number, ends = false): boolean {
    const data = this.#queue.peek(offset, length);
    const isLast = offset + data.length === this.#queue.length;
    const flags = Flag.ack | (ends ? Flag.fin : 0) | (isLast && data.length > 0 ? Flag.psh : 0);
    const sequence = plus(this.#unacknowledged, offset);
    if (!this.#link.send({ sequence, flags, data })) return false;
    const end = plus(sequence, data.length + (ends ? 1 : 0));
    if (after(end, this.#highest) > 0) this.#highest = end;
    return true;
  }

  stop(): void {
    this.#timer.stop();
  }

  clear(): void {
    this.#timer.stop();
    this.#queue.clear();
  }
}
