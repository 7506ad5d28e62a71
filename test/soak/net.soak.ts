/** A gateway under a million hostile frames. */
import { test } from 'node:test';
import { attack } from '../../src/net/fuzz.js';
import { randomNumbers } from '../../src/random.js';

test('1,000,000 hostile frames of each protocol: no exception, and no growth', () => {
  for (let seed = 1; seed <= 10; seed++) attack(randomNumbers(seed * 0x9e37_79b1), 100_000);
});
