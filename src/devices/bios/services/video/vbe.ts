/**
 * INT 10h AH=4Fh: VBE, for a display adapter with Bochs' interface. Its answers are those of QEMU's video BIOS; the
 * palette (AX=4F09h) and the interface for protected mode (4F0Ah), which that one does not support, follow the standard. Source: VESA BIOS Extension (VBE) Core
 * Functions Standard 3.0.
 *
 * @module
 */

import { Dispi, Enable } from '../../../vga/dispi.js';
import { Data } from '../../data-area.js';
import type { Frame } from '../../frame.js';
import { linear } from '../../guest.js';
import type { BiosFunction, Pc } from '../../pc.js';
import { VbeInterface, VbeTexts, VbeWindow } from '../../rom/rom.js';
import { far, hex } from '../../words.js';
import { DisplayPorts } from './display-ports.js';
import { edid } from './edid.js';
import { moveState, stateBlocks } from './information.js';
import { modes } from './modes.js';
import { setMode } from './set-mode.js';
import { modeInformation, modeNumbers, vbeMode } from './vbe-modes.js';
import { setVbeMode } from './vbe-set-mode.js';
import { VgaPorts } from './vga-ports.js';

/** AX after a call: the function exists (AL), and it succeeded, failed, or is invalid in this mode (AH). */
const Status = { ok: 0x004f, failed: 0x014f, notInThisMode: 0x034f } as const;
const UNSUPPORTED = 0x0100;
const MODE_MASK = 0x01ff;
const Flag = { linear: 0x4000, keep: 0x8000 } as const;
const SIGNATURE = 0x4153_4556;
const VERSION = 0x0300;
/** The offset of the list of modes in the information block. */
const LIST = 0x22;
const WIDE_COLOURS = 1;
/** Bytes of the display interface's registers in a saved state. */
const INTERFACE_REGISTERS = [1, 2, 3, 4, 5, 6, 8, 9];

interface Call {
  says: string | ((frame: Frame) => string);
  run(frame: Frame, pc: Pc, display: DisplayPorts): number;
}

/** 4F10: version 3.0, and all four states. */
const POWER_STATES = 0x0f30;
/** 4F15: a block takes a second, by DDC1 and DDC2. */
const DDC = 0x0103;

const calls: Readonly<Record<number, Call>> = {
  0: {
    says: ({ es, di }) => `which display adapter is it? → ${far(es, di)}`,
    run({ es, di }, { guest, videoRom }, display) {
      const at = linear(es, di);
      const texts = ((videoRom << 16) | VbeTexts) >>> 0;
      guest.write32(at, SIGNATURE);
      guest.write16(at + 4, VERSION);
      guest.write32(at + 6, texts);
      guest.write32(at + 10, WIDE_COLOURS);
      guest.write16(at + 14, di + LIST);
      guest.write16(at + 16, es);
      guest.write16(at + 18, display.memory >> 16);
      guest.write16(at + 20, 0);
      for (const pointer of [22, 26, 30]) guest.write32(at + pointer, texts);
      for (const [i, mode] of [...modeNumbers, 0xffff].entries()) guest.write16(at + LIST + 2 * i, mode);
      return Status.ok;
    },
  },
  1: {
    says: ({ cx, es, di }) => `what is mode ${hex(cx & MODE_MASK)}? → ${far(es, di)}`,
    run({ cx, es, di }, { guest, videoRom }, display) {
      const { memory, frameBuffer } = display;
      const windowProcedure = ((videoRom << 16) | VbeWindow) >>> 0;
      const block = modeInformation(cx & MODE_MASK, { memory, frameBuffer, windowProcedure });
      if (block === undefined) return Status.failed;
      guest.write(linear(es, di), block);
      return Status.ok;
    },
  },
  2: {
    says: ({ bx }) => {
      const mode = vbeMode(bx & MODE_MASK);
      const size = mode === undefined ? '' : `: ${mode.width} × ${mode.height} × ${mode.bits}`;
      return `set mode ${hex(bx & MODE_MASK)}${size}${bx & Flag.linear ? ', linear' : ''}`;
    },
    run({ bx }, pc, display) {
      const number = bx & MODE_MASK;
      const mode = vbeMode(number);
      const clear = (bx & Flag.keep) === 0;
      if (mode !== undefined) setVbeMode(pc, display, mode, (bx & Flag.linear) !== 0, clear);
      else if (modes[number] !== undefined) setMode(pc, number, clear);
      else return Status.failed;
      pc.guest.write16(Data.vbeMode, bx);
      return Status.ok;
    },
  },
  3: {
    says: 'which mode?',
    run(frame, { guest }) {
      frame.bx = guest.read16(Data.vbeMode);
      return Status.ok;
    },
  },
  4: {
    says: ({ dl }) => ['how much is the state?', 'save the state', 'restore the state'][dl] ?? 'state',
    run: moveWholeState,
  },
  5: {
    says: ({ bh, bl, dx }) => (bh === 0 ? `window ${bl} to bank ${dx}` : `where is window ${bl}?`),
    run(frame, { guest }, display) {
      const { bh, bl, dx } = frame;
      // A linear mode has no window: the one status whose AL is not 4Fh, as in QEMU's.
      if (guest.read16(Data.vbeMode) & Flag.linear) return 0x0305;
      if (!display.on || bl !== 0 || bh > 1) return Status.failed;
      if (bh === 1) {
        frame.dx = display.get(Dispi.bank);
        return Status.ok;
      }
      display.set(Dispi.bank, dx);
      return display.get(Dispi.bank) === dx ? Status.ok : Status.failed;
    },
  },
  6: {
    says: ({ bl, cx }) =>
      bl === 1 ? 'how long is a line?' : `a line of ${cx} ${bl === 2 ? 'bytes' : 'pixels'}`,
    run: lineLength,
  },
  7: {
    says: ({ bl, cx, dx }) =>
      bl === 1 ? 'where does the picture start?' : `start the picture at ${cx}, ${dx}`,
    run(frame, _pc, display) {
      switch (frame.bl) {
        case 0x80:
        case 0x00:
          display.set(Dispi.x, frame.cx);
          display.set(Dispi.y, frame.dx);
          return Status.ok;
        case 1:
          frame.bh = 0;
          frame.cx = display.on ? display.get(Dispi.x) : 0;
          frame.dx = display.on ? display.get(Dispi.y) : 0;
          return Status.ok;
        default:
          return Status.failed;
      }
    },
  },
  8: {
    says: ({ bl, bh }) => (bl === 1 ? 'how many bits has a colour?' : `colours of ${bh} bits`),
    run: colourBits,
  },
  9: {
    says: ({ bl, cx, dx }) => `${bl === 1 ? 'read' : 'set'} ${cx} colours from ${dx}`,
    run: palette,
  },
  10: {
    says: 'where is the interface for protected mode?',
    run(frame, { videoRom }) {
      if (frame.bl !== 0) return Status.failed;
      frame.es = videoRom;
      frame.di = VbeInterface.offset;
      frame.cx = VbeInterface.length;
      return Status.ok;
    },
  },
  16: {
    says: ({ bl, bh }) =>
      bl === 0 ? 'which power states?' : bl === 1 ? `power state ${bh}` : 'which power state is it in?',
    run(frame, { guest }) {
      const { bl, bh } = frame;
      if (bl > 2) return Status.failed;
      // DPMS 1.0: standby, suspend, off, reduced. The screen shows its picture in all of them.
      if (bl === 0) frame.bx = POWER_STATES;
      else if (bl === 1) guest.write8(Data.vbePower, bh);
      else frame.bh = guest.read8(Data.vbePower);
      return Status.ok;
    },
  },
  21: {
    says: ({ bl, es, di }) => (bl === 1 ? `what is the screen? → ${far(es, di)}` : 'can the screen tell?'),
    run(frame, { guest }) {
      const { bl, cx, dx, es, di } = frame;
      if (bl === 0) {
        frame.bx = DDC;
        return Status.ok;
      }
      // There is one screen, and its first block is complete.
      if (bl !== 1 || cx !== 0 || dx !== 0) return Status.failed;
      guest.write(linear(es, di), edid());
      return Status.ok;
    },
  },
};

function lineLength(frame: Frame, { guest }: Pc, display: DisplayPorts): number {
  const { bl } = frame;
  if (bl > 2) return Status.failed;
  if (!display.on) {
    const columns = guest.read16(Data.columns);
    frame.bx = columns * 2;
    frame.cx = columns;
    frame.dx = Math.floor(display.memory / (columns * 2 || 1));
    return Status.ok;
  }
  const bits = display.get(Dispi.bits);
  const stored = bits === 15 ? 16 : bits;
  // Bytes are those of one plane where there are planes.
  const perByte = bits === 4 ? 1 : stored;
  if (bl === 0) display.set(Dispi.virtualWidth, frame.cx);
  if (bl === 2) display.set(Dispi.virtualWidth, Math.floor((frame.cx * 8) / perByte));
  const width = display.get(Dispi.virtualWidth);
  frame.bx = Math.floor((width * perByte) / 8);
  frame.cx = width;
  frame.dx = display.get(Dispi.virtualHeight);
  return Status.ok;
}

/** AX=4F08h: 6 or 8 bits of red, green and blue. */
function colourBits(frame: Frame, _pc: Pc, display: DisplayPorts): number {
  if (!display.on) return Status.failed;
  if (display.get(Dispi.bits) > 8) return Status.notInThisMode;
  const enable = display.get(Dispi.enable);
  if (frame.bl === 1) {
    frame.bx = (enable & Enable.wideColours ? 0x0800 : 0x0600) | frame.bl;
    return Status.ok;
  }
  if (frame.bl !== 0 || (frame.bh !== 6 && frame.bh !== 8)) return Status.failed;
  const other = enable & ~Enable.wideColours;
  display.set(Dispi.enable, frame.bh === 8 ? other | Enable.wideColours : other);
  return Status.ok;
}

/** AX=4F09h: blue, green, red and an unused byte for each colour. */
function palette(frame: Frame, { guest, bus }: Pc): number {
  const { bl, cx, dx, es, di } = frame;
  const reads = bl === 1;
  if ((bl !== 0 && bl !== 0x80 && !reads) || dx > 0xff || dx + cx > 0x100) return Status.failed;
  const ports = new VgaPorts(bus);
  for (let i = 0; i < cx; i++) {
    const at = linear(es, di) + 4 * i;
    if (reads) {
      const [red, green, blue] = ports.getColour(dx + i);
      guest.write32(at, (red << 16) | (green << 8) | blue);
    } else {
      const colour = guest.read32(at);
      ports.wideColour(dx + i, (colour >> 16) & 0xff, (colour >> 8) & 0xff, colour & 0xff);
    }
  }
  return Status.ok;
}

/** AX=4F04h: the state that INT 10h AH=1Ch saves, and the display interface's registers after it. */
function moveWholeState(frame: Frame, pc: Pc, display: DisplayPorts): number {
  const { dl, cx, es, bx } = frame;
  if (dl > 2) return Status.failed;
  const blocks = stateBlocks(cx);
  const wantsInterface = (cx & 8) !== 0;
  if (dl === 0) {
    frame.bx = blocks + (wantsInterface ? 1 : 0);
    return Status.ok;
  }
  const at = linear(es, bx) + 64 * blocks;
  const { guest } = pc;
  if (dl === 1) {
    moveState(pc, linear(es, bx), cx, false);
    if (!wantsInterface) return Status.ok;
    for (const [i, register] of INTERFACE_REGISTERS.entries())
      guest.write16(at + 2 * i, display.get(register));
    guest.write16(at + 2 * INTERFACE_REGISTERS.length, guest.read16(Data.vbeMode));
    return Status.ok;
  }
  if (wantsInterface) {
    const values = INTERFACE_REGISTERS.map((_, i) => guest.read16(at + 2 * i));
    const enable = values[INTERFACE_REGISTERS.indexOf(Dispi.enable)]!;
    display.off();
    for (const [i, register] of INTERFACE_REGISTERS.entries())
      if (register < Dispi.enable) display.set(register, values[i]!);
    display.set(Dispi.enable, enable === 0 ? 0 : enable | Enable.keepMemory);
    for (const [i, register] of INTERFACE_REGISTERS.entries())
      if (register > Dispi.enable) display.set(register, values[i]!);
    display.set(Dispi.enable, enable);
    guest.write16(Data.vbeMode, guest.read16(at + 2 * INTERFACE_REGISTERS.length));
  }
  moveState(pc, linear(es, bx), cx, true);
  return Status.ok;
}

const name = (al: number) => `VBE ${hex(0x4f00 | al, 4)}`;

export const vbe: BiosFunction = {
  says: (frame) => {
    const call = calls[frame.al];
    if (call === undefined) return name(frame.al);
    return `${name(frame.al)}: ${typeof call.says === 'string' ? call.says : call.says(frame)}`;
  },
  gives: ({ ax, bx }) =>
    ax === Status.ok
      ? bx === 0
        ? 'ok'
        : `ok, BX=${hex(bx, 4)}`
      : ax === UNSUPPORTED
        ? 'there is no such function'
        : 'no',
  run(frame, pc) {
    const display = new DisplayPorts(pc.bus);
    const call = calls[frame.al];
    frame.ax = call === undefined || !display.isThere ? UNSUPPORTED : call.run(frame, pc, display);
  },
};
