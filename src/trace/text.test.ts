import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Exit, ExitKind } from '../engine/contract/index.js';
import { ExitLog } from './exit-log.js';
import { exitRecord } from './testing.js';
import { formatTraceLine, traceHeader } from './text.js';

const names = ['pseudo-serial', 'disk'];

function lines(...exits: (Partial<Exit> & { bytes?: number[]; device?: number; at?: number })[]): string[] {
  const log = new ExitLog();
  log.begin(0);
  for (const { device = 0, at = 0, ...exit } of exits) log.record(exitRecord(exit), device, at, at);
  return exits.map((_, i) => formatTraceLine(log, i, names));
}

describe('a trace line', () => {
  test('names its CPU where the machine has several', () => {
    const log = new ExitLog();
    log.begin(0);
    log.record(exitRecord({ cpu: 12, kind: ExitKind.halt, ripLow: 0x10 }), -1, 1, 1);
    assert.match(traceHeader(16), /^ {4}exit cpu {8}time {2}rip /);
    assert.equal(
      formatTraceLine(log, 0, names, undefined, 16),
      '       1  12     1.000ms          00000010  halt',
    );
  });

  test('shows exits under one header, in columns', () => {
    const text = [
      traceHeader(),
      ...lines(
        { address: 0xf1, write: true, bytes: [0x48], ripLow: 0xf0004, at: 0.012 },
        { address: 0xf1, write: true, bytes: [0x0a], ripLow: 0xf0004, at: 1.5, coalesced: true },
        { address: 0x1f0, size: 2, count: 256, bytes: [0x34, 0x12], device: 1, ripLow: 0x7c00, at: 12.3456 },
        {
          kind: ExitKind.mmio,
          address: 0xfee000b0,
          size: 4,
          write: true,
          bytes: [1, 2, 3, 4],
          device: -1,
          at: 99,
        },
        {
          kind: ExitKind.mmio,
          address: 2 ** 40,
          size: 8,
          bytes: [1, 2, 3, 4, 5, 6, 7, 0xff],
          device: 1,
          at: 1e6,
        },
        { kind: ExitKind.halt, reason: 5, ripLow: 0x10, ripHigh: 0xffffffff, at: 1e6 },
      ),
    ].join('\n');
    assert.equal(
      text,
      [
        '    exit        time  rip               reason               address      size data        device         instruction                 register',
        "       1     0.012ms          000f0004  io             out   0x00f1       1    48 'H'      pseudo-serial",
        '       2     1.500ms                   +io             out   0x00f1       1    0a          pseudo-serial',
        '       3    12.346ms          00007c00  io             in    0x01f0       2    1234 ×256   disk',
        '       4    99.000ms          00000000  mmio           write 0xfee000b0   4    04030201    (nobody)',
        '       5 1000000.000ms          00000000  mmio           read  0x10000000000 8    ff07060504030201 disk',
        '       6 1000000.000ms  ffffffff00000010  halt',
      ].join('\n'),
    );
  });

  test('has a name for every kind of exit and a number for every device', () => {
    for (const [name, kind] of Object.entries(ExitKind)) {
      const [line] = lines({ kind, device: 9 });
      assert.match(line!, new RegExp(` ${name}( |$)`));
      if (kind === ExitKind.io) assert.match(line!, /device 9$/);
    }
  });
});
