import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { randomNumbers } from '../../random.js';
import type { Claim, Device } from '../contract/index.js';
import { TestClaim, TestLine, testHost } from '../test-host.js';
import { testAnyDevice } from '../testing.js';
import { Bar, Command, ConfigSpace, hostBridge, isaBridge, Msi, MsiX, PciBus } from './index.js';

const lines = () => Object.fromEntries(Array.from({ length: 16 }, (_, irq) => [irq, new TestLine()]));

/** A network card without a function: 64 KiB of memory anywhere, 32 ports, INTA. */
function card(slot: number, bus: PciBus) {
  const config = new ConfigSpace({ vendor: 0x1234, device: 0x5678, class: 0x02_00_00, pin: 1 });
  const [ports, memory] = [
    new TestClaim({ first: 0, count: 32, hidden: true }),
    new TestClaim({ address: 0, size: 65536, hidden: true }),
  ];
  config.addBar(new Bar(0, 'io', 32, () => ports));
  config.addBar(new Bar(1, 'memory64', 65536, () => memory));
  return { config, ports, memory, seat: bus.add(slot, 0, { config }) };
}

function bench() {
  const bus = new PciBus();
  const pins = lines();
  bus.attach(testHost({}, pins));
  bus.add(0, 0, hostBridge());
  const isa = isaBridge(bus);
  bus.add(1, 0, isa);
  const at = (slot: number, number: number, register: number) =>
    bus.writePort(0xcf8, 4, (0x8000_0000 + slot * 2048 + number * 256 + (register & 0xfc)) >>> 0);
  return {
    bus,
    pins,
    read(slot: number, number: number, register: number, size: 1 | 2 | 4 = 4) {
      at(slot, number, register);
      return bus.readPort(0xcfc + (register & 3), size);
    },
    write(slot: number, number: number, register: number, value: number, size: 1 | 2 | 4 = 4) {
      at(slot, number, register);
      bus.writePort(0xcfc + (register & 3), size, value);
    },
  };
}

function full(): Device {
  const bus = new PciBus();
  bus.add(0, 0, hostBridge());
  bus.add(1, 0, isaBridge(bus));
  const one = card(3, bus);
  new Msi(one.config);
  return bus;
}

describe('a PCI bus', () => {
  describe('as any device', () => testAnyDevice(full));

  test('has the bridges of QEMU’s pc, and all ones in empty slots (PCI 3.0 6.1)', () => {
    const { read } = bench();
    assert.equal(read(0, 0, 0), 0x1237_8086);
    assert.equal(read(1, 0, 0), 0x7000_8086);
    assert.equal(read(1, 0, 0x0a, 2), 0x0601);
    assert.equal(read(1, 0, 0x0e, 1), 0x80);
    assert.equal(read(0, 0, 0x2c), 0x1100_1af4);
    assert.equal(read(5, 0, 0), 0xffff_ffff);
    assert.equal(read(0, 1, 0, 2), 0xffff);
  });

  test('accepts the address only as 32 bits, so that CF9 is not disturbed', () => {
    const { bus } = bench();
    bus.writePort(0xcf8, 4, 0x8000_0000);
    bus.writePort(0xcf8, 1, 0);
    bus.writePort(0xcf8, 2, 0);
    assert.equal(bus.readPort(0xcf8, 4), 0x8000_0000);
    bus.writePort(0xcf8, 4, 0);
    assert.equal(bus.readPort(0xcfc, 4), 0xffff_ffff, 'not enabled');
  });

  test('reports the sizes of base addresses, and moves the claims', () => {
    const { bus, read, write } = bench();
    const { ports, memory } = card(4, bus);
    write(4, 0, 0x10, 0xffff_ffff);
    assert.equal(read(4, 0, 0x10), 0xffff_ffe1);
    write(4, 0, 0x14, 0xffff_ffff);
    write(4, 0, 0x18, 0xffff_ffff);
    assert.equal(read(4, 0, 0x14), 0xffff_0004);
    assert.equal(read(4, 0, 0x18), 0xffff_ffff);
    write(4, 0, 4, 3, 2);
    assert.ok(!ports.isHeld && !memory.isHeld, 'a guest that reads the size has not set the address');
    write(4, 0, 0x10, 0xc001);
    write(4, 0, 0x14, 0xe000_0000);
    write(4, 0, 0x18, 0);
    assert.deepEqual([ports.address, memory.address], [0xc000, 0xe000_0000]);
    write(4, 0, 0x18, 1);
    assert.equal(memory.address, 0x1_e000_0000);
    write(4, 0, 0x18, 0x100);
    assert.ok(!memory.isHeld, 'beyond 40 bits there is nothing');
    write(4, 0, 4, 0, 2);
    assert.ok(!ports.isHeld && !memory.isHeld);
  });

  test('routes pins to interrupt requests, by the slot, and shares them', () => {
    const { bus, pins, write, read } = bench();
    const [one, other] = [card(3, bus), card(7, bus)];
    const another = card(4, bus);
    one.seat.setInterrupt(true);
    assert.ok(
      Object.values(pins).every(({ level }) => !level),
      'PIRQC leads nowhere yet',
    );
    write(1, 0, 0x60, 0x0b0a_0b0a);
    assert.ok(pins[10]!.level);
    assert.equal(read(3, 0, 6, 2) & 8, 8);
    other.seat.setInterrupt(true);
    one.seat.setInterrupt(false);
    assert.ok(pins[10]!.level, 'the other one holds it');
    other.seat.setInterrupt(false);
    assert.ok(!pins[10]!.level);
    another.seat.setInterrupt(true);
    assert.ok(pins[11]!.level);
    write(4, 0, 4, Command.interruptDisable, 2);
    assert.ok(!pins[11]!.level);
    write(4, 0, 4, 0, 2);
    write(1, 0, 0x63, 0x80, 1);
    assert.ok(!pins[11]!.level);
  });

  test('can be set up as firmware would', () => {
    const { bus, write } = bench();
    const [one, other] = [card(3, bus), card(4, bus)];
    write(1, 0, 0x60, 0x0b0b_0a0a);
    bus.assign(0xe000_0000);
    assert.deepEqual([one.ports.address, other.ports.address], [0xc000, 0xc020]);
    assert.deepEqual([one.memory.address, other.memory.address], [0xe000_0000, 0xe001_0000]);
    assert.deepEqual(
      [one, other].map(({ config }) => config.bytes[0x3c]),
      [11, 11],
    );
  });

  test('survives 100,000 random writes to its configuration; no base address leaves its space', () => {
    const { bus } = bench();
    const { ports, memory } = card(4, bus);
    const random = randomNumbers(5);
    for (let i = 0; i < 100_000; i++) {
      bus.writePort(0xcf8, 4, (0x8000_0000 | (random() & 0x27fc) | (random() & 1 ? 0x2000 : 0)) >>> 0);
      const size = ([1, 2, 4] as const)[random() % 3]!;
      bus.writePort(0xcfc + (random() % (5 - size)), size, random() % 2 ** (8 * size));
      for (const [claim, last] of [
        [ports, 0xffff],
        [memory, 2 ** 40],
      ] as [Claim, number][])
        if (claim.isHeld) assert.ok(claim.address > 0 && claim.address + claim.size - 1 <= last);
    }
    bus.writePort(0xcf8, 4, 0x8000_2000);
    assert.equal(bus.readPort(0xcfc, 4), 0x5678_1234);
  });
});

describe('messages', () => {
  const sent: [number, number][] = [];
  const send = (address: number, data: number) => sent.push([address, data]) > 0;

  test('MSI: one message, once it is enabled (PCI 3.0 6.8.1)', () => {
    sent.length = 0;
    const config = new ConfigSpace({ vendor: 1, device: 2, class: 0 });
    const msi = new Msi(config);
    assert.equal(config.read(0x34, 1), 0x40);
    assert.equal(config.read(0x40, 1), 5);
    assert.ok(!msi.signal(send));
    config.write(0x44, 4, 0xfee0_1003);
    config.write(0x4c, 2, 0x41);
    config.write(0x42, 2, 0xffff);
    assert.equal(config.read(0x42, 2), 0x81);
    assert.ok(msi.signal(send));
    assert.deepEqual(sent, [[0xfee0_1000, 0x41]]);
  });

  test('MSI-X: masked messages wait (PCI 3.0 6.8.2)', () => {
    sent.length = 0;
    const config = new ConfigSpace({ vendor: 1, device: 2, class: 0 });
    const msix = new MsiX(config, 1, 4, send);
    assert.equal(config.read(0x42, 2), 3);
    assert.equal(config.read(0x48, 4), 0x1001);
    config.write(0x42, 2, 0x8000);
    msix.write(16, 0xfee0_0000);
    msix.write(24, 0x55);
    assert.ok(msix.signal(1));
    assert.deepEqual(sent, []);
    assert.equal(msix.read(0x1000), 2);
    msix.write(28, 0);
    assert.deepEqual(sent, [[0xfee0_0000, 0x55]]);
    assert.equal(msix.read(0x1000), 0);
    config.write(0x42, 2, 0xc000);
    msix.signal(1);
    assert.equal(sent.length, 1);
    config.write(0x42, 2, 0x8000);
    assert.equal(sent.length, 2);
    assert.ok(!msix.signal(4));
    const other = new MsiX(new ConfigSpace({ vendor: 1, device: 2, class: 0 }), 1, 4, send);
    const { table, pending } = msix.save();
    other.restore('card', table, pending);
    assert.deepEqual(other.save(), msix.save());
  });
});
