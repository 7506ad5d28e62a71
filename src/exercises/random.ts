/**
 * Random inputs that a student's seed determines: the same seed gives the same numbers, on every machine and in every version.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { ConfigError } from '../errors.js';

/**
 * The seed of a student in an exercise. With a `secret` of the teacher's, students cannot compute the inputs of each other.
 */
export function seedOf(exercise: string, student: string, secret = ''): string {
  return createHash('sha256')
    .update(JSON.stringify([secret, exercise, student]))
    .digest('hex')
    .slice(0, 16);
}

/** Numbers from a text: sfc32, whose 128 bits of state are a hash of the text. */
export class Random {
  readonly #state: Uint32Array;

  constructor(seed: string) {
    const digest = createHash('sha256').update(seed).digest();
    this.#state = Uint32Array.from({ length: 4 }, (_, i) => digest.readUInt32LE(4 * i));
  }

  /** 32 random bits. */
  #next(): number {
    const state = this.#state;
    const [a, b, c, counter] = state as unknown as [number, number, number, number];
    const sum = (a + b + counter) >>> 0;
    state[3] = counter + 1;
    state[0] = b ^ (b >>> 9);
    state[1] = c + (c << 3);
    state[2] = ((c << 21) | (c >>> 11)) + sum;
    return sum;
  }

  /** A whole number, both ends included. */
  int(least: number, most: number): number {
    const count = most - least + 1;
    if (!Number.isSafeInteger(least) || !Number.isSafeInteger(most) || count < 1 || count > 2 ** 32)
      throw new ConfigError(`random.int(${least}, ${most}): give two whole numbers, the lower one first`);
    // Numbers above the last whole multiple would make some results more frequent.
    const fair = 2 ** 32 - (2 ** 32 % count);
    for (;;) {
      const bits = this.#next();
      if (bits < fair) return least + (bits % count);
    }
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.int(0, 255));
  }

  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new ConfigError('random.pick: the list is empty');
    return list[this.int(0, list.length - 1)]!;
  }

  /** A word of small letters. */
  letters(count: number): string {
    return String.fromCharCode(...Array.from({ length: count }, () => this.int(97, 122)));
  }

  shuffle<T>(list: readonly T[]): T[] {
    const all = [...list];
    for (let i = all.length - 1; i > 0; i--) {
      const j = this.int(0, i);
      [all[i], all[j]] = [all[j]!, all[i]!];
    }
    return all;
  }
}
