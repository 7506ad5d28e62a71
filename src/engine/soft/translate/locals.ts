/**
 * The locals of a translated function: all functions use the same numbers, so that an operation's code fits into each
 * of them.
 *
 * @module
 */
import * as L from '../layout.js';
import { Type } from './types.js';

/** The locals of each function. Local 0 is its parameter, the record for which it was called. */
export const Local = {
  record: 0,
  next: 1,
  block: 2,
  slot: 3,
  tlb: 4,
  budget: 5,
  rip: 6,
  target: 7,
  /** The budget at the last count of instructions. */
  counted: 8,
} as const;
const { i32, i64, v128, f32, f64 } = Type;
const fixed = [i32, i32, i32, i32, i32, i64, i64, i64, i64];

/** Places of the CPU's state that are in locals: 16 registers, then the flags. */
export const places: readonly { at: number; type: number }[] = [
  ...Array.from({ length: 16 }, (_, n) => ({ at: L.REGS + 8 * n, type: i64 })),
  { at: L.FLAG_KIND, type: i32 },
  { at: L.FLAG_CARRY, type: i32 },
  { at: L.FLAG_A, type: i64 },
  { at: L.FLAG_B, type: i64 },
  { at: L.FLAG_RESULT, type: i64 },
];
const FLAGS = 16;

/** The local of the first place; the others follow. */
export const LOCAL_OF_PLACE = fixed.length;

/** The place that contains an address; undefined for state that is not kept in locals. */
export function placeOf(address: number): { index: number; byte: number; type: number } | undefined {
  if (address >= L.REGS && address < L.REGS + 128) {
    return { index: (address - L.REGS) >> 3, byte: address & 7, type: i64 };
  }
  for (let index = FLAGS; index < places.length; index++) {
    const { at, type } = places[index]!;
    const byte = address - at;
    if (byte >= 0 && byte < (type === i64 ? 8 : 4)) return { index, byte, type };
  }
  return undefined;
}

/**
 * Temporary locals: integers of both sizes alternate, and after MOST_INTEGERS of each follow the other types in turn.
 */
export const temporaryTypes = [i32, i64, v128, f32, f64] as const;
const INTEGERS = 2;
export const MOST_INTEGERS = 40;
const FIRST_TEMPORARY = LOCAL_OF_PLACE + places.length;
const FIRST_WIDE = FIRST_TEMPORARY + INTEGERS * MOST_INTEGERS;
const WIDE = temporaryTypes.length - INTEGERS;

/** The local of a temporary value, by its number within its type. */
export function temporaryLocal(kind: number, number: number): number {
  if (kind < INTEGERS) return FIRST_TEMPORARY + kind + INTEGERS * number;
  return FIRST_WIDE + kind - INTEGERS + WIDE * number;
}

/** The types of all locals except the parameter, for these numbers of temporary ones of each type. */
export function localTypes(temporaries: readonly number[]): number[] {
  const types: number[] = [...fixed.slice(1), ...places.map(({ type }) => type)];
  const wide = Math.max(...temporaries.slice(INTEGERS));
  const integers = wide > 0 ? MOST_INTEGERS : Math.max(...temporaries.slice(0, INTEGERS));
  for (let left = integers; left > 0; left--) types.push(i32, i64);
  for (let left = wide; left > 0; left--) types.push(v128, f32, f64);
  return types;
}
