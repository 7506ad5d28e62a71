import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DeviceHost } from '../contract/index.js';
import { testAnyDevice } from '../testing.js';
import { DebugNmi } from './nmi.js';

describe('the debug NMI port', () => {
  test('sends one NMI per write, of any size and value, and none for a read', () => {
    let nmis = 0;
    const device = new DebugNmi();
    device.attach({ nmi: () => nmis++ } as unknown as DeviceHost);
    device.writePort();
    device.writePort();
    assert.equal(nmis, 2);
    assert.equal('readPort' in device, false);
  });

  testAnyDevice(() => new DebugNmi());

  test('has no state', () => {
    assert.throws(() => new DebugNmi().load({ other: 1 }), { code: 'ESTATE' });
  });
});
