import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LocalApics } from '../index.js';
import { testAnyDevice } from '../testing.js';
import { Bench, PAGE } from './testing.js';

describe('a local APIC', () => {
  describe('as any device', () => testAnyDevice(() => new LocalApics()));

  test('starts as after reset: LVT masked except the wires of the 8259A and NMI (SDM 3A 11.4.7.1)', () => {
    const { read, apics } = new Bench();
    assert.equal(read(0x20), 0);
    assert.equal(read(0x30), 0x50014);
    assert.equal(read(0xe0), 0xffff_ffff);
    assert.equal(read(0xf0), 0xff);
    for (const lvt of [0x320, 0x330, 0x340, 0x370]) assert.equal(read(lvt), 0x10000);
    assert.equal(read(0x350), 0x700);
    assert.ok(apics.passesExtInt);
    assert.equal(apics.readMsr(0x1b), 0xfee00900n);
  });

  test('takes the highest vector first, and blocks its class until EOI (SDM 3A 11.8.3)', () => {
    const bench = new Bench().enable();
    for (const vector of [0x31, 0x42, 0x45]) assert.ok(bench.apics.message(PAGE, vector));
    assert.equal(bench.take(), 0x45);
    assert.equal(bench.read(0xa0), 0x40);
    assert.ok(!bench.apics.pending(0), 'vector 42h is of the same class');
    assert.ok(bench.apics.message(PAGE, 0x51));
    assert.equal(bench.take(), 0x51);
    bench.write(0xb0, 0);
    bench.write(0xb0, 0);
    assert.equal(bench.take(), 0x42);
    bench.write(0xb0, 0);
    assert.equal(bench.take(), 0x31);
  });

  test('shares the task priority with CR8 (SDM 3A 11.8.6)', () => {
    const bench = new Bench().enable();
    bench.write(0x80, 0x45);
    assert.equal(bench.cpu.taskPriority, 4);
    assert.equal(bench.read(0x80), 0x45);
    bench.apics.message(PAGE, 0x41);
    assert.ok(!bench.apics.pending(0));
    bench.cpu.taskPriority = 3;
    assert.equal(bench.read(0x80), 0x30);
    assert.equal(bench.take(), 0x41);
  });

  test('returns the spurious vector where nothing is pending any more, without a bit in ISR', () => {
    const bench = new Bench().enable();
    assert.equal(bench.apics.acknowledge(0), 0xff);
    assert.equal(bench.read(0x170), 0);
  });

  test('sends itself interrupts, NMI, and INIT by commands', () => {
    const bench = new Bench().enable();
    bench.write(0x300, 0x4_0041);
    assert.equal(bench.take(), 0x41);
    bench.write(0x300, 0x8_0052);
    assert.equal(bench.take(), 0x52);
    bench.write(0x300, 0xc_0063);
    assert.ok(!bench.apics.pending(0), 'there are no others');
    bench.write(0x310, 1 << 24);
    bench.write(0x300, 0x63);
    assert.ok(!bench.apics.pending(0), 'there is no APIC 1');
    bench.write(0x310, 0);
    bench.write(0x300, 0x400);
    bench.write(0x300, 0x8500);
    bench.write(0x300, 0x500);
    assert.deepEqual(bench.heard, ['nmi', 'an INIT interrupt to CPU 0']);
    assert.equal(bench.read(0x300), 0x500);
  });

  test('keeps a start-up interrupt that reaches no processor, to explain a guest that then waits', () => {
    const bench = new Bench().enable();
    assert.equal(bench.apics.remark(), undefined);
    bench.write(0x310, 1 << 24);
    bench.write(0x300, 0x4500);
    assert.equal(bench.apics.remark(), undefined);
    bench.write(0x300, 0x4608);
    assert.match(
      bench.apics.remark() ?? '',
      /processor of APIC 0x1 a start-up .*code at 0x8000.*one processor/,
    );
    bench.write(0x300, 0xc_4609);
    const other = new Bench();
    other.apics.load(JSON.parse(JSON.stringify(bench.apics.save())));
    assert.match(other.apics.remark() ?? '', /all other processors.*0x9000/);
    const { unheard: _, ...before } = bench.apics.save();
    other.apics.load(before);
    assert.equal(other.apics.remark(), undefined);
    assert.throws(
      () => other.apics.load({ ...before, unheard: { page: 256, destination: 1 } }),
      /unheard.page/,
    );
  });

  test('matches logical destinations, flat and in clusters (SDM 3A 11.6.2.2)', () => {
    const bench = new Bench().enable();
    const reached = (destination: number) => {
      const taken = bench.apics.deliver({ vector: 0x40, mode: 0, level: false, logical: true, destination });
      if (taken) {
        bench.take();
        bench.write(0xb0, 0);
      }
      return taken;
    };
    bench.write(0xd0, 0x0600_0000);
    assert.deepEqual([1, 2, 4, 8, 0xff].map(reached), [false, true, true, false, true]);
    bench.write(0xe0, 0);
    bench.write(0xd0, 0x2400_0000);
    assert.deepEqual([0x24, 0x26, 0x14, 0x21].map(reached), [true, true, false, false]);
  });

  test('reports errors: vectors below 16, registers that do not exist', () => {
    const bench = new Bench().enable();
    bench.write(0x370, 0xfe);
    bench.write(0x300, 0x4_000f);
    assert.equal(bench.take(), 0xfe);
    bench.apics.message(PAGE, 3);
    bench.read(0x50);
    bench.write(0x280, 0);
    assert.equal(bench.read(0x280), 0xe0);
    bench.write(0x280, 0);
    assert.equal(bench.read(0x280), 0);
  });

  test('counts once or in periods, at 1 GHz divided by the divider', () => {
    const bench = new Bench().enable();
    bench.write(0x3e0, 0x3); // by 16
    bench.write(0x320, 0x40);
    bench.write(0x380, 10_000);
    bench.clock.goTo(80_000);
    assert.equal(bench.read(0x390), 5000);
    assert.ok(!bench.apics.pending(0));
    bench.clock.goTo(160_000);
    assert.equal(bench.read(0x390), 0);
    assert.equal(bench.take(), 0x40);
    bench.write(0xb0, 0);
    bench.clock.goTo(1_000_000);
    assert.ok(!bench.apics.pending(0));
    bench.write(0x320, 0x2_0041);
    bench.write(0x3e0, 0xb); // by 1
    bench.write(0x380, 100_000);
    let ticks = 0;
    const start = bench.clock.moment;
    for (let moment = start; moment <= start + 1_000_000_000; moment += 50_000) {
      bench.clock.goTo(moment);
      for (; bench.apics.pending(0); ticks++) {
        assert.equal(bench.take(), 0x41);
        bench.write(0xb0, 0);
      }
    }
    assert.equal(ticks, 10_000, '10 kHz for a second');
    bench.write(0x380, 0);
    bench.clock.goTo(bench.clock.moment + 1_000_000);
    assert.ok(!bench.apics.pending(0));
  });

  test('interrupts at most 20,000 times a second, for any value that the guest writes', () => {
    const bench = new Bench().enable();
    bench.write(0x3e0, 0xb);
    bench.write(0x320, 0x2_0041);
    bench.write(0x380, 1);
    let rings = 0;
    while (bench.clock.moment < 1_000_000 && rings < 1000) {
      bench.clock.goTo(bench.clock.next);
      rings++;
    }
    assert.ok(rings <= 21, `${rings} in a millisecond`);
  });

  test('counts down to a deadline of the time stamp counter, and disarms (SDM 3A 11.5.4.1)', () => {
    const bench = new Bench().enable();
    bench.write(0x320, 0x4_0042);
    bench.write(0x380, 5);
    assert.equal(bench.read(0x390), 0, 'the initial count is ignored');
    assert.ok(bench.apics.writeMsr(0x6e0, 70_000n));
    assert.equal(bench.apics.readMsr(0x6e0), 70_000n);
    bench.clock.goTo(69_999);
    assert.ok(!bench.apics.pending(0));
    bench.clock.goTo(70_000);
    assert.equal(bench.take(), 0x42);
    assert.equal(bench.apics.readMsr(0x6e0), 0n);
  });

  test('moves with IA32_APIC_BASE, and refuses what the states do not allow (SDM 3A figure 11-27)', () => {
    const { apics } = new Bench();
    assert.ok(!apics.writeMsr(0x1b, 0xfee00400n), 'x2APIC without enable');
    assert.ok(!apics.writeMsr(0x1b, 1n << 40n), 'beyond physical addresses');
    assert.ok(!apics.writeMsr(0x1b, 0xfee00901n), 'a reserved bit');
    assert.equal(apics.readMsr(0x802), undefined, 'no x2APIC registers yet');
    assert.ok(apics.writeMsr(0x1b, 0xfee00d00n));
    assert.ok(!apics.writeMsr(0x1b, 0xfee00900n), 'no way back except by disabling');
    assert.ok(apics.writeMsr(0x1b, 0xfee00100n));
    assert.ok(!apics.writeMsr(0x1b, 0xfee00d00n), 'not directly from disabled');
    assert.ok(apics.passesExtInt);
  });

  test('has its registers as MSRs in x2APIC mode (SDM 3A table 11-6)', () => {
    const { apics } = new Bench();
    apics.writeMsr(0x1b, 0xfee00d00n);
    assert.ok(apics.writeMsr(0x80f, 0x1ffn));
    assert.equal(apics.readMsr(0x802), 0n);
    assert.equal(apics.readMsr(0x803), 0x50014n);
    assert.equal(apics.readMsr(0x80d), 1n);
    for (const msr of [0x809, 0x80e, 0x831, 0x8ff])
      assert.equal(apics.readMsr(msr), undefined, msr.toString(16));
    for (const [msr, value] of [
      [0x802, 0n],
      [0x80b, 1n],
      [0x80f, 0x8000n],
      [0x80d, 1n],
      [0x808, 0x100n],
      [0x80f, 1n << 32n],
    ] as const)
      assert.ok(!apics.writeMsr(msr, value), msr.toString(16));
    assert.ok(apics.writeMsr(0x83f, 0x77n));
    assert.equal(apics.acknowledge(0), 0x77);
    assert.ok(apics.writeMsr(0x80b, 0n));
    assert.ok(apics.writeMsr(0x830, 0x78n));
    assert.equal(apics.acknowledge(0), 0x78);
    assert.ok(apics.writeMsr(0x80b, 0n));
    assert.ok(apics.writeMsr(0x830, 0xffff_ffff_0000_0079n));
    assert.equal(apics.acknowledge(0), 0x79);
    assert.equal(apics.readMsr(0x830), 0xffff_ffff_0000_0079n);
  });

  test('takes no interrupt for itself while it is disabled, and masks its LVT', () => {
    const bench = new Bench();
    assert.ok(!bench.apics.message(PAGE, 0x40));
    bench.write(0x320, 0x40);
    assert.equal(bench.read(0x320), 0x1_0040);
    assert.match(bench.apics.describe(), /not enabled \(bit 8/);
  });
});
