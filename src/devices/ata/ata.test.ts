import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GuestMemory } from '../../memory/index.js';
import { randomNumbers } from '../../random.js';
import { MemoryDisk } from '../disk/index.js';
import { PciBus } from '../pci/index.js';
import { TestLine, testHost } from '../test-host.js';
import { testAnyDevice } from '../testing.js';
import { IdeController, type IdeSeat } from './index.js';

const SECTORS = 4096;
const MASTER = 0xc000;

/** A disk whose sector n begins with n, and a CD whose block n begins with n. */
function pattern(sectors: number, step: number): Uint8Array {
  const bytes = new Uint8Array(sectors * 512);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length; at += 4)
    view.setUint32(at, Math.floor(at / step) * 1000 + ((at % step) >> 2), true);
  return bytes;
}

const seats = (): IdeSeat[] => [
  { kind: 'disk', disk: new MemoryDisk(pattern(SECTORS, 512)) },
  undefined,
  { kind: 'cdrom', disk: new MemoryDisk(pattern(800, 2048), { readOnly: true }) },
];

class Bench {
  readonly lines: Record<number, TestLine> = { 14: new TestLine(), 15: new TestLine() };
  readonly bus = new PciBus();
  readonly ide: IdeController;
  readonly memory = GuestMemory.create([
    { address: 0, size: 0x40_0000 },
    { address: 0xf000_0000, size: 4096, readOnly: true },
  ]);

  constructor(what = seats()) {
    this.ide = new IdeController(what, this.bus);
    this.ide.attach(testHost({ memory: this.memory }, this.lines));
    this.bus.add(1, 1, this.ide);
    this.bus.assign(0xe000_0000);
  }

  out = (port: number, value: number, size: 1 | 2 | 4 = 1) => this.ide.writePort(port, size, value);
  in = (port: number, size: 1 | 2 | 4 = 1) => this.ide.readPort(port, size);

  command(command: number, { lba = 0, count = 1, base = 0x1f0, wide = false, features = 0 } = {}): number {
    const put = (register: number, low: number, high: number) => {
      if (wide) this.out(base + register, high);
      this.out(base + register, low);
    };
    this.out(base + 6, wide ? 0x40 : 0xe0 | ((lba >>> 24) & 15));
    put(1, features, 0);
    put(2, count & 0xff, count >> 8);
    put(3, lba & 0xff, Math.floor(lba / 2 ** 24) & 0xff);
    put(4, (lba >>> 8) & 0xff, Math.floor(lba / 2 ** 32) & 0xff);
    put(5, (lba >>> 16) & 0xff, 0);
    this.out(base + 7, command);
    return this.in(base + 7);
  }

  words = (count: number, base = 0x1f0) => Array.from({ length: count }, () => this.in(base, 2));

  dma(table: readonly (readonly [number, number])[], toMemory: boolean, at = 0x1000): void {
    const view = new DataView(new ArrayBuffer(table.length * 8));
    for (const [i, [address, size]] of table.entries()) {
      view.setUint32(i * 8, address, true);
      view.setUint32(i * 8 + 4, size, true);
    }
    this.memory.writeBytes(at, new Uint8Array(view.buffer));
    for (let i = 0; i < 4; i++) this.out(MASTER + 4 + i, (at >>> (8 * i)) & 0xff);
    this.out(MASTER + 2, 6);
    this.out(MASTER, toMemory ? 8 : 0);
    this.out(MASTER, toMemory ? 9 : 1);
  }

  packet(bytes: readonly number[], { limit = 2048 } = {}): number {
    const base = 0x170;
    this.out(base + 6, 0);
    this.out(base + 1, 0);
    this.out(base + 4, limit & 0xff);
    this.out(base + 5, limit >> 8);
    this.out(base + 7, 0xa0);
    const padded = [...bytes, ...new Array(12 - bytes.length).fill(0)];
    for (let i = 0; i < 12; i += 2) this.out(base, padded[i]! | (padded[i + 1]! << 8), 2);
    return this.in(base + 7);
  }

  /** The data of a packet command, part by part. */
  reply(): number[][] {
    const parts: number[][] = [];
    while (this.in(0x177) & 8 && parts.length < 1000) {
      const length = this.in(0x174) | (this.in(0x175) << 8);
      parts.push(this.words(length / 2, 0x170));
    }
    return parts;
  }
}

const LAST = 0x8000_0000;

describe('an IDE controller', () => {
  describe('as any device', () => testAnyDevice(() => new IdeController(seats())));

  test('shows the signatures of a disk and of a packet device, and none for an empty place (ATA/ATAPI-6 9.12)', () => {
    const { in: read, out } = new Bench();
    assert.deepEqual(
      [0x1f2, 0x1f3, 0x1f4, 0x1f5].map((port) => read(port)),
      [1, 1, 0, 0],
    );
    assert.deepEqual(
      [0x172, 0x173, 0x174, 0x175].map((port) => read(port)),
      [1, 1, 0x14, 0xeb],
    );
    out(0x1f6, 0xb0);
    assert.equal(read(0x1f7), 0);
    out(0x1f7, 0xec);
    assert.equal(read(0x1f7), 0);
  });

  test('identifies its disk: size in 28 and 48 bits, DMA, its name', () => {
    const bench = new Bench();
    assert.equal(bench.command(0xec), 0x58);
    assert.ok(
      bench.lines[14]!.edges === 1 && !bench.lines[14]!.level,
      'reading the status clears the interrupt',
    );
    const id = bench.words(256);
    assert.equal(id[60]! | (id[61]! << 16), SECTORS);
    assert.equal(id[100], SECTORS);
    assert.equal(id[49]! & 0x300, 0x300);
    const name = id.slice(27, 47).map((word) => String.fromCharCode(word >> 8, word & 0xff));
    assert.equal(name.join('').trim(), 'Terrarium disk');
    assert.equal(bench.in(0x1f7), 0x50);
  });

  test('reads and writes sectors by PIO, with an interrupt for each block', () => {
    const bench = new Bench();
    bench.command(0x20, { lba: 100, count: 3 });
    const read = bench.words(256 * 3);
    assert.equal(read[0]! | (read[1]! << 16), 100_000);
    assert.equal(read[512]! | (read[513]! << 16), 102_000);
    assert.equal(bench.in(0x1f7), 0x50);
    assert.equal(bench.in(0x1f3) | (bench.in(0x1f4) << 8), 100);
    const before = bench.lines[14]!.edges;
    bench.command(0x30, { lba: 7, count: 2 });
    assert.equal(bench.lines[14]!.edges, before, 'none for the first block of a write');
    for (let i = 0; i < 512; i++) bench.out(0x1f0, i, 2);
    assert.ok(bench.lines[14]!.level);
    bench.command(0x24, { lba: 7, count: 2, wide: true });
    assert.deepEqual(
      bench.words(512),
      Array.from({ length: 512 }, (_, i) => i),
    );
    bench.command(0xc6, { count: 8 });
    bench.command(0xc4, { lba: 0, count: 10 });
    const edges = bench.lines[14]!.edges;
    bench.words(8 * 256);
    assert.equal(bench.lines[14]!.edges, edges + 1);
    bench.words(2 * 256);
    assert.equal(bench.in(0x1f7), 0x50);
  });

  test('also counts by cylinder, head and sector, in the geometry that the guest sets', () => {
    const bench = new Bench();
    bench.out(0x1f6, 0xa3);
    bench.out(0x1f2, 8);
    bench.out(0x1f7, 0x91);
    for (const [register, value] of [
      [2, 1],
      [3, 2],
      [4, 5],
      [5, 0],
    ])
      bench.out(0x1f0 + register!, value!);
    bench.out(0x1f6, 0xa1);
    bench.out(0x1f7, 0x20);
    assert.equal(bench.in(0x1f0, 4), ((5 * 4 + 1) * 8 + 1) * 1000);
    bench.out(0x1f3, 9);
    bench.out(0x3f6, 4);
    bench.out(0x3f6, 0);
    bench.out(0x1f6, 0xa0);
    bench.out(0x1f3, 0);
    bench.out(0x1f7, 0x20);
    assert.equal(bench.in(0x1f1), 0x10, 'there is no sector 0');
  });

  test('answers commands that are beyond the end, unknown or out of order with an error, and continues', () => {
    const bench = new Bench();
    assert.equal(bench.command(0x20, { lba: SECTORS }), 0x51);
    assert.equal(bench.in(0x1f1), 0x10);
    assert.equal(bench.command(0xc8, { lba: SECTORS - 1, count: 2 }), 0x51);
    assert.equal(bench.command(0x24, { lba: 2 ** 36, wide: true }), 0x51);
    assert.equal(bench.command(0xff), 0x51);
    assert.equal(bench.in(0x1f1), 4);
    bench.command(0x20, { lba: SECTORS - 1, count: 2 });
    bench.words(256);
    assert.equal(bench.in(0x1f7), 0x51, 'the first sector, then the error');
    bench.command(0x30, { lba: 0, count: 2 });
    bench.out(0x1f0, 1, 4);
    assert.equal(bench.command(0xec), 0x58, 'a new command ends the current one');
    bench.out(0x1f0, 0xffff, 2);
    assert.equal(bench.in(0x1f0, 2), 0x40, 'writes while it sends are lost');
    bench.out(0x3f6, 4);
    bench.out(0x3f6, 0);
    assert.equal(bench.in(0x1f0, 2), 0xffff, 'there is nothing to read after a reset');
  });

  test('returns the same data for string input as word by word, and no more than a block has', () => {
    const [one, other] = [new Bench(), new Bench()];
    for (const bench of [one, other]) bench.command(0x20, { lba: 3, count: 2 });
    const bytes = new Uint8Array(700);
    assert.equal(one.ide.readPorts(0x1f0, 2, bytes), 256);
    assert.equal(one.ide.readPorts(0x1f0, 4, bytes.subarray(512)), 47);
    const words = Uint16Array.from(other.words(256 + 94));
    assert.deepEqual(bytes, new Uint8Array(words.buffer));
    assert.deepEqual(one.ide.save(), other.ide.save());
    assert.equal(one.ide.readPorts(0x1f7, 1, bytes), 0);
    assert.equal(one.ide.readPorts(0x170, 2, bytes), 0, 'nothing to read there');
  });

  test('requests no interrupts while nIEN is set', () => {
    const bench = new Bench();
    bench.out(0x3f6, 2);
    bench.command(0xe7);
    assert.equal(bench.lines[14]!.edges, 0);
    assert.equal(bench.in(0x3f6), 0x50);
  });

  test('moves sectors by bus-master DMA, in pieces of any size', () => {
    const bench = new Bench();
    bench.command(0xc8, { lba: 10, count: 4 });
    bench.dma(
      [
        [0x2000, 512],
        [0x3002, 100],
        [0x4000, (2048 - 612) | LAST],
      ],
      true,
    );
    assert.equal(bench.in(MASTER + 2) & 7, 4);
    const bytes = [
      ...bench.memory.readBytes(0x2000, 512),
      ...bench.memory.readBytes(0x3002, 100),
      ...bench.memory.readBytes(0x4000, 2048 - 612),
    ];
    assert.deepEqual(Uint8Array.from(bytes), pattern(SECTORS, 512).subarray(5120, 5120 + 2048));
    // In the other order: the bus master first, then the command; again in pieces.
    bench.memory.writeBytes(0x8000, new Uint8Array(2048).fill(7));
    bench.dma(
      [
        [0x8000, 300],
        [0x8200, 724 | LAST],
      ],
      false,
    );
    assert.equal(bench.command(0x35, { lba: 20, count: 2, wide: true }), 0x50);
    bench.command(0x20, { lba: 20, count: 2 });
    assert.ok(bench.words(512).every((word) => word === 0x0707));
    assert.equal(bench.in(0x1f7), 0x50);
  });

  test('survives tables that loop, are too short, name ROM or no memory, or are not in RAM', () => {
    const bench = new Bench();
    const read = (table: readonly (readonly [number, number])[], at?: number, count = 256) => {
      bench.command(0xc8, { lba: 0, count });
      bench.dma(table, true, at);
      bench.out(MASTER, 0);
      return [bench.in(MASTER + 2) & 7, bench.in(0x1f7)];
    };
    assert.deepEqual(read([[0x2000, 512 | LAST]]), [0, 0x58], 'too short: it waits, as hardware');
    assert.deepEqual(read([[0x4000_0000, LAST]]), [6, 0x51]);
    assert.deepEqual(read([[0xffff_fffe, LAST]]), [6, 0x51]);
    assert.deepEqual(read([[0xf000_0000, 4096 | LAST]], undefined, 8), [4, 0x50], 'ROM is unchanged');
    assert.ok(bench.memory.readBytes(0xf000_0000, 4096).every((byte) => byte === 0));
    bench.out(MASTER + 4, 0);
    for (let i = 0; i < 4; i++) bench.out(MASTER + 4 + i, 0xff);
    bench.command(0xc8, { count: 1 });
    bench.out(MASTER, 8);
    bench.out(MASTER, 9);
    assert.equal(bench.in(MASTER + 2) & 3, 2, 'the table is not in RAM');
    bench.out(MASTER, 0);
    // 2 bytes an entry, no last one: a table that wraps in its 64 KiB.
    const looping = Array.from({ length: 8192 }, () => [0x2000, 2] as const);
    bench.command(0x25, { lba: 0, count: 4096, wide: true });
    bench.dma(looping, true, 0x20000);
    bench.out(MASTER, 0);
    assert.equal(bench.in(MASTER + 2) & 7, 0);
    bench.out(0x3f6, 4);
    bench.out(0x3f6, 0);
    assert.deepEqual(
      read(
        [
          [0x2000, 512],
          [0x3000, LAST],
        ],
        undefined,
        1,
      ),
      [4, 0x50],
      'too long',
    );
  });

  test('does nothing by DMA while bus mastering is off', () => {
    const bench = new Bench();
    bench.ide.config.write(4, 2, 1);
    bench.command(0xc8);
    bench.dma([[0x2000, 512 | LAST]], true);
    assert.equal(bench.in(0x1f7), 0x51);
    assert.ok(bench.memory.readBytes(0x2000, 512).every((byte) => byte === 0));
  });

  test('survives random commands and tables', () => {
    const bench = new Bench();
    const random = randomNumbers(9);
    const commands = [
      0x20, 0x24, 0x25, 0x29, 0x30, 0x34, 0x35, 0x39, 0xc4, 0xc5, 0xc8, 0xca, 0xa0, 0xa1, 0xec, 0xc6, 0x91,
      0xef,
    ];
    for (let i = 0; i < 30_000; i++) {
      const base = random() & 1 ? 0x1f0 : 0x170;
      const choice = random() % 8;
      if (choice === 0) bench.out(base + 7, commands[random() % commands.length]!);
      else if (choice === 1) bench.out(MASTER + (random() & 15), random() & 0xff);
      else if (choice === 2) bench.out(MASTER + (random() & 8), random() & 1 ? 9 : 1);
      else if (choice < 5) bench.out(base + (random() & 7), random() & 0xff);
      else if (choice === 5) for (let n = random() % 600; n > 0; n--) bench.in(base, 4);
      else if (choice === 6) for (let n = random() % 300; n > 0; n--) bench.out(base, random(), 2);
      else
        bench.memory.writeBytes(
          random() % 0x10000,
          Uint8Array.of(random(), random(), random(), random() & 0x3f, random(), random(), 0, random()),
        );
    }
  });
});

describe('a CD drive', () => {
  const at = (bench: Bench) => bench.in(0x171) >> 4;

  test('says that it is no disk, and identifies itself', () => {
    const bench = new Bench();
    bench.out(0x176, 0);
    bench.out(0x177, 0xec);
    assert.equal(bench.in(0x177), 0x51);
    assert.deepEqual([bench.in(0x174), bench.in(0x175)], [0x14, 0xeb]);
    bench.out(0x177, 0xa1);
    assert.equal(bench.words(256, 0x170)[0], 0x8580);
    bench.packet([0x12, 0, 0, 0, 36]);
    const [reply] = bench.reply();
    assert.equal(reply![0]! & 0x1f, 5);
  });

  test('reads its size and its blocks, in parts as small as the guest wants', () => {
    const bench = new Bench();
    bench.packet([0x25]);
    assert.deepEqual(bench.reply(), [[0, 0xc700, 0, 0x0008]]);
    bench.packet([0x28, 0, 0, 0, 0, 5, 0, 0, 2], { limit: 1000 });
    const parts = bench.reply();
    assert.deepEqual(
      parts.map((part) => part.length),
      [500, 500, 500, 500, 48],
    );
    const words = parts.flat();
    assert.equal(words[0]! | (words[1]! << 16), 5000);
    assert.equal(words[1024]! | (words[1025]! << 16), 6000);
    assert.equal(bench.in(0x172) & 3, 3);
    assert.equal(bench.in(0x177), 0x50);
    bench.packet([0x43, 2, 0, 0, 0, 0, 0, 0, 20]);
    const toc = Buffer.from(Uint16Array.from(bench.reply().flat()).buffer);
    assert.equal(toc.toString('hex'), '0012010100140100000002000014aa0000000432');
    assert.equal(toc.readUInt16BE(0), 18);
  });

  test('reports errors by sense data: beyond the end, unknown, no disc', () => {
    const bench = new Bench([undefined, undefined, { kind: 'cdrom' }]);
    assert.equal(bench.packet([0]), 0x51);
    assert.equal(at(bench), 2);
    bench.packet([3, 0, 0, 0, 18]);
    const [sense] = bench.reply();
    assert.deepEqual([sense![1]! & 15, sense![6]! & 0xff], [2, 0x3a]);
    const other = new Bench();
    assert.equal(other.packet([0x28, 0, 0, 0, 0, 200, 0, 0, 1]), 0x51);
    assert.equal(at(other), 5);
    assert.equal(other.packet([0xff]), 0x51);
    assert.equal(other.packet([0]), 0x50);
  });
});
