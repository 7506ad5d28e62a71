/** INT 10h AH=00h to 0Fh and 13h: modes, the cursor, characters, pixels. */
import { Data } from '../../data-area.js';
import { linear } from '../../guest.js';
import type { BiosFunction } from '../../pc.js';
import { far, hex } from '../../words.js';
import { modes } from './modes.js';
import { VideoScreen } from './screen.js';
import { setMode } from './set-mode.js';

const KEEP_MEMORY = 0x80;
/** The longest text that one call writes: more than fits on any screen. */
const LONGEST = 0x4000;

/** A character for a trace: itself, or its number. */
export function shown(character: number): string {
  return character > 0x20 && character < 0x7f ? `'${String.fromCharCode(character)}'` : hex(character);
}

const quiet = () => '';

export const textFunctions: Record<number, BiosFunction> = {
  0: {
    says: ({ al }) => `set video mode ${hex(al & 0x7f)}${al & KEEP_MEMORY ? ', keep the screen' : ''}`,
    gives: ({ al }, pc) =>
      modes[pc.guest.read8(Data.mode)] === undefined && al !== 0 ? 'there is none' : '',
    run(frame, pc) {
      const { al } = frame;
      setMode(pc, al & 0x7f, (al & KEEP_MEMORY) === 0);
      // The value that a VGA's BIOS leaves here, as SeaBIOS' vgabios and older ones do.
      frame.al = (al & 0x7f) > 7 ? 0x20 : (al & 0x7f) === 6 ? 0x3f : 0x30;
    },
  },
  1: {
    says: ({ ch, cl }) => (ch & 0x20 ? 'hide the cursor' : `cursor from line ${ch & 0x1f} to ${cl & 0x1f}`),
    gives: quiet,
    run({ ch, cl }, pc) {
      pc.guest.write16(Data.cursorShape, (ch << 8) | cl);
      const screen = new VideoScreen(pc);
      const [first, last] = emulated(ch, cl, screen.height, pc.guest.read8(Data.videoControl));
      screen.ports.crtc(0x0a, first);
      screen.ports.crtc(0x0b, last);
    },
  },
  2: {
    says: ({ dh, dl, bh }) => `cursor to row ${dh}, column ${dl}${bh === 0 ? '' : `, page ${bh}`}`,
    gives: quiet,
    run: ({ dh, dl, bh }, pc) => new VideoScreen(pc).setCursor(bh, dh, dl),
  },
  3: {
    says: 'where is the cursor?',
    gives: ({ dh, dl }) => `row ${dh}, column ${dl}`,
    run(frame, pc) {
      frame.dx = pc.guest.read16(Data.cursors + 2 * (frame.bh & 7));
      frame.cx = pc.guest.read16(Data.cursorShape);
    },
  },
  4: {
    says: 'where is the light pen?',
    gives: () => 'there is none',
    run(frame) {
      frame.ah = 0;
    },
  },
  5: {
    says: ({ al }) => `show page ${al}`,
    gives: quiet,
    run({ al }, pc) {
      const screen = new VideoScreen(pc);
      if (al >= screen.mode.pages) return;
      const start = pc.guest.read16(Data.pageSize) * al;
      pc.guest.write8(Data.page, al);
      pc.guest.write16(Data.pageStart, start);
      // In text the CRTC counts cells, in graphics bytes of a plane.
      screen.ports.crtcWord(0x0c, screen.mode.memory === 'planar' ? start : start >> 1);
      screen.showCursor();
    },
  },
  6: scroller('up', 1),
  7: scroller('down', -1),
  8: {
    says: 'read the character at the cursor',
    gives: ({ al, ah }) => `${shown(al)}, attribute ${hex(ah)}`,
    run(frame, pc) {
      const screen = new VideoScreen(pc);
      const { row, column } = screen.cursor(frame.bh);
      const { character, attribute } = screen.read(frame.bh, row, column);
      frame.ax = (attribute << 8) | character;
    },
  },
  9: writer(true),
  10: writer(false),
  11: {
    says: ({ bh, bl }) => (bh === 0 ? `background ${hex(bl)}` : `palette ${bl}`),
    gives: quiet,
    run({ bh, bl }, pc) {
      const { ports, mode } = new VideoScreen(pc);
      const before = pc.guest.read8(Data.palette);
      if (bh === 0) {
        pc.guest.write8(Data.palette, (before & 0xe0) | (bl & 0x1f));
        ports.attribute(0x11, (bl & 7) | ((bl & 8) << 1));
        if (mode.memory !== 'text') ports.attribute(0, (bl & 7) | ((bl & 8) << 1));
      } else {
        pc.guest.write8(Data.palette, (before & ~0x20) | ((bl & 1) << 5));
        for (let i = 1; i <= 3; i++) ports.attribute(i, (ports.getAttribute(i) & ~1) | (bl & 1));
      }
    },
  },
  12: {
    says: ({ cx, dx, al }) => `pixel ${cx}, ${dx} ← ${hex(al)}`,
    gives: quiet,
    run: ({ cx, dx, al, bh }, pc) => new VideoScreen(pc).writePixel(bh, cx, dx, al),
  },
  13: {
    says: ({ cx, dx }) => `read pixel ${cx}, ${dx}`,
    gives: ({ al }) => hex(al),
    run(frame, pc) {
      frame.al = new VideoScreen(pc).readPixel(frame.bh, frame.cx, frame.dx);
    },
  },
  14: {
    says: ({ al }) => `write ${shown(al)}`,
    gives: quiet,
    run({ al, bl }, pc) {
      const screen = new VideoScreen(pc);
      screen.type(screen.page, al, screen.mode.memory === 'text' ? undefined : bl);
      pc.print(al);
    },
  },
  15: {
    says: 'which video mode?',
    gives: ({ al, ah }) => `${hex(al & 0x7f)}, ${ah} columns`,
    run(frame, pc) {
      const kept = pc.guest.read8(Data.videoControl) & KEEP_MEMORY;
      frame.al = pc.guest.read8(Data.mode) | kept;
      frame.ah = pc.guest.read16(Data.columns);
      frame.bh = pc.guest.read8(Data.page);
    },
  },
  19: {
    says: ({ es, bp, cx, dh, dl }) => `write ${cx} characters of ${far(es, bp)} at row ${dh}, column ${dl}`,
    gives: quiet,
    run({ al, es, bp, cx, dh, dl, bh, bl }, pc) {
      const screen = new VideoScreen(pc);
      const before = screen.cursor(bh);
      const withAttributes = (al & 2) !== 0;
      // Row FFh means the cursor's position.
      if (dh !== 0xff) screen.setCursor(bh, dh, dl);
      let at = linear(es, bp);
      for (let left = Math.min(cx, LONGEST); left > 0; left--) {
        const character = pc.guest.read8(at++);
        const attribute = withAttributes ? pc.guest.read8(at++) : bl;
        screen.type(bh, character, attribute);
        pc.print(character);
      }
      if ((al & 1) === 0) screen.setCursor(bh, before.row, before.column);
    },
  },
};

function scroller(way: string, sign: number): BiosFunction {
  return {
    says: ({ al, ch, cl, dh, dl }) =>
      `${al === 0 ? 'clear' : `scroll ${way} by ${al}`}, rows ${ch} to ${dh}, columns ${cl} to ${dl}`,
    gives: quiet,
    run({ al, bh, ch, cl, dh, dl }, pc) {
      const screen = new VideoScreen(pc);
      screen.scroll(screen.page, { top: ch, left: cl, bottom: dh, right: dl }, sign * al, bh);
    },
  };
}

function writer(withAttribute: boolean): BiosFunction {
  return {
    says: ({ al, cx, bl }) =>
      `write ${shown(al)}${cx === 1 ? '' : ` ${cx} times`}${withAttribute ? `, attribute ${hex(bl)}` : ''}`,
    gives: quiet,
    run({ al, bl, bh, cx }, pc) {
      const screen = new VideoScreen(pc);
      const colour = withAttribute || screen.mode.memory !== 'text' ? bl : undefined;
      let { row, column } = screen.cursor(bh);
      const most = screen.columns * screen.rows;
      for (let left = Math.min(cx, most); left > 0 && row < screen.rows; left--) {
        screen.write(bh, row, column, al, colour);
        if (++column < screen.columns) continue;
        column = 0;
        row++;
      }
    },
  };
}

/** A cursor for characters of 8 lines, which programs have set since the CGA, is scaled to higher characters. */
function emulated(first: number, last: number, height: number, control: number): [number, number] {
  const off = (control & 1) !== 0 || height <= 8 || (first & 0x20) !== 0 || last >= 8;
  if (off) return [first & 0x3f, last & 0x1f];
  const end = Math.floor(((last + 1) * height) / 8) - 1;
  const begin = last === first + 1 ? end - 1 : Math.floor(((first + 1) * height) / 8) - 1;
  return [begin & 0x3f, end & 0x1f];
}
