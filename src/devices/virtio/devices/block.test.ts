/** The block device as a driver of each kind of ring sees it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MemoryDisk, OverlayDisk, SECTOR } from '../../disk/index.js';
import { Feature, Status } from '../constants.js';
import { Bench, MockDriver, type Part } from '../testing.js';
import { VirtioBlock } from './block.js';

const SECTORS = 1024;

function disk(readOnly = false) {
  const bytes = new Uint8Array(SECTORS * SECTOR);
  for (let sector = 0; sector < SECTORS; sector++)
    bytes.fill(sector & 0xff, sector * SECTOR, (sector + 1) * SECTOR);
  return { bytes, disk: new MemoryDisk(bytes, { readOnly }) };
}

const header = (type: number, sector = 0) => {
  const view = new DataView(new ArrayBuffer(16));
  view.setUint32(0, type, true);
  view.setBigUint64(8, BigInt(sector), true);
  return new Uint8Array(view.buffer);
};
const range = (sector: number, count: number, flags = 0) => {
  const view = new DataView(new ArrayBuffer(16));
  view.setBigUint64(0, BigInt(sector), true);
  view.setUint32(8, count, true);
  view.setUint32(12, flags, true);
  return new Uint8Array(view.buffer);
};
const [READ, WRITE, FLUSH, ID, DISCARD, ZEROES] = [0, 1, 4, 8, 11, 13];

function rig(features: readonly number[], readOnly = false) {
  const { bytes, disk: one } = disk(readOnly);
  const bench = new Bench(new VirtioBlock({ name: 'vd0', disk: one, serial: 'S-1', queues: 2 }));
  const driver = new MockDriver(bench, { features });
  const [queue] = driver.start(0, 1);
  /** Returns the status. */
  const ask = (parts: readonly Part[]) => queue!.send(parts)?.bytes.at(-1);
  return { bytes, bench, driver, queue: queue!, ask };
}

const kinds: Record<string, readonly number[]> = {
  'a split ring': [],
  'a split ring with event indexes': [Feature.eventIndex],
  'a packed ring': [Feature.packed],
  'a packed ring with event indexes': [Feature.packed, Feature.eventIndex],
};

for (const [name, features] of Object.entries(kinds)) {
  describe(`a block device on ${name}`, () => {
    test('reads and writes sectors, with any division of the data, until the ring wraps', () => {
      const { bytes, queue } = rig(features);
      for (let n = 0; n < 50; n++) {
        const read = queue.send([header(READ, n), 512, 512, 1]);
        assert.deepEqual(
          [read?.length, read?.bytes[0], read?.bytes[512], read?.bytes[1024]],
          [1025, n, n + 1, 0],
        );
        const odd = queue.send([header(READ, n), 100, 924, 1]);
        assert.deepEqual(odd?.bytes, read?.bytes);
        const data = new Uint8Array(512).fill(0x80 + n);
        const wrote = queue.send([header(WRITE, n), data.subarray(0, 200), data.subarray(200), 1]);
        assert.deepEqual([...(wrote?.bytes ?? [])], [0]);
        assert.equal(bytes[n * SECTOR + 300], 0x80 + n);
      }
    });

    test('accepts indirect tables, where they were negotiated', () => {
      const { queue } = rig([...features, Feature.indirect]);
      for (let n = 0; n < 20; n++)
        assert.equal(queue.send([header(READ, n), 512, 512, 512, 1], true)?.bytes[512], n + 1);
    });

    test('interrupts for used buffers, unless the driver suppresses that', () => {
      const { bench, queue, driver } = rig(features);
      queue.send([header(FLUSH), 1]);
      assert.equal(bench.read(0x1000, 1), 1);
      assert.equal(bench.read(0x1000, 1), 0);
      const packed = driver.has(Feature.packed);
      if (packed) bench.memory.write16(queue.at.driver + 2, 1);
      else if (features.length === 0) bench.memory.write16(queue.at.driver, 1);
      // The index that the driver waits for is far away.
      else bench.memory.write16(queue.at.driver + 4 + 2 * driver.size, 1000);
      queue.send([header(FLUSH), 1]);
      assert.equal(bench.read(0x1000, 1), 0);
    });
  });
}

describe('a block device', () => {
  test('answers invalid requests with a status, and continues', () => {
    const { ask } = rig([]);
    assert.equal(ask([header(READ, SECTORS), 512, 1]), 1);
    assert.equal(ask([header(READ, SECTORS - 1), 1024, 1]), 1);
    assert.equal(ask([header(READ, 2 ** 53), 512, 1]), 1);
    const wraps = header(READ);
    wraps.fill(0xff, 8);
    assert.equal(ask([wraps, 512, 1]), 1);
    assert.equal(ask([header(READ), 500, 1]), 1);
    assert.equal(ask([header(WRITE, SECTORS - 1), new Uint8Array(1024), 1]), 1);
    assert.equal(ask([header(99), 1]), 2);
    assert.equal(ask([header(READ), 512, 1]), 0);
  });

  test('returns its serial number, discards and zeroes ranges', () => {
    const { ask, queue, bytes } = rig([]);
    const id = queue.send([header(ID), 20, 1]);
    assert.equal(Buffer.from(id!.bytes).toString('latin1'), `S-1${'\0'.repeat(18)}`);
    assert.equal(ask([header(DISCARD), range(8, 8), range(20, 1), 1]), 0);
    assert.equal(ask([header(ZEROES), range(8, 300, 1), 1]), 0);
    assert.ok(bytes.subarray(8 * SECTOR, 308 * SECTOR).every((byte) => byte === 0));
    assert.equal(bytes[308 * SECTOR], 308 & 0xff);
    assert.equal(ask([header(ZEROES), range(SECTORS - 1, 2), 1]), 1);
    assert.equal(ask([header(ZEROES), range(0, 1, 2), 1]), 2);
    assert.equal(ask([header(DISCARD), range(0, 1, 1), 1]), 2);
    assert.equal(ask([header(DISCARD), range(0, 0xffff_ffff), 1]), 1);
    assert.equal(ask([header(DISCARD), new Uint8Array(15), 1]), 1);
  });

  test('refuses to write to a disk that is read-only, and reports that in its features', () => {
    const { ask, bench, bytes } = rig([5], true);
    assert.notEqual(bench.read(4, 4) & (1 << 5), 0);
    assert.equal(ask([header(WRITE), new Uint8Array(512), 1]), 1);
    assert.equal(ask([header(ZEROES), range(1, 1), 1]), 1);
    assert.equal(bytes[SECTOR], 1);
  });

  test('reports its size and limits in the configuration', () => {
    const { driver } = rig([]);
    assert.equal(driver.config(0, 4), SECTORS);
    assert.deepEqual([driver.config(20, 4), driver.config(34, 2), driver.config(12, 4)], [512, 2, 126]);
    assert.equal(driver.config(60, 4), 0);
  });

  test('reports a full disk with a status', () => {
    const full = new OverlayDisk(new MemoryDisk(new Uint8Array(SECTORS * SECTOR)), 0);
    const bench = new Bench(new VirtioBlock({ name: 'vd0', disk: full }));
    const [queue] = new MockDriver(bench).start(0);
    assert.equal(queue!.send([header(WRITE), new Uint8Array(512), 1])?.bytes[0], 1);
  });

  test('requests a reset where a request has no header or no status', () => {
    for (const parts of [[new Uint8Array(15), 1], [new Uint8Array(16)], [1]]) {
      const { driver, queue, ask } = rig([]);
      assert.equal(queue.send(parts), undefined);
      assert.notEqual(driver.status & Status.needsReset, 0);
      assert.equal(ask([header(READ), 512, 1]), undefined);
    }
  });
});
