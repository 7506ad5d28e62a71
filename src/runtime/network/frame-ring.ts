/** Words of the ring's header. Positions count all bytes, modulo 2³². */
const Word = { written: 0, read: 1, roomWanted: 2, lost: 3 } as const;
const HEADER = 16;
const LENGTH = 4;

/** A wire from one thread to another: whole frames through shared memory, one writer, one reader. Frames without room are refused. */
export class FrameRing {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #lengths: Int32Array;

  /** @param buffer a ring's memory from another thread, or the capacity of a new one: a power of two. */
  constructor(buffer: SharedArrayBuffer | number) {
    this.buffer = typeof buffer === 'number' ? new SharedArrayBuffer(HEADER + buffer) : buffer;
    this.#words = new Int32Array(this.buffer, 0, HEADER / 4);
    this.#bytes = new Uint8Array(this.buffer, HEADER);
    this.#lengths = new Int32Array(this.buffer, HEADER);
  }

  get #used(): number {
    return (Atomics.load(this.#words, Word.written) - Atomics.load(this.#words, Word.read)) >>> 0;
  }

  get isEmpty(): boolean {
    return this.#used === 0;
  }

  /** The number of frames that were dropped for lack of room. */
  get lost(): number {
    return Atomics.load(this.#words, Word.lost);
  }

  noteLost(): void {
    Atomics.add(this.#words, Word.lost, 1);
  }

  /** False where there is no room; the reader then reports when there is: see `read`. */
  write(frame: Uint8Array): boolean {
    const capacity = this.#bytes.length;
    const padded = (frame.length + 3) & ~3;
    if (capacity - this.#used < LENGTH + padded) {
      Atomics.store(this.#words, Word.roomWanted, 1);
      // The reader may have made room before it could see that.
      if (capacity - this.#used < LENGTH + padded) return false;
    }
    const at = Atomics.load(this.#words, Word.written) & (capacity - 1);
    this.#lengths[at / 4] = frame.length;
    const from = (at + LENGTH) & (capacity - 1);
    const head = Math.min(frame.length, capacity - from);
    if (head === frame.length) this.#bytes.set(frame, from);
    else {
      this.#bytes.set(frame.subarray(0, head), from);
      this.#bytes.set(frame.subarray(head), 0);
    }
    Atomics.add(this.#words, Word.written, LENGTH + padded);
    return true;
  }

  /** The next frame, which belongs to the caller. @param hasRoom called when a writer that found no room can go on */
  read(hasRoom: () => void): Uint8Array | undefined {
    if (this.isEmpty) return undefined;
    const capacity = this.#bytes.length;
    const at = Atomics.load(this.#words, Word.read) & (capacity - 1);
    const length = this.#lengths[at / 4]!;
    const from = (at + LENGTH) & (capacity - 1);
    const frame = new Uint8Array(length);
    const head = Math.min(length, capacity - from);
    frame.set(this.#bytes.subarray(from, from + head));
    if (head < length) frame.set(this.#bytes.subarray(0, length - head), head);
    Atomics.add(this.#words, Word.read, LENGTH + ((length + 3) & ~3));
    const isHalfEmpty = this.#used <= capacity / 2;
    if (isHalfEmpty && Atomics.compareExchange(this.#words, Word.roomWanted, 1, 0) === 1) hasRoom();
    return frame;
  }
}
