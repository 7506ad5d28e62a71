/**
 * Sources of GNU as: lines become statements, statements become labels, directives and instructions of a program.
 *
 * @module
 */
import type { CodeSize } from '../../isa/index.js';
import { nearestName } from '../../nearest.js';
import { encodings } from '../choose.js';
import type { SourceLine } from '../cpp.js';
import { type Dialect, type Encoded, EncodeError } from '../encode.js';
import { type Expression, ExpressionError, evaluate, type Scope, type Value } from '../expression.js';
import { mnemonics } from '../forms.js';
import { LineStack, MAX_LINES } from '../line-stack.js';
import { type AsmInstruction, registerNamed } from '../operand.js';
import { type Grammar, parseExpression } from '../parse-expression.js';
import { type Piece, type Program, ProgramTooLarge } from '../program.js';
import { gasName, Scanner } from '../scanner.js';
import { type Origin, SourceError } from '../source.js';
import type { SourceHost } from '../source-host.js';
import { attInstruction, type Candidates } from './att.js';
import { Conditions } from './conditions.js';
import { directives, type Reading } from './directives.js';
import { gasGrammar } from './grammar.js';
import { intelInstruction } from './intel.js';
import { defineMacro, expandEach, expandMacro, type Macro } from './macros.js';
import { statements } from './statements.js';

/** Encodings cached by their text: programs repeat many instructions. */
const KEPT = 4096;

/** Words that begin a block, and its end. */
const blocks: Readonly<Record<string, string>> = {
  '.macro': '.endm',
  '.rept': '.endr',
  '.irp': '.endr',
  '.irpc': '.endr',
};
const blockStart = /^\s*(?:[A-Za-z_.$][\w.$]*:\s*)*\.(macro|rept|irpc?)\b/i;
const blockEnd = /^\s*\.(endm|endmacro|endr)\b/i;

const dialect: Dialect = { prefixes: 'gas', guess: true };
const intelDialect: Dialect = { prefixes: 'gas', guess: false };

export class GasReader implements Reading {
  readonly host: SourceHost;
  readonly program: Program;
  readonly grammar: Grammar;
  readonly conditions = new Conditions();
  readonly macros = new Map<string, Macro>();
  code: CodeSize;
  /** The width of the object file: GNU as fills alignments for its processors. */
  readonly objectBits: 32 | 64;
  /** Operands in Intel's syntax. */
  intel = false;
  /** Sections to go back to: `.previous` and `.popsection`. */
  readonly sectionStack: string[] = [];
  previousSection = '.text';
  /** True after `.end`. */
  ended = false;
  origin: Origin = { file: '', line: 0 };
  readonly #lines = new LineStack<'macro' | 'other'>((origin, error) => this.complain(origin, error));
  readonly #locals = new Map<string, number>();
  readonly #kept = new Map<string, Encoded>();
  #expansions = 0;
  #symbolsRead = 0;

  constructor(host: SourceHost, code: CodeSize) {
    this.host = host;
    this.program = host.program;
    this.code = code;
    this.objectBits = code === 64 ? 64 : 32;
    const grammar = gasGrammar((digits, direction) => this.#local(digits, direction));
    this.grammar = {
      ...grammar,
      primary: (scanner) => {
        const found = grammar.primary(scanner);
        if (found !== undefined && found.kind !== 'number') this.#symbolsRead++;
        return found;
      },
    };
  }

  #local(digits: string, direction: 'b' | 'f'): string {
    const count = (this.#locals.get(digits) ?? 0) + (direction === 'f' ? 1 : 0);
    if (count === 0) throw new SourceError(`there is no label ${digits}: above this line`);
    return `${digits}:${count}`;
  }

  /** Reads all lines. */
  read(lines: readonly SourceLine[]): void {
    this.#lines.push(lines, 'other');
    for (let line = this.#lines.next(); line !== undefined && !this.ended; line = this.#lines.next())
      this.#line(line);
    const open = this.conditions.open;
    if (open !== undefined) this.complain(open, new SourceError('this .if has no .endif'));
  }

  complain(origin: Origin, { message, at, hint }: SourceError): void {
    this.host.complain({ origin, column: at + 1 || 1, message, hint });
  }

  /** Puts lines before the remaining ones. */
  insert(texts: readonly string[], macro = true): void {
    const { file, line, from } = this.origin;
    const origin = { file, line, ...(from !== undefined && { from }) };
    this.#lines.push(
      texts.map((text) => ({ text, origin })),
      macro ? 'macro' : 'other',
    );
  }

  /** Puts an included file's lines before the remaining ones. */
  insertFile(lines: readonly SourceLine[]): void {
    this.#lines.push(lines, 'other');
  }

  /** Leaves the macro that is being read. */
  exitMacro(): void {
    if (this.#lines.leave((mark) => mark === 'macro') === undefined)
      throw new SourceError('.exitm outside of a macro');
  }

  #line({ text, origin }: SourceLine): void {
    this.origin = origin;
    try {
      if (text.includes('.') && blockStart.test(text) && this.conditions.active) this.#block(text);
      else if (!/[;#"']/.test(text)) this.#statement(text, 0);
      else for (const { text: statement, at } of statements(text)) this.#statement(statement, at);
    } catch (error) {
      if (error instanceof SourceError) this.complain(origin, error);
      else if (error instanceof ProgramTooLarge) {
        this.complain(origin, new SourceError(error.message));
        this.ended = true;
      } else throw error;
    }
  }

  /** A macro or a repetition: its lines up to its end. */
  #block(first: string): void {
    const { text } = statements(first).next().value ?? { text: '' };
    let rest = text.trim();
    for (
      let label = /^([A-Za-z_.$][\w.$]*):\s*/.exec(rest);
      label !== null;
      label = /^([A-Za-z_.$][\w.$]*):\s*/.exec(rest)
    ) {
      this.label(label[1]!);
      rest = rest.slice(label[0].length);
    }
    const [, word = '', head = ''] = /^(\.[a-z]+)\s*(.*)$/is.exec(rest) ?? [];
    const { origin } = this;
    const missing = `this ${word} has no ${blocks[word.toLowerCase()]}`;
    const body = this.#lines.block(blockStart, blockEnd, missing).map((line) => line.text);
    this.origin = origin;
    switch (word.toLowerCase()) {
      case '.macro': {
        const macro = defineMacro(head, body);
        this.macros.set(macro.name.toLowerCase(), macro);
        return;
      }
      case '.rept': {
        const count = this.constant(new Scanner(head), 'the number of repetitions');
        if (count < 0n || count * BigInt(Math.max(body.length, 1)) > MAX_LINES) {
          throw new SourceError(`.rept ${count}: too many lines`);
        }
        this.insert(Array.from({ length: Number(count) }, () => body).flat(), false);
        return;
      }
      default:
        this.insert(expandEach(head, body, word.toLowerCase() === '.irpc', this.#expansions++), false);
    }
  }

  #statement(text: string, column: number): void {
    const scanner = new Scanner(text);
    try {
      while (this.#label(scanner));
      if (scanner.done) return;
      this.#single(scanner);
    } catch (error) {
      if (error instanceof EncodeError) throw new SourceError(error.message, column, error.hint);
      if (error instanceof ExpressionError) throw new SourceError(error.message, column);
      if (error instanceof SourceError)
        throw new SourceError(error.message, column + Math.max(error.at, 0), error.hint);
      throw error;
    }
  }

  /** A label at the start of a statement. */
  #label(scanner: Scanner): boolean {
    const found = scanner.peek(/(?:[A-Za-z_.$\u0080-\uffff][\w.$\u0080-\uffff]*|\d+|"[^"]+")[ \t]*:(?!=)/y);
    if (found === undefined) return false;
    // A segment override is written with a colon as well.
    const name = found.slice(0, -1).trim().replace(/^"|"$/g, '');
    if (this.intel && registerNamed(name.toLowerCase()) !== undefined) return false;
    scanner.take(found);
    if (this.conditions.active) this.label(name);
    return true;
  }

  /** Defines a label here. */
  label(name: string): void {
    let full = name;
    if (/^\d+$/.test(name)) {
      const count = (this.#locals.get(name) ?? 0) + 1;
      this.#locals.set(name, count);
      full = `${name}:${count}`;
    }
    const symbol = this.program.symbol(full, this.origin);
    if (symbol.label !== undefined || symbol.value !== undefined || symbol.expression !== undefined) {
      throw new SourceError(`'${name}' is defined already, in ${symbol.origin.file}:${symbol.origin.line}`);
    }
    symbol.label = this.program.here;
  }

  #single(scanner: Scanner): void {
    const { at } = scanner;
    const assignment = scanner.peek(/[A-Za-z_.$][\w.$]*[ \t]*==?(?!=)/y);
    if (assignment !== undefined && this.conditions.active) {
      const name = scanner.match(gasName)!;
      scanner.match(/==?/y);
      this.set(name, this.expression(scanner));
      scanner.end();
      return;
    }
    const word = scanner.peek(/\.?[A-Za-z_$][\w.$]*/y)?.toLowerCase();
    if (word?.startsWith('.')) {
      scanner.match(/\.[A-Za-z_$][\w.$]*/y);
      if (this.conditions.directive(word, scanner, this)) return;
      if (!this.conditions.active) return;
      const directive = directives[word];
      if (directive !== undefined) {
        directive(this, scanner, word);
        return;
      }
      if (this.#macro(word, scanner)) return;
      const close = nearestName(word, Object.keys(directives));
      throw new SourceError(`unknown directive ${word}`, at, close && `did you mean ${close}?`);
    }
    if (!this.conditions.active) return;
    if (word !== undefined && this.macros.has(word)) {
      scanner.match(/[A-Za-z_$][\w.$]*/y);
      if (this.#macro(word, scanner)) return;
    }
    this.#instruction(scanner);
  }

  #macro(word: string, scanner: Scanner): boolean {
    const macro = this.macros.get(word);
    if (macro === undefined) return false;
    this.insert(expandMacro(macro, scanner.rest(), this.#expansions++));
    return true;
  }

  /** The value of an expression now, if it is the same in every layout; undefined if that is not known. */
  readonly known = (expression: Expression): bigint | undefined => {
    const value = this.now(expression);
    return value === undefined || value.section !== undefined ? undefined : value.number;
  };

  /** A number, or a distance from the start of a piece. */
  now(expression: Expression): Value | undefined {
    if (expression.kind === 'number') return { number: expression.value, section: undefined };
    try {
      return evaluate(expression, this.#scope, -1n);
    } catch (error) {
      if (error instanceof ExpressionError) return undefined;
      throw error;
    }
  }

  readonly #scope: Scope = {
    symbol: (name) => {
      const symbol = this.program.symbols.get(name);
      if (symbol?.value !== undefined) return symbol.value;
      if (symbol?.label === undefined) return undefined;
      return { number: BigInt(symbol.label.at), section: symbol.label.piece };
    },
    here: (what) => {
      const { piece, at } = this.program.here;
      if (what === 'section') return { number: 0n, section: piece.section.pieces[0]! };
      return { number: BigInt(at), section: piece satisfies Piece };
    },
  };

  expression(scanner: Scanner): Expression {
    return parseExpression(scanner, this.grammar);
  }

  /** An expression that has to be known here. */
  constant(scanner: Scanner, what: string): bigint {
    const { at } = scanner;
    const expression = this.expression(scanner);
    const value = this.known(expression);
    if (value === undefined) throw new SourceError(`${what} has to be a number that is known here`, at);
    return value;
  }

  /** Gives a name a value. */
  set(name: string, expression: Expression): void {
    if (name === '.') {
      this.program.stretch(
        { kind: 'org', to: expression, from: this.orgFrom(expression), fill: 0 },
        this.origin,
      );
      return;
    }
    const symbol = this.program.symbol(name, this.origin);
    if (symbol.label !== undefined) throw new SourceError(`'${name}' is a label already`);
    const value = this.known(expression);
    symbol.value = value === undefined ? undefined : { number: value, section: undefined };
    symbol.expression =
      value === undefined ? { value: this.frozen(expression, name), here: this.program.here } : undefined;
  }

  /** `x = x + 1` uses the old x. */
  frozen(expression: Expression, name: string): Expression {
    if (expression.kind === 'symbol' && expression.name === name) {
      const symbol = this.program.symbols.get(name);
      if (symbol?.expression !== undefined) return symbol.expression.value;
      if (symbol?.value !== undefined) return { kind: 'number', value: symbol.value.number };
    }
    if (expression.kind === 'unary') return { ...expression, of: this.frozen(expression.of, name) };
    if (expression.kind !== 'binary') return expression;
    return {
      ...expression,
      left: this.frozen(expression.left, name),
      right: this.frozen(expression.right, name),
    };
  }

  /** A number counts from the section's start; an expression with a label is an address. */
  orgFrom(expression: Expression): 'section' | 'address' {
    return this.known(expression) === undefined ? 'address' : 'section';
  }

  #instruction(scanner: Scanner): void {
    const text = scanner.text.slice(scanner.at).trimEnd();
    const key = `${this.code}${this.intel}${text}`;
    const kept = this.#kept.get(key);
    this.program.line(this.origin);
    if (kept !== undefined) {
      this.program.data(kept.bytes);
      return;
    }
    const before = this.#symbolsRead;
    const { at } = scanner;
    const read = this.intel ? intelInstruction : attInstruction;
    const found = read(scanner, this.grammar, this.code);
    if ('prefixes' in found) {
      this.program.data(found.prefixes);
      return;
    }
    const forms = this.#encode(found, text, at);
    const target = found[0]!.operands.find((one) => one.kind === 'target');
    if (target?.kind === 'target' && forms.length > 1 && this.#symbolsRead > before) {
      this.program.stretch({ kind: 'branch', forms, chosen: 0, target: target.value }, this.origin);
      return;
    }
    // A branch to a number uses the long form.
    const chosen = target === undefined ? forms[0]! : forms.at(-1)!;
    this.program.code(chosen, this.origin);
    if (this.#symbolsRead === before && chosen.fixups.length === 0 && this.#kept.size < KEPT)
      this.#kept.set(key, chosen);
  }

  #encode(
    candidates: Exclude<Candidates, { prefixes: readonly number[] }>,
    text: string,
    at: number,
  ): Encoded[] {
    if (candidates.length === 0) {
      const [word = ''] = text.split(/\s/);
      const close = nearestName(word.toLowerCase(), [...mnemonics(), ...this.macros.keys()]);
      throw new SourceError(`unknown instruction '${word}'`, at, close && `did you mean ${close}?`);
    }
    let refused: EncodeError | undefined;
    for (const candidate of candidates satisfies readonly AsmInstruction[]) {
      try {
        const forms = encodings(candidate, this.code, this.known, this.intel ? intelDialect : dialect);
        return forms.filter(({ bytes }, n) => n === 0 || bytes.length > forms[n - 1]!.bytes.length);
      } catch (error) {
        if (!(error instanceof EncodeError)) throw error;
        refused ??= error;
      }
    }
    throw refused ?? new EncodeError('nothing fits');
  }
}
