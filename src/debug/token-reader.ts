import { DebugError } from './errors.js';

/** The longest text that is parsed, and the deepest nesting. */
const LONGEST = 1000;
const DEEPEST = 100;

/** C's binary operators, the weakest first. */
export const binaryOperators: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<', '<=', '>', '>='],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
];

/** @throws DebugError where a text is too long to be parsed */
export function requireShort(text: string): void {
  if (text.length > LONGEST) throw new DebugError(`an expression of ${text.length} letters is too long`);
}

/** A position in the tokens of an expression, of which the last one has the kind `end`. */
export class TokenReader<T extends { kind: string; text: string }> {
  readonly #tokens: readonly T[];
  #depth = 0;
  /** The index of the next token. */
  at = 0;

  constructor(tokens: readonly T[]) {
    this.#tokens = tokens;
  }

  get next(): T {
    return this.#tokens[this.at]!;
  }

  /** The token after the next one. */
  get after(): T | undefined {
    return this.#tokens[this.at + 1];
  }

  get ended(): boolean {
    return this.next.kind === 'end';
  }

  /** Skips this sign; false where another token comes next. */
  takes(sign: string): boolean {
    const { kind, text } = this.next;
    if (kind !== 'sign' || text !== sign) return false;
    this.at++;
    return true;
  }

  /** Parses a nested part. @throws DebugError where it is nested too deeply */
  deeper<R>(inner: () => R): R {
    if (++this.#depth > DEEPEST) throw new DebugError('too many brackets and signs');
    const result = inner();
    this.#depth--;
    return result;
  }

  /** Operands and the binary operators between them, from a level of `binaryOperators` on. */
  binary<E>(operand: () => E, join: (operator: string, left: E, right: E) => E, level = 0): E {
    const operators = binaryOperators[level];
    if (operators === undefined) return operand();
    let left = this.binary(operand, join, level + 1);
    for (;;) {
      const operator = operators.find((sign) => this.takes(sign));
      if (operator === undefined) return left;
      left = join(operator, left, this.binary(operand, join, level + 1));
    }
  }
}
