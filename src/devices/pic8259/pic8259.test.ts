import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { testAnyDevice } from '../testing.js';
import { Pic8259 } from './pic8259.js';

// The expectations are Intel's 8259A data sheet (231468) and, for ELCR, the 82371's.

/** A PC's usual set-up: vectors 0x20 and 0x28, everything unmasked. */
function ready(
  options: { icw1?: number; icw4?: number; slaveId?: number; masterWires?: number } = {},
): Pic8259 {
  const { icw1 = 0x11, icw4 = 0x01, slaveId = 2, masterWires = 4 } = options;
  const pic = new Pic8259();
  for (const [port, value] of [
    [0x20, icw1],
    [0x21, 0x20],
    [0x21, masterWires],
    [0x21, icw4],
    [0xa0, icw1],
    [0xa1, 0x28],
    [0xa1, slaveId],
    [0xa1, icw4],
  ] as const) {
    pic.writePort(port, 1, value);
  }
  return pic;
}

const out = (pic: Pic8259, port: number, value: number) => pic.writePort(port, 1, value);
const EOI = 0x20;
const asked = (pic: Pic8259, port: number, command: number) => {
  out(pic, port, command);
  return pic.readPort(port);
};
const irr = (pic: Pic8259, port = 0x20) => asked(pic, port, 0x0a);
const isr = (pic: Pic8259, port = 0x20) => asked(pic, port, 0x0b);
const pulse = (pic: Pic8259, irq: number) => {
  pic.setPin(irq, false);
  pic.setPin(irq, true);
};

describe('an 8259A pair', () => {
  test('passes no interrupt until ICW1 to ICW4 were written', () => {
    const pic = new Pic8259();
    pulse(pic, 0);
    assert.equal(pic.pending(0), false);
    assert.match(pic.describe(), /not initialized/);
    for (const [port, value] of [
      [0x20, 0x11],
      [0x21, 0x20],
      [0x21, 0x04],
    ] as const) {
      out(pic, port, value);
      pulse(pic, 0);
      assert.equal(pic.pending(0), false, `after 0x${value.toString(16)}`);
    }
    out(pic, 0x21, 0x01);
    pulse(pic, 0);
    assert.equal(pic.pending(0), true);
  });

  test('needs no ICW4 where ICW1 says so, and no ICW3 in single mode', () => {
    const pic = new Pic8259();
    out(pic, 0x20, 0x12);
    out(pic, 0x21, 0x40);
    pulse(pic, 5);
    assert.equal(pic.acknowledge(), 0x45);
  });

  test('returns the vector of ICW2 with the line in its low three bits', () => {
    const pic = ready();
    out(pic, 0x20, 0x11);
    for (const value of [0x37, 4, 1]) out(pic, 0x21, value);
    pulse(pic, 3);
    assert.equal(pic.acknowledge(), 0x33);
  });

  test('takes an edge once: the line has to fall and rise again', () => {
    const pic = ready();
    pic.setPin(4, true);
    assert.equal(pic.acknowledge(), 0x24);
    out(pic, 0x20, EOI);
    pic.setPin(4, true);
    assert.equal(pic.pending(0), false);
    pulse(pic, 4);
    assert.equal(pic.pending(0), true);
  });

  test('serves the lower line first, and none of the same or a lower priority until the EOI', () => {
    const pic = ready();
    pulse(pic, 6);
    pulse(pic, 3);
    assert.equal(irr(pic), 0x48);
    assert.equal(pic.acknowledge(), 0x23);
    assert.deepEqual([irr(pic), isr(pic)], [0x40, 0x08]);
    assert.equal(pic.pending(0), false);
    pulse(pic, 1);
    assert.equal(pic.acknowledge(), 0x21);
    assert.equal(isr(pic), 0x0a);
    out(pic, 0x20, EOI);
    assert.equal(isr(pic), 0x08);
    out(pic, 0x20, EOI);
    assert.equal(pic.acknowledge(), 0x26);
  });

  test('answers with line 7 and no ISR bit where the request was withdrawn: a spurious interrupt', () => {
    const pic = ready();
    pic.setPin(3, true);
    assert.equal(pic.pending(0), true);
    pic.setPin(3, false);
    assert.equal(pic.pending(0), false);
    assert.equal(pic.acknowledge(), 0x27);
    assert.equal(isr(pic), 0);
  });

  test("takes the slave's interrupts over line 2, both in service until both had their EOI", () => {
    const pic = ready();
    pulse(pic, 12);
    assert.equal(pic.acknowledge(), 0x2c);
    assert.deepEqual([isr(pic), isr(pic, 0xa0)], [0x04, 0x10]);
    pulse(pic, 14);
    assert.equal(pic.pending(0), false);
    out(pic, 0xa0, EOI);
    out(pic, 0x20, EOI);
    assert.equal(pic.acknowledge(), 0x2e);
  });

  test('two simultaneous requests of the slave are served one after the other', () => {
    const pic = ready();
    pulse(pic, 9);
    pulse(pic, 8);
    assert.equal(pic.acknowledge(), 0x28);
    out(pic, 0xa0, EOI);
    out(pic, 0x20, EOI);
    assert.equal(pic.pending(0), true);
    assert.equal(pic.acknowledge(), 0x29);
  });

  test('a poll command sees the slave before the master does, and answers 0 where nothing is pending', () => {
    const pic = ready();
    out(pic, 0xa0, 0x0c);
    assert.equal(pic.readPort(0xa0), 0);
    pulse(pic, 10);
    out(pic, 0xa0, 0x0c);
    assert.equal(pic.readPort(0xa0), 0x82);
    assert.equal(isr(pic, 0xa0), 0x04);
    assert.equal(pic.pending(0), false);
  });

  test('masks with OCW1, which reads back', () => {
    const pic = ready();
    out(pic, 0x21, 0xfe);
    assert.equal(pic.readPort(0x21), 0xfe);
    pulse(pic, 1);
    assert.equal(pic.pending(0), false);
    out(pic, 0x21, 0xfc);
    assert.equal(pic.acknowledge(), 0x21);
  });

  test('rotates: the served line gets the lowest priority (OCW2 0xA0), or the named one (0xC0, 0xE0)', () => {
    const pic = ready();
    pulse(pic, 0);
    pulse(pic, 1);
    assert.equal(pic.acknowledge(), 0x20);
    out(pic, 0x20, 0xa0);
    pulse(pic, 0);
    assert.equal(pic.acknowledge(), 0x21);
    out(pic, 0x20, 0x61);
    out(pic, 0x20, 0xc4);
    pulse(pic, 5);
    assert.equal(pic.acknowledge(), 0x25);
    out(pic, 0x20, 0xe5);
    pulse(pic, 6);
    assert.equal(pic.acknowledge(), 0x26);
  });

  test('ends interrupts by itself in automatic EOI mode, and rotates there if programmed to', () => {
    const pic = ready({ icw4: 0x03 });
    pulse(pic, 2 + 1);
    assert.equal(pic.acknowledge(), 0x23);
    assert.equal(isr(pic), 0);
    out(pic, 0x20, 0x80);
    pulse(pic, 3);
    assert.equal(pic.acknowledge(), 0x23);
    pulse(pic, 3);
    pulse(pic, 4);
    assert.equal(pic.acknowledge(), 0x24);
  });

  test('in special mask mode a masked line in service blocks no other line, and no non-specific EOI ends it', () => {
    const pic = ready();
    pulse(pic, 3);
    pic.acknowledge();
    out(pic, 0x21, 0x08);
    out(pic, 0x20, 0x68);
    pulse(pic, 6);
    assert.equal(pic.acknowledge(), 0x26);
    out(pic, 0x20, EOI);
    assert.equal(isr(pic), 0x08);
    out(pic, 0x20, EOI);
    assert.equal(isr(pic), 0x08);
    out(pic, 0x20, 0x63);
    assert.equal(isr(pic), 0);
  });

  test('in special fully nested mode a slave interrupts itself', () => {
    const pic = ready({ icw4: 0x11 });
    pulse(pic, 12);
    assert.equal(pic.acknowledge(), 0x2c);
    pulse(pic, 9);
    assert.equal(pic.acknowledge(), 0x29);
  });

  test('ICW1 clears edges, masks and rotation, and reads return IRR again', () => {
    const pic = ready();
    out(pic, 0x21, 0xff);
    out(pic, 0x20, 0xc2);
    out(pic, 0x20, 0x0b);
    pulse(pic, 5);
    out(pic, 0x20, 0x11);
    for (const value of [0x20, 4, 1]) out(pic, 0x21, value);
    assert.equal(pic.readPort(0x21), 0);
    assert.equal(pic.pending(0), false);
    pulse(pic, 0);
    pulse(pic, 5);
    assert.equal(pic.readPort(0x20), 0x21);
    assert.equal(pic.acknowledge(), 0x20);
  });

  test('a level-triggered line (ELCR) requests again after each EOI until it falls: one at a time, no storm', () => {
    const pic = ready();
    out(pic, 0x4d0, 0xff);
    assert.equal(pic.readPort(0x4d0), 0xf8);
    out(pic, 0x4d1, 0xff);
    assert.equal(pic.readPort(0x4d1), 0xde);
    pic.setPin(5, true);
    assert.equal(pic.acknowledge(), 0x25);
    assert.equal(pic.pending(0), false);
    out(pic, 0x20, EOI);
    assert.equal(pic.pending(0), true);
    assert.equal(pic.acknowledge(), 0x25);
    pic.setPin(5, false);
    out(pic, 0x20, EOI);
    assert.equal(pic.pending(0), false);
  });

  test('a slave with a wrong number does not answer: the vector floats', () => {
    const pic = ready({ slaveId: 3 });
    pulse(pic, 8);
    assert.equal(pic.acknowledge(), 0xff);
  });

  test('a master that is programmed without a slave takes line 2 as its own', () => {
    const pic = ready({ masterWires: 0 });
    pulse(pic, 8);
    assert.equal(pic.acknowledge(), 0x22);
  });

  test('reports which lines could interrupt, and why the others could not', () => {
    const pic = ready();
    assert.ok([0, 1, 7, 8, 15].every((irq) => pic.opens(irq)));
    assert.equal(pic.opens(2), false);
    out(pic, 0x21, 0xff);
    assert.equal(pic.opens(8), false);
    assert.match(pic.describe(), /every line .* masked/);
    out(pic, 0x21, 0xfe);
    pulse(pic, 0);
    pic.acknowledge();
    assert.equal(pic.opens(0), false);
    assert.match(pic.describe(), /IRQ 0 is still in service/);
  });

  test('tells its watcher which interrupt was taken and which line was unmasked', () => {
    const pic = ready();
    const seen: string[] = [];
    pic.watch({
      acknowledged: (irq) => seen.push(`taken ${irq}`),
      unmasked: (irq) => seen.push(`open ${irq}`),
    });
    out(pic, 0x21, 0xff);
    out(pic, 0x21, 0xfa);
    pulse(pic, 0);
    pic.acknowledge();
    out(pic, 0x20, EOI);
    pulse(pic, 15);
    pic.acknowledge();
    out(pic, 0xa0, 0x0c);
    assert.deepEqual(seen, ['open 0', 'open 2', 'taken 0', 'taken 15']);
  });
});

describe('any guest at an 8259A pair', () => {
  testAnyDevice(() => new Pic8259());

  test('never returns an invalid vector, for all states of the lines', () => {
    const step = fc.record({
      port: fc.constantFrom(0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1),
      value: fc.nat(255),
      irq: fc.nat(15),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const pic = new Pic8259();
        for (const { port, value, irq } of steps) {
          out(pic, port, value);
          pic.setPin(irq, (value & 1) === 1);
          const pending = pic.pending(0);
          const vector = pic.acknowledge();
          assert.ok(Number.isInteger(vector) && vector >= 0 && vector <= 255);
          if (pending && !pic.opens(irq)) assert.equal(typeof pic.describe(), 'string');
        }
      }),
    );
  });

  test('whose saved state was tampered with is refused, and nothing changes', () => {
    const pic = ready();
    const before = pic.save();
    for (const state of [
      null,
      {},
      { ...before, more: 1 },
      { ...before, slave: 1 },
      { ...before, master: { ...before.master, imr: 256 } },
      { ...before, master: { ...before.master, expects: 6 } },
    ]) {
      assert.throws(() => pic.load(state), { code: 'ESTATE' });
    }
    assert.deepEqual(pic.save(), before);
  });
});
