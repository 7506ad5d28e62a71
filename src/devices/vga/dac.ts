/**
 * The colour table: 256 colours of three times 6 bits. An address is written once for reading or for writing; then red,
 * green and blue follow one after another, and the address increments after each.
 *
 * @module
 */

/** The 64 colours of an EGA, which a BIOS puts into the first 64 places for text: bits rgbRGB, two thirds and one third. */
function egaColours(): Uint8Array {
  const table = new Uint8Array(768);
  for (let colour = 0; colour < 64; colour++) {
    for (let part = 0; part < 3; part++) {
      const strong = (colour >> (2 - part)) & 1;
      const weak = (colour >> (5 - part)) & 1;
      table[colour * 3 + part] = strong * 0x2a + weak * 0x15;
    }
  }
  return table;
}

export class Dac {
  /** Red, green and blue of each colour, 0 to 63; up to 255 where parts have 8 bits. */
  readonly table = egaColours();
  /** A mask that is ANDed with every colour's number before the lookup. */
  mask = 0xff;
  /** 3 after the address was written for reading, 0 for writing: the value of port 3C7. */
  state: 0 | 3 = 0;
  readAddress = 0;
  writeAddress = 0;
  /** Which of the three parts comes next. */
  part = 0;
  /** Parts have 8 bits, not 6: Bochs' display interface says so. */
  isWide = false;

  startReading(address: number): void {
    this.readAddress = address;
    this.part = 0;
    this.state = 3;
  }

  startWriting(address: number): void {
    this.writeAddress = address;
    this.part = 0;
    this.state = 0;
  }

  read(): number {
    const value = this.table[this.readAddress * 3 + this.part]!;
    if (this.#step()) this.readAddress = (this.readAddress + 1) & 0xff;
    return value;
  }

  write(value: number): void {
    this.table[this.writeAddress * 3 + this.part] = value & (this.isWide ? 0xff : 0x3f);
    if (this.#step()) this.writeAddress = (this.writeAddress + 1) & 0xff;
  }

  /** True after the third part. */
  #step(): boolean {
    this.part = (this.part + 1) % 3;
    return this.part === 0;
  }
}
