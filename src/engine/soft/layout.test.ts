import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as layout from './layout.js';

describe('the engine area', () => {
  test('has a place of its own for each word of the state of a run', () => {
    const places = new Map<number, string[]>();
    for (const [name, at] of Object.entries(layout)) {
      if (at >= layout.TROUBLE && at < layout.ANSWERS) places.set(at, [...(places.get(at) ?? []), name]);
    }
    assert.deepEqual(
      [...places.values()].filter((names) => names.length > 1),
      [],
    );
  });
});
