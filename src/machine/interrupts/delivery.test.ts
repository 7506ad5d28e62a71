import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Device, InterruptController } from '../../devices/contract/index.js';
import type { EngineCpu } from '../../engine/contract/index.js';
import { canBeWoken, offerInterrupt, Timers, watchLines } from './delivery.js';

/** A controller with vectors that wait, and lines that open. */
function controller(waiting: number[], open: number[] = []): InterruptController {
  return {
    setIrq() {},
    get pending() {
      return waiting.length > 0;
    },
    acknowledge: () => waiting.shift()!,
    opens: (irq) => open.includes(irq),
    describe: () => 'as the test says',
    watch() {},
  };
}

/** A CPU that is ready or not, and what it was told. */
function cpu(ready: boolean) {
  const told: string[] = [];
  const it = {
    readyForInterrupt: ready,
    injectInterrupt(vector: number) {
      told.push(`vector ${vector}`);
      it.readyForInterrupt = false;
    },
    requestInterruptWindow: (wanted: boolean) => told.push(wanted ? 'window' : 'no window'),
  };
  return { cpu: it as unknown as EngineCpu, told };
}

describe('an interrupt that waits', () => {
  test('goes to a CPU that can take it', () => {
    const { cpu: ready, told } = cpu(true);
    offerInterrupt(controller([0x20]), ready);
    assert.deepEqual(told, ['vector 32', 'no window']);
  });

  test('stays in the controller until the CPU can take it, which the engine is asked to tell', () => {
    const { cpu: busy, told } = cpu(false);
    const pic = controller([0x20]);
    offerInterrupt(pic, busy);
    assert.deepEqual(told, ['window']);
    assert.equal(pic.pending, true);
  });

  test('comes alone: a second one waits for the next window', () => {
    const { cpu: ready, told } = cpu(true);
    offerInterrupt(controller([0x20, 0x21]), ready);
    assert.deepEqual(told, ['vector 32', 'window']);
  });
});

describe('a guest that halted', () => {
  const devices = (...some: Partial<Device>[]) => some.map((device, i) => ({ name: `${i}`, ...device }));

  test('can be woken by a device that says so of an open line', () => {
    const timer: Partial<Device> = { canWake: (opens) => opens(0) };
    assert.equal(canBeWoken(controller([], [0]), devices(timer)), true);
    assert.equal(canBeWoken(controller([], [1]), devices(timer)), false);
  });

  test('can be woken by any device that is polled and does not say, if any line is open', () => {
    const polled: Partial<Device> = { poll() {} };
    assert.equal(canBeWoken(controller([], [15]), devices(polled)), true);
    assert.equal(canBeWoken(controller([], []), devices(polled)), false);
    assert.equal(canBeWoken(controller([], [15]), devices({})), false);
  });
});

describe('the next event', () => {
  const at = (...times: number[]) =>
    new Timers(times.map((time, i) => ({ name: `${i}`, nextEvent: () => time })));

  test('is the first of all devices, and never where there is none', () => {
    assert.equal(at(30, 10, 20).next(), 10);
    assert.equal(at(Number.POSITIVE_INFINITY).next(), Number.POSITIVE_INFINITY);
    assert.equal(at().next(), Number.POSITIVE_INFINITY);
    assert.equal(at().any, false);
  });

  test('does not depend on a device that gives no number', () => {
    assert.equal(at(Number.NaN, 5).next(), 5);
    assert.equal(at(5, Number.NaN).next(), 5);
  });
});

describe('what becomes of a line', () => {
  test('is told to every device that wants to know', () => {
    const seen: string[] = [];
    let watcher: Parameters<InterruptController['watch']>[0] | undefined;
    const pic = controller([]);
    pic.watch = (given) => {
      watcher = given;
    };
    watchLines(pic, [
      { name: 'a', acknowledged: (irq) => seen.push(`a took ${irq}`) },
      { name: 'b' },
      {
        name: 'c',
        acknowledged: (irq) => seen.push(`c took ${irq}`),
        unmasked: (irq) => seen.push(`c open ${irq}`),
      },
    ]);
    watcher?.acknowledged(4);
    watcher?.unmasked(5);
    assert.deepEqual(seen, ['a took 4', 'c took 4', 'c open 5']);
  });
});
