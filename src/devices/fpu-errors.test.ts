/** The board's latch for x87 errors, as SDM 1 D.2.1.2 draws it: FERR# sets it, port 0xF0 clears it and asserts IGNNE#. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AccessSize, DeviceHost } from './contract/index.js';
import { FpuErrors } from './index.js';
import { TestLine, testHost } from './test-host.js';
import { testAnyDevice } from './testing.js';

class Pins {
  ignored = true;
  rises = () => {};

  wire(rises: () => void): void {
    this.rises = rises;
    this.ignored = false;
  }
}

const withPins = (host: DeviceHost, fpuErrors: Pins): DeviceHost =>
  Object.create(host, { cpus: { value: [{ taskPriority: 0, fpuErrors }] } });

/** A latch whose CPU sometimes has an error: the harness has no CPU with the pins. */
class WithErrors extends FpuErrors {
  readonly #own = new Pins();

  override attach(host: DeviceHost): void {
    super.attach(withPins(host, this.#own));
  }

  override writePort(port: number, size: AccessSize, value: number): void {
    if (value & 1) this.#own.rises();
    super.writePort(port, size, value);
  }
}

describe('the latch for x87 errors', () => {
  test('drives IRQ 13 until port 0xF0 is written, which asserts IGNNE#', () => {
    const line = new TestLine();
    const pins = new Pins();
    const device = new FpuErrors();
    device.attach(withPins(testHost({}, { 13: line }), pins));
    assert.equal(pins.ignored, false);
    device.writePort(0xf0, 1, 0);
    assert.equal(pins.ignored, false, 'there is no error to ignore');
    pins.rises();
    assert.equal(line.level, true);
    device.writePort(0xf0, 1, 0xff);
    assert.deepEqual([line.level, pins.ignored], [false, true]);
  });

  test('does nothing on a CPU without the pins', () => {
    const device = new FpuErrors();
    device.attach(testHost());
    device.writePort(0xf0, 1, 0);
    assert.deepEqual(device.save(), { latched: false, ignored: false });
  });

  testAnyDevice(() => new WithErrors());
});
