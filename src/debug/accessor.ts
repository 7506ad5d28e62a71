/**
 * Finds the instruction that accessed a watchpoint: the processor reports only the next one (SDM 3B 18.3.1.2: a data breakpoint is a trap).
 *
 * @module
 */
import { readLinear } from '../inspect/index.js';
import { disassemble, type Instruction, MAX_LENGTH } from '../isa/index.js';
import type { GuestMemory } from '../memory/index.js';
import type { SymbolTable } from '../symbols/index.js';
import type { SystemRegisters } from '../x86/index.js';
import { knownStarts } from './known-starts.js';
import type { CodeBits } from './mode.js';

/** Code is decoded from a known start at most this far before: bytes. */
const FURTHEST = 4096n;

/**
 * The linear address of the instruction right before `pc`, where that is certain: decoding from a known start leads to `pc`, and the
 * instruction has an operand in memory. Undefined otherwise, as after a jump.
 */
export function accessorBefore(
  subject: { memory: GuestMemory; system: SystemRegisters },
  symbols: SymbolTable,
  pc: bigint,
  bits: CodeBits,
): bigint | undefined {
  const from = pc > FURTHEST ? pc - FURTHEST : 0n;
  const start = knownStarts(symbols, from, pc).at(-1);
  if (start === undefined) return undefined;
  const bytes = readLinear(subject, start, Number(pc - start));
  for (let at = 0; at < bytes.length; ) {
    const address = start + BigInt(at);
    const found = disassemble(bytes.subarray(at, at + MAX_LENGTH), { code: bits, address });
    at += found.length;
    if (at === bytes.length && start + BigInt(at) === pc) return accessesMemory(found) ? address : undefined;
  }
  return undefined;
}

function accessesMemory({ encoding, mnemonic, operands }: Instruction): boolean {
  if (encoding === undefined || mnemonic === 'lea' || mnemonic.startsWith('nop')) return false;
  return operands.some(({ kind }) => kind === 'memory') || /^(push|pop|enter|leave)/.test(mnemonic);
}
