import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DeviceHost } from '../contract/index.js';
import { DebugExit } from '../index.js';

function exitCodes(act: (device: DebugExit) => void): number[] {
  const codes: number[] = [];
  const device = new DebugExit();
  device.attach({ exit: (code: number) => codes.push(code) } as unknown as DeviceHost);
  act(device);
  return codes;
}

describe('the debug exit', () => {
  test("ends the run with the value itself, not with QEMU's (value << 1) | 1", () => {
    assert.deepEqual(
      exitCodes((device) => {
        for (const value of [0, 1, 42, 255]) device.writePort(0xf4, 1, value);
      }),
      [0, 1, 42, 255],
    );
  });

  test('takes the low byte of wider writes', () => {
    assert.deepEqual(
      exitCodes((device) => {
        device.writePort(0xf4, 2, 0x1234);
        device.writePort(0xf4, 4, 0xdeadbeef);
      }),
      [0x34, 0xef],
    );
  });

  test('does nothing before it belongs to a machine', () => {
    assert.doesNotThrow(() => new DebugExit().writePort(0xf4, 1, 1));
  });
});
