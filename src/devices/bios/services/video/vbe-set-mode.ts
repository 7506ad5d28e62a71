/** Sets a mode of VBE: the VGA as for its nearest mode, then the display interface. */

import { Dispi, Enable } from '../../../vga/dispi.js';
import { Data } from '../../data-area.js';
import type { Pc } from '../../pc.js';
import { coloursOf } from './colours.js';
import type { DisplayPorts } from './display-ports.js';
import { type Mode, modes } from './modes.js';
import { noteMode } from './set-mode.js';
import { pitchOf, type VbeMode, vbeMode } from './vbe-modes.js';
import { VgaPorts } from './vga-ports.js';

/** The data area's mode number for a display adapter's mode. */
export const VBE_MODE = 0xff;
const PAGE_UNIT = 0x2000;
/** Lines of a character, in all of these modes. */
const CELL = 16;

/**
 * The mode's description for drawing text and pixels. @param frameBuffer where its pixels are @param pitch bytes of a
 * line
 */
export function drawnMode(mode: VbeMode, frameBuffer: number, pitch: number): Mode {
  const { width, height, bits } = mode;
  const base = bits === 4 ? modes[0x12]! : modes[0x13]!;
  return {
    ...base,
    number: VBE_MODE,
    memory: bits === 4 ? 'planar' : bits === 8 ? 'linear' : 'direct',
    columns: width / 8,
    rows: Math.floor(height / CELL),
    height: CELL,
    width,
    lines: height,
    segment: bits === 4 ? 0xa000 : frameBuffer / 16,
    pageSize: (Math.ceil((width * height) / 8 / PAGE_UNIT) * PAGE_UNIT) & 0xffff,
    pages: 1,
    bits,
    pitch,
  };
}

export function setVbeMode(
  pc: Pc,
  display: DisplayPorts,
  mode: VbeMode,
  linear: boolean,
  clear: boolean,
): void {
  const ports = new VgaPorts(pc.bus);
  const drawn = drawnMode(mode, display.frameBuffer, pitchOf(mode));
  display.off();
  ports.setMode(drawn, (pc.guest.read8(Data.videoFlags) & 0x08) === 0);
  if (mode.bits === 4) ports.setColours(coloursOf('ega'));
  for (const [register, value] of [
    [Dispi.width, mode.width],
    [Dispi.height, mode.height],
    [Dispi.bits, mode.bits],
    [Dispi.bank, 0],
    [Dispi.enable, Enable.on | (linear ? Enable.linear : 0) | (clear ? 0 : Enable.keepMemory)],
  ] as const)
    display.set(register, value);
  noteMode(pc, drawn, clear);
}

/** The mode of a display adapter that is on, as the data area and the interface have it; undefined where it is off or unknown. */
export function presentVbeMode(pc: Pc, display: DisplayPorts): Mode | undefined {
  const mode = vbeMode(pc.guest.read16(Data.vbeMode) & 0x1ff);
  if (mode === undefined || !display.isThere || !display.on) return undefined;
  const bytes = mode.bits === 4 ? 0 : Math.ceil(mode.bits / 8);
  const pitch = bytes === 0 ? mode.width / 8 : display.get(Dispi.virtualWidth) * bytes;
  return drawnMode(mode, display.frameBuffer, pitch);
}
