/** Every guest of guests/ meets the expectations of its guest.json on the software CPU, unchanged and without KVM. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { engineByName } from '../../src/runtime/index.js';
import { terrarium } from '../support.js';
import { readGuestImage, readGuests } from './catalogue.js';
import { runGuest } from './running.js';

describe('guests on the software CPU', () => {
  for (const guest of readGuests()) {
    test(`${guest.name}: ${guest.summary}`, () => {
      const { outcome, unmet } = runGuest(guest, readGuestImage(guest), { engine: 'soft' });
      assert.equal(outcome.engine, 'soft');
      assert.deepEqual(unmet, []);
    });
  }

  test('the command line accepts --engine soft', () => {
    const ran = terrarium(['run', 'guests/khw-real', '--engine', 'soft']);
    assert.equal(ran.stdout, 'Hello, world!\n');
    assert.equal(ran.status, 0);
    assert.equal(engineByName('soft'), engineByName('soft'));
  });
});
