/**
 * WebAssembly's instructions on integers, for operands that are known.
 *
 * @module
 */
import { Type } from './program.js';

export type Known = number | bigint;

/** Type of the operands and of the result of a numeric instruction; undefined where it is none that is known here. */
export function shapeOf(opcode: number): { operands: number; from: number; to: number } | undefined {
  const { i32, i64 } = Type;
  if (opcode === 0x45) return { operands: 1, from: i32, to: i32 };
  if (opcode <= 0x4f) return { operands: 2, from: i32, to: i32 };
  if (opcode === 0x50) return { operands: 1, from: i64, to: i32 };
  if (opcode <= 0x5a) return { operands: 2, from: i64, to: i32 };
  if (opcode < 0x67) return undefined;
  if (opcode <= 0x69) return { operands: 1, from: i32, to: i32 };
  if (opcode <= 0x78) return { operands: 2, from: i32, to: i32 };
  if (opcode <= 0x7b) return { operands: 1, from: i64, to: i64 };
  if (opcode <= 0x8a) return { operands: 2, from: i64, to: i64 };
  if (opcode === 0xa7) return { operands: 1, from: i64, to: i32 };
  if (opcode === 0xac || opcode === 0xad) return { operands: 1, from: i32, to: i64 };
  if (opcode === 0xc0 || opcode === 0xc1) return { operands: 1, from: i32, to: i32 };
  if (opcode >= 0xc2 && opcode <= 0xc4) return { operands: 1, from: i64, to: i64 };
  return undefined;
}

const u64 = (value: bigint) => BigInt.asUintN(64, value);
const s64 = (value: bigint) => BigInt.asIntN(64, value);

/** The result of an instruction with one operand; undefined where it is not worked out here. */
export function foldOne(opcode: number, value: Known): Known | undefined {
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
export function foldTwo(opcode: number, a: Known, b: Known): Known | undefined {
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

function foldLong(opcode: number, a: bigint, b: bigint): Known | undefined {
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

/** True if the instruction gives its first operand back where the second is `b`. */
export function keepsFirst(opcode: number, b: Known): boolean {
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

const commutative = new Set([
  0x46, 0x47, 0x51, 0x52, 0x6a, 0x6c, 0x71, 0x72, 0x73, 0x7c, 0x7e, 0x83, 0x84, 0x85,
]);

/** True if the operands may change places. */
export function mayExchange(opcode: number): boolean {
  return commutative.has(opcode);
}
