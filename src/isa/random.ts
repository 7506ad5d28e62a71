/**
 * Instructions made from the table: what the tests and `terrarium verify` try.
 *
 * @module
 */
import { type CodeSize, decode, type Encoding } from './decode.js';
import { hasModrm } from './notation.js';
import type { Opcode } from './table/index.js';

/** A number from 0 to n - 1. */
export type Random = (n: number) => number;

/** Numbers that are the same in every run with the same seed (Marsaglia's xorshift). */
export function randomNumbers(seed: number): Random {
  // A state of zero would stay there.
  let state = (seed ^ 0x9e3779b9) | 0 || 1;
  return (n) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % n;
  };
}

/** What `randomInstruction` is to make. */
export interface Wanted {
  row: Opcode;
  code: CodeSize;
  /** A memory operand or a register, where the row leaves that open. */
  memory: boolean;
  /** Prefixes that are put in front, such as 66; REX comes last. */
  prefixes: readonly number[];
  /** 0 for none. */
  rex: number;
}

/** An instruction and its parts. */
export interface Sample {
  bytes: Uint8Array;
  encoding: Encoding;
}

/** Random registers, addressing forms, displacements and immediates for a row; undefined where there is no such form. */
export function randomInstruction(wanted: Wanted, random: Random): Sample | undefined {
  const { row, code, memory, prefixes, rex } = wanted;
  const bytes = [...prefixes];
  if (rex !== 0) bytes.push(rex);
  if (row.map === 1) bytes.push(0x0f);
  bytes.push(row.opcode);
  if (hasModrm(row)) {
    const mod = memory ? random(3) : 3;
    bytes.push((mod << 6) | ((row.reg >= 0 ? row.reg : random(8)) << 3) | (row.rm >= 0 ? row.rm : random(8)));
  }
  while (bytes.length < 24) bytes.push(random(256));
  const all = Uint8Array.from(bytes);
  const encoding = decode(all, code);
  if (encoding === undefined || encoding.row !== row) return undefined;
  return { bytes: all.slice(0, encoding.length), encoding };
}
