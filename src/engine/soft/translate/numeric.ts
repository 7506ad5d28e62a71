/**
 * WebAssembly's numeric instructions, and the results of the integer ones for known operands.
 *
 * @module
 */
import { Type } from './types.js';

export type Plain = number | bigint;

export interface NumericShape {
  operands: number;
  from: number;
  to: number;
}

const { i32, i64, f32, f64 } = Type;
const ranges: [first: number, last: number, operands: number, from: number, to: number][] = [
  [0x45, 0x45, 1, i32, i32],
  [0x46, 0x4f, 2, i32, i32],
  [0x50, 0x50, 1, i64, i32],
  [0x51, 0x5a, 2, i64, i32],
  [0x5b, 0x60, 2, f32, i32],
  [0x61, 0x66, 2, f64, i32],
  [0x67, 0x69, 1, i32, i32],
  [0x6a, 0x78, 2, i32, i32],
  [0x79, 0x7b, 1, i64, i64],
  [0x7c, 0x8a, 2, i64, i64],
  [0x8b, 0x91, 1, f32, f32],
  [0x92, 0x98, 2, f32, f32],
  [0x99, 0x9f, 1, f64, f64],
  [0xa0, 0xa6, 2, f64, f64],
  [0xa7, 0xa7, 1, i64, i32],
  [0xa8, 0xa9, 1, f32, i32],
  [0xaa, 0xab, 1, f64, i32],
  [0xac, 0xad, 1, i32, i64],
  [0xae, 0xaf, 1, f32, i64],
  [0xb0, 0xb1, 1, f64, i64],
  [0xb2, 0xb3, 1, i32, f32],
  [0xb4, 0xb5, 1, i64, f32],
  [0xb6, 0xb6, 1, f64, f32],
  [0xb7, 0xb8, 1, i32, f64],
  [0xb9, 0xba, 1, i64, f64],
  [0xbb, 0xbb, 1, f32, f64],
  [0xbc, 0xbc, 1, f32, i32],
  [0xbd, 0xbd, 1, f64, i64],
  [0xbe, 0xbe, 1, i32, f32],
  [0xbf, 0xbf, 1, i64, f64],
  [0xc0, 0xc1, 1, i32, i32],
  [0xc2, 0xc4, 1, i64, i64],
];
const shapes: NumericShape[] = [];
for (const [first, last, operands, from, to] of ranges) {
  for (let opcode = first; opcode <= last; opcode++) shapes[opcode] = { operands, from, to };
}

/** Type of the operands and of the result of a numeric instruction, 45 to C4. */
export function shapeOf(opcode: number): NumericShape {
  return shapes[opcode]!;
}

const u64 = (value: bigint) => BigInt.asUintN(64, value);
const s64 = (value: bigint) => BigInt.asIntN(64, value);

/** The result of an instruction with one operand; undefined where it is not computed here. */
export function foldOne(opcode: number, value: Plain): Plain | undefined {
  switch (opcode) {
    case 0x45:
      return value === 0 ? 1 : 0;
    case 0x50:
      return value === 0n ? 1 : 0;
    case 0xa7:
      return Number(BigInt.asIntN(32, value as bigint));
    case 0xac:
      return BigInt(value as number);
    case 0xad:
      return BigInt((value as number) >>> 0);
    case 0xc0:
      return ((value as number) << 24) >> 24;
    case 0xc1:
      return ((value as number) << 16) >> 16;
    case 0xc2:
      return BigInt.asIntN(8, value as bigint);
    case 0xc3:
      return BigInt.asIntN(16, value as bigint);
    case 0xc4:
      return BigInt.asIntN(32, value as bigint);
    default:
      return undefined;
  }
}

/** As `foldOne`, with two operands. */
export function foldTwo(opcode: number, a: Plain, b: Plain): Plain | undefined {
  return opcode <= 0x4f || (opcode >= 0x67 && opcode <= 0x78)
    ? foldShort(opcode, a as number, b as number)
    : foldLong(opcode, a as bigint, b as bigint);
}

function foldShort(opcode: number, a: number, b: number): number | undefined {
  switch (opcode) {
    case 0x46:
      return Number(a === b);
    case 0x47:
      return Number(a !== b);
    case 0x48:
      return Number(a < b);
    case 0x49:
      return Number(a >>> 0 < b >>> 0);
    case 0x4a:
      return Number(a > b);
    case 0x4b:
      return Number(a >>> 0 > b >>> 0);
    case 0x4c:
      return Number(a <= b);
    case 0x4d:
      return Number(a >>> 0 <= b >>> 0);
    case 0x4e:
      return Number(a >= b);
    case 0x4f:
      return Number(a >>> 0 >= b >>> 0);
    case 0x6a:
      return (a + b) | 0;
    case 0x6b:
      return (a - b) | 0;
    case 0x6c:
      return Math.imul(a, b);
    case 0x71:
      return a & b;
    case 0x72:
      return a | b;
    case 0x73:
      return a ^ b;
    case 0x74:
      return a << b;
    case 0x75:
      return a >> b;
    case 0x76:
      return (a >>> b) | 0;
    default:
      return undefined;
  }
}

function foldLong(opcode: number, a: bigint, b: bigint): Plain | undefined {
  switch (opcode) {
    case 0x51:
      return Number(a === b);
    case 0x52:
      return Number(a !== b);
    case 0x53:
      return Number(a < b);
    case 0x54:
      return Number(u64(a) < u64(b));
    case 0x55:
      return Number(a > b);
    case 0x56:
      return Number(u64(a) > u64(b));
    case 0x57:
      return Number(a <= b);
    case 0x58:
      return Number(u64(a) <= u64(b));
    case 0x59:
      return Number(a >= b);
    case 0x5a:
      return Number(u64(a) >= u64(b));
    case 0x7c:
      return s64(a + b);
    case 0x7d:
      return s64(a - b);
    case 0x7e:
      return s64(a * b);
    case 0x83:
      return a & b;
    case 0x84:
      return a | b;
    case 0x85:
      return a ^ b;
    case 0x86:
      return s64(a << (b & 63n));
    case 0x87:
      return a >> (b & 63n);
    case 0x88:
      return s64(u64(a) >> (b & 63n));
    default:
      return undefined;
  }
}

/** True if the instruction returns its first operand where the second is `b`. */
export function keepsFirst(opcode: number, b: Plain): boolean {
  switch (opcode) {
    case 0x6a: // add, sub, or, xor, shifts, rotations
    case 0x6b:
    case 0x72:
    case 0x73:
    case 0x74:
    case 0x75:
    case 0x76:
    case 0x77:
    case 0x78:
      return b === 0;
    case 0x7c:
    case 0x7d:
    case 0x84:
    case 0x85:
    case 0x86:
    case 0x87:
    case 0x88:
    case 0x89:
    case 0x8a:
      return b === 0n;
    case 0x71: // and
      return b === -1;
    case 0x83:
      return b === -1n;
    default:
      return false;
  }
}

/** The result of an instruction that does not depend on the other operand; undefined where it does. */
export function absorbs(opcode: number, a: Plain | undefined, b: Plain | undefined): Plain | undefined {
  switch (opcode) {
    case 0x54: // less, unsigned
      return a === -1n || b === 0n ? 0 : undefined;
    case 0x56: // greater, unsigned
      return a === 0n || b === -1n ? 0 : undefined;
    case 0x71: // and
      return a === 0 || b === 0 ? 0 : undefined;
    case 0x83:
      return a === 0n || b === 0n ? 0n : undefined;
    default:
      return undefined;
  }
}

const commutative = new Set([
  0x46, 0x47, 0x51, 0x52, 0x6a, 0x6c, 0x71, 0x72, 0x73, 0x7c, 0x7e, 0x83, 0x84, 0x85,
]);

/** True if the instruction is commutative. */
export function mayExchange(opcode: number): boolean {
  return commutative.has(opcode);
}
