/** INT 10h AH=11h: fonts of text and graphics modes. */
import { Data } from '../../data-area.js';
import type { Frame } from '../../frame.js';
import { linear } from '../../guest.js';
import type { BiosFunction, Pc } from '../../pc.js';
import { Fonts } from '../../rom/rom.js';
import { VideoScreen } from './screen.js';
import { loadFont, loadGlyphs } from './set-mode.js';

/** ROM fonts by the numbers of AL=x1, x2 and x4. */
const roms: Record<number, readonly [offset: number, height: number]> = {
  1: [Fonts.middle, 14],
  2: [Fonts.low, 8],
  4: [Fonts.high, 16],
};
const GRAPHICS_VECTOR = 0x43 * 4;
const UPPER_VECTOR = 0x1f * 4;

const pointer = (segment: number, offset: number) => ((segment << 16) | offset) >>> 0;

function inText(frame: Frame, pc: Pc): void {
  const { al, bl, bh, cx, dx, es, bp } = frame;
  const kind = al & 0x0f;
  const rom = roms[kind];
  const block = bl & 7;
  if (kind === 3) {
    new VideoScreen(pc).ports.sequencer(3, bl);
    return;
  }
  const height = kind === 0 ? bh : rom?.[1];
  if (height === undefined || height === 0 || height > 32) return;
  if (kind === 0) loadGlyphs(pc, linear(es, bp), { first: dx & 0xff, count: cx, height, block });
  else loadFont(pc, rom![0], height, block);
  // From 10h on the rows on the screen follow.
  if (al & 0x10) resize(pc, height);
}

/** Characters of another height: more or fewer rows fit on the screen. */
function resize(pc: Pc, height: number): void {
  const screen = new VideoScreen(pc);
  if (screen.mode.memory !== 'text') return;
  const lines = screen.mode.number <= 7 ? 400 : screen.mode.lines;
  const rows = Math.floor(lines / height);
  const { ports } = screen;
  ports.crtc(0x09, (ports.getCrtc(0x09) & 0xe0) | (height - 1));
  const end = rows * height - 1;
  ports.crtc(0x12, end & 0xff);
  ports.crtc(0x07, (ports.getCrtc(0x07) & ~0x42) | ((end >> 7) & 0x02) | ((end >> 3) & 0x40));
  const first = height >= 14 ? height - 3 : height - 2;
  ports.crtc(0x0a, first);
  ports.crtc(0x0b, height >= 14 ? height - 2 : height - 1);
  pc.guest.write8(Data.rows, rows - 1);
  pc.guest.write16(Data.characterHeight, height);
  pc.guest.write16(Data.pageSize, Math.min(0x8000, rows * screen.columns * 2 + 256));
}

function inGraphics({ al, bl, cx, dl, es, bp }: Frame, pc: Pc): void {
  const { guest } = pc;
  if (al === 0x20) {
    guest.write32(UPPER_VECTOR, pointer(es, bp));
    return;
  }
  const rom = al === 0x22 ? roms[1] : al === 0x23 ? roms[2] : al === 0x24 ? roms[4] : undefined;
  if (rom === undefined && al !== 0x21) return;
  const [segment, offset] = rom === undefined ? [es, bp] : [pc.videoRom, rom[0]];
  const rows = [dl, 14, 25, 43][bl & 3] || 25;
  guest.write32(GRAPHICS_VECTOR, pointer(segment, offset));
  guest.write16(Data.characterHeight, rom?.[1] ?? cx);
  guest.write8(Data.rows, rows - 1);
}

function information(frame: Frame, { guest, videoRom }: Pc): void {
  const upper = guest.read32(UPPER_VECTOR);
  const current = guest.read32(GRAPHICS_VECTOR);
  const rom = (offset: number) => pointer(videoRom, offset);
  const found = [
    upper,
    current,
    rom(Fonts.middle),
    rom(Fonts.low),
    rom(Fonts.low + 128 * 8),
    rom(Fonts.middle),
    rom(Fonts.high),
    rom(Fonts.high),
  ][frame.bh];
  if (found === undefined) return;
  frame.es = found >>> 16;
  frame.bp = found & 0xffff;
  frame.cx = guest.read16(Data.characterHeight);
  frame.dl = guest.read8(Data.rows);
}

export const fonts: BiosFunction = {
  says: ({ al, bh }) =>
    al === 0x30
      ? `where is font ${bh}?`
      : al === 3
        ? 'choose the fonts'
        : al < 0x20
          ? 'load a font'
          : 'a font for graphics',
  gives: () => '',
  run(frame, pc) {
    if (frame.al === 0x30) information(frame, pc);
    else if (frame.al >= 0x20) inGraphics(frame, pc);
    else inText(frame, pc);
  },
};
