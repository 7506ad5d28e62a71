/** Words of the ring's header. Positions count all bytes, modulo 2³²; the difference is the ring's fill level. */
const Word = { written: 0, read: 1, closed: 2, notified: 3 } as const;
const HEADER = 16;

/**
 * A byte stream from one thread to another through shared memory: one writer, one reader, no allocation per byte.
 *
 * The writer waits while the ring is full, so a guest that prints endlessly costs a fixed amount of memory. The reader is
 * notified once when there are bytes to read, and not again until it has read.
 */
export class SharedRing {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;

  /** @param buffer a ring's memory from another thread, or the capacity of a new one: a power of two. */
  constructor(buffer: SharedArrayBuffer | number) {
    this.buffer = typeof buffer === 'number' ? new SharedArrayBuffer(HEADER + buffer) : buffer;
    this.#words = new Int32Array(this.buffer, 0, 4);
    this.#bytes = new Uint8Array(this.buffer, HEADER);
  }

  /** How many bytes can be read now. */
  get length(): number {
    return (Atomics.load(this.#words, Word.written) - Atomics.load(this.#words, Word.read)) >>> 0;
  }

  get free(): number {
    return this.#bytes.length - this.length;
  }

  get closed(): boolean {
    return Atomics.load(this.#words, Word.closed) !== 0;
  }

  /** The reader ends: later writes are dropped, and a waiting writer continues. */
  close(): void {
    Atomics.store(this.#words, Word.closed, 1);
    Atomics.notify(this.#words, Word.read);
  }

  /** Writes the bytes that fit and returns their number. */
  tryWrite(bytes: Uint8Array): number {
    const capacity = this.#bytes.length;
    const length = Math.min(bytes.length, this.free);
    const at = Atomics.load(this.#words, Word.written) & (capacity - 1);
    const head = Math.min(length, capacity - at);
    if (length === 1) this.#bytes[at] = bytes[0]!;
    else {
      this.#bytes.set(bytes.subarray(0, head), at);
      this.#bytes.set(bytes.subarray(head, length), 0);
    }
    Atomics.add(this.#words, Word.written, length);
    return length;
  }

  /**
   * Writes everything, waiting for the reader where the ring is full.
   * @param notify called when the reader must be woken; `urgent` where this writer waits for it
   * @param giveUp called while waiting; true drops the rest, so that a reader that does not read blocks nobody
   */
  write(bytes: Uint8Array, notify: (urgent: boolean) => void, giveUp: () => boolean): void {
    for (let rest = bytes; !this.closed; ) {
      const seen = Atomics.load(this.#words, Word.read);
      const done = this.tryWrite(rest);
      if (done > 0 && Atomics.exchange(this.#words, Word.notified, 1) === 0) notify(false);
      if (done === rest.length) return;
      rest = rest.subarray(done);
      if (giveUp()) return;
      notify(true);
      Atomics.wait(this.#words, Word.read, seen, 20);
    }
  }

  /** Reads up to `limit` bytes; empty where there are none. The bytes belong to the caller. */
  read(limit: number = this.#bytes.length): Uint8Array {
    Atomics.store(this.#words, Word.notified, 0);
    const capacity = this.#bytes.length;
    const length = Math.min(this.length, limit);
    const result = new Uint8Array(length);
    const at = Atomics.load(this.#words, Word.read) & (capacity - 1);
    const head = Math.min(length, capacity - at);
    result.set(this.#bytes.subarray(at, at + head));
    result.set(this.#bytes.subarray(0, length - head), head);
    Atomics.add(this.#words, Word.read, length);
    Atomics.notify(this.#words, Word.read);
    return result;
  }

  /** Reads one byte, or -1: for devices, which read their input byte by byte. */
  readByte(): number {
    if (this.length === 0) return -1;
    const at = Atomics.load(this.#words, Word.read);
    const byte = this.#bytes[at & (this.#bytes.length - 1)]!;
    Atomics.store(this.#words, Word.read, (at + 1) | 0);
    return byte;
  }
}
