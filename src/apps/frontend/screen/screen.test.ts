import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inflateSync } from 'node:zlib';
import type { Picture } from '../../../devices/contract/index.js';
import { Attribute, type Cells, cellsOf, codePage437, paletteColour, plainCellsOf } from './cells.js';
import { type Stroke, strokesFrom } from './keys.js';
import { graphicsFrom } from './live.js';
import { TerminalMouse } from './mouse.js';
import { CellPainter, linesOf } from './painter.js';
import { kitty, sixel } from './pixels.js';

/** A picture of the colours 0xrrggbb, row by row. */
function picture(width: number, ...colours: number[]): Picture {
  const rgba = Uint8ClampedArray.from(colours.flatMap((c) => [c >> 16, (c >> 8) & 255, c & 255, 255]));
  return { width, height: colours.length / width, rgba, changed: undefined };
}

describe('cells', () => {
  test('graphics are half blocks: two pixels a cell, the mean of what they stand for', () => {
    const four = picture(2, 0xff0000, 0xff0000, 0x0000ff, 0x00ff00);
    const { columns, rows, characters, ink, paper } = cellsOf(four, 2, 1);
    assert.deepEqual([columns, rows, characters], [2, 1, ['▀', '▀']]);
    assert.deepEqual([...ink, ...paper], [0xff0000, 0xff0000, 0x0000ff, 0x00ff00]);
    assert.equal(cellsOf(four, 1, 1).paper[0], 0x008080);
  });

  test('text is text in its colours where it fits, with code page 437 as Unicode and the cursor inverted', () => {
    const palette = new Uint8ClampedArray(64);
    palette.set([1, 2, 3, 255], 4 * 4);
    const text = { columns: 2, rows: 1, cells: Uint16Array.of(0x04c9, 0x0441), palette, cursor: 1 };
    const { characters, ink, paper } = cellsOf({ ...picture(1, 0), text }, 80, 24);
    assert.deepEqual(characters, ['╔', 'A']);
    assert.deepEqual([...ink, ...paper], [0x010203, 0, 0, 0x010203]);
    // In a smaller terminal it stays text: the part with the cursor.
    assert.deepEqual(cellsOf({ ...picture(1, 0), text }, 1, 1).characters, ['A']);
    assert.deepEqual([codePage437.length, codePage437[0xe1], codePage437[0xfe]], [256, 'ß', '■']);
  });

  test('25 rows in a terminal of 24 stay text: the rows around the cursor, or without one those that are not empty', () => {
    const cells = new Uint16Array(80 * 25).fill(0x0720);
    for (let row = 1; row < 25; row++) cells[row * 80] = 0x0741 + row;
    const palette = new Uint8ClampedArray(64);
    const shown = (cursor: number) => {
      const text = { columns: 80, rows: 25, cells, palette, cursor };
      const { columns, rows, characters } = cellsOf({ ...picture(1, 0), text }, 80, 24);
      assert.deepEqual([columns, rows], [80, 24]);
      return characters.filter((_, i) => i % 80 === 0).join('');
    };
    const all = Array.from({ length: 24 }, (_, row) => String.fromCharCode(0x42 + row)).join('');
    assert.equal(shown(0), ` ${all.slice(0, 23)}`);
    assert.equal(shown(24 * 80), all);
    assert.equal(shown(-1), all);
  });

  test('without colours text is text and graphics are shades, and no colour is sent', () => {
    const text = {
      columns: 2,
      rows: 1,
      cells: Uint16Array.of(0x04c9, 0x0441),
      palette: new Uint8ClampedArray(64),
      cursor: 1,
    };
    const words = plainCellsOf({ ...picture(1, 0), text }, 80, 24);
    assert.deepEqual(words.characters, ['╔', 'A']);
    const shades = plainCellsOf(picture(2, 0x000000, 0xffffff, 0x000000, 0xffffff), 2, 1);
    assert.deepEqual(shades.characters, [' ', '█']);
    for (const cells of [words, shades]) {
      assert.doesNotMatch(linesOf(cells), /\[[34]8;/);
      assert.doesNotMatch(new CellPainter().paint(cells), /\[[34]8;/);
    }
  });

  test('a painter writes what differs and nothing else', () => {
    const painter = new CellPainter();
    const one = cellsOf(picture(2, 1, 2, 3, 4), 2, 1);
    assert.match(painter.paint(one), /\[2J.*▀.*▀/s);
    assert.equal(painter.paint(cellsOf(picture(2, 1, 2, 3, 4), 2, 1)), '');
    const out = painter.paint(cellsOf(picture(2, 1, 2, 3, 5), 2, 1));
    assert.equal(out, '\x1b[1;2H\x1b[38;2;0;0;2;48;2;0;0;5m▀\x1b[0m');
    painter.forget();
    assert.match(painter.paint(one), /\[2J/);
    assert.equal(linesOf(one).split('\n').length, 2);
  });

  test('a painter knows attributes and the terminal’s own colours, and steps over what stays the same', () => {
    const NONE = 0xff000000;
    const line = (text: string, change: Partial<Cells> = {}): Cells => ({
      columns: text.length,
      rows: 1,
      characters: [...text],
      ink: new Uint32Array(text.length).fill(NONE),
      paper: new Uint32Array(text.length).fill(NONE),
      ...change,
    });
    const painter = new CellPainter();
    assert.equal(painter.paint(line('abcdefghijk')), '\x1b[0m\x1b[2J\x1b[1;1Habcdefghijk\x1b[0m');
    assert.equal(painter.paint(line('Abcdefghijk')), '\x1b[1;1HA\x1b[0m');
    assert.equal(painter.paint(line('aBcdEfghijK')), '\x1b[1;1HaBcdE\x1b[5CK\x1b[0m');
    const bold = line('aBcdEfghijK', { attributes: Uint8Array.of(Attribute.bold | Attribute.inverse) });
    assert.equal(painter.paint(bold), '\x1b[1;1H\x1b[0;1;7ma\x1b[0m');
    const ink = new Uint32Array(11).fill(NONE);
    ink.set([paletteColour(1), paletteColour(9)]);
    assert.equal(painter.paint(line('aBcdEfghijK', { ink })), '\x1b[1;1H\x1b[31ma\x1b[91mB\x1b[0m');
  });
});

describe('pixels', () => {
  test('kitty gets the whole picture in pieces of 4,096 characters', () => {
    const random = Array.from({ length: 8000 }, (_, i) => Math.imul(i, 0x9e3779b1) & 0xffffff);
    const shown = picture(100, ...random);
    const pieces = [...kitty(shown, 40, 15).matchAll(/_G([^;]*);([^\\]*)/g)].map(([, what, data]) => ({
      what,
      data,
    }));
    assert.match(pieces[0]!.what!, /^a=T,.*s=100,v=80,c=40,r=15,m=1$/);
    assert.deepEqual(
      pieces.map(({ what }) => what!.slice(-1)),
      [...pieces.slice(1).map(() => '1'), '0'],
    );
    const data = pieces.map((piece) => piece.data!.replace('\x1b', '')).join('');
    assert.deepEqual(new Uint8ClampedArray(inflateSync(Buffer.from(data, 'base64'))), shown.rgba);
  });

  test('sixels: a register a colour, six rows a band, repeats counted', () => {
    const out = sixel(picture(4, 0xff0000, 0xff0000, 0xff0000, 0x0000ff), 2);
    assert.equal(out, '\x1bP0;1q"1;1;8;2#0;2;100;0;0#1;2;0;0;100#0!6B$#1!6?BB$-\x1b\\');
  });

  test('the terminal’s answer says what it can', () => {
    assert.equal(graphicsFrom('\x1b_Gi=31;OK\x1b\\\x1b[?62;c'), 'kitty');
    assert.equal(graphicsFrom('\x1b[?62;4;6c'), 'sixel');
    assert.equal(graphicsFrom('\x1b[?64;1;2;44c'), 'cells');
    assert.equal(graphicsFrom(''), 'cells');
  });
});

describe('keys', () => {
  const typed = (text: string) =>
    [...strokesFrom(text)].map(({ name, down }: Stroke) => (down ? `+${name}` : `-${name}`)).join(' ');

  test('characters, control characters and sequences are keys of a PC keyboard', () => {
    assert.equal(typed('a'), '+KeyA -KeyA');
    assert.equal(typed('A'), '+ShiftLeft +KeyA -KeyA -ShiftLeft');
    assert.equal(typed('\r'), '+Enter -Enter');
    assert.equal(typed('\x1b'), '+Escape -Escape');
    assert.equal(typed('\x1b[A\x1bOP'), '+ArrowUp -ArrowUp +F1 -F1');
    assert.equal(typed('\x1b[1;5C'), '+ArrowRight -ArrowRight');
    assert.equal(typed('\x01'), '+ControlLeft +KeyA -KeyA -ControlLeft');
    assert.equal(typed('\x1b[99~b'), '+KeyB -KeyB');
  });
});

test('a terminal’s mouse tells the way, the buttons and the wheel (xterm, "Extended coordinates", SGR)', () => {
  const mouse = new TerminalMouse();
  const cell = { across: 4, down: 8 };
  const moves = (typed: string) => {
    const found = mouse.read(typed, cell);
    return found && [found.length, found.move.dx, found.move.dy, found.move.wheel, found.move.buttons];
  };
  // The first report is only where it is.
  assert.deepEqual(moves('\x1b[<35;10;5M'), [11, 0, 0, 0, 0]);
  assert.deepEqual(moves('\x1b[<35;12;4Mrest'), [11, 8, -8, 0, 0]);
  assert.deepEqual(moves('\x1b[<0;12;4M'), [10, 0, 0, 0, 1]);
  assert.deepEqual(moves('\x1b[<2;12;4M'), [10, 0, 0, 0, 3]);
  assert.deepEqual(moves('\x1b[<32;11;4M'), [11, -4, 0, 0, 3]);
  assert.deepEqual(moves('\x1b[<0;11;4m'), [10, 0, 0, 0, 2]);
  assert.deepEqual(moves('\x1b[<65;11;4M'), [11, 0, 0, 1, 2]);
  assert.equal(moves('\x1b[A'), undefined);
  assert.equal(moves('x'), undefined);
});
