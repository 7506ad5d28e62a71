/**
 * The modes of VBE, and the answer of INT 10h AX=4F01h for each. Sources: VESA BIOS Extension (VBE) Core Functions Standard 3.0; the modes
 * from 140h on are those of Bochs' and QEMU's video BIOS.
 *
 * @module
 */
import { type Mode, modes } from './modes.js';

/** A mode with more memory than a VGA's. */
export interface VbeMode {
  readonly number: number;
  readonly width: number;
  readonly height: number;
  /** 4 (planes), 8, 15, 16, 24 or 32. */
  readonly bits: number;
}

/** The first mode's number, its size, and the depths of it and those that follow. */
const families: readonly (readonly [first: number, width: number, height: number, ...bits: number[]])[] = [
  [0x100, 640, 400, 8],
  [0x101, 640, 480, 8],
  [0x102, 800, 600, 4, 8],
  [0x104, 1024, 768, 4, 8],
  [0x106, 1280, 1024, 4, 8],
  [0x10d, 320, 200, 15, 16, 24],
  [0x110, 640, 480, 15, 16, 24],
  [0x113, 800, 600, 15, 16, 24],
  [0x116, 1024, 768, 15, 16, 24],
  [0x119, 1280, 1024, 15, 16, 24],
  [0x11c, 1600, 1200, 8, 15, 16, 24],
  [0x140, 320, 200, 32],
  [0x141, 640, 400, 32],
  [0x142, 640, 480, 32],
  [0x143, 800, 600, 32],
  [0x144, 1024, 768, 32],
  [0x145, 1280, 1024, 32],
  [0x146, 320, 200, 8],
  [0x147, 1600, 1200, 32],
  [0x148, 1152, 864, 8, 15, 16, 24, 32],
  [0x175, 1280, 768, 16, 24, 32],
  [0x178, 1280, 800, 16, 24, 32],
  [0x17b, 1280, 960, 16, 24, 32],
  [0x17e, 1440, 900, 16, 24, 32],
  [0x181, 1400, 1050, 16, 24, 32],
  [0x184, 1680, 1050, 16, 24, 32],
  [0x187, 1920, 1200, 16, 24, 32],
  [0x18a, 2560, 1600, 16, 24, 32],
  [0x18d, 1280, 720, 16, 24, 32],
  [0x190, 1920, 1080, 16, 24, 32],
  [0x193, 1600, 900, 16, 24, 32],
  [0x196, 2560, 1440, 16, 24, 32],
  [0x199, 3840, 2160, 16],
];
/** Another name of 102h, older than VBE. */
const FIRST_VESA = 0x6a;

const vbeModes = new Map<number, VbeMode>();
for (const [first, width, height, ...depths] of families)
  for (const [i, bits] of depths.entries())
    vbeModes.set(first + i, { number: first + i, width, height, bits });

const BANK = 0x1_0000;
const WINDOW_KIB = 64;

export function vbeMode(number: number): VbeMode | undefined {
  return vbeModes.get(number === FIRST_VESA ? 0x102 : number);
}

/** Bytes of a line, of one plane where there are planes. */
export function pitchOf({ width, bits }: VbeMode): number {
  return bits === 4 ? width / 8 : width * Math.ceil(bits / 8);
}

/** Every mode, in the order in which the list has them. */
export const modeNumbers: readonly number[] = [
  ...vbeModes.keys(),
  ...Object.keys(modes).map(Number),
  FIRST_VESA,
];

const Model = { text: 0, cga: 1, planar: 3, packed: 4, direct: 6 } as const;
/**
 * It can be set; more information; BIOS output; colour; graphics; not VGA-compatible; a window; a linear frame buffer.
 */
const Attribute = {
  always: 0x03,
  output: 0x04,
  colour: 0x08,
  graphics: 0x10,
  vga: 0x20,
  linear: 0x80,
} as const;

/** Size and position of red, green, blue and the reserved bits. */
const fields: Readonly<Record<number, readonly number[]>> = {
  15: [5, 10, 5, 5, 5, 0, 1, 15],
  16: [5, 11, 6, 5, 5, 0, 0, 0],
  24: [8, 16, 8, 8, 8, 0, 0, 0],
  32: [8, 16, 8, 8, 8, 0, 8, 24],
};

export interface VbePlace {
  /** Bytes of video memory, and where the linear frame buffer is. */
  memory: number;
  frameBuffer: number;
  /** Far pointer to the procedure that moves the window. */
  windowProcedure: number;
}

/** The block of 256 bytes that describes a mode; undefined where there is no such mode. */
export function modeInformation(number: number, place: VbePlace): Uint8Array | undefined {
  const vesa = vbeMode(number);
  const old = modes[number];
  if (vesa === undefined && old === undefined) return undefined;
  const is = vesa === undefined ? ofVga(old!) : ofVesa(vesa);
  const block = new Uint8Array(256);
  const view = new DataView(block.buffer);
  const linear = is.model === Model.packed || is.model === Model.direct;
  view.setUint16(
    0,
    Attribute.always |
      (old?.colours === 'mono' && is.model === Model.text ? 0 : Attribute.colour) |
      (is.model === Model.text ? Attribute.output : Attribute.graphics) |
      Attribute.vga |
      (linear ? Attribute.linear : 0),
    true,
  );
  block[2] = 7;
  view.setUint16(4, WINDOW_KIB, true);
  view.setUint16(6, WINDOW_KIB, true);
  view.setUint16(8, is.segment, true);
  view.setUint32(12, place.windowProcedure, true);
  view.setUint16(16, is.pitch, true);
  view.setUint16(18, is.width, true);
  view.setUint16(20, is.height, true);
  block.set(
    [is.cell[0], is.cell[1], is.planes, is.bits, is.banks, is.model, is.bankKib, is.pages(place), 1],
    22,
  );
  const direct = fields[is.bits];
  if (is.model === Model.direct && direct !== undefined) {
    block.set(direct, 31);
    // The reserved bits can be used.
    block[39] = is.bits === 32 ? 2 : 0;
    block.set(direct, 54);
  }
  if (linear) {
    view.setUint32(40, place.frameBuffer, true);
    view.setUint16(50, is.pitch, true);
  }
  return block;
}

interface Described {
  segment: number;
  pitch: number;
  width: number;
  height: number;
  cell: readonly [number, number];
  planes: number;
  bits: number;
  banks: number;
  model: number;
  bankKib: number;
  /** Pages after the first one. */
  pages(place: VbePlace): number;
}

/**
 * How many more pictures video memory holds, each from the start of a bank on. QEMU's reports 1 where there is none.
 */
const more = (bytes: number) => (place: VbePlace) =>
  Math.min(Math.max(Math.floor(place.memory / (Math.ceil(bytes / BANK) * BANK)) - 1, 1), 127);

function ofVesa(mode: VbeMode): Described {
  const { width, height, bits } = mode;
  const pitch = pitchOf(mode);
  const planes = bits === 4 ? 4 : 1;
  return {
    segment: 0xa000,
    pitch,
    width,
    height,
    cell: [8, 16],
    planes,
    bits,
    banks: 1,
    model: bits === 4 ? Model.planar : bits === 8 ? Model.packed : Model.direct,
    bankKib: 0,
    pages: (place) => more(Math.ceil((pitch * height) / BANK) * BANK * planes)(place),
  };
}

function ofVga(mode: Mode): Described {
  const { memory, segment, width, lines, columns, rows, height } = mode;
  const one = () => 1;
  const shared = {
    segment,
    width,
    height: lines,
    cell: [8, height] as const,
    banks: 1,
    bankKib: 0,
    planes: 1,
  };
  switch (memory) {
    case 'text':
      return {
        ...shared,
        pitch: columns * 2,
        width: columns,
        height: rows,
        cell: [9, height],
        bits: 4,
        model: Model.text,
        pages: one,
      };
    case 'planar':
      return {
        ...shared,
        pitch: width / 8,
        planes: 4,
        bits: mode.number === 15 || mode.number === 17 ? 1 : 4,
        model: Model.planar,
        pages: more(4 * BANK),
      };
    case 'linear':
    case 'direct':
      return { ...shared, pitch: width, bits: 8, model: Model.packed, pages: more(BANK) };
    default:
      return {
        ...shared,
        pitch: 80,
        bits: memory === 'cga4' ? 2 : 1,
        banks: 2,
        bankKib: 8,
        model: Model.cga,
        pages: one,
      };
  }
}
