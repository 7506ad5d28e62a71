/** When a sender repeats what was not acknowledged (RFC 6298). Milliseconds. */
const FIRST = 1000;
const SHORTEST = 200;
const LONGEST = 60_000;
/** After so many repetitions without an answer the other side is gone. */
const MOST_REPEATS = 10;

export class RetransmissionTimer {
  /** When to repeat; Infinity while nothing is under way. */
  due = Number.POSITIVE_INFINITY;
  #smoothed: number | undefined;
  #variation = 0;
  #timeout = FIRST;
  #repeats = 0;
  /** One segment at a time is measured: its end, and when it was sent. */
  #measured: { end: number; sentAt: number } | undefined;

  /** True where no answer has come for too long. */
  get isHopeless(): boolean {
    return this.#repeats > MOST_REPEATS;
  }

  start(now: number): void {
    if (this.due === Number.POSITIVE_INFINITY) this.due = now + this.#timeout;
  }

  stop(): void {
    this.due = Number.POSITIVE_INFINITY;
  }

  /** A new segment that ends at this sequence number was sent. */
  sent(end: number, now: number): void {
    this.#measured ??= { end, sentAt: now };
    this.start(now);
  }

  /** Something new was acknowledged. @param reaches whether a sequence number is acknowledged with it */
  acknowledged(now: number, reaches: (sequence: number) => boolean): void {
    if (this.#measured !== undefined && reaches(this.#measured.end)) {
      this.#measure(now - this.#measured.sentAt);
      this.#measured = undefined;
    }
    this.#repeats = 0;
    this.due = Number.POSITIVE_INFINITY;
    if (this.#smoothed !== undefined) this.#timeout = this.#fromMeasure();
  }

  /** It is time to repeat: the next time is twice as long. A repeated segment is not measured (Karn). */
  expired(now: number): void {
    this.#measured = undefined;
    this.#repeats++;
    this.#timeout = Math.min(2 * this.#timeout, LONGEST);
    this.due = now + this.#timeout;
  }

  /** The other side answered, even if nothing new: it lives. */
  heard(): void {
    this.#repeats = 0;
  }

  #measure(time: number): void {
    if (this.#smoothed === undefined) {
      this.#smoothed = time;
      this.#variation = time / 2;
    } else {
      this.#variation = 0.75 * this.#variation + 0.25 * Math.abs(this.#smoothed - time);
      this.#smoothed = 0.875 * this.#smoothed + 0.125 * time;
    }
  }

  #fromMeasure(): number {
    return Math.min(LONGEST, Math.max(SHORTEST, this.#smoothed! + 4 * this.#variation));
  }
}
