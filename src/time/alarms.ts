/** The moment of an alarm that is not set. */
const OUT = -1;

/** Calls a device back at a moment of its clock: see `Clock.alarm`. It is made once and set many times. */
export interface Alarm {
  /** Unique on its clock. */
  readonly name: string;
  /** When it rings, in nanoseconds of its clock; Infinity while it is not set. */
  readonly moment: number;
  /**
   * Sets or moves the alarm. For a moment in the past it rings `SHORTEST` from now, so that a device whose alarm is
   * always due cannot stop the guest's progress. Infinity cancels it.
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
 * The alarms of a clock by their moments: a binary heap, whose top rings first. Alarms for the same moment ring in the
 * order in which they were made, not in which they were set: a restored machine sets its alarms in another order, and
 * they still ring in the same one.
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

  /** Rings each alarm that is due. An alarm that is set meanwhile and is already due rings at the next call. */
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
