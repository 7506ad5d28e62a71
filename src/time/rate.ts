/** Nanoseconds in a second. */
export const SECOND = 1_000_000_000;
/** Nanoseconds in a millisecond. */
export const MILLISECOND = 1_000_000;

/**
 * A steady count of `hz` a second, such as the pulses of a crystal, and its conversion to nanoseconds. It is exact: a
 * count that is converted to nanoseconds and back is the same.
 */
export class Rate {
  readonly hz: number;
  /** So many counts pass in so many nanoseconds, in lowest terms. */
  readonly #counts: number;
  readonly #nanoseconds: number;

  /** @throws RangeError for a rate that cannot be converted exactly */
  constructor(hz: number) {
    const shared = Number.isSafeInteger(hz) && hz > 0 ? greatestDivisor(hz, SECOND) : 0;
    this.hz = hz;
    this.#counts = hz / shared;
    this.#nanoseconds = SECOND / shared;
    if (shared === 0 || this.#counts * this.#nanoseconds > Number.MAX_SAFE_INTEGER)
      throw new RangeError(`a rate of ${hz} a second cannot be converted exactly to nanoseconds`);
  }

  /** Whole counts that have passed at a moment. */
  passed(moment: number): number {
    return scale(moment, this.#counts, this.#nanoseconds);
  }

  /** The first moment at which so many counts have passed. */
  moment(count: number): number {
    return 0 - scale(-count, this.#nanoseconds, this.#counts);
  }

  /** The moment of a count for a clock that advances by counts: its fraction of a nanosecond is dropped. */
  momentBefore(count: number): number {
    return scale(count, this.#nanoseconds, this.#counts);
  }

  /** The first count whose `momentBefore` is not before `moment`. */
  reaching(moment: number): number {
    return 0 - scale(-moment, this.#counts, this.#nanoseconds);
  }
}

/** ⌊value × by ÷ over⌋, without a product that is larger than `by × over`. */
function scale(value: number, by: number, over: number): number {
  const whole = Math.floor(value / over);
  return whole * by + Math.floor(((value - whole * over) * by) / over);
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
