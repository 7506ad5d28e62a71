/** INT 10h AH=12h, 1Ah, 1Bh, 1Ch: the adapter's kind and its configuration. */
import { Data } from '../../data-area.js';
import { linear } from '../../guest.js';
import type { BiosFunction, Pc } from '../../pc.js';
import { VideoScreen } from './screen.js';

const SUPPORTED = 0x12;
/** A VGA with a colour display (RBIL, table 00039). */
const VGA_COLOUR = 8;

export const alternate: BiosFunction = {
  says: ({ bl }) => (bl === 0x10 ? 'what is the adapter like?' : 'settings of the adapter'),
  gives: () => '',
  run(frame, pc) {
    const { bl, al } = frame;
    const { guest } = pc;
    const flag = (at: number, bit: number, on: boolean) => {
      const before = guest.read8(at);
      guest.write8(at, on ? before | bit : before & ~bit);
      frame.al = SUPPORTED;
    };
    switch (bl) {
      case 0x10:
        // Colour, 256 KiB; the feature bits and switches of an EGA.
        frame.bx = 0x0003;
        frame.cx = 0x0009;
        break;
      case 0x30: {
        // Lines of text modes: 200, 350, 400.
        const bits = [0x80, 0x00, 0x10][al];
        if (bits === undefined) return;
        guest.write8(Data.videoFlags, (guest.read8(Data.videoFlags) & ~0x90) | bits);
        frame.al = SUPPORTED;
        break;
      }
      case 0x31:
        flag(Data.videoFlags, 0x08, al === 1);
        break;
      case 0x32:
        pc.bus.out(0x3c2, 1, (pc.bus.in(0x3cc, 1) & ~2) | (al === 0 ? 2 : 0));
        frame.al = SUPPORTED;
        break;
      case 0x33:
        flag(Data.videoFlags, 0x02, al === 0);
        break;
      case 0x34:
        flag(Data.videoControl, 0x01, al === 1);
        break;
      case 0x36: {
        const { ports } = new VideoScreen(pc);
        const clocking = ports.get(0x3c4, 1);
        ports.sequencer(1, al === 1 ? clocking | 0x20 : clocking & ~0x20);
        frame.al = SUPPORTED;
        break;
      }
    }
  },
};

export const display: BiosFunction = {
  says: ({ al }) => (al === 0 ? 'which display adapter?' : 'set the display adapter'),
  gives: ({ bl }) => (bl === VGA_COLOUR ? 'a VGA in colour' : ''),
  run(frame, pc) {
    if (frame.al === 0) frame.bx = pc.guest.read8(Data.displayIndex);
    else if (frame.al === 1) pc.guest.write8(Data.displayIndex, frame.bl);
    else return;
    frame.al = 0x1a;
  },
};

const STATE_SIZE = 64;
/**
 * The static table that the state points to is after the stops of unhandled interrupts: the available modes, and so on.
 */
export const STATIC_TABLE = 0xb100;

/** The content of the static functionality table (RBIL, table 00041). */
export function staticTable(): Uint8Array {
  const table = new Uint8Array(16);
  // Modes 00h to 07h, 0Dh to 0Fh, 10h to 13h; all counts of lines; 8 blocks of fonts, 2 at a time; functions.
  table.set([0xff, 0xe0, 0x0f, 0, 0, 0, 0, 0x07, 2, 8, 0xff, 0x0e]);
  return table;
}

export const state: BiosFunction = {
  says: 'all that is known of the display',
  gives: () => '',
  run(frame, pc) {
    if (frame.bx !== 0) return;
    const { guest } = pc;
    const at = linear(frame.es, frame.di);
    guest.write(at, new Uint8Array(STATE_SIZE));
    guest.write16(at, STATIC_TABLE);
    guest.write16(at + 2, pc.videoRom);
    guest.write(at + 4, guest.read(Data.mode, 30));
    guest.write8(at + 0x22, guest.read8(Data.rows) + 1);
    guest.write16(at + 0x23, guest.read16(Data.characterHeight));
    guest.write8(at + 0x25, guest.read8(Data.displayIndex));
    const { mode } = new VideoScreen(pc);
    guest.write16(at + 0x27, mode.memory === 'linear' ? 256 : mode.memory === 'cga2' ? 2 : 16);
    guest.write8(at + 0x29, mode.pages);
    // Lines: 0 is 200, 1 is 350, 2 is 400, 3 is 480.
    guest.write8(at + 0x2a, [200, 350, 400, 480].indexOf(mode.lines));
    guest.write8(at + 0x2d, 0x21);
    guest.write8(at + 0x31, 3);
    frame.al = 0x1b;
  },
};

/** Bytes of a saved state: registers, the data area, and colours, in blocks of 64. */
const SAVED = { registers: 0x46, data: 0x2a, colours: 3 + 768 } as const;

export const saveState: BiosFunction = {
  says: ({ al }) =>
    ['how much is the display’s state?', 'save the display’s state', 'restore it'][al] ?? 'state',
  gives: () => '',
  run(frame, pc) {
    const { al, cx } = frame;
    if (al > 2) return;
    if (al === 0) frame.bx = stateBlocks(cx);
    else moveState(pc, linear(frame.es, frame.bx), cx, al === 2);
    frame.al = 0x1c;
  },
};

/** How many blocks of 64 bytes a state takes. @param what bits 0 to 2: registers, data area, colours */
export function stateBlocks(what: number): number {
  const wanted = [what & 1 ? SAVED.registers : 0, what & 2 ? SAVED.data : 0, what & 4 ? SAVED.colours : 0];
  return Math.ceil(wanted.reduce((sum, part) => sum + part, 0) / 64);
}

/** Saves to guest memory, or restores from there. */
export function moveState(pc: Pc, to: number, what: number, restore: boolean): void {
  const { guest } = pc;
  const { ports } = new VideoScreen(pc);
  let at = to;
  const each = (port: number, count: number) => {
    for (let i = 0; i < count; i++, at++)
      if (restore) ports.set(port, i, guest.read8(at));
      else guest.write8(at, ports.get(port, i));
  };
  if (what & 1) {
    if (restore) pc.bus.out(0x3c2, 1, guest.read8(at));
    else guest.write8(at, pc.bus.in(0x3cc, 1));
    at++;
    each(0x3c4, 5);
    if (restore) ports.crtc(0x11, 0);
    each(ports.crtcPort, 25);
    each(0x3ce, 9);
    for (let i = 0; i < 21; i++, at++)
      if (restore) ports.attribute(i, guest.read8(at));
      else guest.write8(at, ports.getAttribute(i));
    at = to + SAVED.registers;
  }
  if (what & 2) {
    const parts: [address: number, length: number][] = [
      [Data.mode, 0x1e],
      [Data.rows, 7],
      [Data.videoTables, 4],
    ];
    for (const [from, length] of parts) {
      if (restore) guest.write(from, guest.read(at, length));
      else guest.write(at, guest.read(from, length));
      at += length;
    }
    at = to + (what & 1 ? SAVED.registers : 0) + SAVED.data;
  }
  if (what & 4) {
    if (restore) pc.bus.out(0x3c6, 1, guest.read8(at));
    else guest.write8(at, pc.bus.in(0x3c6, 1));
    for (let i = 0; i < 256; i++) {
      const place = at + 3 + i * 3;
      if (restore) ports.colour(i, guest.read8(place), guest.read8(place + 1), guest.read8(place + 2));
      else guest.write(place, Uint8Array.from(ports.getColour(i)));
    }
  }
}
