/**
 * The parts of an exit's line, in every layout.
 *
 * @module
 */
import { ExitKind } from '../engine/contract/index.js';
import type { ExitLog } from './exit-log.js';
import type { TraceTexts } from './texts.js';

/** The texts of kinds without an access. */
export const kindMeanings: Readonly<Record<number, string>> = {
  [ExitKind.shutdown]: 'triple fault',
  [ExitKind.x87Error]: 'FERR#: IRQ 13',
};

/** `line control ← 0x03: 8 data bits, no parity, 1 stop bit`. */
export function wordsOf(log: ExitLog, at: number, register: string, { meanings, calls }: TraceTexts): string {
  const meaning = meanings[at]!;
  if (calls[at] === 1) return `${register}  ${meaning}`;
  const digits = hexData(log, at, log.sizes[at]!, log.dataLow[at]!);
  const words = `${register} ${log.writes[at] === 1 ? '←' : '→'} 0x${digits}`;
  return meaning === '' ? words : `${words}: ${meaning}`;
}

/** The first element's bytes as one number. */
function hexData(log: ExitLog, at: number, size: number, low: number): string {
  if (size === 1) return hexBytes[low]!;
  if (size <= 4) return low.toString(16).padStart(size * 2, '0');
  return log.dataHigh[at]!.toString(16).padStart((size - 4) * 2, '0') + hex32(low);
}

/** The first element's bytes, also as a character where it is one, and how many elements there were. */
export function accessData(log: ExitLog, at: number): string {
  const size = log.sizes[at]!;
  const count = log.counts[at]!;
  const low = log.dataLow[at]!;
  const data = size === 1 && low >= 0x20 && low <= 0x7e ? printable[low]! : hexData(log, at, size, low);
  return count > 1 ? `${data} ×${count}` : data;
}

/** A port's four digits, or memory's eight and more. */
export function addressOf(log: ExitLog, at: number): string {
  const address = log.addresses[at]!;
  return log.kinds[at] === ExitKind.io ? `0x${hex16(address)}` : `0x${address.toString(16).padStart(8, '0')}`;
}

/** Eight digits, or sixteen where needed. */
export function ripDigits(log: ExitLog, at: number): string {
  const [high, low] = [log.ripHigh[at]!, log.ripLow[at]!];
  return high === 0 ? hex32(low) : hex32(high) + hex32(low);
}

/** Milliseconds with three decimals, by integer arithmetic: `toFixed` would be the slowest part of a line. */
export function milliseconds(value: number, width: number): string {
  const micros = Math.max(0, Math.round(value * 1000));
  const whole = Math.floor(micros / 1000);
  const rest = micros - whole * 1000;
  const decimals = rest < 10 ? `00${rest}` : rest < 100 ? `0${rest}` : `${rest}`;
  return `${whole}.${decimals}ms`.padStart(width);
}

const hexBytes = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
/** Printable ASCII bytes, with their character. */
const printable = hexBytes.map((hex, byte) => `${hex} '${String.fromCharCode(byte)}'`);

const hex16 = (value: number) => hexBytes[(value >> 8) & 0xff]! + hexBytes[value & 0xff]!;
const hex32 = (value: number) =>
  hexBytes[value >>> 24]! +
  hexBytes[(value >> 16) & 0xff]! +
  hexBytes[(value >> 8) & 0xff]! +
  hexBytes[value & 0xff]!;
