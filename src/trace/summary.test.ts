import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { anyCharacter } from '../../test/support/any-character.js';
import { formatTraceSummary, TraceFileError, TraceParser, type TraceRecord, TraceSummary } from './index.js';

const plain = { width: 100, top: 15, bold: (text: string) => text, dim: (text: string) => text };

function record(fields: Partial<TraceRecord>): TraceRecord {
  return {
    exit: 1,
    cpu: 0,
    timeUs: 0,
    runUs: 0,
    handleUs: 0,
    kind: 'io',
    coalesced: false,
    address: 0x3f8,
    direction: 'out',
    size: 1,
    count: 1,
    device: 'serial',
    register: 'transmitter holding',
    ...fields,
  };
}

function summaryOf(records: readonly TraceRecord[]) {
  const summary = new TraceSummary();
  for (const one of records) summary.add(one);
  return summary.toJSON();
}

const times = fc.double({ min: 0, max: 1e6, noNaN: true });
const anyRecord = fc.record({
  timeUs: times,
  runUs: times,
  handleUs: times,
  kind: fc.constantFrom('io', 'mmio', 'halt'),
  address: fc.constantFrom(null, 0x60, 0x3f8, 0xb8000, 0xb8004),
  device: fc.constantFrom(null, 'serial', 'vga'),
  coalesced: fc.boolean(),
});

describe('the summary of a trace', () => {
  test('says who was asked how often, and where the time went', () => {
    const made = summaryOf([
      record({ exit: 1, timeUs: 10, runUs: 10, handleUs: 2 }),
      record({ exit: 2, timeUs: 22, runUs: 10, handleUs: 4 }),
      record({
        exit: 3,
        timeUs: 30,
        runUs: 4,
        kind: 'halt',
        address: null,
        direction: '',
        device: null,
        register: null,
      }),
      record({
        exit: 4,
        timeUs: 130,
        runUs: 100,
        address: 0x60,
        direction: 'in',
        device: null,
        register: null,
      }),
    ]);
    const { exits, elapsedUs, guestUs, haltedUs, handleUs, reasons, places, devices } = made;
    assert.deepEqual(
      { exits, elapsedUs, guestUs, haltedUs, handleUs },
      {
        exits: 4,
        elapsedUs: 130,
        guestUs: 24,
        haltedUs: 100,
        handleUs: 6,
      },
    );
    assert.deepEqual(
      reasons.map(({ kind, direction, count }) => [kind, direction, count]),
      [
        ['io', 'out', 2],
        ['halt', '', 1],
        ['io', 'in', 1],
      ],
    );
    assert.deepEqual(
      places.map(({ address, device, register, count, handleUs: us }) => [
        address,
        device,
        register,
        count,
        us,
      ]),
      [
        [0x3f8, 'serial', 'transmitter holding', 2, 6],
        [0x60, null, null, 1, 0],
      ],
    );
    assert.deepEqual(
      devices.map(({ device, handleUs: us }) => [device, us]),
      [
        ['serial', 6],
        [null, 0],
      ],
    );
    assert.deepEqual(
      made.handling.map(({ toUs, count }) => [toUs, count]).filter(([, count]) => count !== 0),
      [
        [0.125, 2],
        [4, 1],
        [8, 1],
      ],
    );
    assert.deepEqual(
      made.timeline.rows.map(({ name }) => name),
      ['guest', 'serial', 'CPU', 'halted', '(nobody)'],
    );
  });

  test('loses no exit and no microsecond on the way into its timeline and histograms', () => {
    fc.assert(
      fc.property(fc.array(anyRecord, { minLength: 1, maxLength: 60 }), (random) => {
        const records = random
          .map((fields, i) =>
            record({ ...fields, exit: 2 * i + 1, runUs: Math.min(fields.runUs, fields.timeUs) }),
          )
          .sort((a, b) => a.timeUs - b.timeUs);
        const { timeline, handling, exits, coalesced, reasons } = summaryOf(records);
        const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
        assert.equal(exits + coalesced, records.length);
        assert.equal(sum(timeline.rows.flatMap(({ counts }) => counts)), records.length);
        assert.equal(sum(handling.map(({ count }) => count)), records.length);
        assert.equal(sum(reasons.map(({ count }) => count)), records.length);
        assert.ok(timeline.columns <= 512);
        const handled = sum(
          timeline.rows
            .filter(({ name }) => name !== 'guest' && name !== 'halted')
            .flatMap(({ busyUs }) => busyUs),
        );
        const expected = sum(records.map(({ handleUs }) => handleUs));
        assert.ok(
          Math.abs(handled - expected) <= 1e-6 * expected + records.length,
          `${handled} of ${expected}`,
        );
      }),
    );
  });

  test('stays small for all addresses that a guest accesses', () => {
    const summary = new TraceSummary();
    for (let i = 0; i < 20_000; i++) {
      summary.add(
        record({ exit: i + 1, timeUs: i, address: i * 4096, kind: 'mmio', device: `d${i}`, register: null }),
      );
    }
    const { places, devices, timeline, exits } = summary.toJSON();
    assert.equal(exits, 20_000);
    assert.ok(places.length <= 4097 && devices.length <= 4097 && timeline.rows.length <= 33);
    assert.equal(
      places.reduce((total, { count }) => total + count, 0),
      20_000,
    );
  });

  test('fits the terminal, narrow or wide', () => {
    const made = summaryOf([
      record({
        timeUs: 10,
        runUs: 10,
        handleUs: 2,
        register: 'a register with a name that goes on and on and on',
      }),
      record({ exit: 2, timeUs: 1e7, runUs: 10, handleUs: 2, direction: 'in' }),
    ]);
    for (const width of [60, 80, 200]) {
      const lines = formatTraceSummary(made, { ...plain, width })
        .split('\n')
        .slice(1);
      const tables = lines.filter((line) => !line.includes('a column;'));
      assert.ok(
        tables.every((line) => [...line].length <= width),
        `${width}: ${tables.join('\n')}`,
      );
    }
  });
});

describe('the reader of a trace', () => {
  const line = (fields: object) =>
    JSON.stringify({ exit: 1, time_us: 1, run_us: 1, handle_us: 1, kind: 'halt', ...fields });

  test('takes any line at all, and says what is wrong with it', () => {
    const anything = fc.oneof(
      fc.string({ unit: anyCharacter }),
      fc.json(),
      fc
        .dictionary(
          fc.constantFrom('exit', 'kind', 'port', 'size', 'device', 'time_us', 'direction'),
          fc.jsonValue(),
        )
        .map(line),
    );
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 5 }), fc.boolean(), (lines, chrome) => {
        const parser = new TraceParser();
        parser.read(chrome ? '{"displayTimeUnit":"ns","traceEvents":[' : line({}));
        const summary = new TraceSummary();
        for (const one of lines) {
          try {
            const found = parser.read(one);
            if (found !== undefined) summary.add(found);
          } catch (error) {
            assert.ok(error instanceof TraceFileError, String(error));
            assert.match(error.message, /^line \d+ /);
          }
        }
        assert.ok(formatTraceSummary(summary.toJSON(), plain).length > 0);
      }),
    );
  });

  test('refuses invalid numbers, kinds and addresses', () => {
    const wrong: [object, RegExp][] = [
      [{ kind: 'party' }, /no 'kind'/],
      [{ time_us: -1 }, /no number as 'time_us'/],
      [{ run_us: '3' }, /no number as 'run_us'/],
      [{ time_us: 1e300 }, /no number as 'time_us'/],
      [{ exit: undefined }, /no 'exit'/],
      [{ kind: 'io', port: 5, size: 1 }, /invalid address/],
      [{ kind: 'io', port: '0xfffffffffffffff', size: 1 }, /invalid address/],
      [{ kind: 'io', port: '0x60', size: 1, direction: 'up' }, /direction "up"/],
      [{ device: 7 }, /no text as 'device'/],
    ];
    for (const [fields, message] of wrong) {
      const parser = new TraceParser();
      parser.read(line({}));
      assert.throws(() => parser.read(line(fields)), { code: 'ETRACEFILE', message }, JSON.stringify(fields));
    }
  });

  test('lets no name in a file control a terminal or flood it', () => {
    const parser = new TraceParser();
    const found = parser.read(line({ device: `\u001b[31m${'x'.repeat(500)}` }));
    assert.match(found!.device!, /^·\[31mx+…$/);
    assert.equal(found!.device!.length, 80);
  });
});
