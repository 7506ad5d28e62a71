/**
 * Splits a byte stream into lines, in bounded memory: a line longer than `limit` bytes, including its newline, ends the stream.
 */
export class LineReader {
  readonly #rest: Buffer;
  #length = 0;

  constructor(limit: number) {
    this.#rest = Buffer.alloc(limit);
  }

  /** The lines that this chunk completes, without their newlines; undefined where one is too long. */
  push(chunk: Buffer): string[] | undefined {
    const lines: string[] = [];
    for (let from = 0; from < chunk.length; ) {
      const newline = chunk.indexOf(10, from);
      const until = newline < 0 ? chunk.length : newline;
      // One byte is left for the newline.
      if (this.#length + until - from >= this.#rest.length) return undefined;
      this.#length += chunk.copy(this.#rest, this.#length, from, until);
      from = until + 1;
      if (newline < 0) break;
      lines.push(this.#rest.toString('utf8', 0, this.#length));
      this.#length = 0;
    }
    return lines;
  }
}
