/**
 * The BIOS's services. Expectations are those of IBM's interface reference, of Ralf Brown's list and of the Enhanced
 * Disk Drive specification.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BiosBench, bootSector, drive } from './bench.js';

/** A hard disk of so many sectors, each filled with its number. */
function numbered(sectors: number): Uint8Array {
  const bytes = new Uint8Array(sectors * 512);
  const words = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length; at += 4) words.setUint32(at, Math.floor(at / 512), true);
  return bytes;
}

const floppy = (sectors = 2880) => {
  const bytes = numbered(sectors);
  bytes.set(bootSector(0xf4), 0);
  return bytes;
};

describe('the memory after a BIOS’s start', () => {
  test('vectors, data area, equipment', () => {
    using bench = new BiosBench([drive('hd0', 'disk', numbered(2016))]);
    const { memory } = bench;
    assert.equal(memory.read32(0x13 * 4), 0xf000_e3fe);
    assert.equal(memory.read32(0x10 * 4), 0xf000_f065);
    assert.equal(memory.read32(0x19 * 4), 0xf000_e6f2);
    assert.equal(memory.read16(0x413), 639);
    assert.equal(memory.read16(0x40e), 0x9fc0);
    assert.equal(memory.read8(0x9fc00), 1);
    assert.equal(memory.read16(0x400), 0x3f8);
    assert.equal(memory.read8(0x475), 1, 'one hard disk');
    assert.equal(
      memory.read16(0x410) & 0xe3f,
      0x827 & 0xe3f,
      'a floppy, an FPU, 80 columns, four serial ports',
    );
    assert.equal(memory.read8(0xf_fffe), 0xfc, 'an AT');
    assert.match(String.fromCharCode(...memory.readBytes(0xf_fff5, 8)), /^\d\d\/\d\d\/\d\d$/);
    assert.equal(bench.call(0x11).ax, memory.read16(0x410));
    assert.equal(bench.in(0x4d1), 0x0c, 'the requests of PCI, 10 and 11, are level-triggered');
    assert.equal(bench.call(0x12).ax, 639);
  });
});

describe('tables', () => {
  test('SMBIOS, ACPI and MP are found where programs look for them (SMBIOS 2.8 5.2.1, ACPI 6.4 5.2.5.1, MP 1.4 4)', () => {
    using bench = new BiosBench();
    const { memory } = bench;
    const find = (text: string, from: number, to: number) => {
      for (let at = from; at < to; at += 16)
        if (String.fromCharCode(...memory.readBytes(at, text.length)) === text) return at;
      return -1;
    };
    const smbios = find('_SM_', 0xf_0000, 0x10_0000);
    assert.notEqual(smbios, -1);
    const length = memory.read8(smbios + 5);
    const sum = memory.readBytes(smbios, length).reduce((total, byte) => total + byte, 0);
    assert.equal(sum & 0xff, 0);
    assert.equal(memory.read8(memory.read32(smbios + 0x18)), 0, 'type 0, the BIOS, comes first');
    assert.notEqual(find('RSD PTR ', 0xe_0000, 0x10_0000), -1);
    assert.notEqual(find('_MP_', 0x9_fc00, 0xa_0000), -1);
  });
});

describe('int 10h', () => {
  test('teletype: text, line feeds, backspace, the end of a line, scrolling', () => {
    using bench = new BiosBench();
    const type = (text: string) => {
      for (const character of text) bench.call(0x10, { ax: 0x0e00 | character.charCodeAt(0) });
    };
    type('one\r\ntwx\bo\x07');
    assert.deepEqual(bench.screen.slice(0, 2), ['one', 'two']);
    assert.equal(bench.call(0x10, { ax: 0x0300 }).dx, 0x0103);
    type(`\r${'x'.repeat(81)}`);
    assert.deepEqual(bench.screen.slice(1, 3), ['x'.repeat(80), 'x']);
    type('\n'.repeat(30));
    assert.equal(bench.call(0x10, { ax: 0x0300 }).dx >> 8, 24);
    assert.equal(bench.screen.join(''), '');
    assert.match(bench.printed, /^one\r\ntwx/, 'the console gets it, too');
  });

  test('characters with attributes, boxes that scroll, strings', () => {
    using bench = new BiosBench();
    bench.call(0x10, { ax: 0x0200, dx: 0x0205 });
    bench.call(0x10, { ax: 0x0941, bx: 0x1f, cx: 3 });
    assert.equal(bench.screen[2], '     AAA');
    assert.equal(bench.call(0x10, { ax: 0x0800 }).ax, 0x1f41);
    bench.call(0x10, { ax: 0x0601, bx: 0x7000, cx: 0x0000, dx: 0x184f });
    assert.equal(bench.screen[1], '     AAA');
    assert.equal(bench.memory.read8(0xb8000 + 24 * 160 + 1), 0x70);
    bench.call(0x10, { ax: 0x0702, bx: 0x0700, cx: 0x0000, dx: 0x034f });
    assert.equal(bench.screen[3], '     AAA');
    bench.memory.writeBytes(0x8000, Uint8Array.from([0x48, 0x4f, 0x49, 0x2f]));
    bench.call(0x10, { ax: 0x1303, bx: 0, cx: 2, dx: 0x0a00, es: 0x800, bp: 0 });
    assert.equal(bench.screen[10], 'HI');
    assert.equal(bench.memory.read8(0xb8000 + 10 * 160 + 3), 0x2f);
    assert.equal(bench.call(0x10, { ax: 0x0300 }).dx, 0x0a02);
  });

  test('modes: their number, their size and their pictures', () => {
    using bench = new BiosBench();
    const sizes: [mode: number, width: number, height: number][] = [
      [0x00, 360, 400],
      [0x03, 720, 400],
      [0x04, 320, 200],
      [0x06, 640, 200],
      [0x0d, 320, 200],
      [0x0e, 640, 200],
      [0x10, 640, 350],
      [0x12, 640, 480],
      [0x13, 320, 200],
    ];
    for (const [mode, width, height] of sizes) {
      bench.call(0x10, { ax: mode });
      assert.equal(bench.call(0x10, { ax: 0x0f00 }).ax & 0xff, mode);
      const picture = bench.machine.screen!;
      // The screen shows lines that are scanned twice once or twice; the shape is the mode's.
      assert.equal(
        picture.width / width,
        Math.round(picture.width / width),
        `mode ${mode}: ${picture.width}`,
      );
      assert.ok(
        picture.height === height || picture.height === 2 * height,
        `mode ${mode}: ${picture.height}`,
      );
    }
  });

  test('pixels and characters in the graphics modes', () => {
    for (const [mode, colour] of [
      [0x04, 2],
      [0x06, 1],
      [0x0d, 12],
      [0x12, 9],
      [0x13, 200],
    ] as const) {
      using bench = new BiosBench();
      bench.call(0x10, { ax: mode });
      bench.call(0x10, { ax: 0x0c00 | colour, cx: 100, dx: 57 });
      assert.equal(bench.call(0x10, { ax: 0x0d00, cx: 100, dx: 57 }).ax & 0xff, colour, `mode ${mode}`);
      assert.equal(bench.call(0x10, { ax: 0x0d00, cx: 101, dx: 57 }).ax & 0xff, 0);
      bench.call(0x10, { ax: 0x0200, dx: 0x0304 });
      bench.call(0x10, { ax: 0x0941, bx: colour, cx: 1 });
      assert.equal(bench.call(0x10, { ax: 0x0800 }).ax & 0xff, 0x41, `mode ${mode}: the A is read back`);
      bench.call(0x10, { ax: 0x0603, bx: 0, cx: 0x0000, dx: 0x184f });
      bench.call(0x10, { ax: 0x0200, dx: 0x0004 });
      assert.equal(bench.call(0x10, { ax: 0x0800 }).ax & 0xff, 0x41, `mode ${mode}: it has scrolled up`);
    }
  });

  test('colours of mode 13h are those of every VGA', () => {
    using bench = new BiosBench();
    bench.call(0x10, { ax: 0x13 });
    const colour = (index: number) => {
      const { dx, cx } = bench.call(0x10, { ax: 0x1015, bx: index });
      return [dx >> 8, cx >> 8, cx & 0xff];
    };
    // IBM VGA's 256 colours: brown, white, the greys, the hues' ends.
    assert.deepEqual(colour(6), [42, 21, 0]);
    assert.deepEqual(colour(15), [63, 63, 63]);
    assert.deepEqual(colour(24), [28, 28, 28]);
    assert.deepEqual(colour(32), [0, 0, 63]);
    assert.deepEqual(colour(40), [63, 0, 0]);
    assert.deepEqual(colour(55), [0, 16, 63]);
    assert.deepEqual(colour(104), [0, 0, 28]);
    assert.deepEqual(colour(248), [0, 0, 0]);
    bench.call(0x10, { ax: 0x1010, bx: 200, cx: 0x1122, dx: 0x0500 });
    assert.deepEqual(colour(200), [5, 0x11, 0x22]);
  });

  test('what the adapter is', () => {
    using bench = new BiosBench();
    assert.equal(bench.call(0x10, { ax: 0x1a00 }).bx & 0xff, 8);
    assert.equal(bench.call(0x10, { ax: 0x1200, bx: 0x10 }).bx, 3);
    const font = bench.call(0x10, { ax: 0x1130, bx: 0x0600 });
    assert.equal(font.es, 0xf000);
    const high = bench.memory.readBytes(0xf0000 + font.bp + 0x41 * 16, 16);
    assert.ok(
      high.some((row) => row !== 0),
      'a letter of 16 rows',
    );
    const low = bench.call(0x10, { ax: 0x1130, bx: 0x0300 });
    assert.deepEqual(
      bench.memory.readBytes(0xf0000 + low.bp, 1024),
      bench.memory.readBytes(0xffa6e, 1024),
      'the small font is also where an AT has it',
    );
  });

  test('80 by 50 by the small font', () => {
    using bench = new BiosBench();
    bench.call(0x10, { ax: 0x1112 });
    assert.equal(bench.memory.read8(0x484), 49);
    assert.equal(bench.machine.screen!.text!.rows, 50);
    bench.call(0x10, { ax: 0x0200, dx: 0x3100 });
    bench.call(0x10, { ax: 0x0e5a });
    assert.equal(bench.screen[49], 'Z');
  });
});

describe('int 13h', () => {
  test('reads and writes by cylinder, head and sector', () => {
    const bytes = floppy();
    using bench = new BiosBench([drive('fd1', 'floppy', bytes)]);
    const read = bench.call(0x13, { ax: 0x0212, bx: 0x100, cx: 0x0401, dx: 0x0101, es: 0x1000 });
    assert.equal(read.carry, false);
    assert.equal(read.ax, 18);
    assert.equal(bench.memory.read32(0x1_0100), (4 * 2 + 1) * 18);
    assert.equal(bench.memory.read32(0x1_0100 + 17 * 512), (4 * 2 + 1) * 18 + 17);
    bench.memory.write32(0x1_0100, 0x1234_5678);
    assert.equal(bench.call(0x13, { ax: 0x0301, bx: 0x100, cx: 0x4f12, dx: 0x0101, es: 0x1000 }).ax, 1);
    assert.equal(new DataView(bytes.buffer).getUint32(2879 * 512, true), 0x1234_5678);
  });

  test('reports errors: no drive, no sector, beyond the end, write protection, an unknown function', () => {
    using bench = new BiosBench([drive('hd0', 'disk', numbered(2016), true)]);
    const status = (registers: Parameters<BiosBench['call']>[1]) => {
      const { ax, carry } = bench.call(0x13, registers);
      assert.equal(carry, true);
      return ax >> 8;
    };
    assert.equal(status({ ax: 0x0201, cx: 1, dx: 1 }), 0x80);
    assert.equal(status({ ax: 0x0201, cx: 1, dx: 0x81 }), 0x01);
    assert.equal(status({ ax: 0x0201, cx: 0, dx: 0x80 }), 0x04);
    assert.equal(status({ ax: 0x0202, cx: 0x013f, dx: 0x0f80 }), 0x04);
    assert.equal(status({ ax: 0x0301, cx: 1, dx: 0x80 }), 0x03);
    assert.equal(status({ ax: 0x7700, dx: 0x80 }), 0x01);
    assert.equal(bench.memory.read8(0x474), 0x01, 'the data area keeps the last one');
    assert.equal(bench.call(0x13, { ax: 0x0100, dx: 0x80 }).ax >> 8, 0x01);
  });

  test('parameters and types', () => {
    using bench = new BiosBench([drive('hd0', 'disk', numbered(16 * 63 * 5))]);
    const hard = bench.call(0x13, { ax: 0x0800, dx: 0x80 });
    assert.deepEqual([hard.cx, hard.dx, hard.carry], [0x043f, 0x0f01, false]);
    const soft = bench.call(0x13, { ax: 0x0800, dx: 0 });
    assert.deepEqual([soft.cx, soft.dx, soft.bx & 0xff, soft.es], [0x4f12, 0x0101, 4, 0xf000]);
    assert.equal(bench.memory.read8(0xf0000 + soft.di + 4), 18, 'sectors of a track in the parameter table');
    assert.equal(bench.call(0x13, { ax: 0x1500, dx: 0x00 }).ax >> 8, 2);
    const type = bench.call(0x13, { ax: 0x1500, dx: 0x80 });
    assert.deepEqual([type.ax >> 8, type.cx, type.dx], [3, 0, 16 * 63 * 5]);
    assert.equal(bench.call(0x13, { ax: 0x1500, dx: 0x81 }).ax >> 8, 0);
  });

  test('extended calls: packets, flat addresses, 64-bit numbers, what was moved before an error', () => {
    using bench = new BiosBench([drive('hd0', 'disk', numbered(4096))]);
    const { memory } = bench;
    const there = bench.call(0x13, { ax: 0x4100, bx: 0x55aa, dx: 0x80 });
    assert.deepEqual([there.bx, there.cx & 1, there.carry], [0xaa55, 1, false]);
    const packet = (sector: bigint, count: number, segment: number, offset: number) => {
      memory.write8(0x600, 0x10);
      memory.write16(0x602, count);
      memory.write16(0x604, offset);
      memory.write16(0x606, segment);
      memory.write64(0x608, sector);
      return bench.call(0x13, { ax: 0x4200, dx: 0x80, si: 0x600 });
    };
    assert.equal(packet(4000n, 96, 0x2000, 0).carry, false);
    assert.equal(memory.read32(0x2_0000 + 95 * 512), 4095);
    const beyond = packet(4000n, 97, 0x2000, 0);
    assert.deepEqual([beyond.carry, beyond.ax >> 8, memory.read16(0x602)], [true, 4, 0]);
    assert.equal(packet(0xffff_ffff_ffff_ffffn, 1, 0x2000, 0).carry, true);
    memory.write64(0x610, 0x20_0000n);
    memory.write8(0x600, 0x18);
    memory.write16(0x602, 1);
    memory.write32(0x604, 0xffff_ffff);
    memory.write64(0x608, 77n);
    assert.equal(bench.call(0x13, { ax: 0x4200, dx: 0x80, si: 0x600 }).carry, false);
    assert.equal(memory.read32(0x20_0000), 77);
    memory.write16(0x700, 0x1a);
    assert.equal(bench.call(0x13, { ax: 0x4800, dx: 0x80, si: 0x700 }).carry, false);
    assert.deepEqual([memory.read64(0x710), memory.read16(0x718)], [4096n, 512]);
    assert.equal(bench.call(0x13, { ax: 0x4100, bx: 0x55aa, dx: 0 }).carry, true, 'not for floppies');
  });

  test('a track that is formatted is filled', () => {
    const bytes = floppy();
    using bench = new BiosBench([drive('fd1', 'floppy', bytes)]);
    assert.equal(bench.call(0x13, { ax: 0x0512, cx: 0x0300, dx: 0x0001 }).carry, false);
    const track = bytes.subarray(3 * 2 * 18 * 512, (3 * 2 + 1) * 18 * 512);
    assert.ok(track.every((byte) => byte === 0xf6));
    assert.equal(bytes[(3 * 2 + 1) * 18 * 512], (3 * 2 + 1) * 18);
  });
});

describe('int 15h', () => {
  test('E820 lists RAM and reserved ranges, and the other functions agree', () => {
    using bench = new BiosBench([], { memory: 64 << 20 });
    const entries: [bigint, bigint, number][] = [];
    let ebx = 0;
    do {
      const frame = bench.call(0x15, { eax: 0xe820, edx: 0x534d_4150, ecx: 20, ebx, es: 0x50, di: 0 });
      assert.equal(frame.carry, false);
      assert.equal(frame.eax, 0x534d_4150);
      entries.push([bench.memory.read64(0x500), bench.memory.read64(0x508), bench.memory.read32(0x510)]);
      ebx = frame.ebx;
    } while (ebx !== 0);
    assert.deepEqual(entries[0], [0n, 0x9fc00n, 1]);
    assert.ok(entries.some(([at, size, type]) => at === 0x10_0000n && size === 63n << 20n && type === 1));
    for (const [i, [at]] of entries.slice(1).entries())
      assert.ok(at >= entries[i]![0] + entries[i]![1], 'in order');
    assert.equal(bench.call(0x15, { ax: 0x8800 }).ax, 63 * 1024);
    const e801 = bench.call(0x15, { ax: 0xe801 });
    assert.deepEqual([e801.ax, e801.bx], [15 * 1024, 48 * 16]);
    assert.equal(bench.call(0x15, { eax: 0xe820, edx: 1, ecx: 20 }).carry, true);
  });

  test('copies above the first megabyte by descriptors', () => {
    using bench = new BiosBench();
    const { memory } = bench;
    memory.writeBytes(
      0x5000,
      Uint8Array.from({ length: 600 }, (_, i) => i),
    );
    const descriptor = (at: number, base: number) => {
      memory.write16(at, 0xffff);
      memory.write16(at + 2, base & 0xffff);
      memory.write8(at + 4, base >> 16);
      memory.write8(at + 5, 0x93);
    };
    descriptor(0x600 + 0x10, 0x5000);
    descriptor(0x600 + 0x18, 0x30_0000);
    const frame = bench.call(0x15, { ax: 0x8700, cx: 300, si: 0x600 });
    assert.deepEqual([frame.carry, frame.ax >> 8], [false, 0]);
    assert.deepEqual(memory.readBytes(0x30_0000, 600), memory.readBytes(0x5000, 600));
    assert.equal(bench.call(0x15, { ax: 0x8700, cx: 0x9000, si: 0x600 }).carry, true);
  });

  test('A20, the configuration, the extended area, APM', () => {
    using bench = new BiosBench();
    assert.equal(bench.call(0x15, { ax: 0x2402 }).ax & 0xff, 1);
    bench.call(0x15, { ax: 0x2400 });
    assert.equal(bench.call(0x15, { ax: 0x2402 }).ax & 0xff, 0);
    bench.call(0x15, { ax: 0x2401 });
    const table = bench.call(0x15, { ax: 0xc000 });
    assert.equal(bench.memory.read8(0xf0000 + table.bx + 2), 0xfc);
    assert.equal(bench.call(0x15, { ax: 0xc100 }).es, 0x9fc0);
    assert.equal(bench.call(0x15, { ax: 0x5300 }).bx, 0x504d);
    assert.equal(bench.call(0x15, { ax: 0x5555 }).carry, true);
  });
});

describe('int 16h', () => {
  test('a keyboard says what it is', () => {
    using bench = new BiosBench();
    assert.equal(bench.call(0x16, { ax: 0x0900 }).ax & 0xff, 0x34);
    assert.equal(bench.call(0x16, { ax: 0x0a00 }).bx, 0x41ab);
    assert.equal(bench.call(0x16, { ax: 0x9200 }).ax >> 8, 0x80);
  });
});

describe('int 1ah, 14h, 17h and 05h', () => {
  test('ticks, the time and the day, by the machine’s clock', () => {
    using bench = new BiosBench();
    bench.call(0x1a, { ax: 0x0100, cx: 0x17, dx: 0x1234 });
    const ticks = bench.call(0x1a, { ax: 0 });
    assert.deepEqual([ticks.cx, ticks.dx], [0x17, 0x1234]);
    const day = bench.call(0x1a, { ax: 0x0400 });
    assert.deepEqual([day.cx >> 8, day.carry], [0x20, false]);
    assert.ok(day.dx >> 8 >= 1 && day.dx >> 8 <= 0x12 && (day.dx & 0xff) <= 0x31, 'in BCD');
    bench.call(0x1a, { ax: 0x0300, cx: 0x1234, dx: 0x5600 });
    assert.deepEqual([bench.call(0x1a, { ax: 0x0200 }).cx], [0x1234]);
  });

  test('the screen is printed, and so are characters', () => {
    using bench = new BiosBench();
    bench.memory.writeBytes(0xb8000, Uint8Array.from([0x48, 7, 0x69, 7]));
    bench.call(0x05);
    assert.equal(bench.memory.read8(0x500), 0);
    const rows = bench.printed.split('\r\n').slice(1, -1);
    assert.deepEqual([rows.length, rows[0]?.trimEnd(), rows[24]], [25, 'Hi', ' '.repeat(80)]);
    bench.printed = '';
    assert.equal(bench.call(0x17, { ax: 0x0041 }).ax >> 8, 0x90);
    assert.equal(bench.printed, 'A');
  });

  test('the serial port sends', () => {
    using bench = new BiosBench();
    bench.call(0x14, { ax: 0x00e3 });
    bench.call(0x14, { ax: 0x0158 });
    assert.equal(bench.printed, 'X');
    assert.equal(bench.call(0x14, { ax: 0x0158, dx: 4 }).ax >> 8, 0x80, 'there is no COM5');
  });
});

describe('words', () => {
  test('each call is one line', () => {
    using bench = new BiosBench([drive('hd0', 'disk', numbered(2016))]);
    assert.equal(
      bench.words(0x13, { ax: 0x0212, bx: 0x7e00, cx: 1, dx: 0 }),
      'int 13h  read 18 sectors, drive A, C0 H0 S1 → 0000:7e00   ok',
    );
    assert.equal(
      bench.words(0x13, { ax: 0x0201, bx: 0, cx: 1, dx: 0x81, es: 0x1000 }),
      'int 13h  read 1 sector, drive 81h, C0 H0 S1 → 1000:0000   there is no such function, or no such drive',
    );
    assert.equal(bench.words(0x10, { ax: 0x0e41 }), "int 10h  write 'A'");
    assert.equal(bench.words(0x15, { ax: 0x8800 }), 'int 15h  how much memory above 1 MiB?   15360 KiB');
    assert.equal(bench.words(0x221), 'int 21h  nothing serves it');
  });
});
