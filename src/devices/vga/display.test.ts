import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { randomNumbers } from '../../random.js';
import { hostBridge, PciBus } from '../pci/index.js';
import { testHost } from '../test-host.js';
import { testAnyDevice } from '../testing.js';
import { Dispi, DisplayInterface } from './dispi.js';
import { Vga } from './vga.js';

const KIB = 1024;

function bench(videoMemory = 16 * KIB * KIB) {
  const vga = new Vga({ display: 'alone', videoMemory });
  vga.attach(testHost());
  const set = (register: number, value: number) => {
    vga.writePort(0x1ce, 2, register);
    vga.writePort(0x1cf, 2, value);
  };
  const get = (register: number) => {
    vga.writePort(0x1ce, 2, register);
    return vga.readPort(0x1cf, 2);
  };
  const mode = (width: number, height: number, bits: number, enable = 0x41) => {
    set(Dispi.enable, 0);
    set(Dispi.width, width);
    set(Dispi.height, height);
    set(Dispi.bits, bits);
    set(Dispi.enable, enable);
  };
  const pixel = (x: number, y: number) => {
    const { width, rgba } = vga.screen().look();
    return [...rgba.subarray((y * width + x) * 4, (y * width + x) * 4 + 3)];
  };
  return { vga, set, get, mode, pixel };
}

describe('a display adapter', () => {
  describe('as any device', () => testAnyDevice(() => new Vga({ display: 'alone', videoMemory: 256 * KIB })));

  test('survives 100,000 random writes to its interface: the picture never leaves video memory', () => {
    const random = randomNumbers(11);
    const it = new DisplayInterface(1 << 20);
    for (let i = 0; i < 100_000; i++) {
      it.index = random() % 12;
      it.write(random() & (random() & 1 ? 0xffff : 0x7ff));
      assert.ok(it.read() <= 0xffff);
      if (!it.on) continue;
      assert.ok(it.width >= 8 && it.height >= 1 && it.pitch >= 4);
      assert.ok(it.start + it.height * it.pitch <= it.memory, JSON.stringify(it.save()));
    }
  });

  test('shows pictures of every depth, from the set offsets on', () => {
    const { vga, mode, set, get, pixel } = bench();
    const { bytes } = vga.display!;
    mode(1920, 1080, 32);
    bytes.set([0x30, 0x20, 0x10], (1079 * 1920 + 1919) * 4);
    assert.deepEqual(pixel(1919, 1079), [0x10, 0x20, 0x30]);
    mode(640, 480, 24);
    assert.deepEqual(pixel(0, 0), [0, 0, 0], 'memory was cleared');
    bytes.set([1, 2, 3], 641 * 3);
    assert.deepEqual(pixel(1, 1), [3, 2, 1]);
    mode(640, 480, 16);
    bytes.set([0x1f, 0xf8], 0);
    assert.deepEqual(pixel(0, 0), [255, 0, 255]);
    mode(640, 480, 15);
    bytes.set([0xe0, 0x03], 2);
    assert.deepEqual(pixel(1, 0), [0, 255, 0]);
    mode(640, 480, 8, 0x61);
    for (const [port, value] of [
      [0x3c8, 7],
      [0x3c9, 0x81],
      [0x3c9, 0x42],
      [0x3c9, 0xff],
    ] as const)
      vga.writePort(port, 1, value);
    bytes[5] = 7;
    assert.deepEqual(pixel(5, 0), [0x81, 0x42, 0xff], 'colours of 8 bits');
    set(Dispi.virtualWidth, 1024);
    assert.equal(get(Dispi.virtualHeight), (16 * KIB * KIB) / 1024);
    set(Dispi.x, 3);
    set(Dispi.y, 2);
    bytes[2 * 1024 + 3 + 9] = 7;
    assert.deepEqual(pixel(9, 0), [0x81, 0x42, 0xff]);
  });

  test('shows a window of 64 KiB at A0000, by banks; with four planes too', () => {
    const { vga, mode, set, pixel } = bench();
    const { bytes } = vga.display!;
    mode(1024, 768, 8);
    set(Dispi.bank, 3);
    vga.writeMemory(0xa_0010, 1, 0x5a);
    assert.equal(bytes[0x3_0010], 0x5a);
    assert.equal(vga.readMemory(0xa_0010), 0x5a);
    mode(800, 600, 4);
    vga.writePort(0x3c4, 1, 2);
    vga.writePort(0x3c5, 1, 0x0f);
    vga.writePort(0x3ce, 1, 8);
    vga.writePort(0x3cf, 1, 0xff);
    vga.writePort(0x3c4, 1, 4);
    vga.writePort(0x3c5, 1, 6);
    vga.writePort(0x3ce, 1, 6);
    vga.writePort(0x3cf, 1, 5);
    vga.writePort(0x3ce, 1, 5);
    vga.writePort(0x3cf, 1, 0);
    set(Dispi.bank, 0);
    vga.writeMemory(0xa_0000 + 100, 1, 0x80);
    assert.deepEqual(pixel(0, 1), [0xff, 0xff, 0xff]);
  });

  test('shows text again when it is switched off', () => {
    const { vga, mode, set } = bench();
    vga.writeMemory(0xb_8000, 1, 0x41);
    mode(640, 480, 32, 0xc1);
    assert.equal(vga.screen().look().width, 640);
    assert.equal(vga.screen().glance?.().text, undefined);
    set(Dispi.enable, 0);
    vga.writePort(0x3ce, 1, 6);
    vga.writePort(0x3cf, 1, 0x0e);
    vga.writePort(0x3ce, 1, 5);
    vga.writePort(0x3cf, 1, 0x10);
    assert.notEqual(vga.screen().glance?.().text, undefined);
  });

  test('is 1234:1111 on a PCI bus, with the frame buffer at base address 0', () => {
    const bus = new PciBus();
    const vga = new Vga({ display: bus });
    bus.add(0, 0, hostBridge());
    bus.add(2, 0, { config: vga.config! });
    bus.assign(0xe000_0000);
    vga.attach(testHost());
    const config = vga.config!;
    assert.deepEqual([config.read(0, 4), config.read(8, 4)], [0x1111_1234, 0x0300_0002]);
    assert.equal(vga.display!.address, 0xe000_0000);
    config.write(0x10, 4, 0xffff_ffff);
    assert.equal(config.read(0x10, 4), 0xff00_0000);
    config.write(0x10, 4, 0xfd00_0000);
    vga.writeMemory(0xfd00_0004, 4, 0x1234_5678);
    assert.equal(vga.readMemory(0xfd00_0006, 1), 0x34);
    assert.equal(vga.display!.address, 0xfd00_0000);
  });
});
