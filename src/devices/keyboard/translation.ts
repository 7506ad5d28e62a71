/**
 * The controller's translation of scan code set 2 to set 1: what every PC does by default, so that programs written for the first keyboards
 * still work.
 *
 * @module
 */
import { keys } from './keys.js';

/** Bytes that are no key's code pass unchanged: E0 and E1, and what the keyboard answers to commands. */
const table = Uint8Array.from({ length: 256 }, (_, byte) => byte);
for (const { set1, set2 } of keys.values()) table[set2] = set1;
// Alt with PrintScreen is SysRq; and F7's code, 83, is above 7F as no other.
table[0x84] = 0x54;
// The keyboard lost keys: 00 in set 2, FF in set 1.
table[0] = 0xff;

/** The set 1 code of a set 2 code. */
export function toSet1(byte: number): number {
  return table[byte]!;
}
