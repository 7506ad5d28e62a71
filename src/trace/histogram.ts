/** Sub-buckets in each power of two. A bucket is 1/32 of its lower end wide, so its middle is off by 1/64 at most. */
const SUB_BITS = 5;
const SUB = 1 << SUB_BITS;
/** Powers of two that are distinguished, in the value's unit: from 2^-20 (with milliseconds: 1 ns) to 2^20 (17 minutes). */
const LOW_EXPONENT = -20;
const OCTAVES = 40;

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);
// Which of the two words holds a float's exponent depends on the machine that this runs on.
float[0] = 1;
const HIGH = words[1] === 0x3ff00000 ? 1 : 0;
/** The key of 2^LOW_EXPONENT: exponent and first five bits of the mantissa, as in a float's high word. */
const FIRST_KEY = (1023 + LOW_EXPONENT) << SUB_BITS;

/**
 * Counts of non-negative numbers in buckets that grow with the number (log-linear), so that quantiles are within
 * 1/64 (1.6 %) of the true value between 2^-20 and 2^20. Smaller numbers count as 0, larger ones as the largest bucket.
 * An octave's 32 counters are made when it is first needed.
 */
export class Histogram {
  readonly #octaves: (Uint32Array | undefined)[] = [];
  #zeros = 0;
  #total = 0;

  get total(): number {
    return this.#total;
  }

  add(value: number): void {
    this.#total++;
    float[0] = value;
    const key = (words[HIGH]! >>> (20 - SUB_BITS)) - FIRST_KEY;
    // Negative numbers have the sign bit in their key; there are none where time goes forward.
    if (!(value > 0) || key < 0) {
      this.#zeros++;
      return;
    }
    const bucket = key < OCTAVES * SUB ? key : OCTAVES * SUB - 1;
    const octave = bucket >> SUB_BITS;
    this.#octaves[octave] ??= new Uint32Array(SUB);
    this.#octaves[octave][bucket & (SUB - 1)]!++;
  }

  /** The lower median, 0 where nothing was counted. */
  median(): number {
    let left = Math.ceil(this.#total / 2) - this.#zeros;
    if (left <= 0) return 0;
    for (let octave = 0; octave < OCTAVES; octave++) {
      const counts = this.#octaves[octave];
      if (counts === undefined) continue;
      for (let i = 0; i < SUB; i++) {
        left -= counts[i]!;
        if (left <= 0) return 2 ** (LOW_EXPONENT + octave) * (1 + (i + 0.5) / SUB);
      }
    }
    return 0;
  }
}
