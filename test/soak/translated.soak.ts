/** Random programs, interpreted and translated, from new seeds in each run: a million in a night. */
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { randomNumbers } from '../../src/random.js';
import { compare, engineOf, Side } from '../engines/lockstep.js';
import { programKinds } from '../engines/random-programs.js';
import { soakSeconds } from './duration.js';

for (const kind of programKinds) {
  test(`random programs in ${kind} code are the same interpreted and translated`, () => {
    const until = performance.now() + (1000 * soakSeconds) / programKinds.length;
    using interpreted = new Side(engineOf('off'), kind);
    using translated = new Side(engineOf('eager'), kind);
    let programs = 0;
    for (; performance.now() < until; programs++) {
      const seed = randomInt(2 ** 31);
      compare(randomNumbers(seed), kind, [interpreted, translated], `program ${seed} in ${kind} code`);
    }
    console.log(`${programs} programs in ${kind} code`);
  });
}
