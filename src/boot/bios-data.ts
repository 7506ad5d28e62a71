/**
 * The content that a PC's firmware leaves in low memory: the interrupt vector table of real mode, and the BIOS data area.
 * Source: Ralf Brown's interrupt list, MEMORY.LST (segment 0040h); IBM PC/AT Technical Reference, BIOS listing.
 *
 * @module
 */
import type { GuestMemory } from '../memory/index.js';
import { UNSERVED } from '../x86/index.js';
import type { ImageSegment } from './image.js';
import type { BootMode } from './modes.js';

/** The vectors, and after them the data area. */
const VECTORS_SIZE = 0x400;
const DATA_END = 0x500;
/** Where conventional memory ends, and the extended data area below it that a BIOS takes 1 KiB for. */
const CONVENTIONAL_END = 0xa_0000;
const EXTENDED_DATA = 0x9_fc00;
const HLT = 0xf4;

/**
 * Writes the vectors (in real mode) and the data area where RAM is and the image is not. A guest at the very bottom of memory, as a flat
 * image is by default, has all of it for itself. After a reset no firmware has run yet.
 */
export function writeBiosData(memory: GuestMemory, mode: BootMode, image: readonly ImageSegment[]): void {
  if (mode === 'reset' || !isFree(memory, image, 0, DATA_END)) return;
  if (mode === 'real') writeVectors(memory, image);
  const ram = memory.find(0)!.size;
  const data = memory.view(VECTORS_SIZE, DATA_END - VECTORS_SIZE);
  data.set(dataArea(ram));
  // The extended area's first byte is its size in KiB.
  if (ram >= CONVENTIONAL_END && isFree(memory, image, EXTENDED_DATA, 1024)) memory.write8(EXTENDED_DATA, 1);
}

function writeVectors(memory: GuestMemory, image: readonly ImageSegment[]): void {
  const { segment, offset } = UNSERVED;
  const vectors = new Uint32Array(VECTORS_SIZE / 4).map(
    (_, vector) => ((segment << 16) | (offset + vector)) >>> 0,
  );
  memory.writeBytes(0, new Uint8Array(vectors.buffer));
  const at = segment * 16 + offset;
  if (isFree(memory, image, at, 256)) memory.writeBytes(at, new Uint8Array(256).fill(HLT));
}

function isFree(memory: GuestMemory, image: readonly ImageSegment[], at: number, size: number): boolean {
  const region = memory.find(at);
  if (region === undefined || region.readOnly || !memory.contains(at, size)) return false;
  return !image.some(({ address, memorySize }) => at < address + memorySize && address < at + size);
}

/** The data area of a PC with a serial port, a keyboard and a VGA in text mode 3. */
function dataArea(ram: number): Uint8Array {
  const area = new Uint8Array(DATA_END - VECTORS_SIZE);
  const view = new DataView(area.buffer);
  const word = (at: number, value: number) => view.setUint16(at, value, true);
  const hasExtended = ram >= CONVENTIONAL_END;
  word(0x00, 0x3f8); // COM1
  word(0x0e, hasExtended ? EXTENDED_DATA >> 4 : 0); // segment of the extended data area
  word(0x10, 0x0222); // equipment: x87, 80 × 25 characters in colour, one serial port
  word(0x13, Math.min(ram, hasExtended ? EXTENDED_DATA : CONVENTIONAL_END) >> 10); // KiB of conventional memory
  word(0x1a, 0x1e); // keyboard buffer: head, tail, start, end
  word(0x1c, 0x1e);
  word(0x80, 0x1e);
  word(0x82, 0x3e);
  area[0x49] = 3; // video mode
  word(0x4a, 80); // columns
  word(0x4c, 0x1000); // bytes of a page
  word(0x60, 0x0d0e); // the cursor's first and last line
  word(0x63, 0x3d4); // the CRT controller's port
  area[0x84] = 24; // rows less one
  word(0x85, 16); // lines of a character
  return area;
}
