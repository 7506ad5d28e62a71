/**
 * The meaning of a table's operand: its width for each operand size, its register field, its immediate.
 *
 * @module
 */
import { immediateKind, type Opcode } from '../../../isa/index.js';

/** AssemblyScript's type of an integer: signed, so that a conversion to 64 bits extends the sign. */
export type Type = 'i8' | 'i16' | 'i32' | 'i64';
/** Operand sizes by their index in the decoder's tables. */
export const operandSizes = [16, 32, 64] as const;
export type OperandSize = (typeof operandSizes)[number];

const wide: Record<OperandSize, Type> = { 16: 'i16', 32: 'i32', 64: 'i64' };

/** The type of an operand; undefined for those that the generated code does not handle. */
export function typeOf(operand: string, size: OperandSize): Type | undefined {
  // A byte displacement is added to an instruction pointer, a signed byte to an operand of full size.
  if (operand === 'Jb' || operand === 'sIb') return wide[size];
  const [, letter, suffix] = /^([-ABEGIJMORSXYZ])([bwdqvyz])$/.exec(operand) ?? [];
  switch (suffix) {
    case 'b':
      return 'i8';
    case 'w':
      return 'i16';
    case 'd':
      return 'i32';
    case 'q':
      return 'i64';
    case 'v':
      return wide[size];
    case 'y':
      return size === 64 ? 'i64' : 'i32';
    case 'z':
      return letter === 'I' || letter === 'J' ? wide[size] : size === 16 ? 'i16' : 'i32';
    default:
      return undefined;
  }
}

/** How the decoder reads the bytes after ModRM; the numbers are those of cpu/decode.ts. */
const immediates = ['none', 'b', 'w', 'z', 'v', 'offset', 'far', 'enter', 'opcode'] as const;

export function immediateOf(row: Opcode): number {
  // The x87 FPU records the opcode of its last instruction: D8 to DF.
  const keepsOpcode = row.map === 0 && row.opcode >> 3 === 0x1b;
  return immediates.indexOf(keepsOpcode ? 'opcode' : immediateKind(row));
}

/** True if the operand is memory, given ModRM's form. */
export function isMemory(operand: string, memoryForm: boolean): boolean {
  return /^[OM]/.test(operand) || (memoryForm && /^[EWQ]/.test(operand));
}

/** The operation's register field (one of three) that holds an operand. */
export function slotOf(operand: string, index: number): 'rm' | 'reg' | 'vex' {
  if (operand.startsWith('G')) return 'reg';
  if (operand.startsWith('B')) return 'vex';
  // The accumulator is register 0, the default of both fields.
  return operand.startsWith('A') && index > 0 ? 'reg' : 'rm';
}
