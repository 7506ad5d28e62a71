/** Numbers from 0 to n - 1, that are the same in every run with the same seed (Marsaglia's xorshift). For tests. */
export function randomNumbers(seed: number): (n?: number) => number {
  // A state of zero would stay there.
  let state = (seed ^ 0x9e3779b9) | 0 || 1;
  return (n = 2 ** 32) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % n;
  };
}
