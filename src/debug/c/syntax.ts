/**
 * Parses expressions of C to a tree: `p->next->name`, `a[3] + 1`, `(struct node *) 0x1000`, `&x`, `sizeof(int)`.
 *
 * @module
 */
import type { CType } from '../../symbols/index.js';
import { DebugError } from '../errors.js';
import { requireShort, TokenReader } from '../token-reader.js';

/** An expression as a tree. */
export type CExpression =
  | { kind: 'number'; value: bigint; unsigned: boolean; long: boolean }
  | { kind: 'float'; value: number }
  | { kind: 'character'; value: bigint }
  | { kind: 'name'; name: string }
  | { kind: 'register'; name: string }
  | { kind: 'unary'; operator: '-' | '~' | '!' | '*' | '&'; operand: CExpression }
  | { kind: 'binary'; operator: string; left: CExpression; right: CExpression }
  | { kind: 'choice'; condition: CExpression; yes: CExpression; no: CExpression }
  | { kind: 'member'; of: CExpression; name: string; arrow: boolean }
  | { kind: 'index'; of: CExpression; index: CExpression }
  | { kind: 'cast'; type: CType; operand: CExpression }
  | { kind: 'size'; of: CExpression | CType }
  | { kind: 'assignment'; place: CExpression; value: CExpression };

/** The types that a text may name. */
export interface TypeNames {
  /** `struct node`, `node_t`. */
  type(name: string): CType | undefined;
  /** Bytes of a pointer. */
  word: 4 | 8;
}

const tokenPattern =
  /\s*(?:(0x[\da-f]+|\d+(?:\.\d*)?(?:e[-+]?\d+)?)([ul]*)|('(?:\\x[\da-f]{1,2}|\\[0-7]{1,3}|\\.|[^'\\])')|(\$?[A-Za-z_]\w*(?:::\w+)*)|(->|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^~!()[\]<>=?:.]))/iy;

interface Token {
  kind: 'number' | 'float' | 'character' | 'name' | 'sign' | 'end';
  text: string;
  suffix: string;
}

/** @throws DebugError where it is not an expression of C */
export function parseC(text: string, types: TypeNames): CExpression {
  return new Parser(text, types).whole();
}

/** Only a type: `struct node *`; undefined where the text is not one. */
export function parseType(text: string, types: TypeNames): CType | undefined {
  try {
    return new Parser(text, types).wholeType();
  } catch (error) {
    if (error instanceof DebugError) return undefined;
    throw error;
  }
}

function tokensOf(text: string): Token[] {
  requireShort(text);
  const tokens: Token[] = [];
  tokenPattern.lastIndex = 0;
  const end = text.trimEnd().length;
  while (tokenPattern.lastIndex < end) {
    const match = tokenPattern.exec(text);
    if (match === null) throw new DebugError(`'${text}' is no expression of C`);
    const [, number, suffix = '', character, name, sign] = match;
    if (number !== undefined) {
      const kind = /^0x|^\d+$/i.test(number) ? 'number' : 'float';
      tokens.push({ kind, text: number, suffix: suffix.toLowerCase() });
    } else if (character !== undefined) tokens.push({ kind: 'character', text: character, suffix: '' });
    else if (name !== undefined) tokens.push({ kind: 'name', text: name, suffix: '' });
    else tokens.push({ kind: 'sign', text: sign!, suffix: '' });
  }
  tokens.push({ kind: 'end', text: '', suffix: '' });
  return tokens;
}

/** Words that make a type together, in any order. */
const baseWords: ReadonlySet<string> = new Set([
  ...['void', 'char', 'short', 'int', 'long', 'float', 'double', 'signed', 'unsigned', '_Bool', 'bool'],
]);
const qualifierWords: ReadonlySet<string> = new Set(['const', 'volatile', 'restrict']);
const tagWords: ReadonlySet<string> = new Set(['struct', 'union', 'enum', 'class']);

class Parser {
  readonly #reader: TokenReader<Token>;
  readonly #types: TypeNames;
  readonly #text: string;

  constructor(text: string, types: TypeNames) {
    this.#text = text;
    this.#types = types;
    this.#reader = new TokenReader(tokensOf(text));
  }

  whole(): CExpression {
    const left = this.#choice();
    const made: CExpression = this.#reader.takes('=')
      ? { kind: 'assignment', place: left, value: this.#choice() }
      : left;
    if (!this.#reader.ended) throw this.#unexpected();
    return made;
  }

  wholeType(): CType | undefined {
    const type = this.#type();
    return this.#reader.ended ? type : undefined;
  }

  #expect(sign: string): void {
    if (!this.#reader.takes(sign)) throw this.#unexpected(`'${sign}' is missing`);
  }

  #unexpected(why?: string): DebugError {
    const { kind, text } = this.#reader.next;
    const found = kind === 'end' ? 'it ends too early' : `'${text}' is not expected`;
    return new DebugError(`'${this.#text}' is no expression of C: ${why ?? found}`);
  }

  #choice(): CExpression {
    return this.#reader.deeper(() => {
      const condition = this.#binary();
      if (!this.#reader.takes('?')) return condition;
      const yes = this.#choice();
      this.#expect(':');
      return { kind: 'choice', condition, yes, no: this.#choice() };
    });
  }

  #binary(): CExpression {
    return this.#reader.binary(
      () => this.#unary(),
      (operator, left, right): CExpression => ({ kind: 'binary', operator, left, right }),
    );
  }

  #unary(): CExpression {
    return this.#reader.deeper(() => {
      for (const operator of ['-', '~', '!', '*', '&'] as const)
        if (this.#reader.takes(operator)) return { kind: 'unary', operator, operand: this.#unary() };
      if (this.#reader.takes('+')) return this.#unary();
      if (this.#reader.next.kind === 'name' && this.#reader.next.text === 'sizeof') return this.#size();
      const before = this.#reader.at;
      if (this.#reader.takes('(')) {
        const type = this.#type();
        if (type !== undefined && this.#reader.takes(')'))
          return { kind: 'cast', type, operand: this.#unary() };
        this.#reader.at = before;
      }
      return this.#postfix();
    });
  }

  #size(): CExpression {
    this.#reader.at++;
    const before = this.#reader.at;
    if (this.#reader.takes('(')) {
      const type = this.#type();
      if (type !== undefined && this.#reader.takes(')')) return { kind: 'size', of: type };
      this.#reader.at = before;
    }
    return { kind: 'size', of: this.#unary() };
  }

  #postfix(): CExpression {
    let left = this.#primary();
    for (;;) {
      if (this.#reader.takes('[')) {
        const index = this.#choice();
        this.#expect(']');
        left = { kind: 'index', of: left, index };
      } else if (this.#reader.takes('.'))
        left = { kind: 'member', of: left, name: this.#name(), arrow: false };
      else if (this.#reader.takes('->')) left = { kind: 'member', of: left, name: this.#name(), arrow: true };
      else return left;
    }
  }

  #name(): string {
    const { kind, text } = this.#reader.next;
    if (kind !== 'name') throw this.#unexpected();
    this.#reader.at++;
    return text;
  }

  #primary(): CExpression {
    const { kind, text, suffix } = this.#reader.next;
    if (this.#reader.takes('(')) {
      const inner = this.#choice();
      this.#expect(')');
      return inner;
    }
    if (kind === 'end' || kind === 'sign') throw this.#unexpected();
    this.#reader.at++;
    if (kind === 'float') return { kind: 'float', value: Number(text) };
    if (kind === 'character') return { kind: 'character', value: characterOf(text.slice(1, -1)) };
    if (kind === 'name')
      return text.startsWith('$')
        ? { kind: 'register', name: text.slice(1).toLowerCase() }
        : { kind: 'name', name: text };
    const octal = /^0[0-7]+$/.test(text);
    if (!octal && /^0\d/.test(text)) throw this.#unexpected(`'${text}' is no octal number`);
    const value = BigInt(octal ? `0o${text.slice(1)}` : text);
    return { kind: 'number', value, unsigned: suffix.includes('u'), long: suffix.includes('l') };
  }

  /** The type here; undefined, with the place anywhere, where none is. */
  #type(): CType | undefined {
    const base = this.#baseType();
    return base && this.#declarator(base);
  }

  #baseType(): CType | undefined {
    const words: string[] = [];
    let named: CType | undefined;
    for (; this.#reader.next.kind === 'name'; ) {
      const { text } = this.#reader.next;
      if (qualifierWords.has(text)) this.#reader.at++;
      else if (baseWords.has(text) && named === undefined) {
        words.push(text);
        this.#reader.at++;
      } else if (named === undefined && words.length === 0) {
        this.#reader.at++;
        named = this.#types.type(tagWords.has(text) ? `${text} ${this.#name()}` : text);
        if (named === undefined) return undefined;
      } else return undefined;
    }
    return named ?? (words.length === 0 ? undefined : baseType(words, this.#types.word));
  }

  /** `*`, `(*)[4]`: pointers to the type, and arrays of it. */
  #declarator(base: CType): CType | undefined {
    let type = base;
    for (;;) {
      while (this.#reader.next.kind === 'name' && qualifierWords.has(this.#reader.next.text))
        this.#reader.at++;
      if (!this.#reader.takes('*')) break;
      type = { kind: 'pointer', sign: '*', size: this.#types.word, to: type };
    }
    let stars = 0;
    if (this.#reader.next.text === '(' && this.#reader.after?.text === '*') {
      this.#reader.at++;
      while (this.#reader.takes('*')) stars++;
      if (!this.#reader.takes(')')) return undefined;
    }
    const counts: number[] = [];
    while (this.#reader.takes('[')) {
      const { kind, text } = this.#reader.next;
      if (kind !== 'number' || Number(text) > 0x7fff_ffff) return undefined;
      this.#reader.at++;
      if (!this.#reader.takes(']')) return undefined;
      counts.push(Number(text));
    }
    for (const count of counts.reverse()) type = { kind: 'array', of: type, count };
    for (; stars > 0; stars--) type = { kind: 'pointer', sign: '*', size: this.#types.word, to: type };
    return type;
  }
}

const escapes: Readonly<Record<string, number>> = { a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13, e: 27 };

function characterOf(text: string): bigint {
  if (!text.startsWith('\\')) return BigInt(text.codePointAt(0)!);
  const rest = text.slice(1);
  if (/^[0-7]+$/.test(rest)) return BigInt(`0o${rest}`);
  if (rest.startsWith('x')) return BigInt(`0${rest}`);
  return BigInt(escapes[rest] ?? rest.codePointAt(0)!);
}

/** `unsigned long` of its words in any order. */
function baseType(words: readonly string[], word: 4 | 8): CType | undefined {
  const count = (one: string) => words.filter((each) => each === one).length;
  if (count('void') > 0) return { kind: 'void' };
  const base = (name: string, size: number, encoding: (CType & { kind: 'base' })['encoding']): CType => ({
    kind: 'base',
    name,
    size,
    encoding,
  });
  if (count('_Bool') + count('bool') > 0) return base('_Bool', 1, 'boolean');
  if (count('float') > 0) return base('float', 4, 'float');
  if (count('double') > 0)
    return count('long') > 0 ? base('long double', 16, 'float') : base('double', 8, 'float');
  const unsigned = count('unsigned') > 0;
  const sign = unsigned ? 'unsigned ' : '';
  const encoding = unsigned ? 'unsigned' : 'signed';
  if (count('char') > 0) {
    if (unsigned) return base('unsigned char', 1, 'unsigned character');
    return base(count('signed') > 0 ? 'signed char' : 'char', 1, 'character');
  }
  if (count('short') > 0) return base(`${sign}short`, 2, encoding);
  if (count('long') > 1) return base(`${sign}long long`, 8, encoding);
  if (count('long') > 0) return base(`${sign}long`, word, encoding);
  return base(unsigned ? 'unsigned int' : 'int', 4, encoding);
}
