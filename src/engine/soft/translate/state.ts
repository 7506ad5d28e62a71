/**
 * The words at constant addresses that are known while an operation is translated: its own record, and words that
 * follow from the CPU's mode.
 *
 * @module
 */
import * as L from '../layout.js';
import type { Plain } from './numeric.js';

/** An access of a load or store instruction. */
export interface Access {
  bytes: number;
  signed: boolean;
  long: boolean;
}

const loads: Record<number, Access> = {
  40: { bytes: 4, signed: false, long: false },
  41: { bytes: 8, signed: false, long: true },
  44: { bytes: 1, signed: true, long: false },
  45: { bytes: 1, signed: false, long: false },
  46: { bytes: 2, signed: true, long: false },
  47: { bytes: 2, signed: false, long: false },
  48: { bytes: 1, signed: true, long: true },
  49: { bytes: 1, signed: false, long: true },
  50: { bytes: 2, signed: true, long: true },
  51: { bytes: 2, signed: false, long: true },
  52: { bytes: 4, signed: true, long: true },
  53: { bytes: 4, signed: false, long: true },
  54: { bytes: 4, signed: false, long: false },
  55: { bytes: 8, signed: false, long: true },
  58: { bytes: 1, signed: false, long: false },
  59: { bytes: 2, signed: false, long: false },
  60: { bytes: 1, signed: false, long: true },
  61: { bytes: 2, signed: false, long: true },
  62: { bytes: 4, signed: false, long: true },
};

/** Undefined for floating-point accesses. */
export function accessOf(opcode: number): Access | undefined {
  return loads[opcode];
}

export function isStore(opcode: number): boolean {
  return opcode >= 0x36;
}

/** The result of a load, from the current memory. */
export function readNow(view: DataView, address: number, { bytes, signed, long }: Access): Plain {
  if (bytes === 8) return view.getBigInt64(address, true);
  let value: number;
  if (bytes === 4) value = view.getInt32(address, true);
  else if (bytes === 2) value = signed ? view.getInt16(address, true) : view.getUint16(address, true);
  else value = signed ? view.getInt8(address) : view.getUint8(address);
  if (!long) return value;
  return BigInt(bytes === 4 && !signed ? value >>> 0 : value);
}

const FOUR_GIB = 0x1_0000_0000n;
const isPlain = (segment: number) =>
  segment === L.SEG_ES || segment === L.SEG_CS || segment === L.SEG_SS || segment === L.SEG_DS;

/** The value of a word in a mode: 64-bit code, or flat 32-bit code. */
export function knownByMode(address: number, mode: number): Plain | undefined {
  const long = (mode & L.MODE_CODE64) !== 0;
  const flat = long || (mode & L.MODE_FLAT) !== 0;
  switch (address) {
    case L.MODE:
      return mode;
    // A failing operation is left before it sets this.
    case L.TROUBLE:
      return 0;
    case L.NEAR_IS_WITHIN:
      return flat ? 1 : 0;
    case L.REGS + L.REG_ZERO:
      return 0n;
    case L.LINEAR_MASK:
      return long ? -1n : FOUR_GIB - 1n;
    case L.STACK_MASK:
      return long ? -1n : flat ? FOUR_GIB - 1n : undefined;
  }
  if (!flat) return undefined;
  const at = address - L.SEGMENTS;
  if (at < 0 || at >= 6 * L.SEGMENT_SIZE) return undefined;
  const segment = Math.floor(at / L.SEGMENT_SIZE);
  const word = at % L.SEGMENT_SIZE;
  if (word === L.SEG_LINEAR && isPlain(segment)) return 0n;
  if (word === L.SEG_READABLE || word === L.SEG_WRITABLE) {
    // An access beyond 4 GiB crosses a page: the TLB has no entry for it.
    if (long || (isPlain(segment) && segment !== L.SEG_CS)) return -1n;
  }
  return undefined;
}

/** Words that are outdated while a translated function runs: the function charges and advances by itself. */
export function isStale(address: number): boolean {
  return (
    (address >= L.BUDGET && address < L.CLOCK + 8) ||
    address === L.RIP ||
    address === L.BLOCK ||
    address === L.CURRENT ||
    (address >= L.POOL && address < L.RAM)
  );
}

/** State that translated operations may write in memory, as ranges: registers of x87, MMX and SSE. */
export const ownStates: readonly (readonly [number, number])[] = [
  [L.FPU_CONTROL, L.REGS],
  [L.XMM_REGISTERS, L.MXCSR + 4],
];
