import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Device } from '../contract/index.js';
import { EngineApics, IoApic, LocalApics } from '../index.js';
import { testHost } from '../test-host.js';
import { testAnyDevice } from '../testing.js';
import { Bench, IO } from './testing.js';

describe('an I/O APIC', () => {
  describe('as any device', () =>
    testAnyDevice((): Device => new IoApic(Object.assign(new LocalApics(), { deliver: () => true }))));

  test('has 24 pins, all masked, and IRQ 0 on pin 2', () => {
    const { io } = new Bench();
    io.writeMemory(IO, 4, 1);
    assert.equal(io.readMemory(IO + 0x10, 4), 0x170020);
    assert.deepEqual(
      [0, 1, 2, 9, 16].map((irq) => io.wire(irq)),
      [2, 1, -1, 9, 16],
    );
    assert.match(io.describe(), /every pin/);
  });

  test('sends an edge once, and reports when it is taken', () => {
    const bench = new Bench().enable();
    bench.redirect(4, 0x34);
    bench.io.setPin(4, true);
    assert.equal(bench.take(), 0x34);
    assert.deepEqual(bench.heard, ['unmasked 4', 'taken 4']);
    bench.write(0xb0, 0);
    assert.ok(!bench.apics.pending(0));
    bench.io.setPin(4, false);
    bench.io.setPin(4, true);
    assert.equal(bench.take(), 0x34);
  });

  test('requests again for a level that is still high after the EOI, and not before', () => {
    const bench = new Bench().enable();
    bench.redirect(10, 0x803a);
    bench.io.setPin(10, true);
    assert.equal(bench.take(), 0x3a);
    assert.equal(bench.entry(10), 0xc03a, 'remote IRR');
    bench.io.setPin(10, false);
    bench.io.setPin(10, true);
    assert.ok(!bench.apics.pending(0));
    bench.write(0xb0, 0);
    assert.equal(bench.take(), 0x3a, 'a storm: each EOI brings the next');
    bench.io.setPin(10, false);
    bench.write(0xb0, 0);
    assert.ok(!bench.apics.pending(0));
    assert.equal(bench.entry(10), 0x803a);
  });

  test('forgets an edge while masked, and serves a level once it is unmasked', () => {
    const bench = new Bench().enable();
    bench.io.setPin(5, true);
    bench.redirect(5, 0x35);
    assert.ok(!bench.apics.pending(0));
    bench.redirect(5, 0x8035);
    assert.equal(bench.take(), 0x35);
  });

  test('passes the 8259A on pin 0 as ExtINT', () => {
    const bench = new Bench();
    assert.ok(!bench.io.passesExtInt);
    bench.redirect(0, 0x700);
    assert.ok(bench.io.passesExtInt);
  });

  test('does not let the guest write remote IRR, and takes an EOI by its own register', () => {
    const bench = new Bench().enable();
    bench.redirect(11, 0xc03b);
    assert.equal(bench.entry(11), 0x803b);
    bench.io.setPin(11, true);
    bench.take();
    bench.io.setPin(11, false);
    bench.io.writeMemory(IO + 0x40, 4, 0x3b);
    assert.equal(bench.entry(11), 0x803b);
  });
});

describe('an I/O APIC whose local APICs are inside the engine', () => {
  const make = () => {
    const sent: string[] = [];
    const heard: string[] = [];
    const io = new IoApic(new EngineApics());
    const sendMessage = (address: number, data: number) => {
      sent.push(`${address.toString(16)} ${data.toString(16)}`);
      return true;
    };
    io.attach(testHost({ sendMessage }));
    io.watch({
      acknowledged: (pin) => heard.push(`taken ${pin}`),
      unmasked: () => {},
      rerouted: () => heard.push('rerouted'),
    });
    const redirect = (pin: number, low: number, high = 0) => {
      for (const [half, value] of [high, low].entries()) {
        io.writeMemory(IO, 4, 0x10 + 2 * pin + (1 - half));
        io.writeMemory(IO + 0x10, 4, value);
      }
    };
    return { io, sent, heard, redirect };
  };

  test('sends messages (SDM 3A 11.11), and treats the end of an interrupt also as its acknowledgement', () => {
    const { io, sent, heard, redirect } = make();
    redirect(4, 0x34);
    redirect(11, 0x883b, 0x0300_0000);
    assert.deepEqual(heard.splice(0), ['rerouted', 'rerouted', 'rerouted']);
    assert.deepEqual(io.messages(), [
      { address: 0xfee0_0000, data: 0x34 },
      { address: 0xfee0_3004, data: 0xc03b },
    ]);
    io.setPin(4, true);
    io.setPin(11, true);
    io.setPin(11, false);
    io.setPin(11, true);
    assert.deepEqual(sent.splice(0), ['fee00000 34', 'fee03004 c03b'], 'no second before the EOI');
    io.interruptEnded(0x34);
    io.interruptEnded(0x3b);
    assert.deepEqual(heard, ['taken 4', 'taken 11']);
    assert.deepEqual(sent, ['fee03004 c03b'], 'the level is high still');
  });

  test('gets the end of an interrupt whose pin was masked meanwhile, and requests again when it is unmasked', () => {
    const { io, sent, redirect } = make();
    redirect(11, 0x803b);
    io.setPin(11, true);
    redirect(11, 0x1_803b);
    assert.deepEqual(io.messages(), [{ address: 0xfee0_0000, data: 0xc03b }]);
    io.interruptEnded(0x3b);
    assert.equal(sent.length, 1);
    redirect(11, 0x803b);
    assert.equal(sent.length, 2);
  });
});
