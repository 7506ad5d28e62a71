import { Data } from '../../data-area.js';
import { linear } from '../../guest.js';
import type { Pc } from '../../pc.js';
import { Fonts } from '../../rom/rom.js';
import { DisplayPorts } from './display-ports.js';
import { type Mode, modes } from './modes.js';
import { VgaPorts } from './vga-ports.js';

/** Video memory that a mode clears. */
const TEXT_MEMORY = 0x8000;
const GRAPHICS_MEMORY = 0x1_0000;
const BLANK = [0x20, 0x07] as const;

/** Flags: the number of lines of text modes, and that a mode does not change the DAC. */
const Flags = { line400: 0x10, keepColours: 0x08 } as const;

/** Sets a mode as INT 10h AH=00h does. @param clear empties video memory */
export function setMode(pc: Pc, number: number, clear: boolean): void {
  const mode = modes[number];
  if (mode === undefined) return;
  const ports = new VgaPorts(pc.bus);
  new DisplayPorts(pc.bus).off();
  ports.setMode(mode, (pc.guest.read8(Data.videoFlags) & Flags.keepColours) === 0);
  if (mode.memory === 'text') loadFont(pc, Fonts.high, mode.height, 0);
  if (clear) clearMemory(pc, mode);
  noteMode(pc, mode, clear);
}

/** Writes the mode into the data area. */
export function noteMode(pc: Pc, mode: Mode, cleared: boolean): void {
  const { guest, videoRom } = pc;
  const graphics = mode.memory !== 'text';
  guest.write8(Data.mode, mode.number);
  guest.write16(Data.vbeMode, mode.number | (cleared ? 0 : 0x8000));
  guest.write16(Data.columns, mode.columns);
  guest.write16(Data.pageSize, mode.pageSize);
  guest.write16(Data.pageStart, 0);
  for (let page = 0; page < 8; page++) guest.write16(Data.cursors + 2 * page, 0);
  guest.write16(Data.cursorShape, graphics ? 0 : mode.number === 7 ? 0x0d0e : 0x0607);
  guest.write8(Data.page, 0);
  guest.write16(Data.crtc, mode.miscellaneous & 1 ? 0x3d4 : 0x3b4);
  guest.write8(Data.modeControl, graphics ? 0x1e : 0x29);
  guest.write8(Data.palette, mode.number === 6 ? 0x3f : 0x30);
  guest.write8(Data.rows, mode.rows - 1);
  guest.write16(Data.characterHeight, mode.height);
  guest.write8(Data.videoControl, 0x60 | (cleared ? 0 : 0x80));
  guest.write8(Data.videoSwitches, 0xf9);
  guest.write8(Data.videoFlags, (guest.read8(Data.videoFlags) & 0x7f) | 0x41 | Flags.line400);
  guest.write8(Data.displayIndex, 8);
  // Fonts of the graphics modes, by their vectors.
  const font = mode.height === 8 ? Fonts.low : mode.height === 14 ? Fonts.middle : Fonts.high;
  guest.write32(0x43 * 4, ((videoRom << 16) | font) >>> 0);
  guest.write32(0x1f * 4, ((videoRom << 16) | (Fonts.low + 128 * 8)) >>> 0);
}

function clearMemory(pc: Pc, mode: Mode): void {
  const base = linear(mode.segment, 0);
  if (mode.memory === 'text') {
    const cells = new Uint8Array(TEXT_MEMORY);
    for (let at = 0; at < cells.length; at += 2) cells.set(BLANK, at);
    pc.guest.write(base, cells);
  } else pc.guest.write(base, new Uint8Array(mode.segment === 0xb800 ? TEXT_MEMORY : GRAPHICS_MEMORY));
}

/** Copies a font of the ROM into plane 2. @param block 0 to 7 */
export function loadFont(pc: Pc, offset: number, height: number, block: number): void {
  loadGlyphs(pc, linear(pc.videoRom, offset), { first: 0, count: 256, height, block });
}

/** Copies glyphs of guest memory into plane 2. */
export function loadGlyphs(
  pc: Pc,
  from: number,
  { first, count, height, block }: { first: number; count: number; height: number; block: number },
): void {
  const rows = Math.min(height, 32);
  // Four blocks lie 16 KiB apart, the other four between them.
  const base = 0xa0000 + (block & 3) * 0x4000 + (block & 4 ? 0x2000 : 0);
  const glyphs = pc.guest.read(from, Math.min(count, 256) * height);
  const ports = new VgaPorts(pc.bus);
  const restore = ports.openFont();
  for (let i = 0; i < Math.min(count, 256 - first); i++)
    for (let row = 0; row < rows; row++)
      pc.guest.write8(base + (first + i) * 32 + row, glyphs[i * height + row]!);
  restore();
}
