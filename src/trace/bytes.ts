/** Powers of ten that fit 32 bits. */
const MILLION = 1_000_000;

/** The most texts whose bytes are kept: a guest that makes new ones without end does not fill the host's memory. */
const REMEMBERED = 4096;

const encoder = new TextEncoder();

/**
 * Bytes that are assembled piece by piece without intermediate strings, which a million lines in a few seconds require.
 * The buffer grows when needed, and is reused after `clear`.
 */
export class ByteWriter {
  #bytes = new Uint8Array(64 * 1024);
  #length = 0;
  readonly #known = new Map<string, Uint8Array>();

  get length(): number {
    return this.#length;
  }

  /** The written bytes; valid until the next write. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    const to = this.#bytes;
    let at = this.#length;
    // Faster than a call of `set`.
    for (let i = 0; i < bytes.length; i++) to[at++] = bytes[i]!;
    this.#length = at;
  }

  text(text: string): void {
    this.#room(text.length * 3);
    this.#length += encoder.encodeInto(text, this.#bytes.subarray(this.#length)).written;
  }

  /** A JSON string, with its quotes. A repeated text is a copy of its bytes. */
  json(text: string): void {
    let bytes = this.#known.get(text);
    if (bytes === undefined) {
      bytes = encoder.encode(JSON.stringify(text));
      if (this.#known.size >= REMEMBERED) this.#known.clear();
      this.#known.set(text, bytes);
    }
    this.raw(bytes);
  }

  /** A whole number from 0 to 2^53. */
  decimal(value: number): void {
    if (value >= MILLION) {
      const high = Math.floor(value / MILLION);
      this.decimal(high);
      this.#digits(value - high * MILLION, 6);
    } else this.#digits(value, digitsOf(value));
  }

  /** Thousandths as a number with three decimals: 12345 is `12.345`. */
  thousandths(value: number): void {
    const whole = Math.floor(value / 1000);
    this.decimal(whole);
    this.#room(1);
    this.#bytes[this.#length++] = 0x2e;
    this.#digits(value - whole * 1000, 3);
  }

  /** A 64-bit number as a string of JSON: `"0x3f8"`, with `least` digits or more. */
  hex(high: number, low: number, least = 1): void {
    this.#room(20);
    const to = this.#bytes;
    let digits = high === 0 ? hexDigits(low) : 8 + hexDigits(high);
    if (digits < least) digits = least;
    let at = this.#length;
    to[at++] = 0x22;
    to[at++] = 0x30;
    to[at++] = 0x78;
    for (let digit = digits - 1; digit >= 0; digit--) {
      const nibble = digit >= 8 ? (high >>> ((digit - 8) * 4)) & 15 : (low >>> (digit * 4)) & 15;
      to[at++] = nibble < 10 ? 0x30 + nibble : 0x57 + nibble;
    }
    to[at++] = 0x22;
    this.#length = at;
  }

  #digits(value: number, count: number): void {
    this.#room(count);
    let rest = value | 0;
    for (let at = this.#length + count - 1; at >= this.#length; at--) {
      const tenth = (rest / 10) | 0;
      this.#bytes[at] = 0x30 + rest - tenth * 10;
      rest = tenth;
    }
    this.#length += count;
  }

  #room(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const more = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    more.set(this.bytes);
    this.#bytes = more;
  }
}

/** Digits of a number below a million. */
function digitsOf(value: number): number {
  if (value < 1000) return value < 10 ? 1 : value < 100 ? 2 : 3;
  return value < 10_000 ? 4 : value < 100_000 ? 5 : 6;
}

function hexDigits(value: number): number {
  return value === 0 ? 1 : 8 - (Math.clz32(value) >> 2);
}
