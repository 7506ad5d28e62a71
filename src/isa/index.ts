/**
 * The instruction set: the opcode table, which is what the software CPU's decoder and dispatch, the lengths, the disassembly
 * and the tests are made of.
 *
 * @module
 */
export { type Kind, type Meaning, type Opcode, opcodes } from './table/index.js';
