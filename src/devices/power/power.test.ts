import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AcpiPm, Hpet, PciBus } from '../index.js';
import { TestClock, TestLine, testHost } from '../test-host.js';
import { testAnyDevice } from '../testing.js';

const PM = 0x600;

function power() {
  const clock = new TestClock();
  const line = new TestLine();
  const heard: string[] = [];
  const device = new AcpiPm(new PciBus(), true);
  device.attach(testHost({ clock, powerOff: (how) => heard.push(how) }, { 9: line }));
  return { clock, line, heard, device };
}

describe('ACPI’s power management', () => {
  describe('as any device', () => testAnyDevice(() => new AcpiPm(new PciBus(), true)));

  test('counts 3,579,545 ticks per second, in 24 bits', () => {
    const { device, clock } = power();
    clock.moment = 1_000_000_000;
    assert.equal(device.readPort(PM + 8, 4), 3_579_545);
    clock.moment = 5_000_000_000;
    assert.equal(device.readPort(PM + 8, 4), (5 * 3_579_545) % 2 ** 24);
  });

  test('reports each change of bit 23, and interrupts where that is enabled', () => {
    const { device, clock, line } = power();
    clock.goTo(2_343_500_000);
    assert.equal(device.readPort(PM, 2), 1);
    device.writePort(PM, 2, 1);
    assert.equal(device.readPort(PM, 2), 0);
    device.writePort(PM + 2, 2, 1);
    assert.ok(!line.level);
    clock.goTo(2 * 2_343_500_000);
    assert.ok(line.level);
    device.writePort(PM, 2, 1);
    assert.ok(!line.level);
  });

  test('powers off by S5, and reports the power button', () => {
    const { device, heard, line } = power();
    device.writePort(PM + 2, 2, 0x100);
    device.pressPowerButton();
    assert.ok(line.level);
    device.writePort(0xb2, 1, 0xf0);
    assert.ok(!line.level, 'without ACPI mode there is no SCI');
    assert.equal(device.readPort(PM + 4, 2), 0);
    device.writePort(0xb2, 1, 0xf1);
    assert.equal(device.readPort(PM + 4, 2), 1);
    device.writePort(PM + 4, 2, (5 << 10) | 1);
    assert.deepEqual(heard, []);
    device.writePort(PM + 4, 2, 0x2000 | (5 << 10) | 1);
    assert.deepEqual(heard, ['ACPI, PM1 control: SLP_TYP 5']);
  });

  test('moves to where its configuration says (82371AB 7.1.12)', () => {
    const { device } = power();
    device.config.write(0x40, 4, 0xb001);
    assert.equal(device.readPort(0xb004, 2), 1);
    assert.equal(device.config.read(0x40, 4), 0xb001);
    assert.equal(device.config.read(0x3c, 1), 9);
  });
});

describe('an HPET', () => {
  describe('as any device', () => testAnyDevice(() => new Hpet()));

  const bench = () => {
    const clock = new TestClock();
    const lines = Object.fromEntries(Array.from({ length: 24 }, (_, irq) => [irq, new TestLine()]));
    const hpet = new Hpet();
    hpet.attach(testHost({ clock }, lines));
    const at = 0xfed0_0000;
    return {
      clock,
      lines,
      read: (offset: number) => hpet.readMemory64(at + offset),
      write: (offset: number, value: bigint) => hpet.writeMemory64(at + offset, value),
      hpet,
    };
  };

  test('has three timers and counts in 10 ns steps while it is on (1.0a 2.3.4)', () => {
    const { clock, read, write } = bench();
    assert.equal(read(0), 0x0098_9680_8086_a201n);
    clock.moment = 1000;
    assert.equal(read(0xf0), 0n);
    write(0xf0, 5n);
    write(0x10, 1n);
    clock.moment = 2000;
    assert.equal(read(0xf0), 105n);
    write(0xf0, 0n);
    assert.equal(read(0xf0), 105n, 'read-only while it runs');
    write(0x10, 0n);
    clock.moment = 3000;
    assert.equal(read(0xf0), 105n);
  });

  test('interrupts once, in periods, by levels, and by the legacy routes', () => {
    const { clock, lines, read, write } = bench();
    write(0x10, 1n);
    write(0x140, 0x4n | (20n << 9n));
    write(0x148, 1000n);
    clock.goTo(9_999);
    assert.equal(lines[20]!.edges, 0);
    clock.goTo(10_000);
    assert.equal(lines[20]!.edges, 1);
    write(0x100, 0x4en | (16n << 9n));
    write(0x108, 100_000n);
    write(0x108, 50_000n);
    clock.goTo(10_000 + 1_000_000 + 4 * 500_000);
    assert.ok(lines[16]!.level);
    assert.equal(read(0x20), 1n);
    write(0x20, 1n);
    assert.ok(!lines[16]!.level);
    write(0x100, 0n);
    write(0x10, 3n);
    write(0x120, 0x4n);
    write(0x128, read(0xf0) + 100n);
    clock.goTo(clock.moment + 2000);
    assert.equal(lines[8]!.edges, 1);
  });
});
