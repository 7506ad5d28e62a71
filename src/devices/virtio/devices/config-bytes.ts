/** A device's configuration as bytes (2.5): little-endian fields. */
export class ConfigBytes {
  readonly bytes: Uint8Array;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }

  set(offset: number, size: number, value: number): this {
    for (let i = 0; i < size; i++) this.bytes[offset + i] = (value >>> (8 * i)) & 0xff;
    return this;
  }

  at(offset: number): number {
    return this.bytes[offset] ?? 0;
  }
}
