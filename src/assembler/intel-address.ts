/**
 * Addresses in Intel's syntax: sums of registers, factors and numbers in brackets, split into base, index and displacement.
 *
 * @module
 */
import { type Expression, isConstant, number } from './expression.js';
import { type Register, registerNamed } from './operand.js';
import type { Grammar } from './parse-expression.js';
import { SourceError } from './source.js';

const word = /[A-Za-z_][A-Za-z0-9_.]*/y;

/** Registers in an expression: symbols with a name that no other symbol can have. */
const MARK = '\u0001';

/** A grammar whose expressions may contain registers. */
export function withRegisters(grammar: Grammar): Grammar {
  return {
    ...grammar,
    primary(scanner) {
      const name = scanner.peek(/[A-Za-z][A-Za-z0-9]*/y) ?? '';
      const register = registerNamed(name.toLowerCase());
      // A longer name that begins like a register is a symbol.
      if (register === undefined || scanner.peek(word) !== name) return grammar.primary(scanner);
      scanner.take(name);
      return { kind: 'symbol', name: MARK + register.name };
    },
  };
}

/** A register with its factor, and whether the source writes one. */
export interface Term {
  readonly name: string;
  readonly factor: number;
  readonly scaled: boolean;
}

/** The registers of a sum, and the rest of it. */
interface Sum {
  readonly registers: readonly Term[];
  readonly rest: Expression | undefined;
}

function constantOf(expression: Expression): number | undefined {
  if (expression.kind === 'number') return Number(expression.value);
  if (expression.kind === 'unary' && expression.operator === '-') {
    const value = constantOf(expression.of);
    return value === undefined ? undefined : -value;
  }
  if (expression.kind !== 'binary' || !isConstant(expression)) return undefined;
  const [left, right] = [constantOf(expression.left), constantOf(expression.right)];
  if (left === undefined || right === undefined) return undefined;
  const { operator } = expression;
  return operator === '*'
    ? left * right
    : operator === '+'
      ? left + right
      : operator === '-'
        ? left - right
        : undefined;
}

export function plus(left: Expression | undefined, right: Expression | undefined): Expression | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  return { kind: 'binary', operator: '+', left, right };
}

const notLinear = () =>
  new SourceError('registers in an address can be added, and multiplied by 1, 2, 4 or 8, no more');

export function sumOf(expression: Expression): Sum {
  if (expression.kind === 'symbol' && expression.name.startsWith(MARK)) {
    return { registers: [{ name: expression.name.slice(1), factor: 1, scaled: false }], rest: undefined };
  }
  if (expression.kind === 'unary') {
    if (sumOf(expression.of).registers.length > 0 && expression.operator !== '+') throw notLinear();
    return expression.operator === '+' ? sumOf(expression.of) : { registers: [], rest: expression };
  }
  if (expression.kind !== 'binary') return { registers: [], rest: expression };
  const left = sumOf(expression.left);
  const right = sumOf(expression.right);
  if (left.registers.length + right.registers.length === 0) return { registers: [], rest: expression };
  switch (expression.operator) {
    case '+':
      return { registers: [...left.registers, ...right.registers], rest: plus(left.rest, right.rest) };
    case '-': {
      const { rest } = right;
      const negative: Expression | undefined =
        rest === undefined ? undefined : { kind: 'unary', operator: '-', of: rest };
      const registers = [
        ...left.registers,
        ...right.registers.map((term) => ({ ...term, factor: -term.factor })),
      ];
      if (left.rest === undefined || rest === undefined) return { registers, rest: left.rest ?? negative };
      return { registers, rest: { kind: 'binary', operator: '-', left: left.rest, right: rest } };
    }
    case '*': {
      const isLeft = left.registers.length > 0;
      const { registers, rest } = isLeft ? left : right;
      const factor = constantOf(isLeft ? expression.right : expression.left);
      if (factor === undefined) throw notLinear();
      return {
        registers: registers.map((term) => ({ ...term, factor: term.factor * factor, scaled: true })),
        rest:
          rest === undefined
            ? undefined
            : { kind: 'binary', operator: '*', left: rest, right: number(BigInt(factor)) },
      };
    }
    default:
      throw notLinear();
  }
}

/** The same register twice is that register times two (NASM); GNU as uses them as base and index. */
function gather(terms: readonly Term[], nasm: boolean): Term[] {
  const gathered: Term[] = [];
  for (const term of terms) {
    const n = gathered.findIndex(({ name }) => name === term.name);
    const same = gathered[n];
    const joins = same !== undefined && (nasm || term.factor < 0 || terms.length > 2);
    if (joins) gathered[n] = { ...same, factor: same.factor + term.factor };
    else gathered.push(term);
  }
  return gathered.filter(({ factor }) => factor !== 0);
}

interface Registers {
  base: Register | undefined;
  index: Register | undefined;
  scale: number;
}

/** Which register is the base, and which the index with its scale. */
export function place(terms: readonly Term[], nasm: boolean): Registers {
  const named = gather(terms, nasm).map((term) => ({ ...term, register: registerNamed(term.name)! }));
  if (named.length > 2) throw new SourceError('an address has two registers at most');
  for (const { register } of named) {
    if (register.class === 'segment') {
      throw new SourceError(`${register.name} stands before an address with a colon: ${register.name}:[...]`);
    }
    if (register.class !== 'general' && register.class !== 'ip') {
      throw new SourceError(`${register.name} is no register of addresses`);
    }
  }
  const [first, second] = named;
  if (first === undefined) return { base: undefined, index: undefined, scale: 1 };
  if (second === undefined) return single(first.register, first, nasm);
  if (first.register.size !== second.register.size) {
    throw new SourceError(`${first.register.name} and ${second.register.name} are not of the same size`);
  }
  // The multiplied register is the index; if none is multiplied, the second one, unless it cannot be an index.
  let [base, index] =
    first.factor !== 1 || (first.scaled && !second.scaled) ? [second, first] : [first, second];
  if (base.factor !== 1) throw notLinear();
  if (index.factor === 1 && index.register.number === 4 && index.register.size > 2)
    [base, index] = [index, base];
  if (![1, 2, 4, 8].includes(index.factor))
    throw new SourceError(`a scale is 1, 2, 4 or 8, not ${index.factor}`);
  return { base: base.register, index: index.register, scale: index.factor };
}

function single(register: Register, { factor, scaled }: Term, nasm: boolean): Registers {
  if (factor === 1 && (nasm || !scaled || register.size === 2))
    return { base: register, index: undefined, scale: 1 };
  // 2, 3, 5 and 9 times a register is that register and 1, 2, 4 or 8 times the same: no displacement is needed.
  if ([3, 5, 9].includes(factor) || (factor === 2 && nasm))
    return { base: register, index: register, scale: factor - 1 };
  if (![1, 2, 4, 8].includes(factor)) throw new SourceError(`a scale is 1, 2, 4 or 8, not ${factor}`);
  return { base: undefined, index: register, scale: factor };
}
