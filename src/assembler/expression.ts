/**
 * Expressions of a source: constants, symbols and operators.
 *
 * @module
 */

/** A section that is laid out; only its identity matters here. */
export interface Place {
  readonly section: object;
  /** From the section's start, in bytes. */
  readonly offset: bigint;
}

/** The value of an expression: a number (`section` undefined), or a distance from the start of a section. */
export interface Value {
  readonly number: bigint;
  readonly section: object | undefined;
}

/** Something that can be evaluated. */
export type Expression =
  | { readonly kind: 'number'; readonly value: bigint }
  | { readonly kind: 'symbol'; readonly name: string }
  /** `.` of GNU as, `$` and `$$` of NASM: the statement's address, and the start of its section. */
  | { readonly kind: 'here'; readonly what: 'statement' | 'section' }
  | { readonly kind: 'unary'; readonly operator: string; readonly of: Expression }
  | {
      readonly kind: 'binary';
      readonly operator: string;
      readonly left: Expression;
      readonly right: Expression;
    };

/** Returns the value of a symbol; undefined where it is not known (yet). */
export interface Scope {
  symbol(name: string): Value | undefined;
  here(what: 'statement' | 'section'): Value | undefined;
}

/** An expression that has no meaning: a division by zero, a sum of two addresses. */
export class ExpressionError extends Error {}

export const number = (value: bigint): Expression => ({ kind: 'number', value });

const absolute = (value: bigint): Value => ({ number: value, section: undefined });
/** Sums of 64 bits, as both assemblers calculate. */
const wrap = (value: bigint) => BigInt.asIntN(64, value);

/** The largest shift that changes anything. */
const WIDTH = 64n;

/** `>>` shifts in zeros, `>>>` the sign (NASM 3.5.7); after 64 no bits are left. */
function shift(left: bigint, right: bigint, operator: string): bigint {
  if (operator === '>>>') return left >> (right < 0n || right >= WIDTH ? WIDTH - 1n : right);
  if (right < 0n || right >= WIDTH) return 0n;
  return operator === '<<' ? left << right : BigInt.asUintN(64, left) >> right;
}

/** Divisions as in C: towards zero, the remainder has the sign of the dividend. `//` and `%%` treat both operands as signed (NASM 3.5). */
function divide(left: bigint, right: bigint, operator: string): bigint {
  if (right === 0n) throw new ExpressionError('a division by zero');
  return operator.startsWith('%') ? left % right : left / right;
}

type Truth = { readonly true: bigint };

function compare(left: bigint, right: bigint, operator: string): boolean {
  switch (operator) {
    case '==':
    case '=':
      return left === right;
    case '!=':
    case '<>':
      return left !== right;
    case '<':
      return left < right;
    case '>':
      return left > right;
    case '<=':
      return left <= right;
    default:
      return left >= right;
  }
}

const comparisons = new Set(['==', '=', '!=', '<>', '<', '>', '<=', '>=']);

function binary(operator: string, left: Value, right: Value, truth: Truth): Value {
  const a = left.number;
  const b = right.number;
  if (operator === '+') {
    if (left.section !== undefined && right.section !== undefined) {
      throw new ExpressionError('a sum of two addresses');
    }
    return { number: wrap(a + b), section: left.section ?? right.section };
  }
  if (operator === '-') {
    if (right.section === undefined) return { number: wrap(a - b), section: left.section };
    if (left.section === right.section) return absolute(wrap(a - b));
    throw new ExpressionError('a difference of addresses in two sections');
  }
  if (left.section !== right.section || (left.section !== undefined && !comparisons.has(operator))) {
    throw new ExpressionError(`an address beside '${operator}', which takes numbers`);
  }
  if (comparisons.has(operator)) return absolute(compare(a, b, operator) ? truth.true : 0n);
  switch (operator) {
    case '*':
      return absolute(wrap(a * b));
    case '/':
    case '//':
    case '%':
    case '%%':
      return absolute(divide(a, b, operator));
    case '<<':
    case '>>':
    case '>>>':
      return absolute(wrap(shift(a, b, operator)));
    case '&':
      return absolute(a & b);
    case '|':
      return absolute(a | b);
    case '^':
      return absolute(a ^ b);
    case '|~':
      return absolute(a | ~b);
    case '&&':
      return absolute(a !== 0n && b !== 0n ? 1n : 0n);
    default:
      return absolute(a !== 0n || b !== 0n ? 1n : 0n);
  }
}

function unary(operator: string, { number: value, section }: Value): Value {
  if (operator === '+') return { number: value, section };
  if (section !== undefined) throw new ExpressionError(`an address after '${operator}', which takes numbers`);
  if (operator === '-') return absolute(wrap(-value));
  return absolute(operator === '~' ? ~value : value === 0n ? 1n : 0n);
}

/** The value of a true comparison: -1 for GNU as (as 3.6.2.3), 1 for C's preprocessor and NASM. */
export type TruthValue = 1n | -1n;

/**
 * The value of an expression; undefined where a symbol in it has none.
 * @throws ExpressionError
 */
export function evaluate(expression: Expression, scope: Scope, truth: TruthValue = 1n): Value | undefined {
  switch (expression.kind) {
    case 'number':
      return absolute(expression.value);
    case 'symbol':
      return scope.symbol(expression.name);
    case 'here':
      return scope.here(expression.what);
    case 'unary': {
      const value = evaluate(expression.of, scope, truth);
      return value === undefined ? undefined : unary(expression.operator, value);
    }
    case 'binary': {
      const left = evaluate(expression.left, scope, truth);
      const right = evaluate(expression.right, scope, truth);
      if (left === undefined || right === undefined) return undefined;
      return binary(expression.operator, left, right, { true: truth });
    }
  }
}

/** The names in an expression. */
export function* symbolsOf(expression: Expression): Generator<string> {
  if (expression.kind === 'symbol') yield expression.name;
  else if (expression.kind === 'unary') yield* symbolsOf(expression.of);
  else if (expression.kind === 'binary') {
    yield* symbolsOf(expression.left);
    yield* symbolsOf(expression.right);
  }
}

/** True if nothing in the expression can change: it is a number in every layout. */
export function isConstant(expression: Expression): boolean {
  switch (expression.kind) {
    case 'number':
      return true;
    case 'unary':
      return isConstant(expression.of);
    case 'binary':
      return isConstant(expression.left) && isConstant(expression.right);
    default:
      return false;
  }
}
