/**
 * The spelling of an instruction: its mnemonic and the notation of its operands, by its record (table/mnemonics.ts).
 *
 * @module
 */
import type { Encoding } from './decode.js';
import { immediateKind } from './notation.js';
import type { Opcode } from './table/index.js';

/** SDM 1 appendix B. */
const conditions = ['o', 'no', 'b', 'ae', 'e', 'ne', 'be', 'a', 's', 'ns', 'p', 'np', 'l', 'ge', 'le', 'g'];
const sizes = [16, 32, 64];
const suffixes = ['w', 'd', 'q'];

/** Instructions with 64-bit operands by default in 64-bit code. */
export function defaultSize({ row, code }: Encoding): number {
  if (code !== 64) return code;
  return row.default64 || row.force64 ? 64 : 32;
}

/** XCHG of the accumulator with itself (SDM 2B NOP). */
function isNop({ row, opcode, rex, operandPrefix }: Encoding): boolean {
  return row.name === 'xchg' && opcode === 0x90 && (rex & 1) === 0 && !operandPrefix;
}

/** The only instruction with an address or an immediate of 64 bits: binutils have a separate name for it. */
function isFull({ row, operandSize, addressSize }: Encoding): boolean {
  const kind = immediateKind(row);
  return (kind === 'offset' && addressSize === 64) || (kind === 'v' && operandSize === 64);
}

/** The predicates of CMPPS that have a name (SDM 2A table 3-1); those of VCMPPS are all of them (table 3-9). */
const predicates =
  'eq lt le unord neq nlt nle ord eq_uq nge ngt false neq_oq ge gt true eq_os lt_oq le_oq unord_s neq_us nlt_uq nle_uq ord_s eq_us nge_uq ngt_uq false_os neq_os ge_oq gt_oq true_us'.split(
    ' ',
  );
const PREDICATES_OF_SSE = 8;
/** The halves that PCLMULQDQ multiplies, where its immediate has no other bits (SDM 2B table 4-13). */
const halves = new Map([
  [0x00, 'lqlq'],
  [0x01, 'hqlq'],
  [0x10, 'lqhq'],
  [0x11, 'hqhq'],
]);

/** The special mnemonic of an instruction with that immediate, which is then not written; undefined if there is none. */
function nameByImmediate({ row, immediate }: Encoding): string | undefined {
  const value = Number(BigInt.asUintN(8, immediate));
  const [, multiply] = /^(v?pclmul)qdq$/.exec(row.name) ?? [];
  if (multiply !== undefined) return halves.has(value) ? `${multiply}${halves.get(value)}dq` : undefined;
  const [, vex, sizes] = /^(v?)cmp([ps][sd])$/.exec(row.name) ?? [];
  const known = vex === 'v' ? predicates.length : PREDICATES_OF_SSE;
  return sizes === undefined || value >= known ? undefined : `${vex}cmp${predicates[value]}${sizes}`;
}

/** The mnemonic. */
export function mnemonicOf(encoding: Encoding): string {
  const { row, code, opcode, operandSize, addressSize } = encoding;
  if (isNop(encoding)) return 'nop';
  if (isFull(encoding)) return 'movabs';
  const named = nameByImmediate(encoding);
  if (named !== undefined) return named;
  let text = row.spelling.mnemonic;
  if (text.endsWith('cc')) text = text.slice(0, -2) + conditions[opcode & 15]!;
  if (text.startsWith('@')) return text.slice(1).split('/')[sizes.indexOf(addressSize)]!;
  if (text.includes('/')) {
    const byVector = row.vex && !row.operands.some((operand) => /^[EGR]/.test(operand));
    return text.split('/')[byVector ? (encoding.long ? 2 : 1) : sizes.indexOf(operandSize)]!;
  }
  if (text.endsWith('~')) return text.slice(0, -1) + (code !== 64 ? '' : operandSize === 64 ? 'q' : 'd');
  if (!text.endsWith('+')) return text;
  const plain = text.slice(0, -1);
  const shown = (row.name === 'push' && !row.operands[0]!.includes('I')) || row.operands[0] === 'Jb';
  return shown || operandSize === defaultSize(encoding)
    ? plain
    : plain + suffixes[sizes.indexOf(operandSize)];
}

/** The operands' notation, in the order of the manual. */
export function notationOf(encoding: Encoding): readonly string[] {
  if (isNop(encoding)) return [];
  const { row, memory } = encoding;
  const all = row.spelling.operands ?? row.operands;
  const operands = nameByImmediate(encoding) === undefined ? all : all.slice(0, -1);
  return operands
    .filter((operand) => !/^-.?$/.test(operand))
    .map((operand) => {
      const [register = '', inMemory = register] = operand.split('|');
      return memory === undefined ? register : inMemory;
    });
}

/** Whether the instruction repeats with F2 and F3, and the names of the prefixes. */
export function repeatWord({ row, repeat }: Encoding): string {
  if (repeat === 0 || row.meaning.kind !== 'repeat') return '';
  if (repeat === 0xf2) return 'repnz';
  return row.name === 'cmps' || row.name === 'scas' ? 'repz' : 'rep';
}

/** LOOP counts in a register as wide as addresses, which nothing else shows. */
export function counterWord({ row, code, addressSize }: Encoding): string {
  return row.name.startsWith('loop') && addressSize !== code ? `addr${addressSize}` : '';
}

/** The size of a row without sized operands: that of `ins -b`, `movs -v`. */
export function stringSize(row: Opcode): string {
  return row.operands[0]?.[1] ?? 'v';
}
