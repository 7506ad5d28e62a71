/** The clock as the MC146818A's data sheet describes it, and the bytes that a BIOS leaves. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { MILLISECOND, SECOND } from '../../time/index.js';
import { TestClock, TestLine, testHost } from '../test-host.js';
import { testAnyDevice } from '../testing.js';
import { readTime, Time, writeTime } from './calendar.js';
import { Cmos } from './cmos.js';

const START = Date.UTC(2026, 10, 21, 23, 59, 58);

function rig(startMs = START, memory = 64 * 1024 * 1024) {
  const [line, clock] = [new TestLine(), new TestClock()];
  const wires = {
    get irq() {
      return line.level;
    },
    get edges() {
      return line.edges;
    },
  };
  const device = new Cmos({ startMs, memory });
  device.attach(testHost({ clock }, { 8: line }));
  const read = (index: number) => {
    device.writePort(0x70, 1, index);
    return device.readPort(0x71);
  };
  const write = (index: number, value: number) => {
    device.writePort(0x70, 1, index);
    device.writePort(0x71, 1, value);
  };
  const time = () => [9, 8, 7, 4, 2, 0].map((index) => read(index).toString(16).padStart(2, '0')).join(' ');
  return { clock, wires, read, write, time };
}

describe('the real-time clock', () => {
  test('shows time, date, weekday and century in BCD, and follows the machine’s clock', () => {
    const { clock, read, time } = rig();
    assert.equal(time(), '26 11 21 23 59 58');
    assert.equal(read(6), 7); // a Saturday
    assert.equal(read(0x32), 0x20);
    clock.milliseconds = 2500;
    assert.equal(time(), '26 11 22 00 00 00');
    assert.equal(read(6), 1);
  });

  test('shows them in binary and in 12 hours where register B says so', () => {
    const { clock, read, write } = rig(Date.UTC(2026, 0, 31, 13, 45, 10));
    write(11, 0x04);
    clock.milliseconds = 1000;
    assert.deepEqual([read(4), read(2), read(0), read(7)], [0x81, 45, 11, 31]);
    write(11, 0x00);
    clock.milliseconds = 2000;
    assert.deepEqual([read(4), read(2)], [0x81, 0x45]);
  });

  test('stops while SET is 1, and continues from the written time', () => {
    const { clock, write, time } = rig();
    write(11, 0x82);
    clock.milliseconds = 5000;
    assert.equal(time(), '26 11 21 23 59 58');
    for (const [index, value] of [
      [9, 0x99],
      [8, 0x02],
      [7, 0x28],
      [4, 0x23],
      [2, 0x59],
      [0, 0x59],
    ])
      write(index!, value!);
    write(0x32, 0x19);
    write(11, 0x02);
    clock.milliseconds = 6100;
    assert.equal(time(), '99 03 01 00 00 00');
  });

  test('sets UIP in the 244 µs before the second changes', () => {
    const { clock, read } = rig();
    clock.milliseconds = 999.7;
    assert.equal(read(10) & 0x80, 0);
    clock.milliseconds = 999.9;
    assert.equal(read(10) & 0x80, 0x80);
    clock.milliseconds = 1000.1;
    assert.equal(read(10) & 0x80, 0);
  });

  test('interrupts when a second has ended, and not again before register C is read', () => {
    const { clock, wires, read, write } = rig();
    read(12);
    write(11, 0x12);
    assert.equal(clock.next, SECOND);
    clock.milliseconds = 1000;
    clock.ring();
    assert.equal(wires.irq, true);
    assert.equal(clock.next, Number.POSITIVE_INFINITY);
    assert.equal(read(12) & 0xb0, 0x90);
    assert.equal(wires.irq, false);
    assert.equal(clock.next, 2 * SECOND);
  });

  test('interrupts at the alarm’s time; C0 to FF match any', () => {
    const { clock, wires, read, write } = rig();
    write(1, 0x00);
    write(3, 0xff);
    write(5, 0xc0);
    write(11, 0x22);
    read(12);
    clock.milliseconds = 1000;
    clock.ring();
    assert.equal(wires.irq, false);
    clock.milliseconds = 2000;
    clock.ring();
    assert.equal(wires.irq, true);
    assert.equal(read(12) & 0xa0, 0xa0);
  });

  test('interrupts 1,024 times a second at rate 6, and loses none if the host is late', () => {
    const { clock, wires, read, write } = rig();
    read(12);
    write(11, 0x42);
    const period = 1000 / 1024;
    assert.equal(clock.next, Math.ceil(SECOND / 1024));
    clock.milliseconds = 10.5 * period;
    clock.ring();
    let taken = 0;
    while (wires.irq) {
      assert.equal(read(12) & 0xc0, 0xc0);
      taken++;
    }
    assert.equal(taken, 10);
  });

  test('has the rates of the data sheet’s table 5', () => {
    const periods = [0, 3.90625, 7.8125, 0.12207, 0.244141, 0.488281, 0.976562, 1.953125, 3.90625, 7.8125];
    for (const [rate, period] of periods.entries()) {
      const { clock, write, read } = rig();
      read(12);
      write(10, 0x20 | rate);
      write(11, 0x42);
      const next = clock.next / MILLISECOND;
      if (period === 0) assert.equal(next, Number.POSITIVE_INFINITY);
      else assert.ok(Math.abs(next - period) < 1e-5, `rate ${rate}: ${next}`);
    }
  });

  test('holds base memory, extended memory and memory above 16 MiB, with the right checksum', () => {
    const { read } = rig();
    const word = (at: number) => read(at) + read(at + 1) * 256;
    assert.equal(word(0x15), 640);
    assert.equal(word(0x17), 63 * 1024);
    assert.equal(word(0x30), 63 * 1024);
    assert.equal(word(0x34), 48 * 16);
    let sum = 0;
    for (let at = 0x10; at < 0x2e; at++) sum += read(at);
    assert.equal(read(0x2e) * 256 + read(0x2f), sum);
    assert.equal(read(13), 0x80);
  });

  test('writes any time and reads the same, in every notation', () => {
    const end = Math.floor(Date.UTC(2099, 11, 31, 23, 59, 59) / 1000);
    fc.assert(
      fc.property(fc.nat(end), fc.boolean(), fc.boolean(), (seconds, binary, hours24) => {
        const registers = new Uint8Array(128);
        writeTime(registers, seconds, { binary, hours24 });
        assert.equal(readTime(registers, { binary, hours24 }), seconds);
        assert.ok(registers[Time.hours]! <= (hours24 ? 0x23 : 0x92));
      }),
    );
  });
});

describe('any device: cmos', () => {
  testAnyDevice(() => new Cmos({ startMs: START }));
});
