import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GuestMemory } from '../../memory/index.js';
import { randomNumbers } from '../../random.js';
import { MemoryDisk } from '../disk/index.js';
import { TestLine, testHost } from '../test-host.js';
import { testAnyDevice } from '../testing.js';
import { Dma8237, FloppyController } from './index.js';

const SECTORS = 2880;

function image(): Uint8Array {
  const bytes = new Uint8Array(SECTORS * 512);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length; at += 4) view.setUint32(at, at, true);
  return bytes;
}

class Bench {
  readonly line = new TestLine();
  readonly memory = GuestMemory.create([{ address: 0, size: 0x10_0000 }]);
  readonly dma = new Dma8237();
  readonly bytes = image();
  readonly floppy: FloppyController;

  constructor(readOnly = false) {
    this.floppy = new FloppyController([new MemoryDisk(this.bytes, { readOnly })], this.dma);
    this.dma.attach(testHost({ memory: this.memory }));
    this.floppy.attach(testHost({}, { 6: this.line }));
    this.floppy.writePort(0x3f2, 1, 0);
    this.floppy.writePort(0x3f2, 1, 0x1c);
    for (let i = 0; i < 4; i++) assert.deepEqual(this.command([8], 2), [0xc0 | i, 0]);
    this.command([3, 0xdf, 2], 0);
  }

  command(bytes: readonly number[], results: number): number[] {
    for (const byte of bytes) {
      assert.equal(this.floppy.readPort(0x3f4) & 0xc0, 0x80, 'ready for a byte');
      this.floppy.writePort(0x3f5, 1, byte);
    }
    return Array.from({ length: results }, () => {
      assert.equal(this.floppy.readPort(0x3f4) & 0xc0, 0xc0, 'has a byte');
      return this.floppy.readPort(0x3f5);
    });
  }

  /** DMA channel 2 for `length` bytes. */
  channel(address: number, length: number, mode: number): void {
    const out = (port: number, value: number) => this.dma.writePort(port, 1, value);
    out(10, 6);
    out(12, 0);
    out(4, address & 0xff);
    out(4, (address >> 8) & 0xff);
    out(0x81, address >> 16);
    out(12, 0);
    out(5, (length - 1) & 0xff);
    out(5, (length - 1) >> 8);
    out(11, mode);
    out(10, 2);
  }

  seek(track: number): void {
    this.command([15, 0, track], 0);
    assert.ok(this.line.level);
    assert.deepEqual(this.command([8], 2), [0x20, track]);
    assert.ok(!this.line.level);
  }
}

const TO_MEMORY = 0x46;
const FROM_MEMORY = 0x4a;

describe('a floppy controller', () => {
  const make = () => new FloppyController([new MemoryDisk(image()), undefined], new Dma8237());
  describe('as any device', () => testAnyDevice(make));

  test('reads both sides of a track by DMA, up to terminal count', () => {
    const bench = new Bench();
    bench.seek(3);
    bench.channel(0x1_2000, 18 * 2 * 512, TO_MEMORY);
    assert.deepEqual(bench.command([0xe6, 0, 3, 0, 1, 2, 18, 0x1b, 0xff], 7), [4, 0, 0, 4, 1, 1, 2]);
    const from = 3 * 36 * 512;
    assert.deepEqual(bench.memory.readBytes(0x1_2000, 18432), bench.bytes.slice(from, from + 18432));
    assert.equal(bench.dma.readPort(8) & 4, 4, 'terminal count of channel 2');
  });

  test('writes, and reads the written data', () => {
    const bench = new Bench();
    bench.memory.writeBytes(0x8000, new Uint8Array(1024).fill(9));
    bench.channel(0x8000, 1024, FROM_MEMORY);
    assert.deepEqual(bench.command([0xc5, 0, 0, 0, 5, 2, 18, 0x1b, 0xff], 7), [0, 0, 0, 0, 0, 7, 2]);
    assert.ok(bench.bytes.subarray(4 * 512, 6 * 512).every((byte) => byte === 9));
    const other = new Bench(true);
    other.channel(0x8000, 512, FROM_MEMORY);
    assert.deepEqual(other.command([0xc5, 0, 0, 0, 5, 2, 18, 0x1b, 0xff], 7).slice(0, 2), [0x40, 2]);
  });

  test('reports errors: no such sector, another cylinder, no disk, an unknown command', () => {
    const bench = new Bench();
    bench.channel(0x8000, 512, TO_MEMORY);
    assert.deepEqual(bench.command([0xe6, 0, 0, 0, 19, 2, 36, 0x1b, 0xff], 7).slice(0, 3), [0x40, 4, 0]);
    assert.deepEqual(bench.command([0xe6, 0, 7, 0, 1, 2, 18, 0x1b, 0xff], 7).slice(0, 3), [0x40, 4, 0x10]);
    assert.deepEqual(bench.command([0xe6, 1, 0, 0, 1, 2, 18, 0x1b, 0xff], 7).slice(0, 3), [0x41, 5, 0]);
    assert.deepEqual(bench.command([0x1f], 1), [0x80]);
    assert.deepEqual(bench.command([8], 1), [0x80]);
    assert.deepEqual(bench.command([0x10], 1), [0x90]);
  });

  test('reads without DMA, a byte at a time', () => {
    const bench = new Bench();
    bench.command([3, 0xdf, 3], 0);
    bench.command([0x46, 0, 0, 0, 17, 2, 18, 0x1b, 0xff], 0);
    const read: number[] = [];
    while (bench.floppy.readPort(0x3f4) & 0x20) read.push(bench.floppy.readPort(0x3f5));
    assert.deepEqual(Uint8Array.from(read), bench.bytes.slice(16 * 512, 18 * 512));
    assert.deepEqual(Array.from({ length: 7 }, () => bench.floppy.readPort(0x3f5)).slice(0, 2), [0x40, 0x80]);
  });

  test('shows a changed disk until a head has moved', () => {
    const bench = new Bench();
    assert.equal(bench.floppy.readPort(0x3f7), 0x80);
    bench.command([7, 0], 0);
    assert.equal(bench.floppy.readPort(0x3f7), 0);
    assert.deepEqual(bench.command([8], 2), [0x20, 0]);
    assert.deepEqual(bench.command([0x4a, 0], 7), [0, 0, 0, 0, 0, 1, 2]);
  });

  test('survives random commands with random DMA', () => {
    const bench = new Bench();
    const random = randomNumbers(3);
    for (let i = 0; i < 60_000; i++) {
      const choice = random() % 8;
      if (choice < 4) bench.floppy.writePort(0x3f5, 1, random() & 0xff);
      else if (choice < 6) bench.floppy.readPort(0x3f5);
      else if (choice === 6)
        bench.dma.writePort([4, 5, 10, 11, 12, 15, 0x81][random() % 7]!, 1, random() & 0xff);
      else if (random() % 50 === 0) bench.floppy.writePort(0x3f2, 1, random() & 0xff);
    }
  });
});

describe('the DMA controllers', () => {
  describe('as any device', () => testAnyDevice(() => new Dma8237()));

  test('wrap in their 64 KiB, restart in automatic mode, and read all ones beyond RAM', () => {
    const bench = new Bench();
    bench.channel(0x2_fffe, 4, TO_MEMORY | 0x10);
    assert.deepEqual(bench.dma.move(2, Uint8Array.of(1, 2, 3, 4, 5), true), { bytes: 4, ended: true });
    assert.deepEqual(
      [...bench.memory.readBytes(0x2_fffe, 2), ...bench.memory.readBytes(0x2_0000, 2)],
      [1, 2, 3, 4],
    );
    assert.deepEqual(bench.dma.move(2, Uint8Array.of(7), true), { bytes: 1, ended: false });
    assert.equal(bench.memory.readBytes(0x2_fffe, 1)[0], 7);
    bench.channel(0xff_0000, 2, FROM_MEMORY);
    const bytes = new Uint8Array(2);
    bench.dma.move(2, bytes, false);
    assert.deepEqual([...bytes], [255, 255]);
    assert.deepEqual(bench.dma.move(2, bytes, false), { bytes: 0, ended: false }, 'masked after the last');
  });
});
