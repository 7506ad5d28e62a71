import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Device, InterruptController, PinWatcher } from '../../devices/contract/index.js';
import { Pic8259 } from '../../devices/index.js';
import type { EngineCpu } from '../../engine/contract/index.js';
import { Interrupts } from './interrupts.js';

/** A controller with pending vectors for CPU 0, and pins that open; it notes what its pins see. */
function controller(waiting: number[] = [], open: number[] = []) {
  const seen: string[] = [];
  const it = {
    pins: 16,
    setPin: (pin: number, level: boolean) => void seen.push(`${pin}${level ? '+' : '-'}`),
    pending: (cpu: number) => cpu === 0 && waiting.length > 0,
    acknowledge: () => waiting.shift()!,
    opens: (pin: number) => open.includes(pin),
    describe: () => 'as the test says',
    watcher: undefined as PinWatcher | undefined,
    watch(watcher: PinWatcher) {
      it.watcher = watcher;
    },
    seen,
  };
  return it satisfies InterruptController;
}

/** A CPU that is ready or not, and what it was told. */
function cpu(ready: boolean, index = 0) {
  const told: string[] = [];
  const it = {
    index,
    readyForInterrupt: ready,
    injectInterrupt(vector: number) {
      told.push(`vector ${vector}`);
      it.readyForInterrupt = false;
    },
    requestInterruptWindow: (wanted: boolean) => told.push(wanted ? 'window' : 'no window'),
  };
  return { cpu: it as unknown as EngineCpu, told };
}

const devices = (...some: Partial<Device>[]) => some.map((device, i) => ({ name: `${i}`, ...device }));

describe('a pending interrupt', () => {
  const offered = (waiting: number[], to: ReturnType<typeof cpu>) => {
    const interrupts = new Interrupts([], [controller(waiting)]);
    interrupts.offer(to.cpu);
    return { told: to.told, pending: interrupts.pending(0) };
  };

  test('goes to a CPU that can take it', () => {
    assert.deepEqual(offered([0x20], cpu(true)), { told: ['vector 32', 'no window'], pending: false });
  });

  test('stays in the controller until the CPU can take it, which the engine is asked to tell', () => {
    assert.deepEqual(offered([0x20], cpu(false)), { told: ['window'], pending: true });
  });

  test('comes alone: a second one waits for the next window', () => {
    assert.deepEqual(offered([0x20, 0x21], cpu(true)), { told: ['vector 32', 'window'], pending: true });
  });

  test('goes to no CPU but the one that its controller names', () => {
    assert.deepEqual(offered([0x20], cpu(true, 1)), { told: ['no window'], pending: true });
  });

  test('of the second controller comes where the first has none', () => {
    const interrupts = new Interrupts([], [controller(), controller([0x31])]);
    const { cpu: ready, told } = cpu(true);
    assert.equal(interrupts.pending(0), true);
    interrupts.offer(ready);
    assert.deepEqual(told, ['vector 49', 'no window']);
  });
});

describe('a guest that halted', () => {
  const wakes = (open: number[], device: Partial<Device>, canRise?: () => boolean) => {
    const [made] = devices(device);
    const interrupts = new Interrupts([made!], [controller([], open)]);
    interrupts.line(made!, 0, canRise && { canRise });
    return interrupts.canWake;
  };

  test('can be woken by a line that may rise and that the controller opens', () => {
    assert.equal(
      wakes([0], {}, () => true),
      true,
    );
    assert.equal(
      wakes([1], {}, () => true),
      false,
    );
    assert.equal(
      wakes([0], {}, () => false),
      false,
    );
  });

  test('can be woken by a device that may send an NMI or a message', () => {
    assert.equal(wakes([], { canWake: () => true }), true);
  });
});

describe('a line', () => {
  test('leads to every controller that has a pin for it', () => {
    const [first, second, third] = [controller(), controller(), controller()];
    const ioapic = { ...second, pins: 24, wire: (irq: number) => (irq === 0 ? 2 : irq === 2 ? -1 : irq) };
    const engine = { pins: 24, setPin: third.setPin };
    const [device] = devices({});
    const interrupts = new Interrupts([device!], [first, ioapic], engine);
    for (const irq of [0, 2, 4, 20]) interrupts.line(device!, irq).set(true);
    assert.deepEqual(first.seen, ['0+', '2+', '4+']);
    assert.deepEqual(second.seen, ['2+', '4+', '20+']);
    assert.deepEqual(third.seen, ['0+', '2+', '4+', '20+']);
  });

  test('that no board has is refused by name and number', () => {
    const interrupts = new Interrupts([], []);
    for (const irq of [-1, 24, 0.5, Number.NaN])
      assert.throws(() => interrupts.line({ name: 'odd' }, irq), /'odd' asks for interrupt request/);
  });

  test('hears when its interrupt is taken while it is high, and when it is opened; others do not', () => {
    const pic = controller();
    const heard: string[] = [];
    const [a, b, c] = devices({}, {}, {});
    const interrupts = new Interrupts([a!, b!, c!], [pic]);
    const listen = (name: string) => ({
      acknowledged: () => void heard.push(`${name} taken`),
      unmasked: () => void heard.push(`${name} open`),
    });
    const [high] = [interrupts.line(a!, 4, listen('a'))];
    interrupts.line(b!, 4, listen('b'));
    interrupts.line(c!, 5, listen('c')).set(true);
    high.set(true);
    pic.watcher?.acknowledged(4);
    pic.watcher?.unmasked(4);
    assert.deepEqual(heard, ['a taken', 'a open', 'b open']);
  });

  test('is driven again for controllers in an engine, which do not tell when they forget', () => {
    const { seen, setPin } = controller();
    const [device] = devices({});
    const interrupts = new Interrupts([device!], [], { pins: 24, setPin });
    interrupts.line(device!, 1).set(true);
    interrupts.line(device!, 8);
    interrupts.refresh();
    assert.deepEqual(seen, ['1+', '1+']);
  });
});

/** A PC's usual set-up of its 8259A, with `level` for the ELCR; see `pic8259.test.ts`. */
function readyPic(level: boolean) {
  const pic = new Pic8259();
  for (const [port, value] of [
    [0x20, 0x11],
    [0x21, 0x20],
    [0x21, 4],
    [0x21, 1],
    [0xa0, 0x11],
    [0xa1, 0x28],
    [0xa1, 2],
    [0xa1, 1],
    [0x4d0, level ? 0xf8 : 0],
    [0x4d1, level ? 0xde : 0],
  ] as const)
    pic.writePort(port, 1, value);
  return pic;
}

/** Two devices on one pin of an 8259A. */
function shared(irq: number, level: boolean) {
  const pic = readyPic(level);
  const [a, b] = devices({}, {});
  const interrupts = new Interrupts([a!, b!], [pic]);
  const [one, other] = [interrupts.line(a!, irq), interrupts.line(b!, irq)];
  const take = () => {
    const vector = pic.acknowledge(0);
    pic.writePort(0xa0, 1, 0x20);
    pic.writePort(0x20, 1, 0x20);
    return vector;
  };
  return { pic, interrupts, one, other, take, devices: [a!, b!] };
}

describe('two devices on one pin', () => {
  for (const [irq, vector] of [
    [5, 0x25],
    [11, 0x2b],
  ] as const) {
    test(`IRQ ${irq}, edge-triggered: each rise is an interrupt, and one falling takes no request of the other`, () => {
      const { pic, one, other, take } = shared(irq, false);
      one.set(true);
      other.set(true);
      one.set(false);
      assert.equal(pic.pending(0), true, 'the fall of one leaves the edge of the other');
      assert.equal(take(), vector);
      assert.equal(pic.pending(0), false);
      one.set(true);
      assert.equal(pic.pending(0), true, 'a rise is an edge even while the other holds the pin high');
      assert.equal(take(), vector);
      other.pulse();
      assert.equal(take(), vector);
      one.set(false);
      other.set(false);
      assert.equal(pic.pending(0), false);
    });

    test(`IRQ ${irq}, level-triggered: it asks until both have fallen`, () => {
      const { pic, one, other, take } = shared(irq, true);
      one.set(true);
      other.set(true);
      assert.equal(take(), vector);
      one.set(false);
      assert.equal(pic.pending(0), true, 'the other is high');
      assert.equal(take(), vector);
      other.set(false);
      assert.equal(pic.pending(0), false);
    });
  }

  test('in any order: the pin is the OR of both, and each rise is an edge', () => {
    const step = fc.record({ line: fc.nat(1), do: fc.constantFrom('rise', 'fall', 'pulse', 'take') });
    fc.assert(
      fc.property(fc.boolean(), fc.array(step, { maxLength: 40 }), (levelTriggered, steps) => {
        const { pic, one, other, take } = shared(5, levelTriggered);
        const levels = [false, false];
        // A request is there while a level is high, or since the last edge; it goes when the pin falls (8259A data sheet).
        let edge = false;
        const high = () => levels.includes(true);
        for (const { line, do: what } of steps) {
          const wire = line === 0 ? one : other;
          if (what === 'take') {
            if (pic.pending(0)) assert.equal(take(), 0x25);
            edge = false;
          } else {
            const rises = what === 'pulse' || (what === 'rise' && !levels[line]);
            if (what === 'pulse') wire.pulse();
            else wire.set(what === 'rise');
            levels[line] = what !== 'fall';
            if (rises) edge = true;
            if (!high()) edge = false;
          }
          assert.equal(pic.pending(0), levelTriggered ? high() : edge);
        }
      }),
    );
  });
});

describe('the state of lines', () => {
  test('is restored with the devices, whichever of them is loaded first, without a difference', () => {
    const from = shared(5, false);
    from.one.set(true);
    from.take();
    from.other.set(true);
    const state = JSON.parse(JSON.stringify(from.interrupts.save()));
    assert.deepEqual(state, {
      high: [
        { device: '0', irq: 5 },
        { device: '1', irq: 5 },
      ],
    });
    for (const picFirst of [true, false]) {
      const to = shared(5, false);
      to.interrupts.load(state, () => {
        if (picFirst) to.pic.load(from.pic.save());
        // A device that drives its line while it is loaded.
        to.one.pulse();
        if (!picFirst) to.pic.load(from.pic.save());
      });
      assert.deepEqual(to.pic.save(), from.pic.save());
      assert.deepEqual(to.interrupts.save(), state);
      to.other.set(false);
      assert.equal(to.pic.pending(0), true, 'the first still holds the pin high');
      assert.equal(to.take(), 0x25);
      to.one.set(false);
      assert.equal(to.pic.save().master.lines & 0x20, 0);
    }
  });

  test('of a machine with other devices is refused', () => {
    const { interrupts } = shared(5, false);
    for (const high of [[{ device: 'x', irq: 5 }], [{ device: '0', irq: 6 }]])
      assert.throws(() => interrupts.load({ high }), { code: 'ESTATE' });
  });
});

describe('a message', () => {
  test('goes to the controller that takes it, and is lost where none does', () => {
    const taken: number[][] = [];
    const apic = {
      ...controller(),
      message: (address: number, data: number) => {
        if (address >>> 20 !== 0xfee) return false;
        taken.push([address, data]);
        return true;
      },
    };
    const interrupts = new Interrupts([], [controller(), apic]);
    assert.equal(interrupts.send(0xfee00000, 0x44), true);
    assert.equal(interrupts.send(0x1000, 0x44), false);
    assert.deepEqual(taken, [[0xfee00000, 0x44]]);
    assert.equal(new Interrupts([], []).send(0xfee00000, 0x44), false);
  });
});
