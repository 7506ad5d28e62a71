import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { randomNumbers } from '../../random.js';
import { compareAfterLoad, hammer } from '../testing.js';
import { modes, VgaRig } from './testing.js';
import { Vga } from './vga.js';

const A0000 = 0xa0000;
const B8000 = 0xb8000;

function inMode(name: string): VgaRig {
  const rig = new VgaRig();
  rig.setMode(modes[name]!);
  return rig;
}

/** The four planes' bytes at an address. */
function planesAt(rig: VgaRig, offset: number): number[] {
  const word = rig.vga.planes.words[offset]!;
  return [0, 8, 16, 24].map((shift) => (word >>> shift) & 0xff);
}

describe('the registers', () => {
  test('port 3C0 takes index and value in turn, and after a read of 3DA the index is next', () => {
    const rig = new VgaRig();
    rig.in(0x3da);
    rig.out(0x3c0, 0x01);
    rig.out(0x3c0, 0x2a);
    rig.out(0x3c0, 0x02);
    rig.in(0x3da);
    rig.out(0x3c0, 0x21);
    assert.equal(rig.in(0x3c0), 0x21);
    assert.equal(rig.in(0x3c1), 0x2a);
  });

  test('CRTC registers 0 to 7 are protected by bit 7 of register 11, but for the line compare bit', () => {
    const rig = new VgaRig();
    rig.set(0x3d4, 0x01, 0x12);
    rig.set(0x3d4, 0x07, 0x00);
    const seen = [0x01, 0x07].map((index) => {
      rig.out(0x3d4, index);
      return rig.in(0x3d5);
    });
    assert.deepEqual(seen, [0x4f, 0x0f]);
    rig.set(0x3d4, 0x11, 0x0e);
    rig.set(0x3d4, 0x01, 0x12);
    assert.equal(rig.in(0x3d5), 0x12);
  });

  test('bit 0 of the miscellaneous register moves the CRTC and input status 1 from 3D4 to 3B4', () => {
    const rig = new VgaRig();
    rig.out(0x3c2, 0x66);
    rig.set(0x3d4, 0x0e, 0x77);
    rig.set(0x3b4, 0x0f, 0x55);
    assert.deepEqual([rig.in(0x3d5), rig.in(0x3b5), rig.in(0x3da)], [0xff, 0x55, 0xff]);
    assert.equal(rig.in(0x3cc), 0x66);
  });

  test('the colour table takes red, green, blue of 6 bits and advances to the next one; reading has its own address', () => {
    const rig = new VgaRig();
    rig.out(0x3c8, 254);
    for (const part of [1, 2, 0xff, 4, 5, 6, 7, 8, 9]) rig.out(0x3c9, part);
    assert.equal(rig.in(0x3c7), 0);
    rig.out(0x3c7, 254);
    assert.deepEqual([rig.in(0x3c9), rig.in(0x3c9), rig.in(0x3c9), rig.in(0x3c9)], [1, 2, 0x3f, 4]);
    assert.equal(rig.in(0x3c7), 3);
    rig.out(0x3c7, 0);
    assert.deepEqual([rig.in(0x3c9), rig.in(0x3c9), rig.in(0x3c9)], [7, 8, 9]);
  });

  test('input status 1 follows the clock: 70 retraces per second, two lines long, and blanking after every line', () => {
    const rig = new VgaRig();
    let retraces = 0;
    let before = 0;
    const high = { retrace: 0, blank: 0 };
    const steps = 100_000;
    for (let i = 0; i < steps; i++) {
      rig.clock = (i * 1000) / steps;
      const status = rig.in(0x3da);
      if (status & 8 && !(before & 8)) retraces++;
      if (status & 8) high.retrace++;
      if (status & 1) high.blank++;
      before = status;
    }
    // 28.322 MHz / (100 characters of 9 dots) / 449 lines = 70.09 Hz; 80 × 400 of 100 × 449 characters are a picture.
    assert.ok(retraces === 70 || retraces === 71, `${retraces}`);
    assert.ok(Math.abs(high.retrace / steps - 2 / 449) < 0.001, `${high.retrace}`);
    assert.ok(Math.abs(high.blank / steps - (1 - (81 * 400) / (100 * 449))) < 0.02, `${high.blank}`);
  });
});

describe('planes', () => {
  test('the map mask selects the planes that are written, the read map the one that is read', () => {
    const rig = inMode('320x200, mode X');
    rig.set(0x3c4, 2, 0b0101);
    rig.write(A0000 + 5, 0xab);
    assert.deepEqual(planesAt(rig, 5), [0xab, 0, 0xab, 0]);
    rig.set(0x3ce, 4, 2);
    assert.equal(rig.read(A0000 + 5), 0xab);
    rig.set(0x3ce, 4, 3);
    assert.equal(rig.read(A0000 + 5), 0);
  });

  test('write mode 1 copies the latches of the last read', () => {
    const rig = inMode('320x200, mode X');
    rig.vga.planes.words[1] = 0x44332211;
    rig.read(A0000 + 1);
    rig.set(0x3ce, 5, 0x41);
    rig.write(A0000 + 2, 0xff);
    assert.deepEqual(planesAt(rig, 2), [0x11, 0x22, 0x33, 0x44]);
  });

  test('read mode 1 returns a one where all selected planes match the colour', () => {
    const rig = inMode('640x480, 16 colours');
    rig.vga.planes.words[0] = 0b00001111_00110011_01010101_11111111 >>> 0;
    rig.set(0x3ce, 5, 8);
    rig.set(0x3ce, 2, 0b0101);
    rig.set(0x3ce, 7, 0b1111);
    // Plane 0 one, plane 1 zero, plane 2 one, plane 3 zero.
    assert.equal(rig.read(A0000), ~0b01010101 & 0b00110011 & ~0b00001111 & 0xff);
    rig.set(0x3ce, 7, 0);
    assert.equal(rig.read(A0000), 0xff);
  });

  test('every write mode follows the manual bit by bit', () => {
    const random = randomNumbers(7);
    const rig = inMode('640x480, 16 colours');
    for (let round = 0; round < 20_000; round++) {
      const [setReset, enable, rotate, mode, bitMask, mapMask, byte] = [
        random() & 15,
        random() & 15,
        random() & 31,
        random() & 3,
        random() & 255,
        random() & 15,
        random() & 255,
      ] as const;
      const latched = [random() & 255, random() & 255, random() & 255, random() & 255];
      const before = [random() & 255, random() & 255, random() & 255, random() & 255];
      const word = (bytes: number[]) => bytes.reduceRight((all, one) => all * 256 + one, 0);
      rig.vga.planes.words[100] = word(latched);
      rig.vga.planes.words[101] = word(before);
      rig.set(0x3ce, 0, setReset);
      rig.set(0x3ce, 1, enable);
      rig.set(0x3ce, 3, rotate);
      rig.set(0x3ce, 5, mode);
      rig.set(0x3ce, 8, bitMask);
      rig.set(0x3c4, 2, mapMask);
      rig.read(A0000 + 100);
      rig.write(A0000 + 101, byte);
      const expected = before.map((old, plane) => {
        if (!((mapMask >> plane) & 1)) return old;
        let result = 0;
        for (let bit = 0; bit < 8; bit++) {
          const latch = (latched[plane]! >> bit) & 1;
          const rotated = (byte >> ((bit + (rotate & 7)) & 7)) & 1;
          const fixed = (setReset >> plane) & 1;
          let data = (enable >> plane) & 1 ? fixed : rotated;
          let masked = (bitMask >> bit) & 1;
          if (mode === 2) data = (byte >> plane) & 1;
          if (mode === 3) {
            data = fixed;
            masked &= rotated;
          }
          const logic = [data, data & latch, data | latch, data ^ latch][rotate >> 3]!;
          const value = mode === 1 || !masked ? latch : logic;
          result |= value << bit;
        }
        return result;
      });
      assert.deepEqual(
        planesAt(rig, 101),
        expected,
        JSON.stringify({ mode, rotate, enable, setReset, bitMask }),
      );
    }
  });
});

describe('video memory as RAM', () => {
  test('text is pairs at B8000 to the guest, stored as characters and attributes in planes 0 and 1', () => {
    const rig = new VgaRig();
    assert.deepEqual(rig.shown, { address: B8000, size: 0x8000 });
    rig.write(B8000 + 2, 0x41);
    rig.write(B8000 + 3, 0x1e);
    // Map mask 4: the font's plane alone, which is no text mode's memory any more.
    rig.set(0x3c4, 2, 4);
    assert.equal(rig.shown.size, 0);
    assert.deepEqual(planesAt(rig, 2).slice(0, 2), [0x41, 0x1e]);
    rig.set(0x3c4, 2, 3);
    assert.equal(rig.read(B8000 + 2), 0x41);
  });

  test('chain-4 is a byte a pixel at A0000, stored at every fourth address of each plane', () => {
    const rig = inMode('320x200, chain-4');
    assert.deepEqual(rig.shown, { address: A0000, size: 0x10000 });
    for (let i = 0; i < 8; i++) rig.write(A0000 + i, 0x10 + i);
    rig.set(0x3c4, 4, 6);
    assert.equal(rig.shown.size, 0);
    assert.deepEqual(planesAt(rig, 4), [0x14, 0x15, 0x16, 0x17]);
  });

  test('a guest reads the same whether it is RAM or not', () => {
    const [ram, trapped] = [inMode('320x200, chain-4'), inMode('320x200, chain-4')];
    const random = randomNumbers(3);
    // Always the slow path: the answers of a device that is called nevertheless.
    const write = (address: number, byte: number) => trapped.vga.writeMemory(address, 1, byte);
    for (let i = 0; i < 10_000; i++) {
      const address = A0000 + (random() & 0x1ffff);
      const byte = random() & 255;
      ram.write(address, byte);
      write(address, byte);
      const again = A0000 + (random() & 0x1ffff);
      assert.equal(ram.read(again), trapped.vga.readMemory(again));
    }
    assert.deepEqual(ram.vga.screen().look().rgba, trapped.vga.screen().look().rgba);
  });

  test('odd/even memory that does more than store and load is not RAM', () => {
    for (const [port, index, value] of [
      [0x3c4, 2, 7],
      [0x3ce, 1, 1],
      [0x3ce, 3, 8],
      [0x3ce, 5, 0x11],
      [0x3ce, 8, 0xfe],
    ] as const) {
      const rig = new VgaRig();
      rig.set(port, index, value);
      assert.equal(rig.shown.size, 0, `${port.toString(16)} ${index}`);
    }
  });
});

describe('a hostile guest', () => {
  const ACCESSES = 1_000_000;

  for (const [name, mode] of Object.entries(modes)) {
    test(`${name}: random accesses neither throw nor leave the picture's bounds, and the state moves`, () => {
      const rig = new VgaRig();
      const random = randomNumbers(name.length * 7919);
      const screen = rig.vga.screen();
      const rounds = ACCESSES / Object.keys(modes).length;
      for (let i = 0; i < rounds; i++) {
        // Sometimes the mode is restored: most random registers show nothing useful.
        if (i % 5000 === 0) rig.setMode(mode);
        const what = random() % 64;
        if (what < 32) rig.write(A0000 + (random() & 0x1ffff), random() & 255);
        else if (what < 60) assert.ok(rig.read(A0000 + (random() & 0x1ffff)) <= 0xff);
        else if (what < 62) rig.out(0x3b4 + (random() % 0x2c), random() & 255);
        else assert.ok(rig.in(0x3b4 + (random() % 0x2c)) <= 0xff);
        rig.clock += 0.01;
        if (i % 10_000 !== 9999) continue;
        const { width, height, rgba, changed } = screen.look(rig.clock);
        assert.equal(rgba.length, width * height * 4);
        assert.ok(width <= 2304 && height <= 1024, `${width} × ${height}`);
        if (changed !== undefined)
          assert.ok(changed.x + changed.width <= width && changed.y + changed.height <= height);
      }
      const copy = new VgaRig();
      copy.vga.load(JSON.parse(JSON.stringify(rig.vga.save())));
      assert.deepEqual(copy.vga.screen().look(), rig.vga.screen().look());
    });
  }

  test('random accesses of every kind, and a state that moves to another VGA without a difference', () => {
    hammer(() => new Vga(), 1, 200_000, 512 * 1024);
    for (let seed = 1; seed <= 4; seed++) compareAfterLoad(() => new Vga(), seed, 5000, 5000);
  });

  test('an invalid state is refused, and changes nothing', () => {
    const vga = new Vga();
    const good = vga.save();
    for (const wrong of [
      { memory: 'AAAA' },
      { memory: good.memory.replace('A', '!') },
      { sequencer: [0xff, 0, 0, 0, 0] },
      { dacPart: 3 },
      { latch: -1 },
      { colours: good.colours.slice(1) },
    ])
      assert.throws(() => vga.load({ ...good, ...wrong }), { code: 'ESTATE' });
    assert.deepEqual(vga.save(), good);
  });
});
