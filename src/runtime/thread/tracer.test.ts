import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Device } from '../../devices/contract/index.js';
import { DebugConsole, Vga } from '../../devices/index.js';
import { type Exit, ExitKind } from '../../engine/contract/index.js';
import { Bus } from '../../machine/index.js';
import { ExitLog, parseTraceFilter } from '../../trace/index.js';
import type { TraceOptions } from './protocol.js';
import { Tracer } from './tracer.js';

/** What a trace says of these accesses, made through a bus. */
function traced(
  devices: readonly Device[],
  exits: readonly Partial<Exit>[],
  options: Partial<TraceOptions> = {},
) {
  const bus = new Bus();
  for (const [index, device] of devices.entries()) bus.add(device, index);
  const chunks: Buffer[] = [];
  const tracer = new Tracer({
    log: new ExitLog({ capacity: 64 }),
    names: devices.map(({ name }) => name),
    options: { format: 'ndjson', ...options },
    machine: () => undefined,
    write: (bytes) => void chunks.push(Buffer.from(bytes)),
  });
  bus.listener = tracer;
  for (const fields of exits) {
    const exit = {
      cpu: 0,
      kind: ExitKind.io,
      address: 0,
      size: 1,
      count: 1,
      write: true,
      refused: false,
      coalesced: false,
      data: new DataView(new ArrayBuffer(512)),
      offset: 0,
      reason: 0,
      ripLow: 0,
      ripHigh: 0,
      ...fields,
    } satisfies Exit;
    tracer.record(exit, exit.kind === ExitKind.io ? bus.handlePort(exit) : bus.handleMemory(exit), 0, 0);
  }
  tracer.flush();
  const text = Buffer.concat(chunks).toString();
  if (options.format === 'text') return text.trimEnd().split('\n').slice(1);
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const { register = '', means = '' } = JSON.parse(line) as Record<string, string>;
      return means === '' ? register : `${register}: ${means}`;
    });
}

const bytes = (...values: number[]) => {
  const data = new DataView(new ArrayBuffer(512));
  for (const [i, value] of values.entries()) data.setUint8(i, value);
  return data;
};
const nowhere = new DebugConsole(() => {});

describe('a tracer', () => {
  test('names each register of a wide access as it is when its turn comes', () => {
    const exits = [{ address: 0x3c4, size: 2, data: bytes(2, 0x0f) }];
    assert.deepEqual(traced([new Vga()], exits), [
      'sequencer index, sequencer map mask: 0x02 map mask; 0x0f',
    ]);
  });

  test('lets the first element speak for string I/O, and forgets it with the next exit', () => {
    const exits = [
      { address: 0xe9, count: 300, data: bytes(0x48, 0x69) },
      { address: 0x80, data: bytes(1) },
      { address: 0xe9, data: bytes(0x0a) },
    ];
    assert.deepEqual(traced([nowhere], exits), ["console: 'H'", '', 'console: newline']);
  });

  test('says what a read gave, and nothing for a device without words', () => {
    const silent: Device = { name: 'silent', ports: [{ first: 0x60, count: 1 }], readPort: () => 7 };
    const exits = [
      { address: 0xe9, write: false },
      { address: 0x60, write: false },
    ];
    assert.deepEqual(traced([nowhere, silent], exits), ['presence: somebody listens', '']);
    const [line] = traced([nowhere], exits, { format: 'text' });
    assert.match(line!, /presence → 0xe9: somebody listens$/);
  });

  test('writes what its filter lets through, with the numbers it had, also where the ring goes round', () => {
    const exits = Array.from({ length: 200 }, (_, i) => ({
      address: i % 10 === 0 ? 0xe9 : 0x80,
      data: bytes(0x41),
    }));
    const filter = parseTraceFilter(['port=0xe9']);
    const lines = traced([nowhere], exits, { format: 'text', filter });
    assert.deepEqual(
      lines.map((line) => Number(line.slice(0, 8))),
      Array.from({ length: 20 }, (_, i) => i * 10 + 1),
    );
    assert.ok(lines.every((line) => line.endsWith("console ← 0x41: 'A'")));
  });
});
