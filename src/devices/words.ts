/**
 * Devices' descriptions of their registers (`Device.describeAccess`), in the common forms.
 *
 * @module
 */
import type { AccessWords } from './contract/index.js';

/** A register's name, and the meaning of a value in it. */
export function words(register: string, says?: (value: number) => string): AccessWords {
  return says === undefined ? { register } : { register, says };
}

/** The names of the bits that are set, from bit 0 on. A bit with an empty name is left out. */
export function bits(...names: readonly string[]): (value: number) => string {
  return (value) => names.filter((name, bit) => name !== '' && (value >>> bit) & 1).join(', ');
}

/** Several meanings of one value; empty ones are left out. */
export function together(...says: readonly ((value: number) => string)[]): (value: number) => string {
  return (value) =>
    says
      .map((one) => one(value))
      .filter((text) => text !== '')
      .join(', ');
}

/** The name of each value; a value without a name has no meaning. */
export function names(table: Readonly<Record<number, string>>): (value: number) => string {
  return (value) => table[value] ?? '';
}

/** A printable ASCII character in quotes, or the name of a common control character. */
export function character(value: number): string {
  if (value >= 0x20 && value <= 0x7e) return `'${String.fromCharCode(value)}'`;
  return controls[value] ?? '';
}

const controls: Readonly<Record<number, string>> = {
  8: 'backspace',
  9: 'tab',
  10: 'newline',
  12: 'form feed',
  13: 'carriage return',
  27: 'escape',
};

/** Numbers of the bits that are set: `0, 1, 7`. */
export function bitNumbers(value: number): string {
  const set: number[] = [];
  for (let bit = 0; bit < 32; bit++) if ((value >>> bit) & 1) set.push(bit);
  return set.join(', ');
}

export const hex = (value: number): string => `0x${value.toString(16)}`;
