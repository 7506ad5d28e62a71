import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Histogram } from './histogram.js';

/** The lower median by its definition. */
const trueMedian = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.ceil(values.length / 2) - 1]!;

function medianOf(values: readonly number[]): number {
  const histogram = new Histogram();
  for (const value of values) histogram.add(value);
  return histogram.median();
}

describe('the histogram', () => {
  test('has a median within 1/64 of the true one, over its whole range', () => {
    const numbers = fc
      .tuple(fc.integer({ min: -20, max: 19 }), fc.double({ min: 1, max: 2, maxExcluded: true, noNaN: true }))
      .map(([exponent, mantissa]) => mantissa * 2 ** exponent);
    fc.assert(
      fc.property(fc.array(numbers, { minLength: 1, maxLength: 200 }), (values) => {
        const expected = trueMedian(values);
        const error = Math.abs(medianOf(values) - expected) / expected;
        assert.ok(error <= 1 / 64, `off by ${error}`);
      }),
    );
  });

  test('counts numbers that are too small, negative or NaN as 0, and those that are too large as the largest', () => {
    assert.equal(medianOf([0, -1, 2 ** -21, Number.NaN]), 0);
    const largest = medianOf([2 ** 20 - 1]);
    for (const value of [2 ** 20, 2 ** 60, Number.MAX_VALUE, Number.POSITIVE_INFINITY]) {
      assert.equal(medianOf([value]), largest);
    }
  });

  test('has the median 0 while it is empty', () => {
    assert.equal(new Histogram().median(), 0);
  });
});
