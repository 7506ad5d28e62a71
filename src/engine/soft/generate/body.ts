/**
 * Generates the code of an operation from a row of the opcode table, an operand size and ModRM's form: AssemblyScript that
 * reads the operands, calls the function with the instruction's name, and writes its result.
 *
 * Memory is accessed on the fast path first, where the TLB has the page. Only the slow path can fail.
 *
 * @module
 */
import type { Opcode } from '../../../isa/index.js';
import { isMemory, type OperandSize, slotOf, type Type, typeOf } from './operand.js';
import { vectorBody } from './vector.js';

/** The conditions by the low four bits of their opcodes (SDM 1 appendix B). */
const conditions = ['overflow', 'carry', 'zero', 'belowOrEqual', 'sign', 'parity', 'less', 'lessOrEqual'];
const conditionOf = (opcode: number) => {
  const text = `${conditions[(opcode >> 1) & 7]!}()`;
  return (opcode & 1) === 1 ? `!${text}` : text;
};

const leave = '{ leave(pc); return 0; }';
const check = `if (troubled()) ${leave}`;
const bytes: Record<Type, number> = { i8: 1, i16: 2, i32: 4, i64: 8 };

/** Reads memory into `m`. */
function loadMemory(type: Type): string {
  return `const ea = address(pc), seg = segment(pc), p = readable(seg, ea, ${bytes[type]});
      let m: ${type};
      if (p) m = load<${type}>(p);
      else { m = readSlow<${type}>(seg, ea); ${check} }`;
}

function storeMemory(type: Type, value: string): string {
  return `const v = ${value};
      const ea = address(pc), seg = segment(pc), p = writable(seg, ea, ${bytes[type]});
      if (p) store<${type}>(p, v);
      else { writeSlow<${type}>(seg, ea, v); ${check} }`;
}

/** Reads `a`, writes f(a, others). `after` runs after the write. */
function modifyMemory(type: Type, call: (a: string) => string, after = ''): string {
  return `const ea = address(pc), seg = segment(pc), p = writable(seg, ea, ${bytes[type]});
      let a: ${type};
      if (p) { a = load<${type}>(p); store<${type}>(p, ${call('a')}); ${after} }
      else {
        a = modifySlow<${type}>(seg, ea); ${check} keepFlags();
        writeSlow<${type}>(seg, ea, ${call('a')});
        if (failed()) { restoreFlags(); leave(pc); return 0; }
        ${after}
        ${check}
      }`;
}

const setters = { rm: 'setRm', reg: 'setReg', vex: 'setVex' } as const;
const setter = (slot: keyof typeof setters, type: Type, value: string) =>
  `${setters[slot]}<${type}>(pc, ${value});`;

/** The expression for an operand that is not memory. */
function value(operand: string, index: number, type: Type, first: Type): string {
  if (operand === '1') return '1';
  if (operand === 'CL') return 'load<i8>(RCX)';
  if (operand === 'Ib') return '<i8>immediate(pc)';
  if (/^s?[IJ]/.test(operand)) return `<${first}>immediate(pc)`;
  return `${slotOf(operand, index)}<${type}>(pc)`;
}

/** True if the operation's code may return in its middle, so that its handler must call it as a function. */
export function isCalled({ meaning }: Opcode): boolean {
  return ['call', 'vector', 'compare'].includes(meaning.kind);
}

/** The most frequent instructions. */
const frequentNames = new Set(
  'mov add sub and or xor cmp test inc dec lea movzx jcc jmp call ret push pop shl shr'.split(' '),
);

/** True for the frequent instructions with 32- and 64-bit operands, except those with segment, control and debug registers. */
export function isFrequent({ name, operands }: Opcode, size: OperandSize): boolean {
  const rare = operands.some((operand) => /^[SCDO]|^Eb$/.test(operand));
  return size !== 16 && frequentNames.has(name) && !rare;
}

/** The code of one operation. */
export function bodyOf(row: Opcode, size: OperandSize, memoryForm: boolean): string {
  const { name, by, operands, meaning, opcode } = row;
  const [first = ''] = operands;
  const type = typeOf(first, size);
  const generic = type === undefined || first === 'Sw' ? '' : `<${type}>`;
  switch (meaning.kind) {
    case 'vector':
    case 'compare':
      return vectorBody(row, size, memoryForm);
    case 'call':
      return `ops.${by ?? name + generic}(pc);`;
    case 'whole':
      if (name === 'cmov' || name === 'setcc') break;
      return `ops.${by ?? name}${generic}(pc); ${check}`;
    case 'end':
      return `ops.${by ?? name}${generic}(pc); ${check} pc = proceed(pc); return pc;`;
    case 'branch': {
      const condition = name === 'jcc' ? `, ${conditionOf(opcode)}` : '';
      return `pc = ops.${by ?? name}${generic}(pc${condition}); return pc;`;
    }
    case 'transfer':
      return `ops.${by ?? name}${generic}(pc); if (failed()) ${leave} pc = arrive(pc); return pc;`;
    case 'repeat':
      return `if (!ops.${by ?? name}${generic}(pc)) { if (failed()) ${leave} pc = again(pc); return pc; } ${check}`;
  }
  if (type === undefined) throw new Error(`opcode table: ${name} has no size`);
  return operate(row, size, memoryForm, type);
}

function operate(row: Opcode, size: OperandSize, memoryForm: boolean, type: Type): string {
  const { name, by, operands, meaning, opcode } = row;
  const [first = '', ...others] = operands;
  const memory = (operand: string) => isMemory(operand, memoryForm);
  const lines: string[] = [];
  const args = others.map((operand, index) => {
    const own = typeOf(operand, size) ?? type;
    if (!memory(operand)) return value(operand, index + 1, own, type);
    lines.push(loadMemory(own));
    return 'm';
  });
  const source = others[0] === undefined ? undefined : typeOf(others[0], size);
  const types = source !== undefined && /^(mov.x|crc32)/.test(name) ? `<${type}, ${source}>` : `<${type}>`;
  const call = (...given: string[]) => `ops.${by ?? name}${types}(${given.join(', ')})`;
  const own = value(first, 0, type, type);
  const slot = slotOf(first, 0);
  if (name === 'cmov') {
    const [other = ''] = args;
    return [...lines, `const v = ${other};`, setter(slot, type, `${conditionOf(opcode)} ? v : ${own}`)].join(
      ' ',
    );
  }
  switch (name === 'setcc' ? 'write' : meaning.kind) {
    case 'read':
      if (memory(first)) return `${loadMemory(type)} ${call('m', ...args)};`;
      return `${lines.join(' ')} ${call(own, ...args)};`;
    case 'give':
      if (memory(first)) return `${loadMemory(type)} ${call('m')}; ${check}`;
      return `${call(own)}; ${check}`;
    case 'take':
      return `const v = ${call()}; ${check} ${setter(slot, type, 'v')}`;
    case 'modify':
      if (memory(first)) return modifyMemory(type, (a) => call(a, ...args));
      return `${lines.join(' ')} ${setter(slot, type, call(own, ...args))}`;
    case 'swap': {
      const second = slotOf(others[0] ?? '', 1);
      if (memory(first)) return modifyMemory(type, (a) => call(a, ...args), setter(second, type, 'a'));
      const swap = `const a = ${own}; const r = ${call('a', ...args)}; ${setter(second, type, 'a')} ${setter(slot, type, 'r')}`;
      // 90 is NOP, not XCHG of the accumulator with itself: it does not clear the upper half (SDM 2B NOP).
      return first.startsWith('Z') ? `if (load<u8>(pc, OP_RM) != 0) { ${swap} }` : swap;
    }
    default: {
      const result = name === 'setcc' ? `<i8>(${conditionOf(opcode)})` : call(...args);
      if (memory(first)) return storeMemory(type, result);
      return `${lines.join(' ')} ${setter(slot, type, result)}`;
    }
  }
}
