import { stringAt } from './text.js';

/** Little-endian numbers one after the other; a RangeError after the end. */
export class DwarfReader {
  at = 0;
  readonly #view: DataView;
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  u8(): number {
    return this.#view.getUint8(this.#step(1));
  }
  i8(): number {
    return this.#view.getInt8(this.#step(1));
  }
  u16(): number {
    return this.#view.getUint16(this.#step(2), true);
  }
  u24(): number {
    return this.u16() | (this.u8() << 16);
  }
  u32(): number {
    return this.#view.getUint32(this.#step(4), true);
  }
  u64(): bigint {
    return this.#view.getBigUint64(this.#step(8), true);
  }
  /** An offset of 4 bytes, or of 8 in DWARF's 64-bit format. */
  offset(wide: boolean): number {
    return wide ? Number(this.u64()) : this.u32();
  }

  /** LEB128 (DWARF 5, 7.6): a number of more than 64 bits is broken. */
  uleb(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.u8();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError('a number without an end');
  }

  /** A count or an offset: a number that is not exact is broken. */
  number(): number {
    const value = Number(this.uleb());
    if (!Number.isSafeInteger(value)) throw new RangeError('a number too large');
    return value;
  }

  sleb(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; ) {
      const byte = this.u8();
      value |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
      if (byte < 0x80) return byte & 0x40 ? value - (1n << shift) : value;
    }
    throw new RangeError('a number without an end');
  }

  string(): string {
    const end = this.bytes.indexOf(0, this.at);
    if (end < 0) throw new RangeError('a string without an end');
    const text = stringAt(this.bytes, this.at);
    this.at = end + 1;
    return text;
  }

  /** This many bytes, unchanged. */
  block(bytes: number): Uint8Array {
    const at = this.#step(bytes);
    return this.bytes.subarray(at, at + bytes);
  }

  skip(bytes: number): void {
    this.#step(bytes);
  }

  #step(bytes: number): number {
    const at = this.at;
    if (!(bytes >= 0) || bytes > this.left) throw new RangeError('past the end');
    this.at += bytes;
    return at;
  }
}
