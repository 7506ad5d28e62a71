/**
 * The part of C's preprocessor that assembler sources use (C 6.10): `#include`, `#define` with and without parameters,
 * conditions, comments.
 *
 * @module
 */
import { type Expression, ExpressionError, evaluate, number } from './expression.js';
import { cLevels, cNumber, type Grammar, parseExpression } from './parse-expression.js';
import { escapedBytes, Scanner } from './scanner.js';
import { type Complaint, type Origin, SourceError } from './source.js';

/** One line of text, and its position. */
export interface SourceLine {
  readonly text: string;
  readonly origin: Origin;
}

/** A file that a source includes: its name for messages, and its text. */
export interface Included {
  readonly file: string;
  readonly bytes: Uint8Array;
}

export interface CppOptions {
  /** Finds a file that `from` includes; undefined where there is none. */
  readonly include: (name: string, from: string, system: boolean) => Included | undefined;
  readonly defines: ReadonlyMap<string, string>;
  readonly complain: (complaint: Complaint) => void;
}

interface Definition {
  /** Undefined for a name without parameters. */
  readonly parameters: readonly string[] | undefined;
  readonly body: string;
}

/** Limits for nested files and for all lines: more than any real source needs. */
const DEEPEST = 50;
const MAX_LINES = 4_000_000;
const LONGEST_LINE = 1 << 16;

const nameText = /[A-Za-z_]\w*/y;
/** The tokens of an expansion: names, numbers, strings, and everything else. */
const tokens = /[A-Za-z_]\w*|\.?\d[\w.]*|"(?:[^"\\]|\\.)*"|'(?:[^'\\\n]|\\.)'|[^A-Za-z_"'\d]+|["']|\d/g;

class Preprocessor {
  readonly #options: CppOptions;
  readonly #definitions = new Map<string, Definition>();
  readonly #lines: SourceLine[] = [];
  /** The conditions around this line: whether it is read, whether a branch was taken, whether the outer ones hold. */
  readonly #conditions: { active: boolean; taken: boolean; outer: boolean; origin: Origin }[] = [];

  constructor(options: CppOptions) {
    this.#options = options;
    for (const [name, value] of options.defines)
      this.#definitions.set(name, { parameters: undefined, body: value });
    this.#definitions.set('__ASSEMBLER__', { parameters: undefined, body: '1' });
  }

  get #active(): boolean {
    return this.#conditions.at(-1)?.active ?? true;
  }

  run(text: string, file: string): SourceLine[] {
    this.#file(text, file, 0);
    for (const { origin } of this.#conditions) this.#complain(origin, 'this condition has no #endif');
    return this.#lines;
  }

  #complain(origin: Origin, message: string, hint?: string): void {
    this.#options.complain({ origin, column: 1, message, hint });
  }

  #file(text: string, file: string, depth: number): void {
    const outer = this.#conditions.length;
    for (const { text: line, at } of logicalLines(text)) {
      const origin = { file, line: at };
      try {
        const directive = /^\s*#\s*([A-Za-z]+)\s*(.*)$/.exec(line);
        if (directive !== null) this.#directive(directive[1]!, directive[2]!, origin, depth);
        else if (/^\s*#/.test(line)) this.#push('', origin);
        else this.#push(this.#active ? this.#expand(line, []) : '', origin);
      } catch (error) {
        if (!(error instanceof SourceError)) throw error;
        this.#complain(origin, error.message, error.hint);
      }
    }
    while (this.#conditions.length > outer)
      this.#complain(this.#conditions.pop()!.origin, 'this condition has no #endif');
  }

  #push(text: string, origin: Origin): void {
    if (this.#lines.length >= MAX_LINES)
      throw new Error(`more than ${MAX_LINES} lines with what is included`);
    this.#lines.push({ text, origin });
  }

  #directive(name: string, rest: string, origin: Origin, depth: number): void {
    switch (name) {
      case 'if':
      case 'ifdef':
      case 'ifndef': {
        const outer = this.#active;
        this.#conditions.push({ active: false, taken: false, outer, origin });
        this.#branch(outer && this.#holds(name, rest));
        return;
      }
      case 'elif':
      case 'else': {
        const condition = this.#conditions.at(-1);
        if (condition === undefined) throw new SourceError(`#${name} without #if`);
        this.#branch(condition.outer && !condition.taken && (name === 'else' || this.#holds('if', rest)));
        return;
      }
      case 'endif':
        if (this.#conditions.pop() === undefined) throw new SourceError('#endif without #if');
        return;
    }
    if (!this.#active) return;
    switch (name) {
      case 'define':
        this.#define(rest);
        return;
      case 'undef':
        this.#definitions.delete(rest.trim());
        return;
      case 'include':
        this.#include(rest, origin, depth);
        return;
      case 'error':
        throw new SourceError(`#error ${rest}`);
      case 'pragma':
      case 'warning':
      case 'line':
      case 'ident':
        return;
      default:
        // GNU as takes a # for a comment.
        this.#push('', origin);
    }
  }

  #branch(holds: boolean): void {
    const condition = this.#conditions.at(-1)!;
    condition.active = holds;
    condition.taken ||= holds;
  }

  #holds(name: string, rest: string): boolean {
    if (name !== 'if') return this.#definitions.has(rest.trim()) === (name === 'ifdef');
    const asked = rest.replace(/\bdefined\s*(?:\(\s*(\w+)\s*\)|(\w+))/g, (_, a: string, b: string) =>
      this.#definitions.has(a ?? b) ? '1' : '0',
    );
    const scanner = new Scanner(this.#expand(asked, []));
    const expression = parseExpression(scanner, conditionGrammar);
    scanner.end();
    try {
      return (
        evaluate(expression, { symbol: () => ({ number: 0n, section: undefined }), here: () => undefined })
          ?.number !== 0n
      );
    } catch (error) {
      if (error instanceof ExpressionError) throw new SourceError(error.message);
      throw error;
    }
  }

  #define(rest: string): void {
    const [, name, list, body = ''] = /^([A-Za-z_]\w*)(\([^)]*\))?\s*(.*)$/.exec(rest) ?? [];
    if (name === undefined) throw new SourceError(`#define ${rest}: a name is missing`);
    const parameters = list
      ?.slice(1, -1)
      .split(',')
      .map((one) => one.trim())
      .filter((one) => one !== '');
    this.#definitions.set(name, { parameters, body: body.trim() });
  }

  #include(rest: string, origin: Origin, depth: number): void {
    const [, quoted, bracketed] = /^(?:"([^"]+)"|<([^>]+)>)/.exec(this.#expand(rest, []).trim()) ?? [];
    const name = quoted ?? bracketed;
    if (name === undefined)
      throw new SourceError(`#include ${rest}: a file is missing`, -1, '#include "FILE" or <FILE>');
    if (depth >= DEEPEST)
      throw new SourceError(`#include ${rest}: more than ${DEEPEST} files within each other`);
    const found = this.#options.include(name, origin.file, quoted === undefined);
    if (found === undefined) throw new SourceError(`#include ${rest}: there is no such file`);
    this.#file(new TextDecoder().decode(found.bytes), found.file, depth + 1);
  }

  /** Expands names. A name inside its own expansion stays (C 6.10.3.4). */
  #expand(line: string, within: readonly string[]): string {
    const nothing = this.#definitions.size < 2 && !line.includes('__ASSEMBLER__');
    if (nothing || line.length > LONGEST_LINE) return line;
    let result = '';
    tokens.lastIndex = 0;
    const all = line.match(tokens) ?? [];
    for (let n = 0; n < all.length; n++) {
      const token = all[n]!;
      const definition = within.includes(token) ? undefined : this.#definitions.get(token);
      if (definition === undefined || !/^[A-Za-z_]/.test(token)) {
        result += token;
        continue;
      }
      if (definition.parameters === undefined) {
        result += this.#expand(definition.body, [...within, token]);
        continue;
      }
      const call = readCall(all, n + 1);
      if (call === undefined) {
        result += token;
        continue;
      }
      n = call.end;
      result += call.before + this.#call(token, definition, call.values, within) + call.after;
      if (result.length > LONGEST_LINE * 16) throw new SourceError(`${token}: its expansion does not end`);
    }
    return result;
  }

  #call(
    name: string,
    { parameters = [], body }: Definition,
    given: readonly string[],
    within: readonly string[],
  ): string {
    const values = parameters.length === 0 && given.length === 1 && given[0] === '' ? [] : given;
    if (values.length !== parameters.length) {
      throw new SourceError(`${name} takes ${parameters.length} arguments, not ${values.length}`);
    }
    const plain = new Map(parameters.map((parameter, n) => [parameter, values[n]!]));
    const joined = body
      .replace(/(?<!#)#\s*([A-Za-z_]\w*)/g, (whole, one: string) => {
        const value = plain.get(one);
        return value === undefined ? whole : `"${value.replace(/["\\]/g, '\\$&')}"`;
      })
      .replace(
        /([A-Za-z_]\w*)?\s*##\s*([A-Za-z_]\w*)?/g,
        (_, a = '', b = '') => `${plain.get(a) ?? a}${plain.get(b) ?? b}`,
      );
    const text = (joined.match(tokens) ?? [])
      .map((token) => {
        const value = plain.get(token);
        return value === undefined ? token : this.#expand(value, within);
      })
      .join('');
    return this.#expand(text, [...within, name]);
  }
}

/** The arguments in brackets that begin at a token, if there are any. The tokens around the brackets' ends are kept. */
function readCall(all: readonly string[], from: number) {
  const text = all.slice(from).join('');
  const open = /^\s*\(/.exec(text);
  if (open === null) return undefined;
  const values: string[] = [];
  let depth = 0;
  let current = '';
  let quote = '';
  for (let at = open[0].length - 1; at < text.length; at++) {
    const character = text[at]!;
    if (quote !== '') {
      current += character;
      if (character === '\\') current += text[++at] ?? '';
      else if (character === quote) quote = '';
      continue;
    }
    if (character === '"') quote = character;
    if (character === '(' && depth++ === 0) continue;
    if (character === ')' && --depth === 0) {
      values.push(current.trim());
      // The tokens continue right after the bracket.
      let length = 0;
      let end = from;
      while (length + all[end]!.length <= at) length += all[end++]!.length;
      return { values, end, before: '', after: all[end]!.slice(at + 1 - length) };
    }
    if (character === ',' && depth === 1) {
      values.push(current.trim());
      current = '';
    } else current += character;
  }
  return undefined;
}

const conditionGrammar: Grammar = {
  levels: cLevels,
  unary: ['!', '-', '~', '+'],
  primary(scanner): Expression | undefined {
    if (scanner.next === "'") {
      const [byte = 0] = escapedBytes(scanner.quoted());
      return number(BigInt(byte));
    }
    const digits = scanner.digits();
    if (digits !== undefined) {
      const value = cNumber(digits.replace(/[uUlL]+$/, ''));
      if (value === undefined) throw new SourceError(`'${digits}' is no number`);
      return number(value);
    }
    // An undefined name is 0 (C 6.10.1).
    return scanner.match(nameText) === undefined ? undefined : number(0n);
  },
};

/** The lines without comments, with continued lines joined, each with the number of its first line. */
function* logicalLines(text: string, joined = true): Generator<{ text: string; at: number }> {
  const lines = text.split('\n');
  let comment = false;
  for (let n = 0; n < lines.length; n++) {
    const at = n + 1;
    let line = lines[n]!.replace(/\r$/, '');
    while (joined && line.endsWith('\\') && n + 1 < lines.length)
      line = line.slice(0, -1) + lines[++n]!.replace(/\r$/, '');
    const stripped = stripComments(line, comment);
    comment = stripped.open;
    yield { text: stripped.text, at };
  }
}

/** Removes C's comments; `open` says that a comment continues. */
function stripComments(line: string, open: boolean): { text: string; open: boolean } {
  if (!open && !line.includes('/')) return { text: line, open };
  let text = '';
  let inside = open;
  for (let at = 0; at < line.length; at++) {
    const two = line.slice(at, at + 2);
    if (inside) {
      if (two === '*/') {
        inside = false;
        at++;
        text += ' ';
      }
    } else if (two === '/*') {
      inside = true;
      at++;
    } else if (two === '//') return { text, open: false };
    else if (line[at] === '"') {
      const end = endOfString(line, at);
      text += line.slice(at, end);
      at = end - 1;
    } else text += line[at];
  }
  return { text, open: inside };
}

function endOfString(line: string, at: number): number {
  for (let end = at + 1; end < line.length; end++) {
    if (line[end] === '\\') end++;
    else if (line[end] === '"') return end + 1;
  }
  return line.length;
}

/** Runs the preprocessor over a source. */
export function preprocess(text: string, file: string, options: CppOptions): SourceLine[] {
  return new Preprocessor(options).run(text, file);
}

/** A source that is not preprocessed: its lines without C's comments. */
export function plainLines(text: string, file: string): SourceLine[] {
  return [...logicalLines(text, false)].map(({ text: line, at }) => ({
    text: line,
    origin: { file, line: at },
  }));
}
