/**
 * The CRTC's walk through memory: the address of each scan line's beginning, and its number within the row. Scrolling
 * (start address, byte panning, preset row scan) and the split screen (line compare) happen here.
 *
 * @module
 */
import { Attribute, Crtc, type Registers } from './registers.js';

/** The values that are constant for a whole picture. */
export interface Walk {
  /** Characters in a line: 8 or 9 dots each. */
  readonly characters: number;
  /** Rows of pixels. */
  readonly height: number;
  /** Scan lines in a row of pixels: more than 1 where lines are shown twice, which a picture has once. */
  readonly repeat: number;
  /** Scan lines that share their memory addresses: a character's height. */
  readonly rowLines: number;
  readonly start: number;
  /** From one row's address to the next. */
  readonly pitch: number;
  readonly preset: number;
  readonly lineCompare: number;
  /** Dots by which the picture is moved to the left, and whether the part under the split is too. */
  readonly panning: number;
  readonly panBelow: boolean;
}

export function walkOf(registers: Registers): Walk {
  const { crtc, attribute } = registers;
  const scan = crtc[Crtc.maximumScanLine]!;
  const rowLines = (scan & 0x1f) + 1;
  const doubled = scan & 0x80 ? 2 : 1;
  // In graphics a row's lines all show the same memory, unless the row scan is a part of the address (CGA's modes).
  const alike = !registers.isText && (crtc[Crtc.mode]! & 0x03) === 0x03;
  const repeat = doubled * (alike ? rowLines : 1);
  const rowScan = crtc[Crtc.presetRowScan]!;
  return {
    characters: crtc[Crtc.horizontalDisplayEnd]! + 1,
    height: Math.max(1, Math.floor(registers.lines / repeat)),
    repeat,
    rowLines: rowLines * doubled,
    start: ((crtc[Crtc.startHigh]! << 8) | crtc[Crtc.startLow]!) + ((rowScan >> 5) & 3),
    pitch: crtc[Crtc.offset]! * 2,
    preset: (rowScan & 0x1f) * doubled,
    lineCompare: registers.lineCompare,
    panning: attribute[Attribute.panning]!,
    panBelow: (attribute[Attribute.mode]! & 0x20) === 0,
  };
}

/** One line's place: the counter it begins with, the line within its row, and whether it is below the split. */
export interface Line {
  counter: number;
  rowScan: number;
  below: boolean;
}

/** The address of the picture's line `y`. */
export function lineAt(walk: Walk, doubled: boolean, y: number, line: Line): void {
  const scan = y * walk.repeat;
  line.below = scan > walk.lineCompare;
  const inPart = line.below ? scan - walk.lineCompare - 1 : scan + walk.preset;
  line.counter = (line.below ? 0 : walk.start) + Math.floor(inPart / walk.rowLines) * walk.pitch;
  line.rowScan = (inPart % walk.rowLines) >> (doubled ? 1 : 0);
}

/** How the CRTC forms an address from its counter: by bytes, words or doublewords, with bits that wrap around. */
export function addressOf(registers: Registers, counter: number, rowScan: number): number {
  const mode = registers.crtc[Crtc.mode]!;
  let address = counter;
  if (registers.crtc[Crtc.underline]! & 0x40) address = (counter << 2) | ((counter >> 14) & 3);
  else if ((mode & 0x40) === 0) address = (counter << 1) | ((counter >> (mode & 0x20 ? 15 : 13)) & 1);
  // CGA's and Hercules' modes have the row scan in address bits 13 and 14.
  if ((mode & 0x01) === 0) address = (address & ~0x2000) | ((rowScan & 1) << 13);
  if ((mode & 0x02) === 0) address = (address & ~0x4000) | ((rowScan & 2) << 13);
  return address & 0xffff;
}
