/**
 * Reads one statement from left to right: names, numbers, characters and operators of both assemblers.
 *
 * @module
 */
import { SourceError } from './source.js';

const space = /[ \t\r\f\v]*/y;
const digits = /[0-9][0-9A-Za-z_]*/y;

/** The syntax of a name. */
export const gasName = /[A-Za-z_.$\u0080-\uffff][A-Za-z0-9_.$\u0080-\uffff]*/y;
export const nasmName = /\$?[A-Za-z_.?@\u0080-\uffff][A-Za-z0-9_.?@$#~\u0080-\uffff]*/y;

export class Scanner {
  readonly text: string;
  at = 0;

  constructor(text: string, at = 0) {
    this.text = text;
    this.at = at;
    this.skip();
  }

  /** Skips spaces. */
  skip(): void {
    space.lastIndex = this.at;
    space.exec(this.text);
    this.at = space.lastIndex;
  }

  get done(): boolean {
    return this.at >= this.text.length;
  }

  /** The next character, or nothing. */
  get next(): string {
    return this.text[this.at] ?? '';
  }

  /** Takes the word if it is next. */
  take(word: string): boolean {
    if (!this.text.startsWith(word, this.at)) return false;
    this.at += word.length;
    this.skip();
    return true;
  }

  expect(word: string, where: string): void {
    if (!this.take(word)) throw new SourceError(`'${word}' is missing ${where}`, this.at);
  }

  /** The match of a sticky expression here. */
  match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (found === null) return undefined;
    this.at = pattern.lastIndex;
    this.skip();
    return found[0];
  }

  /** The same without consuming it. */
  peek(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    return pattern.exec(this.text)?.[0];
  }

  /** A number's characters, such as `0x1f` or `1f`. */
  digits(): string | undefined {
    return this.match(digits);
  }

  /** The rest of the text. */
  rest(): string {
    const rest = this.text.slice(this.at).trimEnd();
    this.at = this.text.length;
    return rest;
  }

  /** @throws SourceError if there is more text */
  end(): void {
    if (!this.done) throw new SourceError(`'${this.text.slice(this.at).trimEnd()}' is left over`, this.at);
  }

  /** The text in quotes that begins here, with its escapes unchanged. */
  quoted(): string {
    const quote = this.next;
    const start = this.at;
    for (let at = start + 1; at < this.text.length; at++) {
      if (this.text[at] === '\\' && quote !== "'") at++;
      else if (this.text[at] === quote) {
        this.at = at + 1;
        this.skip();
        return this.text.slice(start + 1, at);
      }
    }
    throw new SourceError(`the ${quote} here is not closed`, start);
  }
}

/** The bytes of C's escapes in a string: `\n`, `\t`, `\\`, `\"`, `\123`, `\x1f`. Other characters are UTF-8. */
export function escapedBytes(text: string): number[] {
  const bytes: number[] = [];
  const encoder = new TextEncoder();
  const simple: Record<string, number> = { b: 8, f: 12, n: 10, r: 13, t: 9, a: 7, v: 11, e: 27 };
  for (const [part] of text.matchAll(/\\x[0-9a-fA-F]+|\\[0-7]{1,3}|\\[\s\S]|[^\\]+|\\/g)) {
    if (part[0] !== '\\' || part.length === 1) bytes.push(...encoder.encode(part));
    else if (part[1] === 'x' && part.length > 2) bytes.push(Number.parseInt(part.slice(2), 16) & 0xff);
    else if (/[0-7]/.test(part[1]!)) bytes.push(Number.parseInt(part.slice(1), 8) & 0xff);
    else
      bytes.push(...(simple[part[1]!] === undefined ? encoder.encode(part.slice(1)) : [simple[part[1]!]!]));
  }
  return bytes;
}
