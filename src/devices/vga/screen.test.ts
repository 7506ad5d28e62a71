import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Picture } from '../contract/index.js';
import { romFont } from './font.js';
import { modes, VgaRig } from './testing.js';

const A0000 = 0xa0000;
const B8000 = 0xb8000;

function pixel({ rgba, width }: Picture, x: number, y: number): number {
  const at = (y * width + x) * 4;
  return (rgba[at]! << 16) | (rgba[at + 1]! << 8) | rgba[at + 2]!;
}

function inMode(name: string): VgaRig {
  const rig = new VgaRig();
  rig.setMode(modes[name]!);
  return rig;
}

function put(rig: VgaRig, column: number, row: number, character: number, attribute: number): void {
  rig.write(B8000 + (row * 80 + column) * 2, character);
  rig.write(B8000 + (row * 80 + column) * 2 + 1, attribute);
}

/** A cell's dots as rows of bits, the left one highest. */
function dots(picture: Picture, column: number, row: number, ink: number, width: number): number[] {
  return Array.from({ length: 16 }, (_, y) => {
    let bits = 0;
    for (let x = 0; x < width; x++)
      bits = bits * 2 + (pixel(picture, column * width + x, row * 16 + y) === ink ? 1 : 0);
    return bits;
  });
}

describe('text', () => {
  test('starts as a BIOS leaves it: 720 by 400, empty, the cursor in the upper left corner', () => {
    const { width, height, changed, text } = new VgaRig().vga.screen().look();
    assert.deepEqual([width, height], [720, 400]);
    assert.deepEqual(changed, { x: 0, y: 0, width: 720, height: 400 });
    assert.deepEqual([text!.columns, text!.rows, text!.cursor], [80, 25, 0]);
    assert.ok(text!.cells.every((cell) => cell === 0x0720));
  });

  test('is blank at a glance until a cell of the page that is shown differs', () => {
    for (const [x, y] of [
      [0, 0],
      [79, 24],
    ] as const) {
      const rig = new VgaRig();
      assert.deepEqual(rig.vga.screen().glance?.(), { missed: 0, blank: true });
      put(rig, x, y, 0x41, 0x07);
      assert.equal(rig.vga.screen().glance?.().text?.cells[y * 80 + x], 0x0741);
    }
    // The second page, which the CRTC's start address shows.
    const rig = new VgaRig();
    put(rig, 0, 26, 0x41, 0x07);
    assert.equal(rig.vga.screen().glance?.().blank, true);
    rig.set(0x3d4, 0x0d, 80);
    assert.notEqual(rig.vga.screen().glance?.().text, undefined);
    rig.set(0x3d4, 0x0d, 160);
    assert.equal(rig.vga.screen().glance?.().text?.cells[24 * 80], 0x0741);
  });

  test('shows the font in the attribute’s colours', () => {
    const rig = new VgaRig();
    put(rig, 3, 2, 0x41, 0x1e);
    const picture = rig.vga.screen().look();
    const glyph = [...romFont().subarray(0x41 * 16, 0x42 * 16)];
    assert.deepEqual(
      dots(picture, 3, 2, 0xffff55, 9),
      glyph.map((row) => row << 1),
    );
    assert.equal(pixel(picture, 3 * 9, 2 * 16), 0x0000aa);
    assert.equal(picture.text!.cells[2 * 80 + 3], 0x1e41);
  });

  test('line characters continue into the ninth dot, others do not', () => {
    const rig = new VgaRig();
    put(rig, 0, 1, 0xc4, 0x07);
    put(rig, 1, 1, 0xdb, 0x07);
    put(rig, 2, 1, 0xb1, 0x07);
    const picture = rig.vga.screen().look();
    assert.ok(dots(picture, 0, 1, 0xaaaaaa, 9).includes(0x1ff));
    assert.ok(dots(picture, 1, 1, 0xaaaaaa, 9).every((row) => row === 0x1ff));
    assert.ok(dots(picture, 2, 1, 0xaaaaaa, 9).every((row) => (row & 1) === 0));
  });

  test('blinking hides a character for as long as it shows it; a still picture shows it', () => {
    const rig = new VgaRig();
    put(rig, 5, 5, 0x58, 0x87);
    const screen = rig.vga.screen();
    const lit = (now?: number) => dots(screen.look(now), 5, 5, 0xaaaaaa, 9).some((row) => row !== 0);
    const frame = (100 * 9 * 449) / 28322;
    assert.deepEqual(
      [lit(), lit(0), lit(15.5 * frame), lit(16.5 * frame), lit(32.5 * frame)],
      [true, true, true, false, true],
    );
    // With blinking off the bit makes the background bright.
    rig.in(0x3da);
    rig.out(0x3c0, 0x30);
    rig.out(0x3c0, 0x04);
    assert.equal(pixel(screen.look(), 5 * 9, 5 * 16), 0x555555);
  });

  test('the cursor blinks twice as fast, and has the programmed lines and place', () => {
    const rig = new VgaRig();
    rig.set(0x3d4, 0x0f, 81);
    rig.set(0x3d4, 0x0a, 2);
    rig.set(0x3d4, 0x0b, 4);
    const screen = rig.vga.screen();
    const seen = () => dots(screen.look(), 1, 1, 0xaaaaaa, 9);
    assert.deepEqual(seen(), [0, 0, 0x1ff, 0x1ff, 0x1ff, ...new Array(11).fill(0)]);
    assert.equal(screen.look().text!.cursor, 81);
    const frame = (100 * 9 * 449) / 28322;
    assert.equal(screen.look(8.5 * frame).text!.cursor, -1);
    rig.set(0x3d4, 0x0a, 0x22);
    assert.deepEqual(seen(), new Array(16).fill(0));
  });

  test('a look returns the area that changed since the previous one, or nothing', () => {
    const rig = new VgaRig();
    const [one, other] = [rig.vga.screen(), rig.vga.screen()];
    one.look();
    assert.equal(one.look().changed, undefined);
    put(rig, 10, 4, 0xdb, 0x07);
    assert.deepEqual(one.look().changed, { x: 90, y: 64, width: 9, height: 16 });
    assert.deepEqual(other.look().changed, { x: 0, y: 0, width: 720, height: 400 });
  });
});

describe('graphics', () => {
  test('mode 13h has a byte per pixel', () => {
    const rig = inMode('320x200, chain-4');
    rig.out(0x3c8, 200);
    for (const part of [63, 32, 1]) rig.out(0x3c9, part);
    rig.write(A0000 + 320 * 7 + 9, 200);
    const picture = rig.vga.screen().look();
    assert.deepEqual([picture.width, picture.height, picture.text], [320, 200, undefined]);
    assert.equal(pixel(picture, 9, 7), 0xff8204);
    // The mask is ANDed with the number: 200 & 12 is 8, dark grey's place in an EGA's colours.
    rig.out(0x3c6, 0x0c);
    assert.equal(pixel(rig.vga.screen().look(), 9, 7), 0x000055);
  });

  test('mode X has four pixels per address, one in each plane', () => {
    const rig = inMode('320x200, mode X');
    for (let plane = 0; plane < 4; plane++) {
      rig.set(0x3c4, 2, 1 << plane);
      rig.write(A0000 + 80 * 3 + 5, plane + 1);
    }
    const picture = rig.vga.screen().look();
    const colours = [1, 2, 3, 4].map((_, i) => pixel(picture, 20 + i, 3));
    assert.deepEqual(colours, [0x0000aa, 0x00aa00, 0x00aaaa, 0xaa0000]);
  });

  test('sixteen colours have a bit in each plane, and use the palette', () => {
    const rig = inMode('640x480, 16 colours');
    rig.set(0x3c4, 2, 0b0110);
    rig.write(A0000 + 80 + 1, 0b10000001);
    const picture = rig.vga.screen().look();
    assert.deepEqual([picture.width, picture.height], [640, 480]);
    // Palette entry 6 is colour 14h of an EGA: brown.
    assert.deepEqual(
      [pixel(picture, 8, 1), pixel(picture, 9, 1), pixel(picture, 15, 1)],
      [0xaa5500, 0, 0xaa5500],
    );
  });

  test('CGA’s four colours have two bits per pixel, and odd lines 8 KiB away', () => {
    const rig = inMode('320x200, 4 colours (CGA)');
    rig.write(B8000, 0b00011011);
    rig.write(B8000 + 0x2000, 0b11000000);
    const picture = rig.vga.screen().look();
    assert.deepEqual([picture.width, picture.height], [320, 200]);
    const colours = [0, 1, 2, 3].map((x) => pixel(picture, x, 0));
    // Palette entries 13h, 15h and 17h, whose bits are rgbRGB: a third for r, two thirds for R.
    assert.deepEqual(colours, [0, 0x00ffaa, 0xaa55aa, 0xaaffaa]);
    assert.equal(pixel(picture, 0, 1), colours[3]);
  });

  test('start address, panning and line compare: scrolling, and a part that stays', () => {
    const rig = inMode('320x200, mode X');
    const { words } = rig.vga.planes;
    // Colour by line for page 1, all of colour 4 from address 0 on.
    for (let line = 0; line < 50; line++) words.fill(0x04040404, line * 80, line * 80 + 80);
    for (let i = 0; i < 80 * 200; i++) words[0x4000 + i] = 0x03020100;
    rig.set(0x3d4, 0x0c, 0x40);
    rig.set(0x3d4, 0x07, 0x0f);
    rig.set(0x3d4, 0x09, 0x01);
    rig.set(0x3d4, 0x18, (2 * 150 - 1) & 0xff);
    rig.set(0x3d4, 0x07, 0x1f);
    rig.in(0x3da);
    rig.out(0x3c0, 0x33);
    rig.out(0x3c0, 2);
    const picture = rig.vga.screen().look();
    // Panned by one pixel (two dots).
    assert.deepEqual([pixel(picture, 0, 0), pixel(picture, 1, 0)], [0x0000aa, 0x00aa00]);
    assert.equal(pixel(picture, 0, 149), 0x0000aa);
    assert.equal(pixel(picture, 0, 150), 0xaa0000);
  });

  test('while the palette belongs to the CPU, or the screen is off, only the border’s colour is visible', () => {
    const rig = inMode('320x200, mode X');
    rig.vga.planes.words.fill(0x04040404);
    const screen = rig.vga.screen();
    assert.equal(pixel(screen.look(), 5, 5), 0xaa0000);
    rig.in(0x3da);
    rig.out(0x3c0, 0x00);
    assert.equal(pixel(screen.look(), 5, 5), 0);
    rig.out(0x3c0, 0);
    rig.out(0x3c0, 0x20);
    assert.equal(pixel(screen.look(), 5, 5), 0xaa0000);
    rig.set(0x3c4, 1, 0x21);
    assert.equal(pixel(screen.look(), 5, 5), 0);
  });
});
