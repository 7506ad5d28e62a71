import { Transform, type TransformCallback } from 'node:stream';

/** The longest header and the largest message that are accepted. */
const LONGEST_HEADER = 4096;
const LARGEST_MESSAGE = 32 * 1024 * 1024;

/**
 * Passes the messages of the Debug Adapter Protocol on, and ends with an error at bytes that are not such messages. Headers and
 * bodies have limits.
 */
export class Framing extends Transform {
  #header = '';
  /** Remaining bytes of a message's body. */
  #left = 0;

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const wrong = this.#follow(chunk);
    if (wrong === undefined) done(null, chunk);
    else done(new Error(wrong));
  }

  /** Returns the error in it; undefined where there is none. */
  #follow(chunk: Buffer): string | undefined {
    for (let at = 0; at < chunk.length; ) {
      if (this.#left > 0) {
        const size = Math.min(this.#left, chunk.length - at);
        this.#left -= size;
        at += size;
        continue;
      }
      // Byte by byte: headers are short.
      this.#header += String.fromCharCode(chunk[at++]!);
      const wrong = this.#header.endsWith('\r\n\r\n') ? this.#begin() : this.#wait();
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  }

  /** The header is complete. */
  #begin(): string | undefined {
    const [, digits] = /(?:^|\r\n)Content-Length: *(\d{1,9})\r\n/.exec(this.#header) ?? [];
    if (digits === undefined) return 'a header without a Content-Length';
    if (Number(digits) > LARGEST_MESSAGE) return `a message of ${digits} bytes is too large`;
    this.#header = '';
    this.#left = Number(digits);
    return undefined;
  }

  #wait(): string | undefined {
    const lines = this.#header.split(/\r\n?/);
    const good = this.#header.length <= LONGEST_HEADER && lines.every(couldBeField);
    return good ? undefined : 'the bytes received are not a message of the Debug Adapter Protocol';
  }
}

/** The fields that a header may have. HTTP's, which a web page can send to any port of this computer, end the connection. */
const fields = ['content-length:', 'content-type:'];

/** Whether a line of a header, complete or not, is one of its fields. */
function couldBeField(line: string): boolean {
  const text = line.toLowerCase();
  return fields.some((field) => field.startsWith(text) || text.startsWith(field));
}
