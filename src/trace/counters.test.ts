import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { EngineCounter } from '../engine/contract/index.js';
import { counterGroups, counterRows, formatCounter, formatCounters } from './counters.js';

const counter = (name: string, value: number, more: Partial<EngineCounter> = {}): EngineCounter => ({
  name,
  kind: 'cumulative',
  unit: '',
  value,
  ...more,
});
const group = (...counters: EngineCounter[]) => [{ where: 'vcpu 0', counters }];

describe('counters', () => {
  test('of an engine come as a group for the VM and one a CPU', () => {
    const groups = counterGroups({ vm: [counter('a', 1)], cpus: [[counter('b', 2)], []] });
    assert.deepEqual(
      groups.map(({ where, counters }) => [where, counters.length]),
      [
        ['vm', 1],
        ['vcpu 0', 1],
        ['vcpu 1', 0],
      ],
    );
  });

  test('have no change at the first look, and a rate from the second on', () => {
    const first = group(counter('exits', 100));
    assert.deepEqual(counterRows(first), [{ ...counter('exits', 100), where: 'vcpu 0' }]);
    const [row] = counterRows(group(counter('exits', 160)), first, 0.5);
    assert.equal(row!.change, 60);
    assert.equal(row!.perSecond, 120);
  });

  test('that count less than before belong to another VM: no change', () => {
    const before = group(counter('exits', 100), counter('io_exits', 5));
    const [exits, io] = counterRows(group(counter('exits', 3), counter('io_exits', 5)), before, 1);
    assert.equal(exits!.change, undefined);
    assert.equal(io!.change, undefined);
  });

  test('that are instant values may fall', () => {
    const level = (value: number) => group(counter('pages', value, { kind: 'instant' }));
    assert.equal(counterRows(level(3), level(5), 1)[0]!.change, -2);
  });

  test('change by their difference, for all values', () => {
    const names = fc.uniqueArray(fc.string(), { maxLength: 8 });
    fc.assert(
      fc.property(names, fc.nat(), fc.nat(), (all, from, more) => {
        const before = group(...all.map((name) => counter(name, from)));
        const rows = counterRows(group(...all.map((name) => counter(name, from + more))), before, 2);
        assert.deepEqual(
          rows.map(({ change, perSecond }) => [change, perSecond]),
          all.map(() => [more, more / 2]),
        );
      }),
    );
  });
});

describe('the table of counters', () => {
  const before = group(
    counter('exits', 0),
    counter('signal_exits', 90),
    counter('quiet', 7),
    counter('none', 0),
  );
  const now = group(
    counter('exits', 1200),
    counter('signal_exits', 97),
    counter('quiet', 7),
    counter('none', 0),
    counter('halt_wait_ns', 5, { unit: 'ns' }),
  );

  test('has the fastest-changing counters first and leaves out those that are 0', () => {
    assert.equal(
      formatCounters(counterRows(now, before, 2)),
      [
        'counter       of      total  per second',
        'exits         vcpu 0   1200         600',
        'signal_exits  vcpu 0     97         3.5',
        'quiet         vcpu 0      7           0',
        'halt_wait_ns  vcpu 0   5 ns',
      ].join('\n'),
    );
  });

  test('has no rates at the first look, and says how much it left out', () => {
    assert.equal(
      formatCounters(counterRows(now), { rows: 1 }),
      ['counter  of      total', 'exits    vcpu 0   1200', '… and 3 more'].join('\n'),
    );
    assert.equal(
      formatCounters(counterRows(group(counter('exits', 0)))),
      'counter  of  total\nevery counter is 0',
    );
  });

  test('is also available as lines', () => {
    const rows = counterRows(now, before, 2);
    assert.equal(formatCounter(rows[0]!), 'vcpu 0  exits  1200  600/s');
    assert.equal(formatCounter(rows[4]!), 'vcpu 0  halt_wait_ns  5 ns');
  });
});
