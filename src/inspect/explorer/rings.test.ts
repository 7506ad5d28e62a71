/** Rings as they lie in memory, drawn; and any bytes at all in their place. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { GuestMemory } from '../../memory/index.js';
import { formatRings, type QueueSubject, readRings, type VirtioSubject } from './rings.js';

const queue: QueueSubject = {
  index: 0,
  name: 'requests',
  size: 8,
  ready: true,
  packed: false,
  descriptors: 0x1000,
  driver: 0x2000,
  device: 0x3000,
  next: 1,
  used: 1,
};
const device = (one: QueueSubject, more: Partial<VirtioSubject> = {}): VirtioSubject => ({
  name: 'vd0',
  type: 2,
  transport: 'PCI',
  status: 15,
  features: [9, 28, 32],
  problem: '',
  queues: [one],
  ...more,
});

const fresh = () => GuestMemory.create([{ address: 0, size: 65_536 }]);

function put(memory: GuestMemory, at: number, address: number, length: number, a: number, b: number): void {
  memory.write64(at, BigInt(address));
  memory.write32(at + 8, length);
  memory.write16(at + 12, a);
  memory.write16(at + 14, b);
}

describe('a drawing of rings', () => {
  test('shows a split ring: what waits, what was used, and the chains', () => {
    const memory = fresh();
    put(memory, 0x1000, 0x8000, 16, 1, 1);
    put(memory, 0x1010, 0x9000, 512, 3, 2);
    put(memory, 0x1020, 0xa000, 1, 2, 0);
    put(memory, 0x1030, 0xb000, 48, 4, 0);
    memory.write16(0x2002, 3);
    for (const [slot, head] of [0, 3, 0].entries()) memory.write16(0x2004 + 2 * slot, head);
    memory.write16(0x3002, 1);
    memory.write32(0x3008, 513);
    const [drawn] = readRings([device(queue)], memory);
    assert.deepEqual(drawn!.queues[0]!.positions, { driver: 3, device: 1, used: 1 });
    assert.equal(
      formatRings(readRings([device(queue)], memory)),
      [
        'vd0: block device on PCI; ACKNOWLEDGE, DRIVER, FEATURES_OK, DRIVER_OK',
        '  features: 9, INDIRECT_DESC, VERSION_1',
        '  queue 0, requests: split, 8 slots; 2 buffers wait for the device',
        '    ring  ·AA·····',
        '    available  slot 1  buffer 3  [table 0xb000 +48]',
        '    available  slot 2  buffer 0  [read 0x8000 +16] → [write 0x9000 +512] → [write 0xa000 +1]',
        '    used       slot 0  buffer 0  [read 0x8000 +16] → [write 0x9000 +512] → [write 0xa000 +1]  513 bytes written',
      ].join('\n'),
    );
  });

  test('shows a packed ring from where the device is', () => {
    const memory = fresh();
    put(memory, 0x1060, 0x8000, 16, 0, 0x81);
    put(memory, 0x1070, 0x9000, 1, 5, 0x82);
    put(memory, 0x1000, 0xa000, 4, 6, 0x8000);
    const drawings = readRings([device({ ...queue, packed: true, next: 0x8006, used: 0x8006 })], memory);
    assert.deepEqual(drawings[0]!.queues[0]!.positions, { driver: 1, device: 6, used: 6 });
    const text = formatRings(drawings);
    assert.match(text, /packed, 8 slots; 2 buffers wait for the device/);
    assert.match(text, /ring {2}A·····AA/);
    assert.match(text, /available {2}slot 6 {2}buffer 5 {2}\[read 0x8000 \+16\] → \[write 0x9000 \+1\]/);
  });

  test('says what a queue is not, and why a device waits', () => {
    const memory = fresh();
    const text = (one: QueueSubject, more: Partial<VirtioSubject> = {}) =>
      formatRings(readRings([device(one, more)], memory));
    assert.match(text({ ...queue, ready: false }), /queue 0, requests: not ready/);
    assert.match(text({ ...queue, device: 0x1_0000 }), /it is not in RAM/);
    assert.match(text(queue, { status: 0, features: [] }), /reset: no driver has found it/);
    assert.match(
      text(queue, { status: 0x4f, problem: 'a chain does not end' }),
      /waits for a reset: a chain/,
    );
    memory.write16(0x2002, 100);
    assert.match(text(queue), /the driver's index is 99 ahead, and the ring has 8/);
    assert.equal(formatRings([]), 'virtio: this machine has no such device');
  });

  test('is bounded, and never fails, for any bytes', () => {
    const bytes = fc.uint8Array({ minLength: 4096, maxLength: 4096 });
    fc.assert(
      fc.property(bytes, fc.boolean(), fc.nat(7), (random, packed, next) => {
        const memory = fresh();
        for (const at of [0x1000, 0x2000, 0x3000]) memory.writeBytes(at, random);
        const text = formatRings(readRings([device({ ...queue, packed, next, used: next })], memory));
        assert.ok(text.length < 10_000, `${text.length} characters`);
      }),
    );
  });
});
