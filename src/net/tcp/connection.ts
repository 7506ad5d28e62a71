/**
 * One TCP connection of the guest (RFC 9293): this side of it ends here, and what it carries goes on by a stream of the host.
 *
 * Both directions are bounded: what the guest sends waits in the host's stream up to the window, and what the host has for the guest
 * waits in a queue, above whose limit the stream is paused.
 *
 * @module
 */
import type { OutsideProblem, OutsideStream, StreamEvents } from '../outside.js';
import type { Ipv4 } from '../packets/addresses.js';
import { Flag, type Segment } from '../packets/tcp.js';
import { Reassembly } from './reassembly.js';
import { SendQueue } from './send-queue.js';
import { after, plus } from './sequence.js';
import { RetransmissionTimer } from './timers.js';

/** A guest that says nothing takes segments of this size (RFC 9293 3.7.1). */
const DEFAULT_MSS = 536;
/** Smaller ones are not sent: a guest that asks for 1 byte a segment would get millions of frames. */
const SMALLEST_MSS = 64;
/** The shift of the window that this side offers: 256 KiB and more can be said. */
const WINDOW_SHIFT = 4;
/** How long a closed connection is remembered, so that a late segment finds it; milliseconds. */
const TIME_WAIT = 2000;
/** How long a guest may keep its half open to which nobody listens any more. */
const ORPHAN = 60_000;
/** In flight after a loss: segments. */
const AFTER_LOSS = 4;
const DUPLICATES = 3;

export type Phase = 'connecting' | 'synReceived' | 'synSent' | 'open' | 'timeWait' | 'closed';

/** Who the two ends are, as the guest sees them. */
export interface Ends {
  readonly guest: Ipv4;
  readonly guestPort: number;
  readonly peer: Ipv4;
  readonly peerPort: number;
}

/** What a connection needs of the network. */
export interface ConnectionLink {
  now(): number;
  /** Sends a segment to the guest; false where there is no room for its frame now: `resumed` is called when there is. */
  send(connection: Connection, segment: Segment): boolean;
  /** The largest segment that goes into a frame. */
  readonly mss: number;
  /** How many bytes may wait in each direction. */
  limit(): number;
  /** The connection has become `closed`. */
  gone(connection: Connection): void;
  /** A number at which to begin. */
  firstSequence(ends: Ends): number;
}

/** See the module's comment. */
export class Connection implements StreamEvents {
  readonly ends: Ends;
  phase: Phase;
  /** An acknowledgment is due; `flush` sends it. */
  owes = false;
  readonly #link: ConnectionLink;
  readonly #open: (events: StreamEvents) => OutsideStream;
  #stream: OutsideStream | undefined;
  #streamClosed = false;
  #paused = false;

  readonly #queue = new SendQueue();
  readonly #timer = new RetransmissionTimer();
  /** The first sequence number that is not acknowledged, and the one after the last that was ever sent. */
  #unacknowledged: number;
  #highest: number;
  /** Bytes of the queue that are under way. */
  #sent = 0;
  #fin: 'no' | 'wanted' | 'sent' | 'acknowledged' = 'no';
  #window = 0;
  #shift = 0;
  /** Sequence and acknowledgment of the segment that said the window last. */
  #windowFrom = { sequence: 0, acknowledgment: 0 };
  #mss: number;
  #congestion = Number.POSITIVE_INFINITY;
  #duplicates = 0;
  /** Until this is acknowledged, each new acknowledgment names the next lost segment (RFC 6582). */
  #recover: number | undefined;

  #next = 0;
  /** The end of the window that was offered: it never moves back. */
  #offered = 0;
  readonly #early = new Reassembly();
  /** Where the guest's data ends, once its FIN is there. */
  #finAt: number | undefined;
  #guestEnded = false;
  #guestEndedFirst = false;
  /** Bytes that the host's stream has not passed on yet. */
  #waiting = 0;
  #scales = false;
  /** The sequence number of the guest's SYN. */
  #first = 0;
  /** When `timeWait` or an orphan ends. */
  #endsAt = Number.POSITIVE_INFINITY;

  /**
   * @param open opens the host's stream
   * @param syn the guest's; undefined where the connection comes from outside
   */
  constructor(
    ends: Ends,
    link: ConnectionLink,
    open: (events: StreamEvents) => OutsideStream,
    syn?: Segment,
  ) {
    this.ends = ends;
    this.#link = link;
    this.#open = open;
    this.#unacknowledged = link.firstSequence(ends);
    this.#highest = this.#unacknowledged;
    this.#mss = Math.min(DEFAULT_MSS, link.mss);
    this.phase = syn === undefined ? 'synSent' : 'connecting';
    if (syn !== undefined) this.#meet(syn);
  }

  /** Begins; apart from making it, since the stream may answer at once. */
  begin(): void {
    this.#stream = this.#open(this);
    if (this.phase !== 'synSent') return;
    this.pauseStream(true);
    this.#sendSyn();
  }

  /** True for a SYN that is a repetition of the one that began this connection. */
  isRepeated(syn: Segment): boolean {
    return syn.sequence === this.#first && this.phase !== 'timeWait';
  }

  /** Bytes that are held for this connection. */
  get held(): number {
    return this.#queue.length + this.#waiting;
  }

  // What the host's stream says.

  opened(): void {
    if (this.phase !== 'connecting') return;
    this.phase = 'synReceived';
    this.#sendSyn();
  }

  data(bytes: Uint8Array): void {
    if (this.phase === 'closed' || this.#fin !== 'no') return;
    this.#queue.push(bytes);
    if (this.#queue.length >= this.#link.limit()) this.pauseStream(true);
    this.push();
  }

  ended(): void {
    if (this.#fin === 'no') this.#fin = 'wanted';
    this.push();
  }

  written(count: number): void {
    this.#waiting -= count;
    if (this.phase !== 'open' || this.#guestEnded) return;
    // Tell the guest of the room, but not of each byte of it (RFC 9293 3.8.6.2.2).
    const more = after(plus(this.#next, this.#room()), this.#offered);
    if (more >= Math.min(2 * this.#mss, this.#link.limit() / 2)) this.#acknowledge();
  }

  closed(problem?: OutsideProblem): void {
    this.#streamClosed = true;
    this.#waiting = 0;
    if (this.phase === 'closed' || this.phase === 'timeWait') return;
    if (problem !== undefined || this.#fin === 'no') this.abort();
    else this.#endsAt = Math.min(this.#endsAt, this.#link.now() + ORPHAN);
  }

  // What the guest says.

  receive(segment: Segment): void {
    const { flags } = segment;
    if (this.phase === 'connecting') {
      if (flags & Flag.rst && segment.sequence === this.#next) this.#end();
      return;
    }
    if (this.phase === 'synSent') {
      this.#receiveAnswer(segment);
      return;
    }
    if (this.phase === 'synReceived' && flags & Flag.syn) {
      this.#resendSyn();
      return;
    }
    if (!this.#isInWindow(segment)) {
      if (!(flags & Flag.rst)) this.#acknowledge();
      return;
    }
    if (flags & Flag.rst) {
      // One that is not exactly in place may be forged; the guest sends another (RFC 5961 3.2).
      if (segment.sequence === this.#next) this.#end();
      else this.#acknowledge();
      return;
    }
    if (!(flags & Flag.ack) || !this.#takeAcknowledgment(segment)) return;
    this.#takeData(segment);
    this.push();
    this.#settle();
  }

  /** An answer to our SYN. */
  #receiveAnswer(segment: Segment): void {
    const { flags, acknowledgment } = segment;
    const answersUs = flags & Flag.ack && acknowledgment === this.#highest;
    if (!answersUs) return;
    if (flags & Flag.rst) this.#end();
    // Both sides opening at once does not happen: nobody outside waits for such a guest.
    if (!(flags & Flag.syn) || flags & Flag.rst) return;
    this.#meet(segment);
    this.phase = 'synReceived';
    this.owes = true;
    this.#takeAcknowledgment(segment);
    this.push();
  }

  /** Takes over what the guest's SYN says. */
  #meet({ sequence, mss, windowShift, window }: Segment): void {
    this.#first = sequence;
    this.#next = plus(sequence, 1);
    this.#offered = this.#next;
    this.#mss = Math.max(SMALLEST_MSS, Math.min(mss ?? DEFAULT_MSS, this.#link.mss));
    this.#scales = windowShift !== undefined;
    this.#shift = windowShift ?? 0;
    this.#window = window;
  }

  #isInWindow({ sequence, data, flags }: Segment): boolean {
    const length = data.length + (flags & Flag.fin ? 1 : 0) + (flags & Flag.syn ? 1 : 0);
    const from = after(sequence, this.#next);
    const room = Math.max(0, after(this.#offered, this.#next));
    if (length === 0) return room === 0 ? from === 0 : from >= 0 && from < room;
    // What begins before the window and reaches into it is cut.
    return from < Math.max(1, room) && from + length > 0;
  }

  /** False where the segment acknowledges what was never sent. */
  #takeAcknowledgment(segment: Segment): boolean {
    const { acknowledgment, sequence } = segment;
    const news = after(acknowledgment, this.#unacknowledged);
    if (after(acknowledgment, this.#highest) > 0) {
      if (this.phase === 'synReceived') this.#reset(acknowledgment);
      else this.#acknowledge();
      return false;
    }
    this.#timer.heard();
    if (this.phase === 'synReceived') {
      if (news <= 0) return false;
      this.phase = 'open';
      this.#unacknowledged = plus(this.#unacknowledged, 1);
      this.#timer.acknowledged(this.#link.now(), () => true);
      this.#noteWindow(segment);
      this.pauseStream(false);
      return true;
    }
    if (news > 0) this.#acknowledged(acknowledgment, news);
    else if (news === 0) this.#noteDuplicate(segment);
    const from = this.#windowFrom;
    const isNewer =
      after(sequence, from.sequence) > 0 ||
      (sequence === from.sequence && after(acknowledgment, from.acknowledgment) >= 0);
    if (isNewer) this.#noteWindow(segment);
    return true;
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
    if (this.#paused && this.#queue.length < this.#link.limit() / 2) this.pauseStream(false);
  }

  /** The same acknowledgment again and again: the next segment is lost, and others came (RFC 5681 3.2). */
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

  #takeData({ sequence, data, flags }: Segment): void {
    if (this.#guestEnded) {
      if (data.length > 0 || flags & Flag.fin) this.owes = true;
      return;
    }
    if (flags & Flag.fin) this.#finAt ??= plus(sequence, data.length);
    if (data.length > 0) {
      this.owes = true;
      const late = Math.max(0, after(this.#next, sequence));
      const room = Math.max(0, after(this.#offered, sequence));
      const news = data.subarray(late, Math.max(late, Math.min(data.length, room)));
      if (news.length > 0) this.#takeNews(plus(sequence, late), news);
    }
    if (this.#finAt !== this.#next) return;
    this.#guestEnded = true;
    this.#guestEndedFirst = this.#fin === 'no' || this.#fin === 'wanted';
    this.#next = plus(this.#next, 1);
    this.owes = true;
    if (!this.#streamClosed) this.#stream?.end();
  }

  #takeNews(sequence: number, news: Uint8Array): void {
    if (sequence === this.#next && this.#early.isEmpty) {
      this.#deliver(news);
      return;
    }
    this.#early.add(sequence, news);
    for (let next = this.#early.take(this.#next); next !== undefined; next = this.#early.take(this.#next))
      this.#deliver(next);
    // At once, so that the guest hears three times what is missing.
    if (!this.#early.isEmpty) this.#acknowledge();
  }

  #deliver(bytes: Uint8Array): void {
    this.#next = plus(this.#next, bytes.length);
    if (this.#streamClosed || this.#stream === undefined) return;
    this.#waiting += bytes.length;
    this.#stream.write(bytes);
  }

  // What goes to the guest.

  /** Sends what the windows let through. */
  push(): void {
    if (this.phase !== 'open') return;
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
      this.#timer.sent(this.#end0(), this.#link.now());
      if (endsNow) break;
    }
    // A window of 0 is asked about from time to time.
    if (this.#queue.length > this.#sent || this.#inFlight > 0) this.#timer.start(this.#link.now());
  }

  /** There is room for frames again. */
  resumed(): void {
    this.push();
    this.flush();
  }

  /** Sends the acknowledgment that is due. */
  flush(): void {
    if (this.owes) this.#acknowledge();
  }

  /** Repeats what was not acknowledged, and ends what has waited long enough. */
  tick(now: number): void {
    if (now >= this.#endsAt) {
      if (this.phase === 'timeWait') this.#end(false);
      else this.abort();
      return;
    }
    if (now < this.#timer.due) return;
    this.#timer.expired(now);
    if (this.#timer.isHopeless) this.abort();
    else if (this.phase !== 'open') this.#resendSyn();
    else if (this.#inFlight > 0) this.#repeatAll();
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

  get #inFlight(): number {
    return this.#sent + (this.#fin === 'sent' ? 1 : 0);
  }

  #end0(): number {
    return plus(this.#unacknowledged, this.#inFlight);
  }

  /** One segment of the queue. False where there is no room for it. */
  #emit(offset: number, length: number, ends = false): boolean {
    const data = this.#queue.peek(offset, length);
    const isLast = offset + data.length === this.#queue.length;
    const flags = Flag.ack | (ends ? Flag.fin : 0) | (isLast && data.length > 0 ? Flag.psh : 0);
    const sequence = plus(this.#unacknowledged, offset);
    if (!this.#send({ sequence, flags, data })) return false;
    const end = plus(sequence, data.length + (ends ? 1 : 0));
    if (after(end, this.#highest) > 0) this.#highest = end;
    return true;
  }

  #sendSyn(): void {
    this.#highest = plus(this.#unacknowledged, 1);
    this.#resendSyn();
    this.#timer.sent(this.#highest, this.#link.now());
  }

  #resendSyn(): void {
    const answers = this.phase === 'synReceived';
    const scales = !answers || this.#scales;
    this.#send({
      sequence: this.#unacknowledged,
      flags: Flag.syn | (answers ? Flag.ack : 0),
      data: new Uint8Array(),
      mss: this.#link.mss,
      ...(scales && { windowShift: WINDOW_SHIFT }),
    });
  }

  #acknowledge(): void {
    this.#send({
      sequence: this.phase === 'open' || this.phase === 'timeWait' ? this.#end0() : this.#highest,
      flags: Flag.ack,
      data: new Uint8Array(),
    });
  }

  #room(): number {
    return Math.max(0, this.#link.limit() - this.#waiting);
  }

  #send(part: Pick<Segment, 'sequence' | 'flags' | 'data' | 'mss' | 'windowShift'>): boolean {
    const { guestPort, peerPort } = this.ends;
    const shift = this.#scales && !(part.flags & Flag.syn) ? WINDOW_SHIFT : 0;
    const knows = part.flags & Flag.ack;
    const fresh = plus(this.#next, Math.min(this.#room(), 0xffff << shift));
    const edge = knows && after(fresh, this.#offered) > 0 ? fresh : this.#offered;
    const window = Math.max(0, after(edge, this.#next)) >>> shift;
    const sent = this.#link.send(this, {
      fromPort: peerPort,
      toPort: guestPort,
      acknowledgment: knows ? this.#next : 0,
      window: knows ? Math.min(window, 0xffff) : 0xffff,
      ...part,
    });
    if (!sent || !knows) return sent;
    this.owes = false;
    const offered = plus(this.#next, Math.min(window, 0xffff) << shift);
    if (after(offered, this.#offered) > 0) this.#offered = offered;
    return sent;
  }

  // Ends.

  pauseStream(paused: boolean): void {
    if (this.#paused === paused || this.#streamClosed) return;
    this.#paused = paused;
    if (paused) this.#stream?.pause();
    else this.#stream?.resume();
  }

  /** Both directions are done. */
  #settle(): void {
    if (this.#fin !== 'acknowledged' || !this.#guestEnded || this.phase !== 'open') return;
    this.flush();
    this.#timer.stop();
    // Who ended first waits for what may still be under way (RFC 9293 3.6).
    if (this.#guestEndedFirst) {
      this.#end(false);
      return;
    }
    this.phase = 'timeWait';
    this.#endsAt = this.#link.now() + TIME_WAIT;
  }

  /** Ends at once, and says so to both sides. */
  abort(): void {
    if (this.phase === 'closed') return;
    if (this.phase === 'connecting') this.#reset(undefined);
    else if (this.phase !== 'timeWait') this.#reset(this.#highest);
    this.#end();
  }

  /** @param sequence undefined: the answer to a SYN that nobody takes */
  #reset(sequence: number | undefined): void {
    const flags = Flag.rst | Flag.ack;
    this.#send({ sequence: sequence ?? 0, flags, data: new Uint8Array() });
  }

  /** @param destroys false where the host's stream was ended in order, and may still have bytes to pass on */
  #end(destroys = true): void {
    if (this.phase === 'closed') return;
    this.phase = 'closed';
    this.#timer.stop();
    this.#queue.clear();
    if (!this.#streamClosed) {
      if (destroys) this.#stream?.destroy();
      else this.#stream?.leave();
    }
    this.#streamClosed = true;
    this.#link.gone(this);
  }
}
