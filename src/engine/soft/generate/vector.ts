/**
 * The code of operations on MMX and XMM registers: functions from vectors to a vector, or to an integer for a general register.
 * Memory is read first; the result is written if nothing failed.
 *
 * @module
 */
import type { Opcode } from '../../../isa/index.js';
import { isMemory, type OperandSize, typeOf } from './operand.js';

/** Which register files an instruction uses. Memory belongs to neither. */
function files({ name, operands }: Opcode, memoryForm: boolean): { mmx: boolean; xmm: boolean } {
  const used = (letters: RegExp) =>
    operands.some((operand) => letters.test(operand) && !isMemory(operand, memoryForm));
  // A conversion counts as SSE for all operands.
  return { mmx: used(/^[PQN]/), xmm: used(/^[VWU]/) || name.startsWith('cvt') };
}

/** The check before they may be used. */
function condition({ mmx, xmm }: { mmx: boolean; xmm: boolean }): string {
  if (mmx && xmm) return 'sseAndMmx()';
  return mmx ? 'mmx()' : 'sse()';
}

const elements: Record<string, string> = { b: 'u8', w: 'u16', d: 'u32', q: 'u64' };

/** The size of a vector's memory operand in bytes, by the size letter; `y` is the operand size. */
function elementOf(operand: string, size: OperandSize): string | undefined {
  const letter = operand[1] === 'y' ? (size === 64 ? 'q' : 'd') : operand[1]!;
  return elements[letter];
}

/** The expression that reads an operand as a vector. */
function source(operand: string, size: OperandSize, memoryForm: boolean, row: Opcode): string {
  if (isMemory(operand, memoryForm)) {
    const element = elementOf(operand, size);
    if (element !== undefined) return `memory<${element}>(pc)`;
    if (row.unaligned) return 'unaligned16(pc)';
    return row.by === 'move' ? 'memory16(pc)' : 'operand16(pc)';
  }
  switch (operand[0]) {
    case 'V':
      return 'xmmReg(pc)';
    case 'W':
    case 'U':
      return 'xmmRm(pc)';
    case 'P':
      return 'mmxReg(pc)';
    case 'Q':
    case 'N':
      return 'mmxRm(pc)';
    default:
      return `fromInteger(<i64>rm<${typeOf(operand, size)!.replace('i', 'u')}>(pc))`;
  }
}

/** The statement that writes a vector. */
function destination(row: Opcode, size: OperandSize, memoryForm: boolean): string {
  const operand = row.operands[0]!;
  if (isMemory(operand, memoryForm)) {
    const element = elementOf(operand, size);
    if (element !== undefined) return `setMemory<${element}>(pc, r)`;
    return row.unaligned ? 'setUnaligned16(pc, r)' : 'setMemory16(pc, r)';
  }
  const setters: Record<string, string> = {
    V: 'setXmmReg',
    W: 'setXmmRm',
    U: 'setXmmRm',
    P: 'setMmxReg',
    Q: 'setMmxRm',
    N: 'setMmxRm',
  };
  return `${setters[operand[0]!]}(pc, r)`;
}

/** The code of kinds `vector` and `compare`. */
export function vectorBody(row: Opcode, size: OperandSize, memoryForm: boolean): string {
  const { operands, name, by, value, meaning } = row;
  const read = (operand: string) => source(operand, size, memoryForm, row);
  const [first = '', second = first] = operands;
  const used = files(row, memoryForm);
  const check = `if (!${condition(used)}) return;`;
  const imm = operands.includes('Ib') ? ', <u32>immediate(pc) & 0xff' : '';
  const general = operands
    .map((operand) => typeOf(operand, size))
    .find((type) => /^i(32|64)$/.test(type ?? ''));
  const sized = /^(cvtt?s[sd]2si|cvtsi2s[sd]|pextrd|pinsrd|lowBits)$/.test(by ?? name);
  const f = `ops.${by ?? name}${sized ? `<${general}>` : ''}`;
  // An instruction that uses both files changes the x87 state even where its calculation raises an exception.
  const before = `const b = ${read(second)}; if (failed()) return;${used.mmx && used.xmm ? ' usedMmx();' : ''}`;
  const stores = isMemory(first, memoryForm);
  const give = (statement: string) =>
    used.mmx && stores ? `storesMmx(); ${statement}; storedMmx();` : `${statement};`;
  if (meaning.kind === 'compare') return `${check} ${before} ${f}(${read(first)}, b);`;
  if (value) {
    const type = typeOf(first, size);
    const write = stores
      ? `write<${type}>(segment(pc), address(pc), <${type}>r)`
      : `${first.startsWith('G') ? 'setReg' : 'setRm'}<${type}>(pc, <${type}>r)`;
    // The setter of a general register does not update the MMX state.
    const after = used.mmx && !stores ? ' usedMmx();' : '';
    return `${check} ${before} const r = ${f}(b${imm}); if (failed()) return; ${give(write)}${after}`;
  }
  const write = destination(row, size, memoryForm);
  if (second === 'Ib') return `${check} const r = ${f}(${read(first)}${imm}); ${write};`;
  const own = stores ? 'i64x2.splat(0)' : read(first);
  return `${check} ${before} const r = ${f}(${own}, b${imm}); if (failed()) return; ${give(write)}`;
}
