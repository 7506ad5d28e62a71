import { DebugError } from '../../debug/index.js';

export const hex = (value: bigint | number) => `0x${value.toString(16)}`;

/** A reference to memory or to an instruction, which for us is a linear address. */
export function addressOf(reference: unknown): bigint {
  if (typeof reference === 'string' && /^(0x[\da-f]{1,16}|\d{1,20})$/i.test(reference))
    return BigInt.asUintN(64, BigInt(reference));
  throw new DebugError(`'${String(reference)}' is not an address`, 'such as 0x7c00');
}

/** A whole number of a request, within limits; `fallback` where it is missing. */
export function numberOf(value: unknown, fallback: number, least: number, most: number): number {
  if (value === undefined) return fallback;
  if (typeof value !== 'number' || !Number.isFinite(value))
    throw new DebugError(`${String(value)} is not a number`);
  return Math.min(Math.max(Math.trunc(value), least), most);
}

/** An error as text, with its hint. */
export function fullText(error: Error): string {
  const { hint } = error as { hint?: string };
  return hint === undefined ? error.message : `${error.message} (${hint})`;
}
