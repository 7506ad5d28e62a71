/** A ROM at the top of 4 GiB: its last byte is at the top, and it survives the test for any device. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DeviceHost, MemoryRange } from './contract/index.js';
import { FirmwareRom } from './firmware-rom.js';
import { testHost } from './test-host.js';
import { testAnyDevice } from './testing.js';

describe('a ROM', () => {
  test('ends at the top of 4 GiB, and its first page is filled up', () => {
    const rom = new FirmwareRom(Uint8Array.from({ length: 5000 }, (_, i) => i));
    const [range] = rom.memory;
    assert.deepEqual([range.address + range.size, range.size], [2 ** 32, 8192]);
    const bytes = new Uint8Array(range.size);
    const host: Partial<DeviceHost> = { windows: { bytes: (_: MemoryRange) => bytes, show() {} } };
    rom.attach(testHost(host));
    assert.deepEqual(
      [bytes[0], bytes[8192 - 5001], bytes[8192 - 5000], bytes[8191]],
      [0xff, 0xff, 0, 4999 & 0xff],
    );
  });

  testAnyDevice(() => new FirmwareRom(new Uint8Array(4096)));
});
