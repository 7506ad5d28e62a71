/**
 * Generates the AssemblyScript files from the opcode table: `decode-table` and `handlers`.
 *
 * @module
 */
import { type FindRows, featureOf, type Opcode } from '../../../isa/index.js';
import { bodyOf, isCalled, isFrequent } from './body.js';
import { decodeTable, featureNumber } from './decode-table.js';
import { Handlers } from './handlers.js';
import { immediateOf, type OperandSize } from './operand.js';

/** Bits of a form in the decoder's table, above the handler's 12; the numbers are those of cpu/decode.ts. */
const Form = {
  immediate: 12,
  endsBlock: 1 << 17,
  lock: 1 << 18,
  protectedOnly: 1 << 19,
  default64: 1 << 20,
  force64: 1 << 21,
  namesRegister: 1 << 22,
  vexRegister: 1 << 23,
  byteReg: 1 << 24,
  byteRm: 1 << 25,
  /** The number of the required feature, 6 bits. */
  feature: 26,
} as const;

interface Generated {
  /** AssemblyScript source by the file's name. */
  files: Record<string, string>;
  handlers: number;
}

const blockEnds = new Set(['end', 'branch', 'transfer']);

function formOf(
  handlers: Handlers,
  row: Opcode | undefined,
  memory: boolean,
  size: OperandSize,
  code: 32 | 64,
): number {
  if (row === undefined) return 0;
  const { operands, meaning, name } = row;
  const body = bodyOf(row, size, memory);
  const title = `${name} ${operands.join(',')}`;
  let form = handlers.number(body, title, { called: isCalled(row), frequent: isFrequent(row, size) });
  form |= immediateOf(row) << Form.immediate;
  if (blockEnds.has(meaning.kind)) form |= Form.endsBlock;
  if (row.lock && memory) form |= Form.lock;
  if (row.protectedOnly) form |= Form.protectedOnly;
  if (row.default64) form |= Form.default64;
  if (row.force64) form |= Form.force64;
  if (operands[0]?.startsWith('Z')) form |= Form.namesRegister;
  if (operands.some((operand) => operand.startsWith('B'))) form |= Form.vexRegister;
  if (operands.includes('Gb')) form |= Form.byteReg;
  if (operands.includes('Eb') || operands.includes('Zb')) form |= Form.byteRm;
  const feature = featureOf(row, code, size);
  return feature === undefined ? form : form | (featureNumber(feature) << Form.feature);
}

/** Generates the files. @param find a lookup in an opcode table; default: the project's table */
export function generate(find?: FindRows): Generated {
  const tableOf = (handlers: Handlers) =>
    decodeTable((row, memory, size, code) => formOf(handlers, row, memory, size, code), find);
  // The first pass counts the frequent ones.
  const counted = new Handlers();
  tableOf(counted);
  const handlers = new Handlers(counted.frequent);
  const table = tableOf(handlers);
  return {
    files: {
      'decode-table': `${table}export const END_OF_BLOCK: u16 = ${handlers.count};\n`,
      handlers: handlers.source(),
    },
    handlers: handlers.count,
  };
}
