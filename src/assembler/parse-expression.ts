/**
 * Expressions of the two assemblers and of C's preprocessor: the same trees by three tables of operators.
 *
 * @module
 */
import { type Expression, number } from './expression.js';
import type { Scanner } from './scanner.js';
import { SourceError } from './source.js';

/** How a dialect writes expressions. */
export interface Grammar {
  /** Binary operators by how strongly they bind, the weakest first. Longer ones come before their beginnings. */
  readonly levels: readonly (readonly string[])[];
  readonly unary: readonly string[];
  /** Reads a number, a symbol, a character; undefined where none of these begins. */
  readonly primary: (scanner: Scanner) => Expression | undefined;
}

/** The manual of GNU as, 6.2.4. */
export const gasLevels = [
  ['||'],
  ['&&'],
  ['+', '-', '==', '<>', '!=', '<=', '>=', '<', '>'],
  ['|', '&', '^'],
  ['*', '/', '%', '<<', '>>'],
];

/** C 6.5, without what the preprocessor lacks. */
export const cLevels = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<=', '>=', '<', '>'],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
];

/** The manual of NASM, 3.5. */
export const nasmLevels = [
  ['||'],
  ['&&'],
  ['==', '<>', '!=', '<=', '>=', '=', '<', '>'],
  ['|'],
  ['^'],
  ['&'],
  ['<<<', '<<', '>>>', '>>'],
  ['+', '-'],
  ['*', '//', '/', '%%', '%'],
];

/** The deepest nesting of operators: more than any real source has. */
const DEEPEST = 200;

const operatorCharacters = /[|&^=!<>+\-*/%]/;

class Parser {
  readonly #scanner: Scanner;
  readonly #grammar: Grammar;
  #depth = 0;

  constructor(scanner: Scanner, grammar: Grammar) {
    this.#scanner = scanner;
    this.#grammar = grammar;
  }

  /** The operator here, if it binds at least as strongly as `least`: its level and itself. */
  #operator(least: number): [number, string] | undefined {
    const { text, at } = this.#scanner;
    if (!operatorCharacters.test(text[at] ?? '')) return undefined;
    let best: [number, string] | undefined;
    for (const [level, words] of this.#grammar.levels.entries()) {
      for (const word of words) {
        if (text.startsWith(word, at) && word.length > (best?.[1].length ?? 0)) best = [level, word];
      }
    }
    return best === undefined || best[0] < least ? undefined : best;
  }

  /** An expression of operators that bind at least this strongly. */
  level(least: number): Expression {
    if (++this.#depth > DEEPEST)
      throw new SourceError('the expression is nested too deeply', this.#scanner.at);
    let left = this.#unary();
    for (;;) {
      const found = this.#operator(least);
      if (found === undefined) break;
      const [level, operator] = found;
      this.#scanner.take(operator);
      left = {
        kind: 'binary',
        operator: operator === '<<<' ? '<<' : operator,
        left,
        right: this.level(level + 1),
      };
    }
    this.#depth--;
    return left;
  }

  #unary(): Expression {
    const scanner = this.#scanner;
    for (const operator of this.#grammar.unary) {
      if (scanner.next !== operator) continue;
      if (++this.#depth > DEEPEST) throw new SourceError('the expression is nested too deeply', scanner.at);
      scanner.take(operator);
      const of = this.#unary();
      this.#depth--;
      if (operator === '-' && of.kind === 'number') return number(-of.value);
      return { kind: 'unary', operator, of };
    }
    if (scanner.take('(')) {
      const inside = this.level(0);
      scanner.expect(')', 'after an expression in brackets');
      return inside;
    }
    const primary = this.#grammar.primary(scanner);
    if (primary === undefined) {
      const found = scanner.done ? 'nothing' : `'${scanner.next}'`;
      throw new SourceError(`a number or a symbol is missing: ${found} is there`, scanner.at);
    }
    return primary;
  }
}

/** Reads the expression that begins here. @throws SourceError */
export function parseExpression(scanner: Scanner, grammar: Grammar): Expression {
  return new Parser(scanner, grammar).level(0);
}

/** A number as GNU as and C write it: 0x1f, 0b101, 017, 42. Undefined where the characters are not a number. */
export function cNumber(text: string): bigint | undefined {
  const plain = text.replace(/_/g, '?');
  if (/^0[xX][0-9a-fA-F]+$/.test(plain)) return BigInt(plain);
  if (/^0[bB][01]+$/.test(plain)) return BigInt(plain);
  if (/^0[0-7]*$/.test(plain)) return BigInt(`0o0${plain}`);
  return /^[1-9][0-9]*$/.test(plain) ? BigInt(plain) : undefined;
}
