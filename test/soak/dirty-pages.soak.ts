/** Random programs, until the time is over: no page that one of them writes is missing in the log of dirty pages. */
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { randomNumbers } from '../../src/random.js';
import { checkLog } from '../engines/dirty-log.js';
import { engineOf, Side } from '../engines/lockstep.js';
import { programKinds } from '../engines/random-programs.js';
import { soakSeconds } from './duration.js';

for (const kind of programKinds) {
  test(`no write of a random program in ${kind} code is missing in the log`, (t) => {
    const until = performance.now() + (1000 * soakSeconds) / programKinds.length;
    using side = new Side(engineOf('eager'), kind);
    side.vm.logDirtyPages(0, true);
    const known = new Uint8Array(side.memory.size);
    let programs = 0;
    for (; performance.now() < until; programs++) {
      const seed = randomInt(2 ** 31);
      try {
        checkLog(side, kind, randomNumbers(seed), known);
      } catch (error) {
        throw new Error(`program ${seed} in ${kind} code`, { cause: error });
      }
    }
    t.diagnostic(`${programs} programs`);
  });
}
