/**
 * Instructions of a guest as text: those that an engine gave up on, or that caused an exit.
 *
 * @module
 */

import { disassemble, type Syntax } from '../isa/index.js';
import { codeSizeOf, type SystemRegisters } from '../x86/index.js';

export { codeSizeOf };

/**
 * `vaddps zmm0,zmm1,zmm2 [62 f1 74 48 58 c2]`: the first instruction in `bytes`, or all bytes where they do not begin with an
 * instruction.
 */
export function formatInstruction(
  bytes: Uint8Array,
  rip: bigint,
  system: SystemRegisters,
  syntax: Syntax = 'intel',
): string {
  const { text, length, encoding } = disassemble(bytes, { code: codeSizeOf(system), address: rip, syntax });
  const own = encoding === undefined ? bytes : bytes.subarray(0, length);
  const shown = Array.from(own, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return `${text} [${shown}]`;
}
