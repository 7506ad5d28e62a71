/**
 * Parses a debugger's expressions to a tree: `rax + 8`, `word [es:di]`, `&counter`, `counter:u16 == 5`, `ss:sp`.
 *
 * @module
 */
import { DebugError } from './errors.js';
import { binaryOperators, requireShort, TokenReader } from './token-reader.js';

/** How memory is read as a number. */
export interface NumberType {
  /** In bytes. */
  size: 1 | 2 | 4 | 8;
  signed: boolean;
}

/** An expression as a tree. */
export type Expression =
  | { kind: 'number'; value: bigint }
  | { kind: 'name'; name: string }
  | { kind: 'register'; name: string }
  | { kind: 'addressOf'; name: string }
  | { kind: 'unary'; operator: '-' | '~' | '!'; operand: Expression }
  | { kind: 'binary'; operator: string; left: Expression; right: Expression }
  | { kind: 'memory'; address: Expression; type: NumberType | undefined }
  | { kind: 'typed'; operand: Expression; type: NumberType }
  | { kind: 'segmented'; segment: Expression; offset: Expression }
  | { kind: 'assignment'; place: Expression; value: Expression };

const sizes: Readonly<Record<string, NumberType['size']>> = { byte: 1, word: 2, dword: 4, qword: 8 };

const types: Readonly<Record<string, NumberType>> = Object.fromEntries(
  ([1, 2, 4, 8] as const).flatMap((size) => [
    [`u${size * 8}`, { size, signed: false }],
    [`s${size * 8}`, { size, signed: true }],
    [`i${size * 8}`, { size, signed: true }],
  ]),
);

const tokenPattern =
  /\s*(?:(0x[\da-f_]+|0b[01_]+|0o[0-7_]+|\d[\da-f]*h\b|\d[\d_]*)|('(?:\\.|[^'\\])')|([$%]?[A-Za-z_.@][\w.@$]*)|(<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^~!()[\]<>:=]))/iy;

interface Token {
  kind: 'number' | 'name' | 'sign' | 'end';
  text: string;
  value: bigint;
  at: number;
}

/** @throws DebugError that names the part that was not understood */
export function parseExpression(text: string): Expression {
  requireShort(text);
  const parser = new Parser(text, tokensOf(text));
  return parser.whole();
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  tokenPattern.lastIndex = 0;
  while (tokenPattern.lastIndex < text.length) {
    const at = tokenPattern.lastIndex;
    const match = tokenPattern.exec(text);
    if (match === null) {
      const rest = text.slice(at).trimStart();
      if (rest === '') break;
      throw new DebugError(`'${rest[0]}' has no meaning here`, EXAMPLES);
    }
    const [, number, letter, name, sign] = match;
    const shared = { at, value: 0n };
    if (number !== undefined)
      tokens.push({ ...shared, kind: 'number', text: number, value: numberOf(number) });
    else if (letter !== undefined)
      tokens.push({ ...shared, kind: 'number', text: letter, value: letterOf(letter) });
    else if (name !== undefined) tokens.push({ ...shared, kind: 'name', text: name });
    else tokens.push({ ...shared, kind: 'sign', text: sign! });
  }
  tokens.push({ kind: 'end', text: '', value: 0n, at: text.length });
  return tokens;
}

const EXAMPLES = "such as rax + 8, word [es:di], &counter, counter:u16, [rsp], ss:sp, zf == 1, 'A'";

function numberOf(text: string): bigint {
  const plain = text.replaceAll('_', '');
  if (/h$/i.test(plain)) return BigInt(`0x${plain.slice(0, -1)}`);
  try {
    return BigInt(plain);
  } catch {
    throw new DebugError(`'${text}' is not a number`, 'write 10, 0x1f, 1fh, 0b101');
  }
}

const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  b: '\b',
  e: '\x1b',
  '0': '\0',
};

function letterOf(text: string): bigint {
  const inside = text.slice(1, -1);
  const letter = inside.startsWith('\\') ? (escapes[inside[1]!] ?? inside[1]!) : inside;
  return BigInt(letter.codePointAt(0)!);
}

class Parser {
  readonly #reader: TokenReader<Token>;
  readonly #text: string;

  constructor(text: string, tokens: readonly Token[]) {
    this.#text = text;
    this.#reader = new TokenReader(tokens);
  }

  whole(): Expression {
    if (this.#reader.ended) throw new DebugError('there is nothing to evaluate', EXAMPLES);
    const left = this.#binary();
    const result: Expression = this.#reader.takes('=')
      ? { kind: 'assignment', place: left, value: this.#binary() }
      : left;
    if (!this.#reader.ended) throw this.#unexpected();
    return result;
  }

  #expect(sign: string): void {
    if (this.#reader.takes(sign)) return;
    throw new DebugError(
      `'${sign}' is missing ${this.#reader.ended ? 'at the end of' : `before '${this.#reader.next.text}' in`} '${this.#text}'`,
    );
  }

  #unexpected(): DebugError {
    const { kind, text } = this.#reader.next;
    if (kind === 'end') return new DebugError(`'${this.#text}' ends too early`, EXAMPLES);
    return new DebugError(`'${text}' is not expected in '${this.#text}'`, EXAMPLES);
  }

  #binary(level = 0): Expression {
    return this.#reader.binary(
      () => this.#segmented(),
      (operator, left, right): Expression => ({ kind: 'binary', operator, left, right }),
      level,
    );
  }

  /** `es:di`, `0xb800:0`; binds tighter than `*` and `+`, but `es:di+2` is one address, as users expect. */
  #segmented(): Expression {
    const segment = this.#unary();
    if (!this.#reader.takes(':')) return segment;
    return { kind: 'segmented', segment, offset: this.#binary(binaryOperators.length - 2) };
  }

  #unary(): Expression {
    return this.#reader.deeper(() => {
      for (const operator of ['-', '~', '!'] as const) {
        if (this.#reader.takes(operator)) return { kind: 'unary', operator, operand: this.#unary() };
      }
      if (this.#reader.takes('+')) return this.#unary();
      if (this.#reader.takes('*')) return { kind: 'memory', address: this.#unary(), type: undefined };
      if (this.#reader.takes('&')) return { kind: 'addressOf', name: this.#name() };
      return this.#typed();
    });
  }

  #name(): string {
    const { kind, text } = this.#reader.next;
    if (kind !== 'name') throw this.#unexpected();
    this.#reader.at++;
    return text;
  }

  /** The expressions that `:u16` may follow. */
  #typed(): Expression {
    const operand = this.#primary();
    const type = types[this.#reader.after?.text.toLowerCase() ?? ''];
    if (type === undefined || !this.#reader.takes(':')) return operand;
    this.#reader.at++;
    return { kind: 'typed', operand, type };
  }

  #primary(): Expression {
    const { kind, text, value } = this.#reader.next;
    if (kind === 'number') {
      this.#reader.at++;
      return { kind: 'number', value };
    }
    if (kind === 'name') {
      this.#reader.at++;
      return this.#named(text);
    }
    if (this.#reader.takes('(')) {
      const inner = this.#reader.deeper(() => this.#binary());
      this.#expect(')');
      return inner;
    }
    if (this.#reader.takes('[')) return this.#memory(undefined);
    throw this.#unexpected();
  }

  #named(text: string): Expression {
    const size = sizes[text.toLowerCase()];
    const ptr = this.#reader.next.kind === 'name' && this.#reader.next.text.toLowerCase() === 'ptr';
    if (size !== undefined && (ptr || this.#reader.next.text === '[')) {
      if (ptr) this.#reader.at++;
      this.#expect('[');
      return this.#memory({ size, signed: false });
    }
    if (/^[$%]/.test(text)) return { kind: 'register', name: text.slice(1).toLowerCase() };
    return { kind: 'name', name: text };
  }

  #memory(type: NumberType | undefined): Expression {
    const address = this.#reader.deeper(() => this.#binary());
    this.#expect(']');
    return { kind: 'memory', address, type };
  }
}
