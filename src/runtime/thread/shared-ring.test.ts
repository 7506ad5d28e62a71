import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { SharedRing } from './shared-ring.js';

describe('a shared ring', () => {
  test('gives back what was written, in order, in chunks of all sizes', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.uint8Array({ maxLength: 40 }), fc.nat(40))), (steps) => {
        const ring = new SharedRing(32);
        const written: number[] = [];
        const read: number[] = [];
        for (const [bytes, limit] of steps) {
          const done = ring.tryWrite(bytes);
          assert.equal(done, Math.min(bytes.length, 32 - (written.length - read.length)));
          written.push(...bytes.subarray(0, done));
          read.push(...ring.read(limit));
          const byte = ring.readByte();
          if (byte >= 0) read.push(byte);
        }
        read.push(...ring.read());
        assert.deepEqual(read, written);
      }),
    );
  });

  test('wakes its reader once until that has read', () => {
    const ring = new SharedRing(16);
    let woken = 0;
    const write = () =>
      ring.write(
        new Uint8Array([1]),
        () => woken++,
        () => false,
      );
    write();
    write();
    assert.equal(woken, 1);
    ring.read();
    write();
    assert.equal(woken, 2);
  });

  test('lets a writer give up on a reader that has stopped, and drops what comes after close', () => {
    const ring = new SharedRing(16);
    ring.write(
      new Uint8Array(20),
      () => {},
      () => true,
    );
    assert.equal(ring.length, 16);
    ring.close();
    ring.write(
      new Uint8Array(20),
      () => {},
      () => assert.fail('a closed ring does not wait'),
    );
    assert.equal(ring.length, 16);
  });

  test('holds a writer on another thread back until there is room', async () => {
    const ring = new SharedRing(1024);
    const total = 1_000_000;
    const worker = new Worker(
      `const { workerData } = require('node:worker_threads');
       import(workerData.module).then(({ SharedRing }) => {
         const ring = new SharedRing(workerData.buffer);
         const bytes = new Uint8Array(1000);
         for (let i = 0; i < ${total}; i += 1000) {
           for (let k = 0; k < 1000; k++) bytes[k] = (i + k) % 251;
           ring.write(bytes, () => {}, () => false);
         }
       });`,
      {
        eval: true,
        workerData: { buffer: ring.buffer, module: new URL('./shared-ring.js', import.meta.url).href },
      },
    );
    let seen = 0;
    while (seen < total) {
      for (const byte of ring.read()) assert.equal(byte, seen++ % 251);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await worker.terminate();
    assert.equal(seen, total);
  });
});
