/** A set of the 256 vectors: IRR, ISR and TMR of a local APIC (SDM 3A 11.8.4), eight words of 32 bits. */
export class Vectors {
  readonly words = new Uint32Array(8);

  has(vector: number): boolean {
    return ((this.words[vector >> 5]! >>> (vector & 31)) & 1) === 1;
  }

  add(vector: number): void {
    this.words[vector >> 5]! |= 1 << (vector & 31);
  }

  remove(vector: number): void {
    this.words[vector >> 5]! &= ~(1 << (vector & 31));
  }

  clear(): void {
    this.words.fill(0);
  }

  /** The highest vector, -1 where the set is empty. */
  get highest(): number {
    const { words } = this;
    for (let i = 7; i >= 0; i--) if (words[i] !== 0) return i * 32 + 31 - Math.clz32(words[i]!);
    return -1;
  }
}
