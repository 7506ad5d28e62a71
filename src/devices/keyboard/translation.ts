/**
 * The controller's translation of scan code set 2 to set 1: the default of every PC, so that programs for the first
 * keyboards still work.
 *
 * @module
 */
import { keys } from './keys.js';

/** Other bytes pass unchanged: E0 and E1, and the keyboard's answers to commands. */
const table = Uint8Array.from({ length: 256 }, (_, byte) => byte);
for (const { set1, set2 } of keys.values()) table[set2] = set1;
// Alt with PrintScreen is SysRq; and F7's code, 83, is the only one above 7F.
table[0x84] = 0x54;
// The keyboard lost keys: 00 in set 2, FF in set 1.
table[0] = 0xff;

/** The set 1 code of a set 2 code. */
export function toSet1(byte: number): number {
  return table[byte]!;
}
