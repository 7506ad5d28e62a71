/** The moment of an alarm that is not set. */
const OUT = -1;

/** What a device sets for a moment that is to come: see `Clock.alarm`. It is made once, and set again and again. */
export interface Alarm {
  /** Unique on its clock. */
  readonly name: string;
  /** When it rings, in nanoseconds of its clock; Infinity while it is not set. */
  readonly moment: number;
  /**
   * Sets it, or moves it. One for a moment that has passed rings `SHORTEST` from now, so that a device whose alarm is
   * always due cannot keep the guest from going on. Infinity cancels it.
   */
  at(moment: number): void;
  cancel(): void;
}

/** An alarm's place in the queue. */
interface Entry {
  readonly rank: number;
  moment: number;
  /** In the heap; `OUT` where it is not set. */
  place: number;
  ring(): void;
}

/**
 * The alarms of a clock by their moments: a binary heap, whose top rings first. Equal moments ring in the order in which
 * the alarms were made and not in that in which they were set: so a machine that was saved and restored, which sets its
 * alarms in another order, rings them in the same.
 */
export class AlarmQueue {
  readonly #heap: Entry[] = [];
  #made = 0;

  /** The moment of the first alarm; Infinity where none is set. */
  next = Number.POSITIVE_INFINITY;

  make(ring: () => void): Entry {
    return { rank: this.#made++, moment: Number.POSITIVE_INFINITY, place: OUT, ring };
  }

  set(entry: Entry, moment: number): void {
    if (moment === Number.POSITIVE_INFINITY) {
      this.#remove(entry);
    } else if (entry.place === OUT) {
      entry.moment = moment;
      this.#heap.push(entry);
      this.#rise(entry, this.#heap.length - 1);
    } else {
      entry.moment = moment;
      this.#rise(entry, entry.place);
      this.#sink(entry, entry.place);
    }
    this.#note();
  }

  /** Rings each alarm that is due. One that is set meanwhile, and is due as well, has its turn the next time. */
  ring(now: number): void {
    for (let left = this.#heap.length; left > 0 && this.next <= now; left--) {
      const entry = this.#heap[0]!;
      this.#remove(entry);
      this.#note();
      entry.ring();
    }
  }

  #note(): void {
    this.next = this.#heap.length === 0 ? Number.POSITIVE_INFINITY : this.#heap[0]!.moment;
  }

  #remove(entry: Entry): void {
    const { place } = entry;
    entry.moment = Number.POSITIVE_INFINITY;
    if (place === OUT) return;
    entry.place = OUT;
    const last = this.#heap.pop()!;
    if (last === entry) return;
    this.#rise(last, place);
    this.#sink(last, last.place);
  }

  #rise(entry: Entry, from: number): void {
    let place = from;
    for (; place > 0; place = (place - 1) >> 1) {
      const parent = this.#heap[(place - 1) >> 1]!;
      if (!before(entry, parent)) break;
      this.#put(parent, place);
    }
    this.#put(entry, place);
  }

  #sink(entry: Entry, from: number): void {
    const heap = this.#heap;
    let place = from;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, entry)) break;
      this.#put(heap[child]!, place);
      place = child;
    }
    this.#put(entry, place);
  }

  #put(entry: Entry, place: number): void {
    this.#heap[place] = entry;
    entry.place = place;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.moment < b.moment || (a.moment === b.moment && a.rank < b.rank);
}
