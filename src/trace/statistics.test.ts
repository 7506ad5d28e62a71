import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Exit, ExitKind } from '../engine/contract/index.js';
import { ExitLog } from './exit-log.js';
import { Statistics, type StatisticsJson } from './statistics.js';
import { formatStatistics } from './statistics-table.js';
import { exitRecord } from './testing.js';

type Recorded = { exit: Partial<Exit>; device: number; run: number; handle: number };

/** The statistics of some exits, one after another. */
function statisticsOf(exits: readonly Recorded[], names = ['console', 'disk']): StatisticsJson {
  const log = new ExitLog({ capacity: 64 });
  const statistics = new Statistics(names);
  log.subscribe(statistics.reader);
  let now = 1000;
  log.begin(now);
  for (const { exit, device, run, handle } of exits) {
    const start = now + run;
    now = start + handle;
    log.record(exitRecord(exit), device, start, now);
  }
  log.flush();
  return statistics.toJSON();
}

const exits: fc.Arbitrary<Recorded> = fc.record({
  exit: fc.record({
    kind: fc.constantFrom(ExitKind.io, ExitKind.mmio, ExitKind.halt, ExitKind.internalError),
    address: fc.oneof(fc.constantFrom(0xe9, 0x3f8), fc.integer({ min: 0, max: 0xffff })),
    size: fc.constantFrom(1, 2, 4),
    count: fc.integer({ min: 1, max: 5 }),
    write: fc.boolean(),
    coalesced: fc.boolean(),
  }),
  device: fc.integer({ min: -1, max: 1 }),
  run: fc.constantFrom(0, 0.5, 2),
  handle: fc.constantFrom(0, 0.25, 1),
});

const near = (found: number, expected: number) =>
  assert.ok(Math.abs(found - expected) < 1e-6 * Math.max(1, expected), `${found} is not ${expected}`);

describe('statistics', () => {
  test('tell CPUs apart, and name them where there are several', () => {
    const by = (cpu: number): Recorded[] => [
      { exit: { cpu, address: 0xe9, write: true }, device: 0, run: 1, handle: 0 },
      { exit: { cpu, kind: ExitKind.mmio, address: 0x5000 }, device: -1, run: 1, handle: 0 },
      { exit: { cpu, kind: ExitKind.halt }, device: -1, run: 1, handle: 0 },
    ];
    const statistics = statisticsOf([...by(0), ...by(254), ...by(254)]);
    assert.deepEqual(
      statistics.rows.map(({ cpu, kind, address, count }) => [cpu, kind, address, count]).sort(),
      [
        [0, 'halt', null, 1],
        [0, 'io', 0xe9, 1],
        [0, 'mmio', 0x5000, 1],
        [254, 'halt', null, 2],
        [254, 'io', 0xe9, 2],
        [254, 'mmio', 0x5000, 2],
      ],
    );
    assert.match(formatStatistics(statistics), /^cpu +exit +where/);
    assert.match(formatStatistics(statistics), /\n254 +io out +0x00e9/);
    assert.doesNotMatch(formatStatistics(statisticsOf(by(0))), /cpu/);
  });

  test('add up to the log: exits, accesses, bytes and times', () => {
    fc.assert(
      fc.property(fc.array(exits, { maxLength: 200 }), (recorded) => {
        const { rows, ...totals } = statisticsOf(recorded);
        // Only accesses can be coalesced; in other exits the flag is an old one.
        const isAccess = ({ exit }: Recorded) => exit.kind === ExitKind.io || exit.kind === ExitKind.mmio;
        const isCoalesced = (one: Recorded) => isAccess(one) && one.exit.coalesced === true;
        const sum = (of: (one: Recorded) => number) => recorded.reduce((total, one) => total + of(one), 0);
        assert.equal(
          totals.exits,
          sum((one) => (isCoalesced(one) ? 0 : 1)),
        );
        assert.equal(
          totals.coalesced,
          sum((one) => (isCoalesced(one) ? 1 : 0)),
        );
        assert.equal(
          totals.accesses,
          sum((one) => (isAccess(one) ? one.exit.count! : 0)),
        );
        assert.equal(
          totals.bytes,
          sum((one) => (isAccess(one) ? one.exit.count! * one.exit.size! : 0)),
        );
        near(
          totals.handleMs,
          sum(({ handle }) => handle),
        );
        // Run time goes to real exits: that of coalesced writes at the very end has no exit yet.
        const last = recorded.findLastIndex((one) => !isCoalesced(one));
        near(
          totals.runMs,
          recorded.slice(0, last + 1).reduce((total, { run }) => total + run, 0),
        );
        const rowSum = (of: (row: StatisticsJson['rows'][number]) => number) =>
          rows.reduce((total, row) => total + of(row), 0);
        assert.equal(
          rowSum((row) => row.count),
          recorded.length,
        );
        near(
          rowSum((row) => row.handleMs),
          totals.handleMs,
        );
      }),
    );
  });

  test('keep ports, directions, devices and coalesced writes apart', () => {
    const out = (address: number, fields: Partial<Exit> = {}): Recorded => ({
      exit: { address, write: true, ...fields },
      device: 0,
      run: 1,
      handle: 1,
    });
    const { rows } = statisticsOf([
      out(0xe9),
      out(0xe9, { count: 3 }),
      out(0xe9, { coalesced: true }),
      { exit: { address: 0xe9 }, device: 0, run: 0, handle: 0 },
      { exit: { address: 0x80, write: true }, device: -1, run: 0, handle: 0 },
      { exit: { kind: ExitKind.halt, address: 7 }, device: -1, run: 0.5, handle: 0 },
    ]);
    assert.deepEqual(
      rows.map(({ kind, direction, address, device, coalesced, count, accesses }) =>
        [kind, direction, address?.toString(16), device, coalesced, count, accesses].join(' '),
      ),
      [
        'io out e9 console false 2 4',
        'io out e9 console true 1 1',
        'io in e9 console false 1 1',
        'halt    false 1 0',
        'io out 80  false 1 1',
      ],
    );
  });

  test('count memory by device, and by page where no device answers', () => {
    const mmio = (address: number, device: number): Recorded => ({
      exit: { kind: ExitKind.mmio, address, size: 4 },
      device,
      run: 0,
      handle: 0,
    });
    const { rows } = statisticsOf([
      mmio(0x1000, 1),
      mmio(0x9000, 1),
      mmio(0xfee00020, -1),
      mmio(0xfee00fff, -1),
      mmio(2 ** 50, -1),
    ]);
    assert.deepEqual(
      rows.map(({ address, device, count }) => [address, device, count]),
      [
        [null, 'disk', 2],
        [0xfee00000, null, 2],
        [2 ** 50, null, 1],
      ],
    );
  });

  test('give medians of run and handling time in microseconds', () => {
    const recorded = [1, 2, 3, 4, 100].map((time) => ({
      exit: {},
      device: 0,
      run: time,
      handle: time / 1000,
    }));
    const [row] = statisticsOf(recorded).rows;
    assert.ok(Math.abs(row!.runMedianUs - 3000) <= 3000 / 64);
    assert.ok(Math.abs(row!.handleMedianUs - 3) <= 3 / 64 + 1e-6);
  });

  test('stay bounded for all addresses that a guest accesses, and still count all of them', () => {
    const log = new ExitLog({ capacity: 1024 });
    const statistics = new Statistics([]);
    log.subscribe(statistics.reader);
    for (let port = 0; port < 0x10000; port++) {
      log.record(exitRecord({ address: port, write: (port & 1) === 0, coalesced: port % 3 === 0 }), -1, 0, 0);
      log.record(exitRecord({ kind: ExitKind.mmio, address: port * 4096 }), -1, 0, 0);
    }
    log.flush();
    const { rows, exits, coalesced } = statistics.toJSON();
    assert.ok(rows.length <= 4098, `${rows.length} rows`);
    assert.equal(exits + coalesced, 2 * 0x10000);
    assert.equal(coalesced, Math.ceil(0x10000 / 3));
    assert.ok(rows.some(({ kind }) => kind === 'other'));
  });

  test('survive JSON and a thread', () => {
    const statistics = statisticsOf([{ exit: {}, device: 0, run: 1, handle: 1 }]);
    assert.deepEqual(JSON.parse(JSON.stringify(statistics)), statistics);
    assert.deepEqual(structuredClone(statistics), statistics);
  });
});

describe('the table of statistics', () => {
  const row = {
    cpu: 0,
    kind: 'io',
    direction: 'out',
    address: 0xe9,
    device: 'debug-console',
    coalesced: false,
    count: 20,
    accesses: 20,
    bytes: 20,
    runMs: 0.184,
    runMedianUs: 8.5,
    handleMs: 0.012,
    handleMedianUs: 0.5,
  } as const;
  const statistics: StatisticsJson = {
    exits: 21,
    coalesced: 7,
    accesses: 27,
    bytes: 27,
    runMs: 0.2,
    handleMs: 0.013,
    rows: [
      row,
      { ...row, coalesced: true, count: 7, accesses: 7, bytes: 7, runMs: 0, runMedianUs: 0, handleMs: 0.001 },
      { ...row, kind: 'halt', direction: '', address: null, device: null, count: 1, accesses: 0, bytes: 0 },
    ],
  };

  test('has a line a row, numbers under each other, and the sum', () => {
    assert.equal(
      formatStatistics(statistics),
      [
        'exit      where   device         count  accesses  bytes  run ms  median µs  handle ms  median µs',
        'io out    0x00e9  debug-console     20        20     20    0.18       8.50       0.01       0.50',
        'io out +  0x00e9  debug-console      7         7      7                          0.00       0.50',
        'halt                                 1         0      0    0.18       8.50       0.01       0.50',
        '21 exits, 7 coalesced writes (+); 0.20 ms run, 0.01 ms handled',
      ].join('\n'),
    );
  });

  test('leaves out columns for which a narrow terminal has no room', () => {
    for (const width of [20, 50, 60, 70, 80, 90, 100]) {
      const lines = formatStatistics(statistics, { width }).split('\n').slice(0, -1);
      const widest = Math.max(...lines.map((line) => line.length));
      assert.ok(widest <= Math.max(width, 45), `${widest} columns of ${width}`);
      assert.match(lines[1]!, /^io out .*0x00e9 .*20 .*0\.18/);
    }
  });

  test('shows at most the requested rows, and colours only on request', () => {
    const many = { ...statistics, rows: Array.from({ length: 50 }, () => row) };
    const text = formatStatistics(many, { rows: 3 });
    assert.match(text, /\n… and 47 more rows\n/);
    assert.ok(!text.includes('\u001b'));
    assert.ok(formatStatistics(statistics, { color: true }).startsWith('\u001b[1mexit'));
  });

  test('counts one exit in the singular', () => {
    const one = statisticsOf([{ exit: {}, device: 0, run: 1, handle: 1 }]);
    assert.match(formatStatistics(one), /\n1 exit; 1\.00 ms run, 1\.00 ms handled$/);
  });

  test('says that there were no exits', () => {
    assert.match(formatStatistics(statisticsOf([])), /^exit .*\n0 exits; 0\.00 ms run, 0\.00 ms handled$/);
  });
});
