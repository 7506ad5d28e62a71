import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Rate } from '../../time/index.js';
import { TestClock, TestLine, testHost } from '../test-host.js';
import { testAnyDevice } from '../testing.js';
import { PIT_HZ, Pit8254 } from './pit8254.js';

// The expectations are the timing diagrams of Intel's 8254 data sheet (231164), figures 15 to 20.

const rate = new Rate(PIT_HZ);

/** A timer whose clock is counted in pulses, and whose interrupts a test takes or not. */
class Bench {
  readonly clock = new TestClock();
  readonly line = new TestLine();
  readonly pit = new Pit8254();

  constructor() {
    this.pit.attach(testHost({ clock: this.clock }, { 0: this.line }));
  }
  get pulses(): number {
    return rate.passed(this.clock.moment);
  }
  set pulses(pulses: number) {
    this.clock.moment = rate.moment(pulses);
  }
  get edges(): number {
    return this.line.edges;
  }
  get level(): boolean {
    return this.line.level;
  }
  out(port: number, ...bytes: number[]): void {
    for (const byte of bytes) this.pit.writePort(port, 1, byte);
  }
  /** Control word for a counter in a mode with two-byte counts, and its count. */
  set(counter: number, mode: number, count: number, bcd = 0): void {
    this.out(0x43, (counter << 6) | 0x30 | (mode << 1) | bcd);
    this.out(0x40 + counter, count & 0xff, count >> 8);
  }
  read(counter: number): number {
    this.out(0x43, counter << 6);
    const low = this.pit.readPort(0x40 + counter);
    return low | (this.pit.readPort(0x40 + counter) << 8);
  }
  status(counter: number): number {
    this.out(0x43, 0xe0 | (2 << counter));
    return this.pit.readPort(0x40 + counter);
  }
  /** OUT at each of the next pulses. */
  wave(counter: 0 | 1 | 2, pulses: number): string {
    let wave = '';
    for (let i = 0; i < pulses; i++, this.pulses++) wave += this.pit.output(counter) ? '1' : '0';
    return wave;
  }
  /** Lets time pass, and takes each interrupt at once. */
  pass(pulses: number, take = true): void {
    const end = rate.moment(this.pulses + pulses);
    while (this.clock.next <= end) {
      this.clock.goTo(this.clock.next);
      if (take) while (this.level) this.line.acknowledge();
    }
    this.clock.goTo(end);
  }
}

describe('an 8254', () => {
  test('mode 0: OUT rises N + 1 pulses after the count was written, and counting continues below zero', () => {
    const b = new Bench();
    b.set(2, 0, 4);
    assert.equal(b.wave(2, 7), '0000011');
    b.pulses = 1 + 4 + 1;
    assert.equal(b.read(2), 0xffff);
  });

  test('mode 0: the first byte of a new count stops the counter and lowers OUT', () => {
    const b = new Bench();
    b.set(2, 0, 4);
    b.pulses = 10;
    b.out(0x42, 3);
    assert.equal(b.pit.output(2), false);
    b.pulses = 100;
    assert.equal(b.pit.output(2), false);
    b.out(0x42, 0);
    assert.equal(b.wave(2, 6), '000011');
  });

  test('mode 1: OUT is low for N pulses after each trigger, and a trigger within restarts it', () => {
    const b = new Bench();
    b.pit.setGate(2, false);
    b.set(2, 1, 3);
    assert.equal(b.wave(2, 3), '111');
    b.pit.setGate(2, true);
    assert.equal(b.wave(2, 3), '100');
    b.pit.setGate(2, false);
    b.pit.setGate(2, true);
    assert.equal(b.wave(2, 6), '000011');
  });

  test('mode 2: OUT is low for the one pulse in N when the count is 1', () => {
    const b = new Bench();
    b.set(2, 2, 4);
    assert.equal(b.wave(2, 13), '1111011101110');
    b.pulses = 1;
    const counts = [];
    for (; b.pulses < 7; b.pulses++) counts.push(b.read(2));
    assert.deepEqual(counts, [4, 3, 2, 1, 4, 3]);
  });

  test('mode 2: a count that is written while it counts takes effect when the cycle ends', () => {
    const b = new Bench();
    b.set(2, 2, 4);
    b.pulses = 2;
    b.out(0x42, 3, 0);
    b.pulses = 1;
    assert.equal(b.wave(2, 10), '1110110110');
  });

  test('mode 3: a square wave, the high half one pulse longer where N is odd; it counts by two', () => {
    const even = new Bench();
    even.set(2, 3, 4);
    even.pulses = 1;
    assert.equal(even.wave(2, 8), '11001100');
    even.pulses = 1;
    assert.deepEqual(
      [0, 1, 2, 3].map(() => [even.read(2), even.pulses++][0]),
      [4, 2, 4, 2],
    );
    const odd = new Bench();
    odd.set(2, 3, 5);
    odd.pulses = 1;
    assert.equal(odd.wave(2, 10), '1110011100');
    odd.pulses = 1;
    assert.deepEqual(
      [0, 1, 2, 3, 4].map(() => [odd.read(2), odd.pulses++][0]),
      [4, 2, 0, 4, 2],
    );
  });

  test('mode 3: a new count takes effect with the next half', () => {
    const b = new Bench();
    b.set(2, 3, 8);
    b.pulses = 2;
    b.out(0x42, 4, 0);
    b.pulses = 1;
    assert.equal(b.wave(2, 10), '1111001100');
  });

  test('mode 4: OUT is low for one pulse, N + 1 after the count', () => {
    const b = new Bench();
    b.set(2, 4, 3);
    assert.equal(b.wave(2, 8), '11110111');
  });

  test('mode 5: the same, after a trigger', () => {
    const b = new Bench();
    b.pit.setGate(2, false);
    b.set(2, 5, 3);
    b.pulses = 10;
    b.pit.setGate(2, true);
    assert.equal(b.wave(2, 8), '11110111');
  });

  test('the gate holds modes 0 and 4, and restarts modes 2 and 3 with OUT high meanwhile', () => {
    const b = new Bench();
    b.set(2, 0, 10);
    b.pulses = 4;
    b.pit.setGate(2, false);
    b.pulses = 1000;
    assert.equal(b.read(2), 7);
    b.pit.setGate(2, true);
    b.pulses += 2;
    assert.equal(b.read(2), 5);
    b.set(2, 2, 4);
    b.pulses += 4;
    assert.equal(b.pit.output(2), false);
    b.pit.setGate(2, false);
    assert.equal(b.pit.output(2), true);
    b.pit.setGate(2, true);
    b.pulses += 1;
    assert.equal(b.read(2), 4);
  });

  test('counts 65,536 for a count of 0, or 10,000 in BCD', () => {
    const b = new Bench();
    b.set(2, 2, 0);
    b.pulses = 2;
    assert.equal(b.read(2), 0xffff);
    b.set(2, 2, 0, 1);
    b.pulses += 2;
    assert.equal(b.read(2), 0x9999);
  });

  test('takes a count of 1, which modes 2 and 3 do not allow, for 2', () => {
    const b = new Bench();
    b.set(2, 2, 1);
    b.pulses = 1;
    assert.equal(b.wave(2, 4), '1010');
  });

  test('a latched count waits until both bytes were read; a second latch before that does nothing', () => {
    const b = new Bench();
    b.set(2, 2, 1000);
    b.pulses = 1;
    b.out(0x43, 0x80);
    b.pulses = 500;
    b.out(0x43, 0x80);
    assert.equal(b.pit.readPort(0x42) | (b.pit.readPort(0x42) << 8), 1000);
    assert.equal(b.read(2), 501);
  });

  test('reads and writes one byte where the control word says so', () => {
    const b = new Bench();
    b.out(0x43, 0x94);
    b.out(0x42, 100);
    b.pulses = 1 + 10;
    assert.equal(b.pit.readPort(0x42), 90);
    b.out(0x43, 0xa4);
    b.out(0x42, 2);
    b.pulses += 1;
    assert.equal(b.pit.readPort(0x42), 2);
  });

  test('read-back: status first, then the count, of each counter that is named', () => {
    const b = new Bench();
    b.set(2, 3, 100);
    b.pulses = 1;
    b.out(0x43, 0xc8);
    assert.equal(b.pit.readPort(0x42), 0x80 | 0x30 | 6);
    assert.equal(b.pit.readPort(0x42) | (b.pit.readPort(0x42) << 8), 100);
    b.pulses = 1 + 50;
    assert.equal(b.status(2) & 0x80, 0);
  });

  test('NULL COUNT is set from the control word until the count is in the counting element', () => {
    const b = new Bench();
    b.out(0x43, 0xb4);
    assert.equal(b.status(2) & 0x40, 0x40);
    b.out(0x42, 10, 0);
    assert.equal(b.status(2) & 0x40, 0x40);
    b.pulses = 1;
    assert.equal(b.status(2) & 0x40, 0);
    b.out(0x42, 20, 0);
    assert.equal(b.status(2) & 0x40, 0x40);
    b.pulses = 11;
    assert.equal(b.status(2) & 0x40, 0);
  });

  test('the control port cannot be read', () => {
    assert.equal(new Bench().pit.readPort(0x43), 0xff);
  });
});

describe("the timer's interrupt", () => {
  test('comes once every N pulses in modes 2 and 3, in an hour as often as there are periods', () => {
    for (const mode of [2, 3]) {
      for (const count of [1193, 11932, 65536]) {
        const b = new Bench();
        b.set(0, mode, count & 0xffff);
        b.pass(PIT_HZ * 60);
        assert.equal(b.edges, Math.floor((PIT_HZ * 60 - 1) / count), `mode ${mode}, count ${count}`);
      }
    }
  });

  test('comes once in modes 0 and 4, never without a trigger in 1 and 5, and never before a count', () => {
    for (const [mode, edges] of [
      [0, 1],
      [1, 0],
      [4, 1],
      [5, 0],
    ] as const) {
      const b = new Bench();
      b.out(0x43, 0x30 | (mode << 1));
      b.pass(PIT_HZ);
      assert.equal(b.edges, 0);
      b.out(0x40, 0x10, 0x27);
      b.pass(PIT_HZ);
      assert.equal(b.edges, edges, `mode ${mode}`);
    }
  });

  test('is not lost where the host is late: missed ticks follow one by one, each when the previous one was taken', () => {
    const b = new Bench();
    b.set(0, 2, 1193);
    b.pulses = 1 + 1193 * 10;
    b.clock.ring();
    b.clock.ring();
    assert.equal(b.edges, 1);
    for (let taken = 1; taken <= 12; taken++) b.line.acknowledge();
    assert.equal(b.edges, 10);
    assert.ok(b.clock.next > b.clock.moment);
  });

  test('sets no alarm while it waits to be taken', () => {
    const b = new Bench();
    b.set(0, 2, 1193);
    b.pass(1193 * 5, false);
    assert.equal(b.edges, 1);
    assert.equal(b.clock.next, Number.POSITIVE_INFINITY);
  });

  test('makes up for at most 10,000 ticks, and comes at most every 200 µs', () => {
    const b = new Bench();
    b.set(0, 2, 1);
    b.pass(PIT_HZ);
    assert.ok(b.edges <= 5000 && b.edges > 4980, `${b.edges} edges`);
    const late = new Bench();
    late.set(0, 2, 1193);
    late.pulses = PIT_HZ * 3600;
    late.clock.ring();
    while (late.level) late.line.acknowledge();
    assert.equal(late.edges, 10_000);
  });

  test('does not make up for ticks while its line was masked', () => {
    const b = new Bench();
    b.set(0, 2, 1193);
    b.pass(PIT_HZ, false);
    assert.equal(b.edges, 1);
    b.line.unmask();
    assert.equal(b.level, true);
    const before = b.edges;
    b.line.acknowledge();
    assert.equal(b.level, false);
    b.pass(1193 * 3);
    assert.equal(b.edges - before, 3);
  });

  test('keeps time across a new count: the old cycle ends first', () => {
    const b = new Bench();
    b.set(0, 2, 10_000);
    b.pass(5000);
    b.out(0x40, 2000 & 0xff, 2000 >> 8);
    b.pass(4990);
    assert.equal(b.edges, 0);
    b.pass(20);
    assert.equal(b.edges, 1);
    b.pass(2000);
    assert.equal(b.edges, 2);
  });
});

describe('any guest at an 8254', () => {
  testAnyDevice(() => new Pit8254());

  test('whose saved state was tampered with is refused, and nothing changes', () => {
    const { pit } = new Bench();
    const before = pit.save();
    const counter = (change: object) => ({
      ...before,
      counters: [{ ...before.counters[0], ...change }, ...before.counters.slice(1)],
    });
    for (const state of [
      null,
      {},
      { ...before, counters: [] },
      { ...before, untilTick: 0.5 },
      counter({ count: 65537 }),
      counter({ control: 0 }),
      counter({ gate: 1 }),
      counter({ elapsed: Number.NaN }),
    ]) {
      assert.throws(() => pit.load(state), { code: 'ESTATE' });
    }
    assert.deepEqual(pit.save(), before);
  });
});
