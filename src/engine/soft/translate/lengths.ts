/**
 * The lengths of the WebAssembly instructions that the translator does not interpret (core specification, 5.4; threads
 * for FE).
 *
 * @module
 */
import { type Cursor, readU32 } from './reader.js';

/** Moves the cursor, which is after an opcode, over its immediates. */
export function skipImmediates(cursor: Cursor, opcode: number): void {
  switch (opcode) {
    case 0x23: // global.get, global.set
    case 0x24:
    case 0x3f: // memory.size, memory.grow
    case 0x40:
      skip(cursor, 1);
      return;
    case 0x11: // call_indirect
      skip(cursor, 2);
      return;
    case 0x0e: // br_table
      skip(cursor, readU32(cursor) + 1);
      return;
    case 0xfc:
      skipMemoryInstruction(cursor);
      return;
    case 0xfe:
      if (readU32(cursor) === 3) cursor.at++;
      else skip(cursor, 2);
      return;
    default:
      throw new Error(`the WebAssembly instruction ${opcode.toString(16)} is not known`);
  }
}

function skip(cursor: Cursor, numbers: number): void {
  for (let left = numbers; left > 0; left--) readU32(cursor);
}

/** FC: saturating conversions (0 to 7), memory.copy (10), memory.fill (11). */
function skipMemoryInstruction(cursor: Cursor): void {
  const number = readU32(cursor);
  if (number <= 7) return;
  if (number !== 10 && number !== 11)
    throw new Error(`the WebAssembly instruction fc ${number} is not known`);
  skip(cursor, number === 10 ? 2 : 1);
}
