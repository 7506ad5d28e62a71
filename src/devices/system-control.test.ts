/** Ports 0x61, 0x92 and 0xCF9, as the PS/2's manual and the PIIX4's data sheet describe them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Pit8254, SystemControl } from './index.js';
import { TestClock, TestLine, testHost } from './test-host.js';
import { testAnyDevice } from './testing.js';

function rig() {
  const clock = new TestClock();
  const wires = { resets: [] as string[], tones: [] as number[] };
  const pit = new Pit8254();
  const device = new SystemControl({
    pit,
    onTone: ({ frequency }) => wires.tones.push(Math.round(frequency)),
  });
  const host = testHost({ reset: (how) => void wires.resets.push(how), clock }, { 0: new TestLine() });
  pit.attach(host);
  device.attach(host);
  return { clock, device, pit, wires };
}

describe('system control', () => {
  test('plays the frequency of counter 2 while gate and speaker bits are set', () => {
    const { device, pit, wires } = rig();
    pit.writePort(0x43, 1, 0xb6);
    const count = Math.round(1_193_182 / 440);
    pit.writePort(0x42, 1, count & 0xff);
    pit.writePort(0x42, 1, count >> 8);
    assert.equal(device.tone.frequency, 0);
    device.writePort(0x61, 1, 3);
    assert.equal(Math.round(device.tone.frequency), 440);
    pit.writePort(0x42, 1, (count * 2) & 0xff);
    pit.writePort(0x42, 1, (count * 2) >> 8);
    device.writePort(0x61, 1, 0);
    assert.equal(wires.tones[0], 440);
    assert.equal(wires.tones.at(-1), 0);
    assert.equal(device.readPort(0x61) & 3, 0);
  });

  test('shows counter 2’s output, and a refresh bit that toggles every 15 µs', () => {
    const { device, pit, clock } = rig();
    device.writePort(0x61, 1, 1);
    // Mode 0 with a count of 1,193: OUT is high a millisecond later.
    pit.writePort(0x43, 1, 0xb0);
    pit.writePort(0x42, 1, 1193 & 0xff);
    pit.writePort(0x42, 1, 1193 >> 8);
    assert.equal(device.readPort(0x61) & 0x20, 0);
    clock.milliseconds = 1.1;
    assert.equal(device.readPort(0x61) & 0x20, 0x20);
    let toggles = 0;
    let before = device.readPort(0x61) & 0x10;
    for (let i = 0; i < 1000; i++) {
      clock.milliseconds += 0.001;
      const now = device.readPort(0x61) & 0x10;
      if (now !== before) toggles++;
      before = now;
    }
    assert.ok(toggles >= 65 && toggles <= 67, `${toggles} in a millisecond`);
  });

  test('does not let counter 2 count before its gate is opened', () => {
    const { device, pit, clock } = rig();
    pit.writePort(0x43, 1, 0xb0);
    pit.writePort(0x42, 1, 100);
    pit.writePort(0x42, 1, 0);
    clock.milliseconds = 10;
    assert.equal(device.readPort(0x61) & 0x20, 0);
  });

  test('resets by a rise of port 0x92’s bit 0 and of 0xCF9’s bit 2, and by nothing else', () => {
    const { device, wires } = rig();
    device.writePort(0x92, 1, 2);
    device.writePort(0xcf9, 1, 2);
    assert.deepEqual(wires.resets, []);
    device.writePort(0x92, 1, 3);
    device.writePort(0x92, 1, 3);
    device.writePort(0xcf9, 1, 6);
    assert.equal(wires.resets.length, 2);
    assert.match(wires.resets[0]!, /port A/);
    assert.match(wires.resets[1]!, /hard/);
    assert.equal(device.readPort(0xcf9), 6);
  });

  test('keeps the written fast A20', () => {
    const { device } = rig();
    assert.equal(device.a20, true);
    device.writePort(0x92, 1, 0);
    assert.equal(device.a20, false);
    assert.equal(device.readPort(0x92), 0);
  });
});

describe('any device: system-control', () => {
  testAnyDevice(() => new SystemControl());
});
