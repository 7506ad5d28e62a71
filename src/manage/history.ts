/**
 * The last bytes of a console, by their position in the whole output. Fixed in size: the oldest bytes are overwritten, and a
 * slow reader learns that it lost some.
 */
export class ConsoleHistory {
  readonly #bytes: Buffer;
  #end = 0;

  /** @param capacity the number of bytes that are kept */
  constructor(capacity: number) {
    this.#bytes = Buffer.alloc(capacity);
  }

  /** The number of bytes printed so far. */
  get end(): number {
    return this.#end;
  }

  /** Position of the oldest stored byte. */
  get start(): number {
    return Math.max(0, this.#end - this.#bytes.length);
  }

  write(bytes: Uint8Array): void {
    const capacity = this.#bytes.length;
    const kept = bytes.subarray(Math.max(0, bytes.length - capacity));
    const at = (this.#end + bytes.length - kept.length) % capacity;
    const head = Math.min(kept.length, capacity - at);
    this.#bytes.set(kept.subarray(0, head), at);
    this.#bytes.set(kept.subarray(head), 0);
    this.#end += bytes.length;
  }

  /** Up to `limit` bytes from `position` on, which must be between `start` and `end`. The bytes belong to the caller. */
  read(position: number, limit: number): Buffer {
    const capacity = this.#bytes.length;
    const length = Math.min(limit, this.#end - position);
    const at = position % capacity;
    const head = Math.min(length, capacity - at);
    return Buffer.concat([this.#bytes.subarray(at, at + head), this.#bytes.subarray(0, length - head)]);
  }
}
