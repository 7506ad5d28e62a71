/**
 * Random instructions from the table, for tests and `terrarium verify`.
 *
 * @module
 */
import { type CodeSize, decode, type Encoding } from './decode.js';
import { type FindRows, hasModrm } from './notation.js';
import type { Opcode } from './table/index.js';

/** A number from 0 to n - 1. */
export type Random = (n: number) => number;

/** The properties of a random instruction. */
export interface Wanted {
  row: Opcode;
  code: CodeSize;
  /** A memory operand or a register, where the row allows both. */
  memory: boolean;
  /** Prefixes before it, such as 66; REX comes last. */
  prefixes: readonly number[];
  /** 0 for none. */
  rex: number;
  /** Another opcode table than our own, which has the row. */
  find?: FindRows;
}

/** An instruction and its parts. */
export interface Sample {
  bytes: Uint8Array;
  encoding: Encoding;
}

const mandatory = { any: [], none: [], '66': [0x66], f3: [0xf3], f2: [0xf2] } as const;
const escapes = [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]] as const;
const compressed = { any: 0, none: 0, '66': 1, f3: 2, f2: 3 } as const;

/** The bytes from the mandatory prefix to the opcode. */
function opcodeBytes(row: Opcode, rex: number, random: Random): number[] {
  const { map, vex, prefix, opcode } = row;
  if (!vex) return [...mandatory[prefix], ...(rex === 0 ? [] : [rex]), ...escapes[map], opcode];
  const named = row.operands.some((operand) => /^[BH]/.test(operand)) ? random(16) : 0;
  const wide = row.vexLength === 'any' ? random(2) : row.vexLength;
  const long = row.vexWide === 'any' ? (rex >> 3) & 1 : row.vexWide;
  const second = (long << 7) | (wide << 2) | ((~named & 15) << 3) | compressed[prefix];
  return [0xc4, ((~rex & 7) << 5) | map, second, opcode];
}

/** Random registers, addressing forms, displacements and immediates for a row; undefined where there is no such form. */
export function randomInstruction(wanted: Wanted, random: Random): Sample | undefined {
  const { row, code, memory, prefixes, rex } = wanted;
  const bytes = [...prefixes, ...opcodeBytes(row, rex, random)];
  if (hasModrm(row)) {
    const mod = memory ? random(3) : 3;
    const reg = row.reg >= 0 ? row.reg : random(8);
    bytes.push((mod << 6) | (reg << 3) | (row.rm >= 0 && !memory ? row.rm : random(8)));
  }
  while (bytes.length < 24) bytes.push(random(256));
  const all = Uint8Array.from(bytes);
  const encoding = decode(all, code, wanted.find);
  if (encoding === undefined || encoding.row !== row) return undefined;
  return { bytes: all.slice(0, encoding.length), encoding };
}
