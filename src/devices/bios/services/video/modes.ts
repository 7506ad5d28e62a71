/**
 * The VGA's modes as its BIOS sets them: the value of each register. Source: IBM VGA/XGA Technical Reference Manual, section 2;
 * IBM PS/2 and PC BIOS Interface Technical Reference, INT 10h.
 *
 * @module
 */

/** How a mode stores its pixels. */
export type Memory = 'text' | 'cga4' | 'cga2' | 'planar' | 'linear' | 'direct';
/** The colours that the DAC gets. */
export type Colours = 'ega' | 'cga' | 'mono' | 'vga';

/** A mode of INT 10h AH=00h. */
export interface Mode {
  readonly number: number;
  readonly memory: Memory;
  /** Characters of a row, and rows. */
  readonly columns: number;
  readonly rows: number;
  /** Lines of a character. */
  readonly height: number;
  readonly width: number;
  readonly lines: number;
  /** Of video memory. */
  readonly segment: number;
  /** Bytes of a page, and how many there are. */
  readonly pageSize: number;
  readonly pages: number;
  readonly colours: Colours;
  readonly miscellaneous: number;
  /** Registers 1 to 4; register 0 ends the reset. */
  readonly sequencer: readonly number[];
  readonly crtc: readonly number[];
  readonly graphics: readonly number[];
  readonly attribute: readonly number[];
  /** For a display adapter's modes: bits of a pixel, and bytes from one line to the next. */
  readonly bits?: number;
  readonly pitch?: number;
}

/** The 16 colours of an EGA among its 64. */
const EGA = [0, 1, 2, 3, 4, 5, 0x14, 7, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f];
/** The 16 of a CGA among its 16 and their bright ones. */
const RGBI = [0, 1, 2, 3, 4, 5, 6, 7, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17];
const CGA4 = [0, 0x13, 0x15, 0x17, 2, 4, 6, 7, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17];
const STRAIGHT = Array.from({ length: 16 }, (_, i) => i);
const repeat = (value: number, times: number) => Array<number>(times).fill(value);

const ZEROS = [0, 0, 0, 0, 0, 0];
/** Retraces and ends of 400, 350 and 480 lines; between them is the offset, the bytes of a row. */
const v400 = (offset: number, underline: number) => [0x9c, 0x8e, 0x8f, offset, underline, 0x96, 0xb9];
const v350 = (offset: number, underline: number) => [0x83, 0x85, 0x5d, offset, underline, 0x63, 0xba];
const v480 = (offset: number, underline: number) => [0xea, 0x8c, 0xdf, offset, underline, 0xe7, 0x04];
const WIDE_TEXT = [0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0, 0x4f, 0x0d, 0x0e, 0, 0, 0, 0];
const NARROW_TEXT = [0x2d, 0x27, 0x28, 0x90, 0x2b, 0xa0, 0xbf, 0x1f, 0, 0x4f, 0x0d, 0x0e, 0, 0, 0, 0];
const NARROW = [0x2d, 0x27, 0x28, 0x90, 0x2b, 0x80, 0xbf, 0x1f, 0];
const WIDE = [0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0];
const WIDE_480 = [0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0b, 0x3e, 0];

const planarGraphics = [0, 0, 0, 0, 0, 0, 5, 0x0f, 0xff];

function text(number: number, columns: number): Mode {
  const narrow = columns === 40;
  const mono = number === 7;
  const underline = mono ? 0x0f : 0x1f;
  return {
    number,
    memory: 'text',
    columns,
    rows: 25,
    height: 16,
    width: columns * 9,
    lines: 400,
    segment: mono ? 0xb000 : 0xb800,
    pageSize: narrow ? 0x800 : 0x1000,
    pages: 8,
    colours: mono ? 'mono' : 'ega',
    miscellaneous: mono ? 0x66 : 0x67,
    sequencer: [narrow ? 8 : 0, 3, 0, 2],
    crtc: [...(narrow ? NARROW_TEXT : WIDE_TEXT), ...v400(narrow ? 0x14 : 0x28, underline), 0xa3, 0xff],
    graphics: [0, 0, 0, 0, 0, 0x10, mono ? 0x0a : 0x0e, 0, 0xff],
    attribute: mono
      ? [0, ...repeat(8, 7), 0x10, ...repeat(0x18, 7), 0x0e, 0, 0x0f, 8, 0]
      : [...EGA, 0x0c, 0, 0x0f, 8, 0],
  };
}

function cga(number: number, width: number): Mode {
  const wide = width === 640;
  return {
    number,
    memory: wide ? 'cga2' : 'cga4',
    columns: wide ? 80 : 40,
    rows: 25,
    height: 8,
    width,
    lines: 200,
    segment: 0xb800,
    pageSize: 0x4000,
    pages: 1,
    colours: 'cga',
    miscellaneous: 0x63,
    sequencer: wide ? [1, 1, 0, 6] : [9, 3, 0, 2],
    crtc: [
      ...(wide ? WIDE : NARROW),
      0xc1,
      ...ZEROS,
      ...v400(wide ? 0x28 : 0x14, 0),
      wide ? 0xc2 : 0xa2,
      0xff,
    ],
    graphics: wide ? [0, 0, 0, 0, 0, 0, 0x0d, 0, 0xff] : [0, 0, 0, 0, 0, 0x30, 0x0f, 0, 0xff],
    attribute: wide ? [0, ...repeat(0x17, 15), 1, 0, 1, 0, 0] : [...CGA4, 1, 0, 3, 0, 0],
  };
}

interface Planar {
  width: number;
  lines: number;
  height: number;
  pageSize: number;
  pages: number;
  colours: Colours;
  miscellaneous: number;
  timing: readonly number[];
  ends: readonly number[];
  attribute: readonly number[];
}

function planar(number: number, { timing, ends, ...is }: Planar): Mode {
  const narrow = is.width === 320;
  return {
    number,
    memory: 'planar',
    columns: is.width / 8,
    rows: Math.floor(is.lines / is.height),
    segment: 0xa000,
    sequencer: [narrow ? 9 : 1, 0x0f, 0, 6],
    crtc: [...timing, is.lines === 200 ? 0xc0 : 0x40, ...ZEROS, ...ends, 0xe3, 0xff],
    graphics: planarGraphics,
    ...is,
  };
}

const rest = [1, 0, 0x0f, 0, 0];

export const modes: Readonly<Record<number, Mode>> = {
  0: text(0, 40),
  1: text(1, 40),
  2: text(2, 80),
  3: text(3, 80),
  4: cga(4, 320),
  5: cga(5, 320),
  6: cga(6, 640),
  7: text(7, 80),
  13: planar(13, {
    width: 320,
    lines: 200,
    height: 8,
    pageSize: 0x2000,
    pages: 8,
    colours: 'cga',
    miscellaneous: 0x63,
    timing: NARROW,
    ends: v400(0x14, 0),
    attribute: [...RGBI, ...rest],
  }),
  14: planar(14, {
    width: 640,
    lines: 200,
    height: 8,
    pageSize: 0x4000,
    pages: 4,
    colours: 'cga',
    miscellaneous: 0x63,
    timing: WIDE,
    ends: v400(0x28, 0),
    attribute: [...RGBI, ...rest],
  }),
  15: planar(15, {
    width: 640,
    lines: 350,
    height: 14,
    pageSize: 0x8000,
    pages: 2,
    colours: 'mono',
    miscellaneous: 0xa2,
    timing: WIDE,
    ends: v350(0x28, 0x0f),
    attribute: [0, 8, 0, 0, 0x18, 0x18, 0, 0, 0, 8, 0, 0, 0, 0x18, 0, 0, 0x0b, 0, 5, 0, 0],
  }),
  16: planar(16, {
    width: 640,
    lines: 350,
    height: 14,
    pageSize: 0x8000,
    pages: 2,
    colours: 'ega',
    miscellaneous: 0xa3,
    timing: WIDE,
    ends: v350(0x28, 0x0f),
    attribute: [...EGA, ...rest],
  }),
  17: planar(17, {
    width: 640,
    lines: 480,
    height: 16,
    pageSize: 0xa000,
    pages: 1,
    colours: 'ega',
    miscellaneous: 0xe3,
    timing: WIDE_480,
    ends: v480(0x28, 0),
    attribute: [...repeat(0, 16).map((_, i) => (i & 1) * 0x3f), ...rest],
  }),
  18: planar(18, {
    width: 640,
    lines: 480,
    height: 16,
    pageSize: 0xa000,
    pages: 1,
    colours: 'ega',
    miscellaneous: 0xe3,
    timing: WIDE_480,
    ends: v480(0x28, 0),
    attribute: [...EGA, ...rest],
  }),
  19: {
    number: 19,
    memory: 'linear',
    columns: 40,
    rows: 25,
    height: 8,
    width: 320,
    lines: 200,
    segment: 0xa000,
    pageSize: 0x2000,
    pages: 1,
    colours: 'vga',
    miscellaneous: 0x63,
    sequencer: [1, 0x0f, 0, 0x0e],
    crtc: [...WIDE, 0x41, ...ZEROS, ...v400(0x28, 0x40), 0xa3, 0xff],
    graphics: [0, 0, 0, 0, 0, 0x40, 5, 0x0f, 0xff],
    attribute: [...STRAIGHT, 0x41, 0, 0x0f, 0, 0],
  },
};
