/**
 * A screen's description of itself: a block of 128 bytes (VESA E-EDID 1.3, chapter 3), which INT 10h AX=4F15h returns.
 *
 * @module
 */

const SIZE = 128;
const HEADER = [0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0];
/** Three letters of five bits. */
const MAKER = [...'TRM'].reduce((sum, letter) => sum * 32 + letter.charCodeAt(0) - 64, 0);
/** sRGB's primaries and white. */
const COLOURS = [0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54];
/** 720 × 400, 640 × 480, 800 × 600, 1024 × 768 at their usual rates. */
const ESTABLISHED = [0xa1, 0x08, 0];
/** 1280 × 1024, 1600 × 1200, 1920 × 1080 at 60 Hz: width / 8 - 31, and the ratio in bits 7 and 6. */
const STANDARD = [0x81, 0x80, 0xa9, 0x40, 0xd1, 0xc0];
const UNUSED = [1, 1];
/** Millimetres. */
const [ACROSS, DOWN] = [320, 240];

/** 1024 × 768 at 60 Hz (VESA DMT 1.0: 65 MHz, blanking, and where sync is in it). */
function detailedTiming(): number[] {
  const [clock, width, height] = [6500, 1024, 768];
  const [blankX, blankY] = [320, 38];
  const [syncX, lengthX, syncY, lengthY] = [24, 136, 3, 6];
  const high = (a: number, b: number) => ((a >> 8) << 4) | (b >> 8);
  return [
    ...[clock & 0xff, clock >> 8],
    ...[width & 0xff, blankX & 0xff, high(width, blankX)],
    ...[height & 0xff, blankY & 0xff, high(height, blankY)],
    ...[syncX, lengthX, (syncY << 4) | lengthY, 0],
    ...[ACROSS & 0xff, DOWN & 0xff, high(ACROSS, DOWN)],
    ...[0, 0, 0x18],
  ];
}

function descriptor(tag: number, bytes: readonly number[]): number[] {
  const filled = [...bytes, ...new Array<number>(13 - bytes.length).fill(0x20)];
  return [0, 0, 0, tag, 0, ...filled];
}

function make(): Uint8Array {
  const name = [...'Terrarium'].map((letter) => letter.charCodeAt(0));
  const bytes = [
    ...HEADER,
    ...[MAKER >> 8, MAKER & 0xff, 1, 0, 0, 0, 0, 0],
    // Week 1 of 2026; EDID 1.3.
    ...[1, 2026 - 1990, 1, 3],
    // Digital; centimetres; gamma 2.2; colours, and the first timing is preferred.
    ...[0x80, ACROSS / 10, DOWN / 10, 120, 0x0a],
    ...COLOURS,
    ...ESTABLISHED,
    ...STANDARD,
    ...new Array<number[]>(5).fill(UNUSED).flat(),
    ...detailedTiming(),
    ...descriptor(0xfc, [...name, 0x0a]),
    // 50 to 75 Hz, 30 to 90 kHz, 200 MHz.
    ...descriptor(0xfd, [50, 75, 30, 90, 20, 0, 0x0a]),
    ...descriptor(0x10, new Array<number>(13).fill(0)),
    0,
  ];
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  return Uint8Array.from([...bytes, -sum & 0xff]);
}

let made: Uint8Array | undefined;

/** The block; its bytes add up to 0. */
export function edid(): Uint8Array {
  made ??= make();
  if (made.length !== SIZE) throw new RangeError(`a block of ${made.length} bytes`);
  return made;
}
