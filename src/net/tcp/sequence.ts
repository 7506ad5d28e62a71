/** Sequence numbers are 32 bits and wrap (RFC 9293 3.4): `a` comes so far after `b`; negative where it comes before. */
export const after = (a: number, b: number): number => (a - b) | 0;

/** A number so far after another. */
export const plus = (sequence: number, count: number): number => (sequence + count) >>> 0;
