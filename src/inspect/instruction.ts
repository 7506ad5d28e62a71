/**
 * Instructions of a guest as text: what an engine gave up on, what left the guest.
 *
 * @module
 */

import { type CodeSize, disassemble } from '../isa/index.js';
import type { SystemRegisters } from '../x86/index.js';

const EFER_LMA = 0x400n;

/** How wide code is: CS.L counts in long mode alone (SDM 3A 6.2.1). */
export function codeSizeOf({ cs, efer }: Pick<SystemRegisters, 'cs' | 'efer'>): CodeSize {
  if (cs.l && (efer & EFER_LMA) !== 0n) return 64;
  return cs.db ? 32 : 16;
}

/** `vaddps zmm0,zmm1,zmm2 [62 f1 74 48 58 c2]`: the first instruction in `bytes`, or all of them where it is none. */
export function formatInstruction(bytes: Uint8Array, rip: bigint, system: SystemRegisters): string {
  const { text, length, encoding } = disassemble(bytes, { code: codeSizeOf(system), address: rip });
  const own = encoding === undefined ? bytes : bytes.subarray(0, length);
  const shown = Array.from(own, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return `${text} [${shown}]`;
}
