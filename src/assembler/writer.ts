/**
 * Little-endian numbers one after the other.
 *
 * @module
 */
export class Writer {
  readonly #bytes: number[] = [];

  get length(): number {
    return this.#bytes.length;
  }

  get bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }

  number(value: number | bigint, size: number): this {
    const whole = BigInt(value);
    for (let n = 0; n < size; n++) this.#bytes.push(Number((whole >> BigInt(8 * n)) & 0xffn));
    return this;
  }

  data(bytes: Iterable<number>): this {
    for (const byte of bytes) this.#bytes.push(byte);
    return this;
  }

  /** UTF-8, and a zero. */
  text(text: string): this {
    return this.data(new TextEncoder().encode(text)).number(0, 1);
  }

  /** LEB128 (DWARF 4, 7.6). */
  unsigned(value: number | bigint): this {
    let rest = BigInt(value);
    do {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      this.#bytes.push(rest === 0n ? low : low | 0x80);
    } while (rest !== 0n);
    return this;
  }

  signed(value: number | bigint): this {
    let rest = BigInt(value);
    for (;;) {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      if ((rest === 0n && (low & 0x40) === 0) || (rest === -1n && (low & 0x40) !== 0)) {
        this.#bytes.push(low);
        return this;
      }
      this.#bytes.push(low | 0x80);
    }
  }

  align(to: number): this {
    while (this.#bytes.length % to !== 0) this.#bytes.push(0);
    return this;
  }
}
