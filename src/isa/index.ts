/**
 * The instruction set: the opcode table, from which the software CPU's decoder and dispatch, the lengths, the disassembly and the tests are
 * made.
 *
 * ```ts
 * const { text } = disassemble(bytes, { code: 64, address: 0x401000n });
 * ```
 *
 * @module
 */
export { type CodeSize, decode, type Encoding, MAX_LENGTH, type MemoryForm } from './decode.js';
export {
  type DisassemblyOptions,
  disassemble,
  disassembleAll,
  type Instruction,
  type Syntax,
} from './disassemble.js';
export { featureOf, type InstructionFeature, instructionFeatures } from './features.js';
export {
  candidates,
  type FindRows,
  finderOf,
  hasModrm,
  type ImmediateKind,
  immediateKind,
  operandBytes,
  rowFor,
  type Selection,
} from './notation.js';
export { type MemoryOperand, type Operand, registerName } from './operands.js';
export { type Random, randomInstruction, type Sample, type Wanted } from './random.js';
export { randomMxcsr, randomVector } from './random-vectors.js';
export { type AbsentFeature, absentOpcodes } from './table/absent.js';
export {
  type InstructionRecord,
  type Kind,
  type MandatoryPrefix,
  type Meaning,
  type Opcode,
  type OpcodeMap,
  opcodes,
  parseTable,
  type Spelling,
  type TableText,
  tableText,
} from './table/index.js';
