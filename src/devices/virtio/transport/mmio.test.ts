/** Registers at an address, as VIRTIO 1.3 4.2.2 numbers them: a driver that knows only these brings a device up. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GuestMemory } from '../../../memory/index.js';
import { TestLine, testHost } from '../../test-host.js';
import { VirtioConsole } from '../devices/console.js';
import { VirtioEntropy } from '../devices/entropy.js';
import { mmioParameter, VirtioMmio } from './mmio.js';

const BASE = 0xfef0_0000;
/** linux/virtio_mmio.h. */
const Register = {
  magic: 0x00,
  version: 0x04,
  device: 0x08,
  vendor: 0x0c,
  features: 0x10,
  featuresSelect: 0x14,
  accepted: 0x20,
  acceptedSelect: 0x24,
  queueSelect: 0x30,
  queueMax: 0x34,
  queueSize: 0x38,
  ready: 0x44,
  notify: 0x50,
  interrupts: 0x60,
  acknowledge: 0x64,
  status: 0x70,
  descriptors: 0x80,
  driver: 0x90,
  used: 0xa0,
  reset: 0xc0,
  generation: 0xfc,
} as const;

function rig() {
  const memory = GuestMemory.create([{ address: 0, size: 65_536 }]);
  const mmio = new VirtioMmio(new VirtioEntropy(), BASE, 5);
  const line = new TestLine();
  mmio.attach(testHost({ memory }, { 5: line }));
  const read = (register: number) => mmio.readMemory(BASE + register, 4);
  const write = (register: number, value: number) => mmio.writeMemory(BASE + register, 4, value);
  return { memory, mmio, line, read, write };
}

function started() {
  const it = rig();
  const { memory, read, write } = it;
  write(Register.status, 0);
  write(Register.status, 1);
  write(Register.status, 3);
  write(Register.acceptedSelect, 1);
  write(Register.accepted, 1 | (1 << 8));
  write(Register.status, 11);
  assert.equal(read(Register.status), 11);
  write(Register.queueSelect, 0);
  write(Register.queueSize, 4);
  for (const [register, at] of [
    [Register.descriptors, 0x1000],
    [Register.driver, 0x2000],
    [Register.used, 0x3000],
  ] as const) {
    write(register, at);
    write(register + 4, 0);
  }
  write(Register.ready, 1);
  write(Register.status, 15);
  /** Requests three bytes at 0x4000, by descriptor 0. */
  const ask = () => {
    memory.write64(0x1000, 0x4000n);
    memory.write32(0x1008, 3);
    memory.write16(0x100c, 2);
    memory.write16(0x2004 + 2 * (memory.read16(0x2002) & 3), 0);
    memory.write16(0x2002, memory.read16(0x2002) + 1);
    write(Register.notify, 0);
  };
  return { ...it, ask };
}

describe('virtio over registers in memory', () => {
  test('identifies itself', () => {
    const { read, write } = rig();
    assert.deepEqual(
      [Register.magic, Register.version, Register.device, Register.vendor].map(read),
      [0x7472_6976, 2, 4, 0x1af4],
    );
    write(Register.featuresSelect, 1);
    assert.equal(read(Register.features) & 1, 1);
    write(Register.featuresSelect, 7);
    assert.equal(read(Register.features), 0);
    assert.equal(read(Register.queueMax), 64);
    write(Register.queueSelect, 1);
    assert.equal(read(Register.queueMax), 0);
  });

  test('serves a driver, and holds its interrupt until that is acknowledged', () => {
    const { memory, line, read, write, ask } = started();
    ask();
    assert.deepEqual([...memory.readBytes(0x4000, 4)], [4, 4, 4, 0]);
    assert.deepEqual([memory.read16(0x3002), memory.read32(0x3008)], [1, 3]);
    assert.deepEqual([line.level, line.edges, read(Register.interrupts)], [true, 1, 1]);
    ask();
    assert.equal(line.edges, 2);
    write(Register.acknowledge, 1);
    assert.deepEqual([line.level, read(Register.interrupts)], [false, 0]);
  });

  test('stops a queue, and resets one where that was negotiated', () => {
    const { memory, read, write, ask } = started();
    write(Register.ready, 0);
    assert.equal(read(Register.ready), 0);
    ask();
    assert.equal(memory.read16(0x3002), 0);
    write(Register.reset, 1);
    write(Register.ready, 1);
    // The driver's settings are reset: a ring of 64 descriptors at 0 is in RAM, and the device accepts it.
    assert.equal(read(Register.ready), 1);
    write(Register.status, 0);
    assert.deepEqual([read(Register.ready), read(Register.status)], [0, 0]);
  });

  test('has registers of 32 bits only, and a configuration of any', () => {
    const { mmio } = rig();
    assert.equal(mmio.readMemory(BASE, 1), 0);
    mmio.writeMemory(BASE + Register.status, 1, 1);
    assert.equal(mmio.readMemory(BASE + Register.status, 4), 0);
    const terminal = new VirtioMmio(new VirtioConsole('c', [{ name: 'p', output: () => {} }]), BASE, 5);
    assert.deepEqual([terminal.readMemory(BASE + 0x100, 2), terminal.readMemory(BASE + 0x102, 1)], [80, 25]);
  });

  test('makes the option that tells a Linux kernel its address', () => {
    assert.equal(mmioParameter(rig().mmio), 'virtio_mmio.device=512@0xfef00000:5');
  });

  test('moves its state to another', () => {
    const { mmio, memory, ask } = started();
    ask();
    const other = rig();
    other.memory.writeBytes(0, memory.peek(0, 65_536));
    other.mmio.load(JSON.parse(JSON.stringify(mmio.save())));
    assert.deepEqual(other.mmio.save(), mmio.save());
    other.memory.writeBytes(0x4000, new Uint8Array(4));
    other.memory.write16(0x2002, 2);
    other.write(Register.notify, 0);
    assert.deepEqual([other.memory.read16(0x3002), other.memory.read8(0x4000)], [2, 4]);
    assert.throws(() => other.mmio.load({}), /cannot be loaded/);
  });

  test('names each register', () => {
    const { mmio } = rig();
    const named = (offset: number) =>
      mmio.describeAccess({ space: 'memory', address: BASE + offset, size: 4, write: true });
    assert.equal(named(Register.status)?.says?.(11), 'ACKNOWLEDGE, DRIVER, FEATURES_OK');
    for (const offset of Object.values(Register))
      assert.ok(named(offset)?.register, `0x${offset.toString(16)}`);
  });
});
