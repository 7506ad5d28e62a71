/** Each virtio device under a million random accesses and contents of its rings, from a new seed each time. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { kinds } from '../../src/devices/virtio/kinds-testing.js';
import { recover, storm } from '../../src/devices/virtio/storm-testing.js';
import { Bench, ROM } from '../../src/devices/virtio/testing.js';
import { randomNumbers } from '../../src/random.js';

const STEPS = 1_000_000;
const MOST_STATE = 128 * 1024;

describe('a million random accesses', () => {
  for (const [name, { make, works }] of Object.entries(kinds))
    test(`of a virtio device: ${name}`, (t) => {
      const seed = Math.floor(Math.random() * 2 ** 32);
      t.diagnostic(`seed ${seed}`);
      const bench = new Bench(make());
      const random = randomNumbers(seed);
      const before = process.memoryUsage().heapUsed;
      for (let n = 0; n < STEPS; n++) storm(bench, random);
      assert.ok(JSON.stringify(bench.pci.save()).length < MOST_STATE, 'its state grows');
      assert.ok(process.memoryUsage().heapUsed - before < 256 * 2 ** 20, 'the heap grows');
      assert.ok(
        bench.memory.peek(ROM, 4096).every((byte) => byte === 0),
        'it wrote to ROM',
      );
      works(recover(bench));
    });
});
