/** Bytes that wait to be sent, or were sent and not acknowledged. The chunks stay as they came. */
export class SendQueue {
  #chunks: Uint8Array[] = [];
  /** Bytes of the first chunk that are gone. */
  #gone = 0;
  length = 0;

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#chunks.push(bytes);
    this.length += bytes.length;
  }

  /** Up to `length` bytes from an offset on: a view of one chunk, or a copy where they lie in several. */
  peek(offset: number, length: number): Uint8Array {
    const wanted = Math.min(length, this.length - offset);
    let [index, skip] = [0, this.#gone + offset];
    while (index < this.#chunks.length && skip >= this.#chunks[index]!.length)
      skip -= this.#chunks[index++]!.length;
    const first = this.#chunks[index]?.subarray(skip, skip + wanted) ?? new Uint8Array();
    if (first.length === wanted) return first;
    const bytes = new Uint8Array(wanted);
    bytes.set(first);
    for (let at = first.length; at < wanted; ) {
      const part = this.#chunks[++index]!.subarray(0, wanted - at);
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }

  /** Forgets the first bytes. */
  drop(count: number): void {
    this.length -= count;
    this.#gone += count;
    while (this.#chunks.length > 0 && this.#gone >= this.#chunks[0]!.length)
      this.#gone -= this.#chunks.shift()!.length;
  }

  clear(): void {
    this.#chunks = [];
    this.#gone = 0;
    this.length = 0;
  }
}
