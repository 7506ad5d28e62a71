/**
 * Random programs with loops, calls, jump tables, pages that are mapped and unmapped, and self-modifying code:
 * interpreted and translated, they are in the same state at every stop.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomNumbers } from '../../src/random.js';
import { compare, engineOf, Side } from './lockstep.js';
import { programKinds } from './random-programs.js';

/** Programs of each kind; `npm run soak -- translated` runs as many as the time allows. */
const PROGRAMS = Number(process.env.TERRARIUM_SOAK ?? 100);

for (const [index, kind] of programKinds.entries()) {
  test(`random programs in ${kind} code are the same interpreted and translated`, () => {
    using interpreted = new Side(engineOf('off'), kind);
    using translated = new Side(engineOf('eager'), kind);
    for (let n = 0; n < PROGRAMS; n++) {
      const seed = 1000 * (index + 1) + n;
      compare(randomNumbers(seed), kind, [interpreted, translated], `program ${seed}`);
    }
    const { functions, stopped } = translated.cpu.translation!;
    assert.ok(functions > PROGRAMS, `${functions} functions`);
    assert.equal(stopped, undefined);
  });
}
