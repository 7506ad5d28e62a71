/**
 * Numbers, characters and names as NASM writes them (its manual, 3.4 and 3.5).
 *
 * @module
 */
import { type Expression, number } from '../expression.js';
import { type Grammar, nasmLevels } from '../parse-expression.js';
import { escapedBytes, nasmName, type Scanner } from '../scanner.js';
import { SourceError } from '../source.js';

const radixes: Readonly<Record<string, number>> = { h: 16, x: 16, d: 10, t: 10, o: 8, q: 8, b: 2, y: 2 };

function inRadix(digits: string, radix: number): bigint | undefined {
  const allowed = { 2: /^[01]+$/, 8: /^[0-7]+$/, 10: /^[0-9]+$/, 16: /^[0-9a-f]+$/ }[radix]!;
  if (!allowed.test(digits)) return undefined;
  const prefix = { 2: '0b', 8: '0o', 10: '', 16: '0x' }[radix]!;
  return BigInt(prefix + digits);
}

/** 0x1f, 1fh, $0f1, 0b101, 101b, 17o, 42, with underscores anywhere. Undefined for anything else. */
export function nasmNumber(text: string): bigint | undefined {
  const plain = text.toLowerCase().replaceAll('_', '');
  if (plain.startsWith('$')) return inRadix(plain.slice(1), 16);
  const last = radixes[plain.at(-1) ?? ''];
  // A suffix takes precedence over a prefix: 0b1h is hexadecimal.
  if (last !== undefined) {
    const value = inRadix(plain.slice(0, -1), last);
    if (value !== undefined) return value;
  }
  const prefixed = plain[0] === '0' ? radixes[plain[1] ?? ''] : undefined;
  if (prefixed !== undefined && plain.length > 2) return inRadix(plain.slice(2), prefixed);
  return inRadix(plain, 10);
}

/** The bytes of a string: only backquotes have escapes. */
export function stringBytes(scanner: Scanner): number[] {
  const quote = scanner.next;
  if (quote === '`') return escapedBytes(scanner.quoted());
  const { at, text } = scanner;
  const end = text.indexOf(quote, at + 1);
  if (end < 0) throw new SourceError(`the ${quote} here is not closed`, at);
  scanner.at = end + 1;
  scanner.skip();
  return [...new TextEncoder().encode(text.slice(at + 1, end))];
}

export const isQuote = (character: string) => character === '"' || character === "'" || character === '`';

/** Returns the full name: a local label belongs to the label before it. */
export type FullName = (name: string) => string;

/** The grammar of NASM. */
export function nasmGrammar(full: FullName): Grammar {
  return {
    levels: nasmLevels,
    unary: ['-', '+', '~', '!'],
    primary(scanner): Expression | undefined {
      const { next, at } = scanner;
      if (isQuote(next)) {
        const bytes = stringBytes(scanner);
        if (bytes.length > 8) throw new SourceError('a string of more than 8 characters is no number', at);
        return number(bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n));
      }
      if (next === '$') {
        if (scanner.take('$$')) return { kind: 'here', what: 'section' };
        const digits = scanner.match(/\$[0-9][0-9A-Za-z_]*/y);
        if (digits !== undefined) return numberOf(digits, at);
        if (!/[A-Za-z_.?@]/.test(scanner.text[at + 1] ?? '')) {
          scanner.take('$');
          return { kind: 'here', what: 'statement' };
        }
      }
      if (next >= '0' && next <= '9') return numberOf(scanner.digits()!, at);
      const name = scanner.match(nasmName);
      return name === undefined ? undefined : { kind: 'symbol', name: full(name.replace(/^\$/, '')) };
    },
  };
}

function numberOf(text: string, at: number): Expression {
  const value = nasmNumber(text);
  if (value === undefined)
    throw new SourceError(`'${text}' is no number`, at, 'such as 42, 0x2a, 2ah or 101010b');
  return number(value);
}
