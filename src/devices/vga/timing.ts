/**
 * The beam's position: blanking and retrace in input status register 1 follow from the clock and the CRTC's
 * totals, as on a real monitor.
 *
 * @module
 */
import { Crtc, type Registers, Sequencer } from './registers.js';

/**
 * Dots per millisecond of the two crystals; the other two selections are external clocks, which do not exist: they
 * count as the first.
 */
const DOT_CLOCKS = [25_175, 28_322, 25_175, 25_175] as const;

export interface Beam {
  /** No picture is being drawn: left or right of it, above or below. */
  blank: boolean;
  /** The beam is on its way back to the top. */
  retrace: boolean;
}

/** Milliseconds of one line and of one picture. */
export function periods(registers: Registers): { line: number; frame: number } {
  const { crtc, sequencer, miscellaneous } = registers;
  const clocking = sequencer[Sequencer.clocking]!;
  const half = clocking & 0x08 ? 2 : 1;
  const overflow = crtc[Crtc.overflow]!;
  const characters = crtc[Crtc.horizontalTotal]! + 5;
  const lines = 2 + (crtc[Crtc.verticalTotal]! | ((overflow & 0x01) << 8) | ((overflow & 0x20) << 4));
  const line = (characters * registers.dots * half) / DOT_CLOCKS[(miscellaneous >> 2) & 3]!;
  return { line, frame: line * lines };
}

/** @param now milliseconds */
export function beamAt(registers: Registers, now: number): Beam {
  const { crtc } = registers;
  const { line, frame } = periods(registers);
  const inFrame = now % frame;
  const row = Math.floor(inFrame / line);
  const column = ((inFrame % line) / line) * (crtc[Crtc.horizontalTotal]! + 5);
  const overflow = crtc[Crtc.overflow]!;
  const start = crtc[Crtc.retraceStart]! | ((overflow & 0x04) << 6) | ((overflow & 0x80) << 2);
  // The end is given by its low four bits: retrace lasts 1 to 16 lines.
  const length = (crtc[Crtc.retraceEnd]! - start) & 15 || 16;
  const retrace = row >= start && row < start + length;
  const blank = row >= registers.lines || column > crtc[Crtc.horizontalDisplayEnd]!;
  return { blank, retrace };
}
