import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ExitKind } from '../engine/contract/index.js';
import { ExitLog } from './exit-log.js';
import { exitRecord } from './testing.js';

describe('the exit log', () => {
  test('keeps every field of an exit', () => {
    const log = new ExitLog();
    log.begin(100);
    const exit = exitRecord({
      cpu: 3,
      address: 0x3f8,
      size: 2,
      count: 3,
      write: true,
      bytes: [0x34, 0x12, 0xff],
      reason: 2,
      ripLow: 0xfffffff0,
      ripHigh: 0xffffffff,
    });
    log.record(exit, 5, 101.5, 101.75);
    assert.deepEqual(log.entry(0), {
      number: 1,
      cpu: 3,
      kind: ExitKind.io,
      startMs: 101.5,
      runMs: 1.5,
      handleMs: 0.25,
      address: 0x3f8,
      size: 2,
      count: 3,
      write: true,
      coalesced: false,
      data: 0x1234n,
      reason: 2,
      rip: 0xfffffffffffffff0n,
      device: 5,
    });
  });

  test('counts the run time of each CPU from that CPU’s own exit before, coalesced writes included', () => {
    const log = new ExitLog();
    log.begin(0);
    log.record(exitRecord({ cpu: 0 }), 0, 1, 2);
    log.record(exitRecord({ cpu: 1, write: true, coalesced: true }), 0, 5, 6);
    log.record(exitRecord({ cpu: 0 }), 0, 7, 8);
    log.record(exitRecord({ cpu: 1 }), 0, 10, 11);
    assert.deepEqual(
      [0, 1, 2, 3].map((index) => log.entry(index).runMs),
      [1, 0, 5, 5 + 4],
    );
  });

  test('keeps the data of every size, from any offset', () => {
    const log = new ExitLog();
    const bytes = [0x99, 0x88, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0xf8];
    for (let size = 1; size <= 8; size++) {
      log.record(exitRecord({ kind: ExitKind.mmio, address: 2 ** 45 + 1, size, bytes, offset: 2 }), 0, 0, 0);
      const { data, address } = log.entry(size - 1);
      assert.equal(data, BigInt.asUintN(8 * size, 0xf877665544332211n));
      assert.equal(address, 2 ** 45 + 1);
    }
  });

  test('takes no data from an exit without an access: the record still holds older data', () => {
    const log = new ExitLog();
    log.record(
      exitRecord({ kind: ExitKind.halt, address: 0xe9, size: 1, bytes: [0x41], offset: 4096 }),
      -1,
      0,
      0,
    );
    const { address, size, count, data, device } = log.entry(0);
    assert.deepEqual([address, size, count, data, device], [0, 0, 0, 0n, -1]);
  });

  test('gives the run time of coalesced writes to the exit that brought them', () => {
    const log = new ExitLog();
    log.begin(0);
    const coalesced = exitRecord({ write: true, coalesced: true });
    log.record(coalesced, 0, 10, 11);
    log.record(coalesced, 0, 11.5, 12);
    log.record(exitRecord({}), 0, 13, 20);
    log.record(exitRecord({}), 0, 21, 22);
    const times = [0, 1, 2, 3].map((i) => [log.entry(i).runMs, log.entry(i).handleMs]);
    assert.deepEqual(times, [
      [0, 1],
      [0, 0.5],
      [11.5, 7],
      [1, 1],
    ]);
  });

  test('has no run time for the first exit where `begin` was not called', () => {
    const log = new ExitLog();
    log.record(exitRecord({}), 0, 5000, 5001);
    assert.deepEqual([log.entry(0).runMs, log.originMs], [0, 5000]);
  });

  test('leaves out the time between two runs', () => {
    const log = new ExitLog();
    log.begin(0);
    log.record(exitRecord({}), 0, 1, 2);
    log.begin(1000);
    log.record(exitRecord({}), 0, 1003, 1004);
    assert.deepEqual([log.entry(1).runMs, log.originMs], [3, 0]);
  });

  test('never counts negative time when the clock goes back', () => {
    const log = new ExitLog();
    log.begin(10);
    log.record(exitRecord({}), 0, 9, 8);
    assert.deepEqual([log.entry(0).runMs, log.entry(0).handleMs], [0, 0]);
  });

  test('shows every reader every entry once, in order and while it is still stored', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.array(fc.oneof(fc.nat(40), fc.constant('flush' as const)), { maxLength: 20 }),
        (power, acts) => {
          const log = new ExitLog({ capacity: 2 ** power });
          const seen: number[][] = [[], []];
          for (const numbers of seen) {
            log.subscribe((entries, from, to) => {
              for (let i = from; i < to; i++) numbers.push(entries.entry(i).reason);
            });
          }
          for (const act of acts) {
            if (act === 'flush') log.flush();
            else for (let i = 0; i < act; i++) log.record(exitRecord({ reason: log.total }), 0, 0, 0);
          }
          log.flush();
          for (const numbers of seen) assert.deepEqual(numbers, [...Array(log.total).keys()]);
        },
      ),
    );
  });

  test('shows a late reader the stored entries, and all later ones', () => {
    const log = new ExitLog({ capacity: 8 });
    for (let i = 0; i < 11; i++) log.record(exitRecord({ reason: i }), 0, 0, 0);
    const seen: number[] = [];
    log.subscribe((entries, from, to) => {
      for (let i = from; i < to; i++) seen.push(entries.entry(i).reason);
    });
    for (let i = 11; i < 30; i++) log.record(exitRecord({ reason: i }), 0, 0, 0);
    log.flush();
    assert.deepEqual(
      seen,
      Array.from({ length: 23 }, (_, i) => i + 7),
    );
  });

  test('hands nothing twice to a reader that flushes or throws', () => {
    const log = new ExitLog({ capacity: 8 });
    let calls = 0;
    log.subscribe(() => {
      calls++;
      log.flush();
      if (calls === 1) throw new Error('the disk is full');
    });
    log.record(exitRecord({}), 0, 0, 0);
    assert.throws(() => log.flush(), /the disk is full/);
    log.flush();
    assert.equal(calls, 1);
    log.record(exitRecord({}), 0, 0, 0);
    log.flush();
    assert.equal(calls, 2);
  });

  test('refuses entries it does not have and capacities it cannot use', () => {
    const log = new ExitLog({ capacity: 4 });
    assert.throws(() => log.entry(0), RangeError);
    for (let i = 0; i < 6; i++) log.record(exitRecord({}), 0, 0, 0);
    assert.throws(() => log.entry(1), /entry 1 is not in the log, which has 2 to 5/);
    for (const capacity of [0, 1, 3, -4, 2.5, 2 ** 30, Number.NaN]) {
      assert.throws(() => new ExitLog({ capacity }), { code: 'ECONFIG' });
    }
  });
});
