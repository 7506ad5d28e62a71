import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExitKind, emptyExit } from '../../engine/contract/index.js';
import { RecentAccesses } from './recent.js';

test('the last exits are kept, by what they reached, with who answered and from where', () => {
  const recent = new RecentAccesses();
  const exit = emptyExit(new DataView(new ArrayBuffer(8)));
  exit.data.setUint8(0, 0x60);
  const note = (kind: ExitKind, address: number, write: boolean, device: number, rip = 0) => {
    Object.assign(exit, { kind, address, write, size: 1, ripLow: rip, ripHigh: 1 });
    recent.note(exit, device);
  };
  for (let n = 0; n < 100; n++) note(ExitKind.io, 0x80, true, -1);
  note(ExitKind.mmio, 0xf_ffff_ffff_fff8, false, -1, 5);
  note(ExitKind.halt, 0x1234, false, -1, 6);
  note(ExitKind.shutdown, 7, false, -1);
  for (let n = 0; n < 3; n++) note(ExitKind.io, 0x3fd, false, 1, 7 + n);
  const words = { register: 'line status', says: () => 'ready' };
  assert.deepEqual(recent.list([{ name: 'a' }, { name: 'serial', describeAccess: () => words }]), [
    {
      space: 'port',
      address: 0x3fd,
      write: false,
      count: 3,
      rip: 0x1_0000_0009n,
      device: 'serial',
      register: 'line status',
      value: '0x60 ready',
    },
    { space: 'halt', address: 0, write: false, count: 1, rip: 0x1_0000_0006n },
    { space: 'memory', address: 0xf_ffff_ffff_fff8, write: false, count: 1, rip: 0x1_0000_0005n },
    { space: 'port', address: 0x80, write: true, count: 27, rip: 0x1_0000_0000n },
  ]);
});
