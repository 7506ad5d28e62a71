/**
 * One TCP connection of the guest (RFC 9293): its end is here, and a stream of the host carries its bytes on. This file has the phases of
 * a connection and its stream; the two directions are a `Sender` and a `Receiver`.
 *
 * Both directions are bounded: the guest's bytes wait in the host's stream up to the window, and the host's bytes for the guest wait in a
 * queue, above whose limit the stream is paused.
 *
 * @module
 */
import type { OutsideProblem, OutsideStream, StreamEvents } from '../outside.js';
import type { Ipv4 } from '../packets/addresses.js';
import { Flag, type Segment } from '../packets/tcp.js';
import { Receiver } from './receiver.js';
import { DEFAULT_MSS, Sender } from './sender.js';
import { after, plus } from './sequence.js';

/** The shift of the window that this side offers, so that it can be 256 KiB and more. */
const WINDOW_SHIFT = 4;
/** How long a closed connection is remembered, so that a late segment finds it; milliseconds. */
const TIME_WAIT = 2000;
/** How long a guest may keep its half open after the host's stream has closed; milliseconds. */
const ORPHAN = 60_000;

export type Phase = 'connecting' | 'synReceived' | 'synSent' | 'open' | 'timeWait' | 'closed';

/** The two ends, as the guest sees them. */
export interface Ends {
  readonly guest: Ipv4;
  readonly guestPort: number;
  readonly peer: Ipv4;
  readonly peerPort: number;
}

/** The part of the network that a connection needs. */
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
  /** The initial sequence number. */
  firstSequence(ends: Ends): number;
}

/** See the module's comment. */
export class Connection implements StreamEvents {
  readonly ends: Ends;
  phase: Phase;
  readonly #link: ConnectionLink;
  readonly #open: (events: StreamEvents) => OutsideStream;
  #stream: OutsideStream | undefined;
  #streamClosed = false;
  #paused = false;

  readonly #sender: Sender;
  readonly #receiver: Receiver;
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
    this.#sender = new Sender(
      { now: () => link.now(), send: (part) => this.#send(part) },
      link.firstSequence(ends),
      Math.min(DEFAULT_MSS, link.mss),
    );
    this.#receiver = new Receiver({
      deliver: (bytes) => this.#deliver(bytes),
      missing: () => this.#acknowledge(),
      finished: () => {
        this.#guestEndedFirst = !this.#sender.finWasSent;
        if (!this.#streamClosed) this.#stream?.end();
      },
    });
    this.phase = syn === undefined ? 'synSent' : 'connecting';
    if (syn !== undefined) this.#meet(syn);
  }

  /** Begins; separate from the constructor, since the stream may answer at once. */
  begin(): void {
    this.#stream = this.#open(this);
    if (this.phase !== 'synSent') return;
    this.pauseStream(true);
    this.#sendSyn();
  }

  /** True for a SYN that repeats the one that began this connection. */
  isRepeated(syn: Segment): boolean {
    return syn.sequence === this.#first && this.phase !== 'timeWait';
  }

  /** Bytes that are held for this connection. */
  get held(): number {
    return this.#sender.queued + this.#waiting;
  }

  /** An acknowledgment is due; `flush` sends it. */
  get owes(): boolean {
    return this.#receiver.owes;
  }

  // Events of the host's stream.

  opened(): void {
    if (this.phase !== 'connecting') return;
    this.phase = 'synReceived';
    this.#sendSyn();
  }

  data(bytes: Uint8Array): void {
    if (this.phase === 'closed' || this.#sender.isFinished) return;
    this.#sender.add(bytes);
    if (this.#sender.queued >= this.#link.limit()) this.pauseStream(true);
    this.push();
  }

  ended(): void {
    this.#sender.finish();
    this.push();
  }

  written(count: number): void {
    this.#waiting -= count;
    if (this.phase !== 'open' || this.#receiver.ended) return;
    // Tell the guest of the room, but not of each byte of it (RFC 9293 3.8.6.2.2).
    const more = after(plus(this.#receiver.next, this.#room()), this.#receiver.offered);
    if (more >= Math.min(2 * this.#sender.mss, this.#link.limit() / 2)) this.#acknowledge();
  }

  closed(problem?: OutsideProblem): void {
    this.#streamClosed = true;
    this.#waiting = 0;
    if (this.phase === 'closed' || this.phase === 'timeWait') return;
    if (problem !== undefined || !this.#sender.isFinished) this.abort();
    else this.#endsAt = Math.min(this.#endsAt, this.#link.now() + ORPHAN);
  }

  pauseStream(paused: boolean): void {
    if (this.#paused === paused || this.#streamClosed) return;
    this.#paused = paused;
    if (paused) this.#stream?.pause();
    else this.#stream?.resume();
  }

  #deliver(bytes: Uint8Array): void {
    if (this.#streamClosed || this.#stream === undefined) return;
    this.#waiting += bytes.length;
    this.#stream.write(bytes);
  }

  // Segments of the guest.

  receive(segment: Segment): void {
    const { flags } = segment;
    if (this.phase === 'connecting') {
      if (flags & Flag.rst && segment.sequence === this.#receiver.next) this.#end();
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
    if (!this.#receiver.isInWindow(segment)) {
      if (!(flags & Flag.rst)) this.#acknowledge();
      return;
    }
    if (flags & Flag.rst) {
      // A reset that is not exactly in order may be forged; the guest sends another one (RFC 5961 3.2).
      if (segment.sequence === this.#receiver.next) this.#end();
      else this.#acknowledge();
      return;
    }
    if (!(flags & Flag.ack) || !this.#takeAcknowledgment(segment)) return;
    this.#receiver.take(segment);
    this.push();
    this.#settle();
  }

  /** An answer to our SYN. */
  #receiveAnswer(segment: Segment): void {
    const { flags, acknowledgment } = segment;
    const answersUs = flags & Flag.ack && acknowledgment === this.#sender.highest;
    if (!answersUs) return;
    if (flags & Flag.rst) this.#end();
    // A simultaneous open does not happen: no outside peer does that.
    if (!(flags & Flag.syn) || flags & Flag.rst) return;
    this.#meet(segment);
    this.phase = 'synReceived';
    this.#receiver.owes = true;
    this.#takeAcknowledgment(segment);
    this.push();
  }

  /** Takes the values of the guest's SYN. */
  #meet(syn: Segment): void {
    this.#first = syn.sequence;
    this.#scales = syn.windowShift !== undefined;
    this.#receiver.begin(syn.sequence);
    this.#sender.begin(syn, this.#link.mss);
  }

  /** False where the segment acknowledges data that was never sent. */
  #takeAcknowledgment(segment: Segment): boolean {
    if (this.#sender.isBeyond(segment.acknowledgment)) {
      if (this.phase === 'synReceived') this.#reset(segment.acknowledgment);
      else this.#acknowledge();
      return false;
    }
    this.#sender.heard();
    if (this.phase === 'synReceived') {
      if (!this.#sender.takeSyn(segment)) return false;
      this.phase = 'open';
      this.pauseStream(false);
      return true;
    }
    this.#sender.take(segment);
    if (this.#paused && this.#sender.queued < this.#link.limit() / 2) this.pauseStream(false);
    return true;
  }

  // Segments to the guest.

  /** Sends as much as the windows allow. */
  push(): void {
    if (this.phase === 'open') this.#sender.push();
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

  /** Repeats data that was not acknowledged, and ends a connection that has waited long enough. */
  tick(now: number): void {
    if (now >= this.#endsAt) {
      if (this.phase === 'timeWait') this.#end(false);
      else this.abort();
      return;
    }
    if (now < this.#sender.due) return;
    if (!this.#sender.expired(now)) this.abort();
    else if (this.phase !== 'open') this.#resendSyn();
    else this.#sender.repeat();
  }

  #sendSyn(): void {
    this.#sender.synBegins();
    this.#resendSyn();
    this.#sender.synWasSent();
  }

  #resendSyn(): void {
    const answers = this.phase === 'synReceived';
    const scales = !answers || this.#scales;
    this.#send({
      sequence: this.#sender.first,
      flags: Flag.syn | (answers ? Flag.ack : 0),
      data: new Uint8Array(),
      mss: this.#link.mss,
      ...(scales && { windowShift: WINDOW_SHIFT }),
    });
  }

  #acknowledge(): void {
    const isOpen = this.phase === 'open' || this.phase === 'timeWait';
    const sequence = isOpen ? this.#sender.end : this.#sender.highest;
    this.#send({ sequence, flags: Flag.ack, data: new Uint8Array() });
  }

  #room(): number {
    return Math.max(0, this.#link.limit() - this.#waiting);
  }

  #send(part: Pick<Segment, 'sequence' | 'flags' | 'data' | 'mss' | 'windowShift'>): boolean {
    const { guestPort, peerPort } = this.ends;
    const shift = this.#scales && !(part.flags & Flag.syn) ? WINDOW_SHIFT : 0;
    const knows = part.flags & Flag.ack;
    const window = knows ? this.#receiver.window(this.#room(), shift) : 0xffff;
    const sent = this.#link.send(this, {
      fromPort: peerPort,
      toPort: guestPort,
      acknowledgment: knows ? this.#receiver.next : 0,
      window,
      ...part,
    });
    if (sent && knows) this.#receiver.acknowledged(window, shift);
    return sent;
  }

  // The end.

  /** Both directions have ended. */
  #settle(): void {
    if (!this.#sender.finWasAcknowledged || !this.#receiver.ended || this.phase !== 'open') return;
    this.flush();
    this.#sender.stop();
    // The side that ended first waits for late segments (RFC 9293 3.6).
    if (this.#guestEndedFirst) {
      this.#end(false);
      return;
    }
    this.phase = 'timeWait';
    this.#endsAt = this.#link.now() + TIME_WAIT;
  }

  /** Ends at once, and informs both sides. */
  abort(): void {
    if (this.phase === 'closed') return;
    if (this.phase === 'connecting') this.#reset(undefined);
    else if (this.phase !== 'timeWait') this.#reset(this.#sender.highest);
    this.#end();
  }

  /** @param sequence undefined: the answer to a SYN that is refused */
  #reset(sequence: number | undefined): void {
    const flags = Flag.rst | Flag.ack;
    this.#send({ sequence: sequence ?? 0, flags, data: new Uint8Array() });
  }

  /** @param destroys false where the host's stream was ended in order, and may still have bytes to send */
  #end(destroys = true): void {
    if (this.phase === 'closed') return;
    this.phase = 'closed';
    this.#sender.clear();
    if (!this.#streamClosed) {
      if (destroys) this.#stream?.destroy();
      else this.#stream?.leave();
    }
    this.#streamClosed = true;
    this.#link.gone(this);
  }
}
