/**
 * Operands as Intel's manuals and `objdump -M intel` write them.
 *
 * @module
 */
import { hex, type Names } from './names.js';
import type { MemoryOperand, Operand } from './operands.js';

const sizeNames = new Map([
  [1, 'BYTE PTR '],
  [2, 'WORD PTR '],
  [4, 'DWORD PTR '],
  [6, 'FWORD PTR '],
  [8, 'QWORD PTR '],
  [10, 'TBYTE PTR '],
  [16, 'XMMWORD PTR '],
  [32, 'YMMWORD PTR '],
]);

function memory({ size, segment, base, index, scale, displacement, addressSize }: MemoryOperand): string {
  const name = sizeNames.get(size) ?? '';
  const prefix = segment === undefined ? '' : `${segment}:`;
  if (base === undefined && index === undefined) return `${name}${prefix || 'ds:'}${hex(displacement)}`;
  const parts = base === undefined ? [] : [base];
  if (index !== undefined) parts.push(addressSize === 16 ? index : `${index}*${scale}`);
  const sign = displacement < 0n ? '-' : '+';
  const away = displacement === 0n ? '' : sign + hex(displacement < 0n ? -displacement : displacement);
  return `${name}${prefix}[${parts.join('+')}${away}]`;
}

function operand(one: Operand, names: Names): string {
  switch (one.kind) {
    case 'register':
      return one.name;
    case 'memory':
      return memory(one);
    case 'immediate':
      return one.size === 0 ? one.value.toString() : hex(one.value);
    case 'target':
      return names(one.address);
    case 'far':
      return `${hex(BigInt(one.selector))}:${hex(one.offset)}`;
  }
}

/** `add    eax,0x1` with one space. */
export function intelText(mnemonic: string, operands: readonly Operand[], names: Names): string {
  if (operands.length === 0) return mnemonic;
  return `${mnemonic} ${operands.map((one) => operand(one, names)).join(',')}`;
}
