/** A gateway under hostile frames. A million of them: `npm run soak -- net`. */
import { test } from 'node:test';
import { randomNumbers } from '../random.js';
import { attack } from './fuzz.js';

test('100,000 hostile frames of each protocol: no throw, and nothing that grows', () => {
  for (let seed = 1; seed <= 4; seed++) attack(randomNumbers(seed * 0x9e3779b1), 25_000);
});
