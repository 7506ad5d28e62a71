/**
 * Pixels and characters in the graphics modes: the VGA's planes by its registers, mode 13h's bytes, the CGA's two and four colours.
 *
 * @module
 */
import type { Box, Canvas } from './canvas.js';

/** A colour with this bit is exclusive-ored with the pixel, in all modes of fewer than 256 colours. */
const XOR = 0x80;
const GLYPH_WIDTH = 8;
const CGA_ROW = 80;
const CGA_ODD_LINES = 0x2000;
const LINEAR_ROW = 320;
/** Bits that a part of a 4-bit colour has, with and without brightness. */
const DIM = 0xaa;
const BRIGHT = 0x55;

const Graphics = {
  setReset: 0,
  enableSetReset: 1,
  function: 3,
  readMap: 4,
  mode: 5,
  bitMask: 8,
} as const;
const FUNCTION_XOR = 0x18;

/** Runs a function that uses a planar mode's write logic, and then restores the logic as programs expect it. */
function withPlanes(screen: Canvas, draw: () => void): void {
  const { ports } = screen;
  ports.sequencer(2, 0x0f);
  ports.graphics(Graphics.enableSetReset, 0x0f);
  try {
    draw();
  } finally {
    ports.graphics(Graphics.setReset, 0);
    ports.graphics(Graphics.enableSetReset, 0);
    ports.graphics(Graphics.function, 0);
    ports.graphics(Graphics.mode, 0);
    ports.graphics(Graphics.bitMask, 0xff);
  }
}

/** Bytes of a row in a planar mode. */
const planarRow = (screen: Canvas) => screen.mode.width / GLYPH_WIDTH;

function cgaAddress(screen: Canvas, x: number, y: number): { at: number; shift: number; mask: number } {
  const bits = screen.mode.memory === 'cga4' ? 2 : 1;
  const perByte = 8 / bits;
  const at = screen.base(0) + (y & 1 ? CGA_ODD_LINES : 0) + (y >> 1) * CGA_ROW + Math.floor(x / perByte);
  return { at, shift: (perByte - 1 - (x % perByte)) * bits, mask: (1 << bits) - 1 };
}

/** The offset of a line in modes whose pixels are contiguous. */
const lineAddress = (screen: Canvas, y: number) => screen.base(0) + y * (screen.mode.pitch ?? LINEAR_ROW);
const pixelBytes = ({ mode }: Canvas) => (mode.memory === 'direct' ? Math.ceil((mode.bits ?? 32) / 8) : 1);

/** A colour of 4 bits as a pixel. */
function directColour(colour: number, bits: number): number {
  const part = (bit: number) => (colour & bit ? DIM : 0) + (colour & 8 ? BRIGHT : 0);
  const [red, green, blue] = [part(4), part(2), part(1)];
  if (bits === 15) return ((red >> 3) << 10) | ((green >> 3) << 5) | (blue >> 3);
  if (bits === 16) return ((red >> 3) << 11) | ((green >> 2) << 5) | (blue >> 3);
  return (red << 16) | (green << 8) | blue;
}

/** The number of a pixel's colour among the 16; 0 for another colour. */
function numberOf(screen: Canvas, x: number, y: number): number {
  const bytes = pixelBytes(screen);
  const at = lineAddress(screen, y) + x * bytes;
  const { bits = 32 } = screen.mode;
  let pixel = 0;
  for (let i = 0; i < Math.min(bytes, 3); i++) pixel |= screen.pc.guest.read8(at + i) << (8 * i);
  for (let colour = 1; colour < 16; colour++) if (directColour(colour, bits) === pixel) return colour;
  return 0;
}

export function writePixel(screen: Canvas, page: number, x: number, y: number, colour: number): void {
  const { mode, ports, pc } = screen;
  if (x >= mode.width || y >= mode.lines) return;
  if (mode.memory === 'linear') pc.guest.write8(lineAddress(screen, y) + x, colour);
  else if (mode.memory === 'direct') {
    const bytes = pixelBytes(screen);
    const value = directColour(colour, mode.bits ?? 32);
    const at = lineAddress(screen, y) + x * bytes;
    for (let i = 0; i < bytes; i++) pc.guest.write8(at + i, value >>> (8 * i));
  } else if (mode.memory === 'planar') {
    withPlanes(screen, () => {
      const at = screen.base(page) + y * planarRow(screen) + (x >> 3);
      ports.graphics(Graphics.setReset, colour & 0x0f);
      if (colour & XOR) ports.graphics(Graphics.function, FUNCTION_XOR);
      ports.graphics(Graphics.bitMask, 0x80 >> (x & 7));
      pc.guest.read8(at);
      pc.guest.write8(at, 0xff);
    });
  } else if (mode.memory !== 'text') {
    const { at, shift, mask } = cgaAddress(screen, x, y);
    const before = pc.guest.read8(at);
    const bits = (colour & mask) << shift;
    pc.guest.write8(at, colour & XOR ? before ^ bits : (before & ~(mask << shift)) | bits);
  }
}

export function readPixel(screen: Canvas, page: number, x: number, y: number): number {
  const { mode, ports, pc } = screen;
  if (x >= mode.width || y >= mode.lines || mode.memory === 'text') return 0;
  if (mode.memory === 'direct') return numberOf(screen, x, y);
  if (mode.memory === 'linear') return pc.guest.read8(lineAddress(screen, y) + x);
  if (mode.memory === 'planar') {
    const at = screen.base(page) + y * planarRow(screen) + (x >> 3);
    let colour = 0;
    for (let plane = 0; plane < 4; plane++) {
      ports.graphics(Graphics.readMap, plane);
      if (pc.guest.read8(at) & (0x80 >> (x & 7))) colour |= 1 << plane;
    }
    ports.graphics(Graphics.readMap, 0);
    return colour;
  }
  const { at, shift, mask } = cgaAddress(screen, x, y);
  return (pc.guest.read8(at) >> shift) & mask;
}

export function drawGlyph(
  screen: Canvas,
  page: number,
  row: number,
  column: number,
  character: number,
  colour: number,
): void {
  const { mode, ports, pc, height } = screen;
  const rows = screen.glyph(character);
  const [left, top] = [column * GLYPH_WIDTH, row * height];
  if (left + GLYPH_WIDTH > mode.width || top + height > mode.lines) return;
  if (mode.memory !== 'planar') {
    const whole = mode.memory === 'linear' || mode.memory === 'direct';
    const background = whole || !(colour & XOR) ? 0 : -1;
    const ink = whole ? colour & 0xff : colour;
    for (const [y, bits] of rows.entries())
      for (let x = 0; x < GLYPH_WIDTH; x++) {
        if (bits & (0x80 >> x)) writePixel(screen, page, left + x, top + y, ink);
        else if (background === 0) writePixel(screen, page, left + x, top + y, 0);
      }
    return;
  }
  withPlanes(screen, () => {
    const at = screen.base(page) + top * planarRow(screen) + column;
    if (colour & XOR) ports.graphics(Graphics.function, FUNCTION_XOR);
    for (const [y, bits] of rows.entries()) {
      const place = at + y * planarRow(screen);
      if (!(colour & XOR)) {
        ports.graphics(Graphics.bitMask, 0xff);
        ports.graphics(Graphics.setReset, 0);
        pc.guest.write8(place, 0);
      }
      if (bits === 0) continue;
      ports.graphics(Graphics.setReset, colour & 0x0f);
      ports.graphics(Graphics.bitMask, bits);
      pc.guest.read8(place);
      pc.guest.write8(place, 0xff);
    }
  });
}

/** The character whose glyph is in a cell, by the pixels that are not 0; 0 where none matches. */
export function readGlyph(screen: Canvas, page: number, row: number, column: number): number {
  const { height } = screen;
  const seen = Uint8Array.from({ length: height }, (_, y) => {
    let bits = 0;
    for (let x = 0; x < GLYPH_WIDTH; x++)
      if (readPixel(screen, page, column * GLYPH_WIDTH + x, row * height + y) !== 0) bits |= 0x80 >> x;
    return bits;
  });
  for (let character = 0; character < 256; character++)
    if (screen.glyph(character).every((bits, y) => bits === seen[y])) return character;
  return 0;
}

/** As `VideoScreen.scroll`, for lines of characters; the new lines have the colour of `attribute`. */
export function scrollPixels(screen: Canvas, page: number, box: Box, by: number, attribute: number): void {
  const { top, left, bottom, right } = box;
  const { height } = screen;
  const [from, until] = [top * height, (bottom + 1) * height - 1];
  const step = by * height;
  const down = step < 0;
  const move = (line: (y: number, source: number) => void, clear: (y: number) => void) => {
    for (let y = down ? until : from; down ? y >= from : y <= until; y += down ? -1 : 1) {
      const source = y + step;
      if (step !== 0 && source >= from && source <= until) line(y, source);
      else clear(y);
    }
  };
  if (screen.mode.memory === 'planar') scrollPlanes(screen, page, left, right, attribute, move);
  else scrollBytes(screen, left, right, attribute, move);
}

type Mover = (line: (y: number, source: number) => void, clear: (y: number) => void) => void;

/** Latches copy four planes at once from one byte to another. */
function scrollPlanes(
  screen: Canvas,
  page: number,
  left: number,
  right: number,
  colour: number,
  move: Mover,
): void {
  const { ports } = screen;
  const { guest } = screen.pc;
  const at = (y: number, column: number) => screen.base(page) + y * planarRow(screen) + column;
  withPlanes(screen, () => {
    ports.graphics(Graphics.setReset, colour & 0x0f);
    let copying = false;
    move(
      (y, source) => {
        if (!copying) ports.graphics(Graphics.mode, 1);
        copying = true;
        for (let column = left; column <= right; column++) {
          guest.read8(at(source, column));
          guest.write8(at(y, column), 0);
        }
      },
      (y) => {
        if (copying) ports.graphics(Graphics.mode, 0);
        copying = false;
        for (let column = left; column <= right; column++) guest.write8(at(y, column), 0);
      },
    );
  });
}

function scrollBytes(screen: Canvas, left: number, right: number, colour: number, move: Mover): void {
  const { guest } = screen.pc;
  const linear = screen.mode.memory === 'linear' || screen.mode.memory === 'direct';
  const perGlyph = linear ? GLYPH_WIDTH * pixelBytes(screen) : screen.mode.memory === 'cga4' ? 2 : 1;
  const at = (y: number) =>
    linear
      ? lineAddress(screen, y) + left * perGlyph
      : screen.base(0) + (y & 1 ? CGA_ODD_LINES : 0) + (y >> 1) * CGA_ROW + left * perGlyph;
  const length = (right - left + 1) * perGlyph;
  const fill = linear ? colour : screen.mode.memory === 'cga4' ? (colour & 3) * 0x55 : (colour & 1) * 0xff;
  const blank = new Uint8Array(length).fill(fill);
  if (screen.mode.memory === 'direct') {
    const pixel = directColour(colour, screen.mode.bits ?? 32);
    const bytes = pixelBytes(screen);
    for (let i = 0; i < length; i++) blank[i] = pixel >>> (8 * (i % bytes));
  }
  move(
    (y, source) => guest.write(at(y), guest.read(at(source), length)),
    (y) => guest.write(at(y), blank),
  );
}
