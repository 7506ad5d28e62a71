/** The x87 FPU against the host's own: the same instruction bytes on the same state and operands. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  describeCase,
  differences,
  type Instruction,
  instructions,
  isState,
  isTranscendental,
  memoryDiffers,
  randomCases,
  ulps,
} from './x87/cases.js';
import { CASE, CODE, distances, noOracle, REGISTERS, runOnHost, runOnSoft } from './x87/sides.js';

const skip = noOracle();
/** More for a longer run. */
const times = Number(process.env.TERRARIUM_X87_TIMES ?? 1);
const C1 = 0x200;

/** Runs cases on both sides and returns the differences, in the form of `found`. */
function compare(
  list: readonly Instruction[],
  count: number,
  prefix: readonly number[],
  found: (soft: DataView, host: DataView, at: number) => string[],
): string[] {
  const differ: string[] = [];
  // In pieces, so that no more than 32 MiB are in use.
  const piece = 60_000;
  for (let start = 0; start < count; start += piece) {
    const cases = randomCases(list, Math.min(piece, count - start), 8087 + start);
    const before = new DataView(cases.slice().buffer);
    const host = new DataView(Uint8Array.from(runOnHost(cases)).buffer);
    runOnSoft(cases, prefix);
    const soft = new DataView(cases.buffer);
    for (let n = 0; n * CASE < cases.length; n++) {
      const instruction = list[n % list.length]!;
      const words = found(soft, host, n * CASE);
      if (words.length > 0)
        differ.push(`${instruction.name} ${describeCase(before, n * CASE)}: ${words.join('; ')}`);
    }
  }
  return differ;
}

describe('the x87 FPU has the host’s results', { skip }, () => {
  test('in 100,000 cases of the exact instructions: result, exceptions, condition codes, stack, flags', () => {
    const list = instructions().filter(({ name }) => !isTranscendental(name) && !isState(name));
    const differ = compare(list, 100_000 * times, [], (soft, host, at) => [
      ...differences(soft, host, at),
      ...memoryDiffers(soft, host, at, 0, 16),
    ]);
    assert.deepEqual(differ.slice(0, 20), [], `${differ.length} differ`);
  });

  test('in environments and states that are stored and loaded: control, status and tag word, registers', () => {
    const list = instructions().filter(({ name }) => isState(name));
    // Real mode has the form of 32 bits with 66 in front; instruction and operand pointers are of another kind there.
    const differ = compare(list, 4000 * times, [0x66], (soft, host, at) => [
      ...differences(soft, host, at),
      ...memoryDiffers(soft, host, at, 0, 12),
      ...memoryDiffers(soft, host, at, 28, 108),
    ]);
    assert.deepEqual(differ.slice(0, 20), [], `${differ.length} differ`);
  });

  test('in 30,000 cases of the transcendental ones to one unit of the last bit, exceptions as they are', (t) => {
    const list = instructions().filter(({ name }) => isTranscendental(name));
    let off = 0;
    const differ = compare(list, 30_000 * times, [], (soft, host, at) => {
      let most = 0;
      for (let n = 0; n < 8; n++) most = Math.max(most, ulps(soft, host, at + REGISTERS + 10 * n));
      if (most > 0) off++;
      // Where the last bit differs, C1 also differs.
      const words = differences(soft, host, at, 0xffff & ~C1);
      return most <= 1 ? words.filter((word) => !/^st\d/.test(word)) : words;
    });
    t.diagnostic(`${off} results differ in the last bit`);
    assert.deepEqual(differ.slice(0, 20), [], `${differ.length} differ`);
  });
});

/** In the order of truth.c. */
const functions = ['fsin', 'fcos', 'fptan', 'fpatan', 'fyl2x', 'fyl2xp1', 'f2xm1'];

describe('the transcendental instructions', { skip }, () => {
  test('are right to 0.5001 units of the last bit where they round to nearest', (t) => {
    const list = instructions().filter(({ name }) => functions.includes(name));
    const before = nearestCases(list, 21_000 * times);
    const ours = before.slice();
    runOnSoft(ours);
    const host = Uint8Array.from(runOnHost(before));
    const name = (n: number) => list[n % list.length]!.name;
    const measured = (after: Uint8Array) => distances(before, after, (n) => functions.indexOf(name(n)));
    const soft = measured(ours);
    const theirs = measured(host);
    for (const one of functions) {
      const worst = (of: Float64Array) =>
        of.reduce((most, value, n) => (name(n) === one ? Math.max(most, value) : most), 0);
      t.diagnostic(`${one}: ${worst(soft).toFixed(5)}; the host's: ${worst(theirs).toFixed(5)}`);
      assert.ok(worst(soft) < 0.5001, `${one} is wrong by ${worst(soft)}`);
    }
  });
});

/**
 * Cases with typical operands for each function, rounded to nearest, all exceptions masked, the stack full except one
 * register.
 */
function nearestCases(list: readonly Instruction[], count: number): Uint8Array {
  const cases = randomCases(list, count, 1985);
  const view = new DataView(cases.buffer);
  for (let n = 0; n < count; n++) {
    const at = n * CASE;
    const name = list[n % list.length]!.name;
    view.setUint32(at, 0x37f, true);
    view.setUint32(at + 4, 0, true);
    view.setUint32(at + 8, 0xc000, true);
    for (const i of [0, 1]) {
      const from = at + REGISTERS + 10 * i;
      const random = view.getUint16(from + 2, true) ^ view.getUint16(from + 4, true);
      const sign = view.getUint8(from + 9) & 0x80;
      view.setUint8(from + 7, view.getUint8(from + 7) | 0x80);
      const least = name === 'f2xm1' || (name === 'fyl2xp1' && i === 0) ? -34 : -32;
      const most =
        name === 'f2xm1' ? -1 : name === 'fyl2xp1' && i === 0 ? -3 : name.startsWith('fy') ? 31 : 62;
      view.setUint16(from + 8, 0x3fff + least + (random % (most - least + 1)), true);
      if (!(name === 'fyl2x' && i === 0)) view.setUint8(from + 9, view.getUint8(from + 9) | sign);
    }
    assert.ok(cases[at + CODE] === 2);
  }
  return cases;
}
