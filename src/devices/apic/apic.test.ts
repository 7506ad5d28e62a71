import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Device, DeviceHost } from '../contract/index.js';
import { EngineApics, IoApic, LocalApics } from '../index.js';
import { TestClock, testHost } from '../test-host.js';
import { testAnyDevice } from '../testing.js';

const PAGE = 0xfee0_0000;
const IO = 0xfec0_0000;

class Bench {
  readonly clock = new TestClock();
  readonly apics = new LocalApics();
  readonly io = new IoApic(this.apics);
  readonly cpu = {
    ...{ taskPriority: 0, init() {}, startUp() {} },
    nmi: () => this.heard.push('nmi'),
    stamps: { now: () => BigInt(this.clock.moment), momentOf: Number },
  };
  readonly heard: string[] = [];

  constructor() {
    const parts: Partial<DeviceHost> = {
      clock: this.clock,
      cpus: [this.cpu],
      reset: (how) => this.heard.push(how),
    };
    this.apics.attach(testHost(parts));
    this.io.watch({
      acknowledged: (pin) => this.heard.push(`taken ${pin}`),
      unmasked: (pin) => this.heard.push(`unmasked ${pin}`),
    });
  }

  read = (offset: number) => this.apics.readMemory(PAGE + offset, 4);
  write = (offset: number, value: number) => this.apics.writeMemory(PAGE + offset, 4, value);

  /** A redirection entry. */
  redirect(pin: number, low: number, high = 0): void {
    for (const [half, value] of [high, low].entries()) {
      this.io.writeMemory(IO, 4, 0x10 + 2 * pin + (1 - half));
      this.io.writeMemory(IO + 0x10, 4, value);
    }
  }

  entry(pin: number): number {
    this.io.writeMemory(IO, 4, 0x10 + 2 * pin);
    return this.io.readMemory(IO + 0x10, 4);
  }

  enable(): this {
    this.write(0xf0, 0x1ff);
    return this;
  }

  take(): number {
    assert.ok(this.apics.pending(0), 'nothing is pending');
    return this.apics.acknowledge(0);
  }
}

describe('a local APIC', () => {
  describe('as any device', () => testAnyDevice(() => new LocalApics()));

  test('is as after reset: LVT masked but for the wires of the 8259A and NMI (SDM 3A 11.4.7.1)', () => {
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

  test('takes the highest vector first, and holds back its class until EOI (SDM 3A 11.8.3)', () => {
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

  test('gives the spurious vector where nothing waits any more, without a place in service', () => {
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

  test('remembers a start-up interrupt that no processor hears, for a guest that then waits', () => {
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

  test('goes by logical destinations, flat and in clusters (SDM 3A 11.6.2.2)', () => {
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

  test('reports errors: vectors below 16, registers that are not there', () => {
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

  test('counts once, or in periods, at 1 GHz by the divider', () => {
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

  test('interrupts at most 20,000 times a second, for every request of the guest', () => {
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
    assert.ok(!apics.writeMsr(0x1b, 0xfee00900n), 'no way back but by disabling');
    assert.ok(apics.writeMsr(0x1b, 0xfee00100n));
    assert.ok(!apics.writeMsr(0x1b, 0xfee00d00n), 'not from disabled at once');
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

  test('sends an edge once, and tells when it is taken', () => {
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

  test('asks again for a level that is still high after the EOI, and for nothing before', () => {
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

  test('lets the 8259A through on pin 0 as ExtINT', () => {
    const bench = new Bench();
    assert.ok(!bench.io.passesExtInt);
    bench.redirect(0, 0x700);
    assert.ok(bench.io.passesExtInt);
  });

  test('keeps remote IRR out of the guest’s hand, and takes an EOI by its own register', () => {
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

  test('sends messages (SDM 3A 11.11), and takes the end of an interrupt for its acknowledgement too', () => {
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

  test('hears of the end of an interrupt whose pin was masked meanwhile, and asks again when it is unmasked', () => {
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

describe('several local APICs', () => {
  /** Three of them, on; `as` makes the accesses of one processor. */
  function three() {
    const heard: string[] = [];
    const apics = new LocalApics();
    const current = { cpu: 0 };
    const cpus = [0, 1, 2].map((cpu) => ({
      taskPriority: 0,
      nmi: () => void heard.push(`NMI ${cpu}`),
      init: () => void heard.push(`INIT ${cpu}`),
      startUp: (page: number) => void heard.push(`start ${cpu} at ${page}`),
    }));
    const host = testHost({ clock: new TestClock(), cpus, reset: (how) => void heard.push(how) });
    Object.defineProperty(host, 'currentCpu', { get: () => current.cpu });
    apics.attach(host);
    const as = (cpu: number) => {
      current.cpu = cpu;
      return {
        read: (offset: number) => apics.readMemory(PAGE + offset, 4),
        write: (offset: number, value: number) => apics.writeMemory(PAGE + offset, 4, value),
      };
    };
    for (const cpu of [0, 1, 2]) as(cpu).write(0xf0, 0x1ff);
    /** Who has something pending, and takes it. */
    const taken = (ends = true) =>
      [0, 1, 2]
        .filter((cpu) => apics.pending(cpu))
        .map((cpu) => {
          const vector = apics.acknowledge(cpu);
          if (ends) as(cpu).write(0xb0, 0);
          return `${cpu}: ${vector}`;
        });
    const send = (low: number, to = 0, from = 0) => {
      const { write } = as(from);
      write(0x310, (to << 24) >>> 0);
      write(0x300, low);
    };
    return { apics, cpus, as, heard, taken, send };
  }

  test('have a number each, and answer their own processor', () => {
    const { as } = three();
    assert.deepEqual(
      [0, 1, 2].map((cpu) => as(cpu).read(0x20)),
      [0, 0x0100_0000, 0x0200_0000],
    );
    as(1).write(0xd0, 0x0f00_0000);
    assert.deepEqual([as(0).read(0xd0), as(1).read(0xd0)], [0, 0x0f00_0000]);
  });

  // SDM 3A 11.6.1: the delivery mode in bits 10-8, the destination mode in bit 11, a shorthand in bits 19-18.
  test('interrupt the one that is named, all with FFh, or those of a shorthand', () => {
    const { send, taken } = three();
    send(0x4041, 2);
    assert.deepEqual(taken(), ['2: 65']);
    send(0x4042, 0xff, 1);
    assert.deepEqual(taken(), ['0: 66', '1: 66', '2: 66']);
    send(0x44_0053, 0, 1);
    assert.deepEqual(taken(), ['1: 83']);
    send(0x88_0064, 0, 1);
    assert.deepEqual(taken(), ['0: 100', '1: 100', '2: 100']);
    send(0xcc_0075, 0, 1);
    assert.deepEqual(taken(), ['0: 117', '2: 117']);
    send(0x4080, 7);
    assert.deepEqual(taken(), []);
  });

  test('interrupt those of a logical destination, in the flat and in the cluster model', () => {
    const { as, send, taken } = three();
    for (const cpu of [0, 1, 2]) as(cpu).write(0xd0, (1 << (24 + cpu)) >>> 0);
    send(0x4841, 0b110);
    assert.deepEqual(taken(), ['1: 65', '2: 65']);
    for (const cpu of [0, 1, 2]) {
      as(cpu).write(0xe0, 0x0fff_ffff);
      as(cpu).write(0xd0, [0x1100_0000, 0x1200_0000, 0x2100_0000][cpu]!);
    }
    send(0x4852, 0x13);
    assert.deepEqual(taken(), ['0: 82', '1: 82']);
    send(0x4863, 0x21);
    assert.deepEqual(taken(), ['2: 99']);
  });

  test('give an interrupt of lowest priority to the one with the least to do, of equals the first', () => {
    const { as, send, taken } = three();
    for (const cpu of [0, 1, 2]) as(cpu).write(0xd0, (1 << (24 + cpu)) >>> 0);
    as(0).write(0x80, 0x20);
    send(0x4941, 0b111);
    assert.deepEqual(taken(false), ['1: 65']);
    send(0x4951, 0b111);
    assert.deepEqual(taken(), ['2: 81'], 'the second serves 41h, and no EOI has come');
  });

  test('pass on NMI, INIT and start-up interrupts; INIT to the first processor resets the machine', () => {
    const { as, heard, send } = three();
    send(0x4400, 1);
    as(2).write(0x80, 0x30);
    send(0xc_4500);
    send(0xc_4608);
    assert.deepEqual(heard.splice(0), ['NMI 1', 'INIT 1', 'INIT 2', 'start 1 at 8', 'start 2 at 8']);
    assert.deepEqual([as(2).read(0x80), as(2).read(0xf0), as(2).read(0x20)], [0, 0xff, 0x0200_0000]);
    // The INIT level de-assert does nothing (SDM 3A 11.6.1).
    send(0x8500, 1);
    assert.deepEqual(heard, []);
    send(0x4500, 0, 1);
    assert.match(heard.join(), /INIT interrupt to CPU 0/);
  });

  test('take messages and redirected lines where these name them', () => {
    const { apics, as, taken } = three();
    assert.equal(apics.message(0xfee0_2000, 0x45), true);
    assert.deepEqual(taken(), ['2: 69']);
    const io = new IoApic(apics);
    for (const [register, value] of [
      [0x10 + 2 * 4 + 1, 0x0100_0000],
      [0x10 + 2 * 4, 0x51],
    ] as const) {
      io.writeMemory(IO, 4, register);
      io.writeMemory(IO + 0x10, 4, value);
    }
    io.setPin(4, true);
    assert.deepEqual(taken(false), ['1: 81']);
    assert.equal(as(1).read(0x120), 0x2_0000);
  });
});
