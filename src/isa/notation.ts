/**
 * Reads the table's rows: which row an opcode means, and which bytes follow the opcode.
 *
 * @module
 */
import { type MandatoryPrefix, type Opcode, opcodes } from './table/index.js';

/** The bytes after ModRM. */
export type ImmediateKind = 'none' | 'b' | 'w' | 'z' | 'v' | 'offset' | 'far' | 'enter';

const kinds = new Map<string, ImmediateKind>([
  ['Ib', 'b'],
  ['Kx', 'b'],
  ['sIb', 'b'],
  ['Jb', 'b'],
  ['Iw', 'w'],
  ['Iz', 'z'],
  ['Jz', 'z'],
  ['Iv', 'v'],
  ['Ob', 'offset'],
  ['Ov', 'offset'],
]);

/** The bytes after the opcode and ModRM of a row. */
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
  if (row.reg >= 0 || row.registerOnly || row.form !== 'any') return true;
  return row.operands.some((operand) => /^[EGSTVWPQR]/.test(operand));
}

/**
 * How many bytes an operand has by the second letter of its notation (SDM 2D A.2.2), for operands of `operandSize` bits; 0 where the letter
 * has no size.
 */
export function operandBytes(letter: string | undefined, operandSize: number, row: Opcode): number {
  switch (letter) {
    case 'b':
      return 1;
    case 'w':
      return 2;
    case 'd':
      return 4;
    case 'q':
      return 8;
    case 't':
      return 10;
    case 'x':
      return 16;
    case 'y':
      return operandSize === 64 ? 8 : 4;
    case 'v':
      return operandSize / 8;
    case 'z':
      return operandSize === 16 ? 2 : 4;
    case 'p':
      return operandSize / 8 + 2;
    case 'a':
      return operandSize / 4;
    case 'c':
      return operandSize === 64 ? 16 : 8;
    case 'i':
      return operandBytes(row.operands.find((operand) => operand.startsWith('A'))?.[1], operandSize, row);
    default:
      return 0;
  }
}

/** The fields that select among the rows of an opcode. */
export interface Selection {
  prefix: Exclude<MandatoryPrefix, 'any'>;
  memory: boolean;
  /** ModRM's fields. */
  reg: number;
  rm: number;
}

/** The row of an opcode for these fields; a row that names the prefix takes precedence over one that does not. */
export function rowFor(rows: readonly Opcode[], { prefix, memory, reg, rm }: Selection): Opcode | undefined {
  const found = rows.filter(
    (row) =>
      (row.reg < 0 || row.reg === reg) &&
      (row.rm < 0 || row.rm === rm) &&
      (row.form === 'any' || (row.form === 'memory') === memory),
  );
  return found.find((row) => row.prefix === prefix) ?? found.find((row) => row.prefix === 'any');
}

/** The mandatory prefix among those of the instruction (SDM 2A 2.1.2). */
export function mandatoryPrefix(repeat: 0 | 0xf2 | 0xf3, operandPrefix: boolean): Selection['prefix'] {
  if (repeat !== 0) return repeat === 0xf3 ? 'f3' : 'f2';
  return operandPrefix ? '66' : 'none';
}

/** A set of 256 opcodes. */
type OpcodeSet = Pick<Opcode, 'map' | 'vex'>;

function keyOf({ map, vex }: OpcodeSet, opcode: number, code: number): number {
  return (code << 16) | (vex ? 0x8000 : 0) | (map << 8) | opcode;
}

/** Gives all rows of an opcode in 16-, 32- or 64-bit code. */
export type FindRows = (set: OpcodeSet, opcode: number, code: 16 | 32 | 64) => readonly Opcode[];

/** Finds rows of a table. */
export function finderOf(table: readonly Opcode[]): FindRows {
  const rows = new Map<number, Opcode[]>();
  for (const row of table) {
    for (const code of [16, 32, 64]) {
      if (code === 64 ? row.no64 : row.only64) continue;
      const key = keyOf(row, row.opcode, code);
      const others = rows.get(key);
      if (others === undefined) rows.set(key, [row]);
      else others.push(row);
    }
  }
  return (set, opcode, code) => rows.get(keyOf(set, opcode, code)) ?? [];
}

let own: FindRows | undefined;

/** All rows of an opcode in 16-, 32- or 64-bit code. */
export const candidates: FindRows = (set, opcode, code) => {
  own ??= finderOf(opcodes());
  return own(set, opcode, code);
};
