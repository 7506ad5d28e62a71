/** The generator's state. */
export type SeededState = [a: number, b: number, c: number, counter: number];

/** Random numbers from a seed: uniform, and not secret. Doty-Humphrey's sfc32, a byte of each number. */
export class SeededRandom {
  #state: SeededState;

  /** @param seed a whole number of at most 53 bits */
  constructor(seed: number) {
    this.#state = [seed | 0, Math.floor(seed / 0x1_0000_0000) | 0, 0, 1];
    for (let round = 0; round < 12; round++) this.#next();
  }

  fill(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at++) bytes[at] = this.#next();
  }

  save(): SeededState {
    return [...this.#state];
  }

  load(state: SeededState): void {
    this.#state = [...state];
  }

  #next(): number {
    const state = this.#state;
    const [a, b, c, counter] = state;
    const sum = (a + b + counter) | 0;
    state[0] = b ^ (b >>> 9);
    state[1] = (c + (c << 3)) | 0;
    state[2] = (((c << 21) | (c >>> 11)) + sum) | 0;
    state[3] = (counter + 1) | 0;
    return sum & 0xff;
  }
}
