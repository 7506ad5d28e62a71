/** The clock, its alarms, and counts that go through nanoseconds. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { AlarmClock, Rate, SECOND, SHORTEST } from './index.js';

function rig() {
  const rung: string[] = [];
  const time = { now: 0 };
  const clock = new AlarmClock(() => time.now);
  const alarm = (name: string, more: () => void = () => {}) =>
    clock.alarm(name, () => {
      rung.push(`${name} ${time.now}`);
      more();
    });
  return { clock, time, rung, alarm };
}

describe('an alarm', () => {
  test('rings once, at its moment and not before; set again it rings again', () => {
    const { clock, time, rung, alarm } = rig();
    const one = alarm('one');
    one.at(1000);
    assert.equal(clock.next, 1000);
    time.now = 999;
    clock.ring();
    assert.deepEqual(rung, []);
    time.now = 1000;
    clock.ring();
    clock.ring();
    assert.deepEqual(rung, ['one 1000']);
    assert.deepEqual([one.moment, clock.next], [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
    one.at(2000);
    one.at(1500);
    time.now = 3000;
    clock.ring();
    assert.deepEqual(rung, ['one 1000', 'one 3000']);
  });

  test('that is cancelled, or set for Infinity, does not ring', () => {
    const { clock, time, rung, alarm } = rig();
    const [one, two] = [alarm('one'), alarm('two')];
    one.at(10);
    two.at(20);
    one.cancel();
    two.at(Number.POSITIVE_INFINITY);
    time.now = 100;
    clock.ring();
    assert.deepEqual(rung, []);
  });

  test('for a moment that has passed rings a little later, so that one that is always due lets the guest go on', () => {
    const { clock, time, rung, alarm } = rig();
    time.now = 5000;
    const greedy = alarm('greedy', () => greedy.at(0));
    greedy.at(0);
    assert.equal(greedy.moment, 5000 + SHORTEST);
    for (let rings = 0; rings < 3; rings++) {
      time.now = clock.next;
      clock.ring();
    }
    assert.equal(rung.length, 3);
    assert.equal(clock.next, 5000 + 4 * SHORTEST);
  });

  test('needs a unique name and a valid moment', () => {
    const { alarm } = rig();
    const one = alarm('one');
    assert.throws(() => alarm('one'), /two alarms are called 'one'/);
    assert.throws(() => one.at(Number.NaN), /NaN/);
  });

  test('that counts while the guest runs wakes nothing', () => {
    const { clock, time } = rig();
    let rings = 0;
    clock.alarm('look', () => rings++, 'running').at(10);
    assert.deepEqual([clock.next, clock.nextAwaited], [10, Number.POSITIVE_INFINITY]);
    time.now = 10;
    clock.ring();
    assert.equal(rings, 1);
  });

  test('rings in the order of moments, for the same moment in the order in which the alarms were made', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(7), fc.nat(9), fc.boolean()), { maxLength: 60 }),
        fc.nat(3),
        (steps, from) => {
          const { clock, time, rung, alarm } = rig();
          const alarms = Array.from({ length: 8 }, (_, i) => alarm(`${i}`));
          const model = new Map<number, number>();
          for (const [which, moment, cancels] of steps) {
            if (cancels) {
              alarms[which]!.cancel();
              model.delete(which);
            } else {
              alarms[which]!.at(100 + moment);
              model.set(which, 100 + moment);
            }
            assert.equal(clock.next, Math.min(Number.POSITIVE_INFINITY, ...model.values()));
          }
          time.now = 100 + from;
          clock.ring();
          const due = [...model].filter(([, moment]) => moment <= time.now);
          due.sort(([a, at], [b, bt]) => at - bt || a - b);
          assert.deepEqual(
            rung.map((line) => Number(line.split(' ')[0])),
            due.map(([which]) => which),
          );
        },
      ),
    );
  });
});

describe('a clock that was saved', () => {
  test('has its alarms set for the same moments on another one with the same alarms', () => {
    const first = rig();
    const second = rig();
    for (const { alarm, time } of [first, second]) {
      time.now = 50;
      for (const name of ['a', 'b', 'c']) alarm(name).at(name === 'b' ? Number.POSITIVE_INFINITY : 70);
    }
    const state = first.clock.save();
    assert.deepEqual(state, { now: 50, alarms: { a: 70, c: 70 } });
    // In the past, too.
    second.time.now = 90;
    second.clock.load(structuredClone(state));
    assert.deepEqual(second.clock.save().alarms, state.alarms);
    second.clock.ring();
    assert.deepEqual(second.rung, ['a 90', 'c 90']);
  });

  test('is refused where an alarm is not this clock’s, or its moment is invalid', () => {
    const { clock, alarm } = rig();
    alarm('a').at(70);
    assert.throws(
      () => clock.load({ now: 0, alarms: { b: 1 } }),
      /no device of this machine has an alarm 'b'/,
    );
    assert.throws(() => clock.load({ now: 0, alarms: { a: 0.5 } }), /set for 0.5/);
    assert.equal(clock.next, 70);
  });
});

describe('a rate', () => {
  const rates = [1_193_182, 32_768, 1024, 2, 100_000_000, 33_333_000, 1_000_000_000, 1000].map(
    (hz) => new Rate(hz),
  );

  test('gives each count a first moment, and that moment the count back, for a hundred days', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...rates),
        fc.integer({ min: -1000, max: 100 * 86_400 }),
        fc.nat(999_999),
        (rate, s, n) => {
          const count = s * rate.hz + (n % rate.hz);
          const moment = rate.moment(count);
          assert.equal(rate.passed(moment), count);
          assert.equal(rate.passed(moment - 1), count - 1);
          // The result of exact arithmetic.
          assert.equal(BigInt(moment), ceil(BigInt(count) * BigInt(SECOND), BigInt(rate.hz)));
          assert.equal(rate.reaching(rate.momentBefore(count)), count);
        },
      ),
    );
  });

  test('that cannot be exact is refused', () => {
    for (const hz of [0, -1, 0.5, Number.NaN, 33_333_333]) assert.throws(() => new Rate(hz), RangeError);
  });
});

/** ⌈a ÷ b⌉ */
function ceil(a: bigint, b: bigint): bigint {
  return a >= 0n ? (a + b - 1n) / b : a / b;
}
