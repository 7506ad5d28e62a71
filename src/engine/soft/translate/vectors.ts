/**
 * WebAssembly's SIMD instructions (opcode FD): their operands and results, and the bytes after the opcode.
 *
 * @module
 */
import { Type } from './types.js';

/** The immediates after the opcode: none, an alignment and an offset, a lane's number, both, or 16 bytes. */
export type VectorImmediate = 'none' | 'memory' | 'lane' | 'memory and lane' | 'bytes';

export interface VectorShape {
  takes: readonly number[];
  /** `Type.none` for stores. */
  gives: number;
  immediate: VectorImmediate;
}

const { i32, i64, f32, f64, v128, none } = Type;

const shape = (takes: number[], gives: number = v128, immediate: VectorImmediate = 'none'): VectorShape => ({
  takes,
  gives,
  immediate,
});
const unary = shape([v128]);
const binary = shape([v128, v128]);
const shift = shape([v128, i32]);
const test = shape([v128], i32);

const ranges: [first: number, last: number, shape: VectorShape][] = [
  [0, 10, shape([i32], v128, 'memory')],
  [11, 11, shape([i32, v128], none, 'memory')],
  [12, 12, shape([], v128, 'bytes')],
  [13, 13, shape([v128, v128], v128, 'bytes')],
  [14, 14, binary],
  [15, 17, shape([i32])],
  [18, 18, shape([i64])],
  [19, 19, shape([f32])],
  [20, 20, shape([f64])],
  [35, 76, binary],
  [77, 77, unary],
  [78, 81, binary],
  [82, 82, shape([v128, v128, v128])],
  [83, 83, test],
  [84, 87, shape([i32, v128], v128, 'memory and lane')],
  [88, 91, shape([i32, v128], none, 'memory and lane')],
  [92, 93, shape([i32], v128, 'memory')],
  [94, 98, unary],
  [99, 100, test],
  [101, 102, binary],
  [103, 106, unary],
  [107, 109, shift],
  [110, 115, binary],
  [116, 117, unary],
  [118, 121, binary],
  [122, 122, unary],
  [123, 123, binary],
  [124, 129, unary],
  [130, 130, binary],
  [131, 132, test],
  [133, 134, binary],
  [135, 138, unary],
  [139, 141, shift],
  [142, 147, binary],
  [148, 148, unary],
  [149, 159, binary],
  [160, 161, unary],
  [163, 164, test],
  [167, 170, unary],
  [171, 173, shift],
  [174, 191, binary],
  [192, 193, unary],
  [195, 196, test],
  [199, 202, unary],
  [203, 205, shift],
  [206, 223, binary],
  [224, 227, unary],
  [228, 235, binary],
  [236, 239, unary],
  [240, 247, binary],
  [248, 255, unary],
];

/** The lanes of the extract and replace instructions from 21 on. */
const lanes: [type: number, replaces: boolean][] = [
  [i32, false],
  [i32, false],
  [i32, true],
  [i32, false],
  [i32, false],
  [i32, true],
  [i32, false],
  [i32, true],
  [i64, false],
  [i64, true],
  [f32, false],
  [f32, true],
  [f64, false],
  [f64, true],
];

const shapes: (VectorShape | undefined)[] = new Array(256).fill(undefined);
for (const [first, last, what] of ranges) shapes.fill(what, first, last + 1);
for (const [n, [type, replaces]] of lanes.entries())
  shapes[21 + n] = replaces ? shape([v128, type], v128, 'lane') : shape([v128], type, 'lane');

/** @throws for an instruction that is not in WebAssembly's 128-bit SIMD */
export function vectorShape(number: number): VectorShape {
  const found = shapes[number];
  if (found === undefined) throw new Error(`the WebAssembly instruction fd ${number} is not known`);
  return found;
}

/** The bytes after an access' alignment that a load or store touches, for 0 to 11 and 92 and 93. */
export function vectorBytes(number: number): number {
  if (number === 0 || number === 11) return 16;
  if (number <= 6) return 8;
  if (number === 92) return 4;
  if (number === 93) return 8;
  return 1 << (number <= 10 ? number - 7 : (number - 84) & 3);
}
