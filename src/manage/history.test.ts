import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ConsoleHistory } from './history.js';

describe("a console's history", () => {
  test('is the end of the whole output, in pieces of all sizes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.array(fc.uint8Array({ maxLength: 90 })),
        (capacity, pieces) => {
          const history = new ConsoleHistory(capacity);
          for (const piece of pieces) history.write(piece);
          const all = Buffer.concat(pieces);
          assert.equal(history.end, all.length);
          assert.equal(history.start, Math.max(0, all.length - capacity));
          assert.ok(history.read(history.start, capacity).equals(all.subarray(history.start)));
        },
      ),
    );
  });

  test('is read from any position that is still there, in pieces', () => {
    const history = new ConsoleHistory(8);
    history.write(Buffer.from('0123456789ab'));
    assert.equal(history.read(4, 3).toString(), '456');
    assert.equal(history.read(7, 100).toString(), '789ab');
    assert.equal(history.read(12, 5).length, 0);
  });
});
