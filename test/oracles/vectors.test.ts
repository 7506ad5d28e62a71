/** MMX and SSE against the host's own processor: the same instruction bytes on the same registers and memory. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { describeCase, differences, forms, randomCases } from './vectors/cases.js';
import { CASE, noOracle, programOnHost, programOnSoft, runOnHost, runOnSoft } from './vectors/sides.js';

/** More for a longer run. */
const times = Number(process.env.TERRARIUM_VECTORS_TIMES ?? 1);
const seed = Number(process.env.TERRARIUM_SEED ?? 1);
const only = new RegExp(process.env.TERRARIUM_ONLY ?? '.');
const PIECE = 20_000;

describe('MMX and SSE do what the host does', { skip: noOracle() }, () => {
  test('in 40,000 cases of every instruction: registers, flags, MXCSR, memory, exceptions', () => {
    const differ: string[] = [];
    const list = forms.filter(({ row }) => only.test(row.name));
    for (let round = 0; round < 2 * times; round++) {
      const cases = randomCases(list, PIECE, seed + round);
      const before = new DataView(cases.slice().buffer);
      const host = new DataView(runOnHost(cases).buffer);
      runOnSoft(cases);
      const soft = new DataView(cases.buffer);
      for (let n = 0; n < PIECE; n++) {
        const form = list[n % list.length]!;
        const found = differences(form, soft, host, n * CASE);
        if (found.length > 0) differ.push(`${describeCase(form, before, n * CASE)}: ${found.join('; ')}`);
      }
    }
    assert.deepEqual(differ.slice(0, 20), [], `${differ.length} differ`);
  });

  test('in a program in C: orbits, matrices, fractals, saturated sound, text, bits', () => {
    const host = programOnHost();
    assert.ok(host.some((byte) => byte !== 0));
    assert.deepEqual(programOnSoft(host.length), host);
  });
});
