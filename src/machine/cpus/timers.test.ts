import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Timers } from './timers.js';

describe('the next event', () => {
  const at = (...times: number[]) =>
    new Timers(times.map((time, i) => ({ name: `${i}`, nextEvent: () => time })));

  test('is the first of all devices, and never where there is none', () => {
    assert.equal(at(30, 10, 20).next(), 10);
    assert.equal(at(Number.POSITIVE_INFINITY).next(), Number.POSITIVE_INFINITY);
    assert.equal(at().next(), Number.POSITIVE_INFINITY);
    assert.equal(at().any, false);
  });

  test('does not depend on a device that gives no number', () => {
    assert.equal(at(Number.NaN, 5).next(), 5);
    assert.equal(at(5, Number.NaN).next(), 5);
  });
});
