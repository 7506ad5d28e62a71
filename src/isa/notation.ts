/**
 * How the table's rows are read: which of them an opcode means, and which bytes follow the opcode.
 *
 * @module
 */
import { type Opcode, opcodes } from './table/index.js';

/** What follows ModRM. */
export type ImmediateKind = 'none' | 'b' | 'w' | 'z' | 'v' | 'offset' | 'far' | 'enter';

const kinds = new Map<string, ImmediateKind>([
  ['Ib', 'b'],
  ['sIb', 'b'],
  ['Jb', 'b'],
  ['Iw', 'w'],
  ['Iz', 'z'],
  ['Jz', 'z'],
  ['Iv', 'v'],
  ['Ob', 'offset'],
  ['Ov', 'offset'],
]);

/** What follows the opcode and ModRM of a row. */
export function immediateKind({ operands, immediate }: Opcode): ImmediateKind {
  if (immediate !== 'none') return immediate;
  for (const operand of operands) {
    const kind = kinds.get(operand);
    if (kind !== undefined) return kind;
  }
  return 'none';
}

/** True if the instruction has a ModRM byte. */
export function hasModrm(row: Opcode): boolean {
  return row.reg >= 0 || row.registerOnly || row.operands.some((operand) => /^[EGMS]/.test(operand));
}

/** True if a row of an opcode is the one that ModRM asks for. */
export function fits({ reg, rm, operands }: Opcode, modrm: number, isMemory: boolean): boolean {
  if (reg >= 0 && reg !== ((modrm >> 3) & 7)) return false;
  if (isMemory) return rm < 0 && !operands.some((operand) => operand.startsWith('T'));
  return (rm < 0 || rm === (modrm & 7)) && !operands.some((operand) => operand.startsWith('M'));
}

/** The rows by code size, map and opcode. */
const byOpcode = new Map<number, Opcode[]>();
for (const row of opcodes) {
  for (const code of [16, 32, 64]) {
    if (code === 64 ? row.no64 : row.only64) continue;
    const key = keyOf(row.map, row.opcode, code);
    byOpcode.set(key, [...(byOpcode.get(key) ?? []), row]);
  }
}

function keyOf(map: number, opcode: number, code: number): number {
  return (code << 16) | (map << 8) | opcode;
}

/** Every row of an opcode in 16-, 32- or 64-bit code. */
export function candidates(map: number, opcode: number, code: 16 | 32 | 64): readonly Opcode[] {
  return byOpcode.get(keyOf(map, opcode, code)) ?? [];
}
