/**
 * The layout of the x87 and SSE registers in an FXSAVE area, and of XSAVE's part after it.
 *
 * @module
 */

/** Offsets in an FXSAVE area (SDM 1 table 10-2). The x87 registers lie in the order of the stack, ST(0) first. */
export const Fxsave = {
  /** Bytes of the area. */
  size: 512,
  FCW: 0,
  FSW: 2,
  /** A bit a register, set where it is not empty; R0 first. */
  FTW: 4,
  FOP: 6,
  /** With REX.W, FIP and FDP take 8 bytes; without it FCS and FDS lie in their upper halves. */
  FIP: 8,
  FCS: 12,
  FDP: 16,
  FDS: 20,
  MXCSR: 24,
  /** The bits that MXCSR can have: the processor's own, not state. */
  MXCSR_MASK: 28,
  /** ST(0) to ST(7) or MM0 to MM7, 16 bytes each. */
  ST: 32,
  /** XMM0 to XMM15, 16 bytes each. */
  XMM: 160,
  /** From this offset on the area has no state. */
  end: 416,
} as const;

/** The XSAVE header, which follows the FXSAVE area, begins with the components in use (SDM 1 13.4.2). */
export const XSTATE_BV = 512;

/** XCR0, and the components of XSTATE_BV (SDM 1 13.1, 13.3). */
export const XCR0 = {
  X87: 1n << 0n,
  SSE: 1n << 1n,
  /** The upper halves of the YMM registers. */
  AVX: 1n << 2n,
} as const;
