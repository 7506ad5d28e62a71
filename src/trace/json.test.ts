import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { anyCharacter } from '../../test/support/any-character.js';
import { type Exit, ExitKind } from '../engine/contract/index.js';
import { ByteWriter } from './bytes.js';
import { ExitLog } from './exit-log.js';
import { CHROME_TAIL, ChromeEncoder, NdjsonEncoder, type TraceEncoder, traceTexts } from './index.js';
import { exitRecord } from './testing.js';

const names = ['serial', 'disk "0"'];
type Step = Partial<Exit> & { bytes?: number[]; device?: number; at: number; took?: number };

/** What an encoder makes of a log with these entries. */
function encode(make: (log: ExitLog) => TraceEncoder, steps: readonly Step[]): string {
  const log = new ExitLog({ capacity: 256 });
  const encoder = make(log);
  log.begin(0);
  log.subscribe((_, from, to) => {
    for (let index = from; index < to; index++) encoder.add(log, index);
  });
  for (const { device = -1, at, took = 0, ...exit } of steps)
    log.record(exitRecord(exit), device, at, at + took);
  log.flush();
  return Buffer.concat([encoder.head(), encoder.writer.bytes]).toString();
}

const steps: Step[] = [
  { address: 0x3f8, write: true, bytes: [0x48], ripLow: 0x7c10, device: 0, at: 0.5, took: 0.001 },
  { address: 0x1f0, size: 2, count: 256, bytes: [0x34, 0x12], device: 1, at: 1.25, took: 0.0125 },
  {
    kind: ExitKind.mmio,
    address: 2 ** 40 + 8,
    size: 8,
    bytes: [1, 2, 3, 4, 5, 6, 7, 0xff],
    at: 2,
    write: true,
  },
  { address: 0x3f8, write: true, bytes: [0x21], coalesced: true, device: 0, at: 3, took: 0.001 },
  { kind: ExitKind.halt, reason: 5, ripLow: 0x10, ripHigh: 0xffffffff, at: 3.5 },
  { address: 0x60, bytes: [1], at: 10 },
];

describe('a trace as NDJSON', () => {
  test('is an object per exit, with the fields that docs/trace.md names', () => {
    const texts = traceTexts(256);
    texts.registers[0] = 'transmitter holding';
    texts.meanings[0] = "'H'";
    texts.instructions[0] = 'out dx,al';
    const text = encode(() => new NdjsonEncoder(names, texts), steps);
    assert.ok(text.endsWith('}\n'));
    const objects = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    assert.deepEqual(objects, [
      {
        exit: 1,
        cpu: 0,
        time_us: 500,
        run_us: 500,
        handle_us: 1,
        kind: 'io',
        rip: '0x7c10',
        direction: 'out',
        port: '0x3f8',
        size: 1,
        data: '0x48',
        device: 'serial',
        register: 'transmitter holding',
        means: "'H'",
        instruction: 'out dx,al',
      },
      {
        exit: 2,
        cpu: 0,
        time_us: 1250,
        run_us: 749,
        handle_us: 12.5,
        kind: 'io',
        rip: '0x0',
        direction: 'in',
        port: '0x1f0',
        size: 2,
        count: 256,
        data: '0x1234',
        device: 'disk "0"',
      },
      {
        exit: 3,
        cpu: 0,
        time_us: 2000,
        run_us: 737.5,
        handle_us: 0,
        kind: 'mmio',
        rip: '0x0',
        direction: 'write',
        address: '0x10000000008',
        size: 8,
        data: '0xff07060504030201',
      },
      {
        exit: 4,
        cpu: 0,
        time_us: 3000,
        run_us: 0,
        handle_us: 1,
        kind: 'io',
        coalesced: true,
        direction: 'out',
        port: '0x3f8',
        size: 1,
        data: '0x21',
        device: 'serial',
      },
      {
        exit: 5,
        cpu: 0,
        time_us: 3500,
        run_us: 1499,
        handle_us: 0,
        kind: 'halt',
        rip: '0xffffffff00000010',
        reason: 5,
      },
      {
        exit: 6,
        cpu: 0,
        time_us: 10000,
        run_us: 6500,
        handle_us: 0,
        kind: 'io',
        rip: '0x0',
        direction: 'in',
        port: '0x60',
        size: 1,
        data: '0x01',
      },
    ]);
  });

  test('writes numbers and strings as JSON.stringify does', () => {
    const writer = new ByteWriter();
    const shown = (write: () => void) => {
      writer.clear();
      write();
      return Buffer.from(writer.bytes).toString();
    };
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.string({ unit: anyCharacter }), (number, string) => {
        assert.equal(
          shown(() => writer.decimal(number)),
          String(number),
        );
        assert.equal(
          shown(() => writer.json(string)),
          JSON.stringify(string),
        );
        const [high, low] = [Math.floor(number / 2 ** 32), number % 2 ** 32];
        assert.equal(
          shown(() => writer.hex(high, low)),
          `"0x${number.toString(16)}"`,
        );
        assert.equal(JSON.parse(shown(() => writer.thousandths(number % 1e12))), (number % 1e12) / 1000);
      }),
    );
  });
});

interface TraceEvent {
  ph: string;
  pid: number;
  tid: number;
  ts: number;
  dur?: number;
  name: string;
  args?: Record<string, unknown>;
}

/** The Trace Event Format's rules for what we use of it: each phase has its fields, and slices of a track do not overlap. */
function checkEvents(text: string): TraceEvent[] {
  const { traceEvents } = JSON.parse(text) as { traceEvents: TraceEvent[] };
  const ends = new Map<number, number>();
  let last = 0;
  for (const event of traceEvents) {
    const { ph, pid, tid, ts, dur, name, args } = event;
    assert.ok(
      Number.isInteger(pid) && Number.isInteger(tid) && typeof name === 'string',
      JSON.stringify(event),
    );
    if (ph === 'M') {
      assert.ok(['process_name', 'thread_name', 'thread_sort_index'].includes(name));
      assert.ok(args !== undefined && ('name' in args || 'sort_index' in args));
      continue;
    }
    assert.equal(ph, 'X', 'only complete events: no begin and end to balance');
    assert.ok(Number.isFinite(ts) && ts >= last, `${ts} comes after ${last}`);
    assert.ok(typeof dur === 'number' && dur >= 0);
    assert.ok(
      ts >= (ends.get(tid) ?? 0) - 0.002,
      'a slice begins where the one before it on its track has ended',
    );
    ends.set(tid, ts + dur);
    last = ts;
  }
  return traceEvents;
}

describe('a trace for Chrome and Perfetto', () => {
  test('has a track a device, a slice an exit, and the guest between them', () => {
    const text = encode(() => new ChromeEncoder(names), steps);
    const events = checkEvents(text + CHROME_TAIL);
    const tracks = events.filter(({ name }) => name === 'thread_name').map(({ args }) => args!.name);
    assert.deepEqual(tracks, ['guest', 'CPU', '(nobody)', ...names]);
    const slices = events
      .filter(({ ph }) => ph === 'X')
      .map(({ tid, name, ts, dur }) => `${tracks[tid] as string}: ${name} at ${ts} for ${dur}`);
    assert.deepEqual(slices, [
      'guest: guest at 0 for 500',
      'serial: out 0x03f8 at 500 for 1',
      'guest: guest at 501 for 749',
      'disk "0": in 0x01f0 at 1250 for 12.5',
      'guest: guest at 1262.5 for 737.5',
      '(nobody): write 0x10000000008 at 2000 for 0',
      'guest: guest at 2000 for 1000',
      'serial: out 0x03f8 at 3000 for 1',
      'guest: guest at 3001 for 499',
      'CPU: halt at 3500 for 0',
      'guest: halted, then guest at 3500 for 6500',
      '(nobody): in 0x0060 at 10000 for 0',
    ]);
  });

  test('has tracks of its own for each of several CPUs', () => {
    const of = (cpu: number, at: number): Step[] => [
      { cpu, kind: ExitKind.halt, at },
      { cpu, address: 0x3f8, write: true, device: 0, at: at + 1 },
    ];
    const text = encode(() => new ChromeEncoder(names, undefined, 2), [...of(0, 1), ...of(1, 3)]);
    const events = checkEvents(text + CHROME_TAIL);
    const tracks = events.filter(({ name }) => name === 'thread_name').map(({ args }) => args!.name);
    assert.deepEqual(tracks, ['guest 0', 'CPU 0', 'guest 1', 'CPU 1', '(nobody)', ...names]);
    assert.deepEqual(
      events
        .filter(({ ph }) => ph === 'X')
        .map(({ tid, name, args }) => `${tracks[tid] as string}: ${name} ${args?.cpu ?? ''}`.trim()),
      [
        'guest 0: guest',
        'CPU 0: halt 0',
        'guest 0: halted, then guest',
        'serial: out 0x03f8 0',
        'guest 1: guest',
        'CPU 1: halt 1',
        'guest 1: halted, then guest',
        'serial: out 0x03f8 1',
      ],
    );
  });

  test('is sorted and complete for all times, and without its end still a list of events', () => {
    const step = fc.record({
      gap: fc.double({ min: 0, max: 5, noNaN: true }),
      took: fc.double({ min: 0, max: 1, noNaN: true }),
      coalesced: fc.boolean(),
      kind: fc.constantFrom(ExitKind.io, ExitKind.mmio, ExitKind.halt),
      device: fc.integer({ min: -1, max: 2 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (random) => {
        let now = 0;
        const timed = random.map(({ gap, took, ...exit }) => {
          const at = now + gap;
          now = at + took;
          return { ...exit, at, took };
        });
        const text = encode(() => new ChromeEncoder(names), timed);
        const slices = checkEvents(text + CHROME_TAIL).filter(
          ({ ph, name }) => ph === 'X' && !/guest/.test(name),
        );
        assert.equal(slices.length, timed.length);
        assert.ok(
          text
            .split('\n')
            .slice(1)
            .every((line) => JSON.parse(line.replace(/,$/, ''))),
        );
      }),
    );
  });
});
