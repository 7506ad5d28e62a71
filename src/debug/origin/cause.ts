/**
 * The value to trace back when a guest has died: the unmapped address, the return address on the stack, the divisor of zero.
 *
 * @module
 */
import type { Instruction } from '../../isa/index.js';
import type { CpuView } from '../registers.js';
import { type Place, placeOf, registerPlace, stackAt } from './places.js';

/**
 * @param instruction the one that failed; undefined where none can be fetched @param inImage it is in the image: else its address is wrong
 */
export function culprit(
  instruction: Instruction | undefined,
  view: CpuView,
  inImage: boolean,
): Place | undefined {
  const encoding = instruction?.encoding;
  if (instruction === undefined || !inImage) return registerPlace('rip');
  if (encoding === undefined) return undefined;
  const { mnemonic, operands } = instruction;
  const { code, operandSize } = encoding;
  if (/^(ret|iret)/.test(mnemonic))
    return { kind: 'memory', address: stackAt(view, 0), size: code === 64 ? 8 : operandSize / 8 };
  if (/^(div|idiv|jmp|call)$/.test(mnemonic)) {
    const place = placeOf(operands.at(-1), view, code, operandSize / 8);
    if (place?.kind === 'register') return place;
  }
  const memory = operands.find((one) => one.kind === 'memory');
  if (memory?.kind === 'memory') {
    // The address consists of registers: the index matters, where there is one.
    const { base, index } = memory;
    const name = index ?? base;
    if (name !== undefined && !/ip$/.test(name)) return registerPlace(name);
    if (/^(div|idiv)$/.test(mnemonic)) return placeOf(memory, view, code);
  }
  const loaded = operands[1];
  // A selector, a control register's new value.
  return /^(mov|l[defgs]s|ltr|lldt|wrmsr)/.test(mnemonic) && loaded?.kind === 'register'
    ? registerPlace(loaded.name, loaded.size)
    : undefined;
}
