/**
 * Sources of NASM, as `nasm -f bin` takes them: lines become labels, directives and instructions of a program.
 *
 * @module
 */
import type { CodeSize } from '../../isa/index.js';
import { nearestName } from '../../nearest.js';
import { encodings } from '../choose.js';
import type { SourceLine } from '../cpp.js';
import { type Dialect, type Encoded, EncodeError } from '../encode.js';
import {
  type Expression,
  ExpressionError,
  evaluate,
  type Scope,
  symbolsOf,
  type Value,
} from '../expression.js';
import { formsOf, mnemonics } from '../forms.js';
import { type IntelCandidates, intelInstruction } from '../intel.js';
import { type AsmInstruction, type AsmOperand, registerNamed } from '../operand.js';
import { type Grammar, parseExpression } from '../parse-expression.js';
import { type Piece, type Program, ProgramTooLarge } from '../program.js';
import { nasmName, Scanner } from '../scanner.js';
import { type Origin, SourceError } from '../source.js';
import type { SourceHost } from '../source-host.js';
import { directives, type Reading } from './directives.js';
import { nasmGrammar } from './grammar.js';

const dialect: Dialect = { prefixes: 'nasm', guess: false };
/** Encodings cached by their text. */
const KEPT = 4096;
const MAX_TIMES = 64n * 1024n * 1024n;

const prefixWord = /^(lock|rep|repe|repz|repne|repnz|[oa](?:16|32|64)|times)$/;
const pseudo = /^(d[bwdqto]|res[bwdqto]|equ|incbin|db|times)$/;

export class NasmReader implements Reading {
  readonly host: SourceHost;
  readonly program: Program;
  readonly grammar: Grammar;
  code: CodeSize = 16;
  relative = false;
  origin: Origin = { file: '', line: 0 };
  /** The program's address: `org`. */
  org: bigint | undefined;
  /** The address in `absolute` and `struc`; undefined in a section. */
  absolute: bigint | undefined;
  /** The structure that is being described. */
  structure: string | undefined;
  #parent = '';
  #start: { piece: Piece; at: number };
  #symbolsRead = 0;
  readonly #kept = new Map<string, Encoded>();

  constructor(host: SourceHost) {
    this.host = host;
    this.program = host.program;
    this.#start = this.program.here;
    const grammar = nasmGrammar((name) => this.full(name));
    this.grammar = {
      ...grammar,
      primary: (scanner) => {
        const found = grammar.primary(scanner);
        if (found !== undefined && found.kind !== 'number') this.#symbolsRead++;
        return found;
      },
    };
  }

  /** A local label belongs to the label before it. */
  full(name: string): string {
    return name.startsWith('.') ? this.#parent + name : name;
  }

  /** Where the statement begins. */
  get start(): { piece: Piece; at: number } {
    return this.#start;
  }

  complain(origin: Origin, { message, at, hint }: SourceError): void {
    this.host.complain({ origin, column: at + 1 || 1, message, hint });
  }

  line({ text, origin }: SourceLine): void {
    this.origin = origin;
    this.#start = this.program.here;
    const scanner = new Scanner(text);
    try {
      this.statement(scanner);
    } catch (error) {
      if (error instanceof SourceError) this.complain(origin, error);
      else if (error instanceof EncodeError)
        this.complain(origin, new SourceError(error.message, -1, error.hint));
      else if (error instanceof ExpressionError || error instanceof ProgramTooLarge) {
        this.complain(origin, new SourceError(error.message));
      } else throw error;
    }
  }

  statement(scanner: Scanner): void {
    if (scanner.done) return;
    if (scanner.take('[')) {
      // Directives may be written in brackets.
      const inside = scanner.rest().replace(/\]\s*$/, '');
      this.#word(new Scanner(inside));
      return;
    }
    const label = this.#labelHere(scanner);
    if (label !== undefined) {
      if (/^equ\b/i.test(scanner.text.slice(scanner.at))) {
        scanner.match(nasmName);
        this.#equ(label, scanner);
        return;
      }
      this.label(label);
      if (scanner.done) return;
    }
    this.#word(scanner);
  }

  /** The label at the start of a line, with a colon or without. */
  #labelHere(scanner: Scanner): string | undefined {
    const name = scanner.peek(nasmName);
    if (name === undefined) return undefined;
    const lower = name.toLowerCase();
    const { at } = scanner;
    scanner.match(nasmName);
    const colon = scanner.take(':');
    if (colon && registerNamed(lower) === undefined) return name.replace(/^\$/, '');
    if (!colon && !this.#isWord(lower)) {
      const next = scanner.peek(nasmName)?.toLowerCase();
      if (scanner.done || (next !== undefined && (this.#isWord(next) || pseudo.test(next))))
        return name.replace(/^\$/, '');
    }
    scanner.at = at;
    return undefined;
  }

  /** True for a word that begins an instruction or a directive. */
  #isWord(lower: string): boolean {
    return (
      pseudo.test(lower) ||
      prefixWord.test(lower) ||
      registerNamed(lower)?.class === 'segment' ||
      directives[lower] !== undefined ||
      this.#isMnemonic(lower)
    );
  }

  #isMnemonic(lower: string): boolean {
    return (
      formsOf(lower).length > 0 ||
      formsOf(`fn${lower.slice(1)}`).length > 0 ||
      /^cmp(eq|lt|le|unord|neq|nlt|nle|ord)[ps][sd]$/.test(lower)
    );
  }

  /** Defines a label here. */
  label(name: string): void {
    const full = this.full(name);
    if (!name.startsWith('.') && !name.startsWith('..@')) this.#parent = name;
    const symbol = this.program.symbol(full, this.origin);
    if (symbol.label !== undefined || symbol.value !== undefined || symbol.expression !== undefined) {
      throw new SourceError(`'${full}' is defined already, in ${symbol.origin.file}:${symbol.origin.line}`);
    }
    if (this.absolute === undefined) symbol.label = this.program.here;
    else symbol.value = { number: this.absolute, section: undefined };
  }

  #equ(name: string, scanner: Scanner): void {
    const expression = this.expression(scanner);
    scanner.end();
    const full = this.full(name);
    if (!name.startsWith('.')) this.#parent = name;
    const symbol = this.program.symbol(full, this.origin);
    if (symbol.label !== undefined || symbol.value !== undefined || symbol.expression !== undefined) {
      throw new SourceError(`'${full}' is defined already, in ${symbol.origin.file}:${symbol.origin.line}`);
    }
    const value = this.known(expression);
    if (value !== undefined) symbol.value = { number: value, section: undefined };
    else symbol.expression = { value: expression, here: this.start };
  }

  #word(scanner: Scanner): void {
    const { at } = scanner;
    const word = scanner.peek(/%?[A-Za-z_.?@$][\w.?@$#~]*/y)?.toLowerCase() ?? '';
    if (word === 'times') {
      scanner.match(nasmName);
      this.#times(scanner);
      return;
    }
    const directive = directives[word];
    if (directive !== undefined) {
      scanner.match(nasmName);
      directive(this, scanner, word);
      return;
    }
    if (!prefixWord.test(word) && !this.#isMnemonic(word) && registerNamed(word) === undefined) {
      const close = nearestName(word, [...mnemonics(), ...Object.keys(directives)]);
      throw new SourceError(
        `unknown instruction '${word || scanner.rest()}'`,
        at,
        close && `did you mean ${close}?`,
      );
    }
    this.#instruction(scanner);
  }

  /** `times COUNT STATEMENT`. */
  #times(scanner: Scanner): void {
    const count = this.expression(scanner);
    const rest = scanner.rest();
    const times = this.known(count);
    if (times !== undefined) {
      if (times < 0n) throw new SourceError(`times ${times}: a negative number`);
      if (times > MAX_TIMES) throw new SourceError(`times ${times}: more than a program has`);
      this.#repeat(rest, Number(times));
      return;
    }
    const body = this.#alone(rest);
    this.program.stretch({ kind: 'space', count, fill: body }, this.origin);
  }

  #repeat(text: string, times: number): void {
    if (times === 0) return;
    const { piece, at } = this.program.here;
    const pending = piece.pending.length;
    this.#word(new Scanner(text));
    const here = this.program.here;
    const same = here.piece === piece && piece.pending.length === pending && this.absolute === undefined;
    if (same) {
      const bytes = piece.bytes.all.slice(at, here.at);
      if (bytes.every((byte) => byte === bytes[0]))
        this.program.fill(bytes[0] ?? 0, bytes.length * (times - 1));
      else for (let n = 1; n < times; n++) this.program.data(bytes);
      return;
    }
    for (let n = 1; n < times; n++) {
      this.#start = this.program.here;
      this.#word(new Scanner(text));
    }
  }

  /** The bytes of a statement whose number of repetitions is not known yet. */
  #alone(text: string): Uint8Array {
    const { piece, at } = this.program.here;
    const pending = piece.pending.length;
    this.#word(new Scanner(text));
    const here = this.program.here;
    if (here.piece !== piece || piece.pending.length !== pending) {
      throw new SourceError('where the count is not known, the repeated numbers have to be');
    }
    const bytes = piece.bytes.all.slice(at);
    piece.bytes.length = at;
    return bytes;
  }

  expression(scanner: Scanner): Expression {
    return parseExpression(scanner, this.grammar);
  }

  constant(scanner: Scanner, what: string): bigint {
    const { at } = scanner;
    const value = this.known(this.expression(scanner));
    if (value === undefined) throw new SourceError(`${what} has to be a number that is known here`, at);
    return value;
  }

  /** The value of an expression now, if it is the same in every layout. */
  readonly known = (expression: Expression): bigint | undefined => {
    if (expression.kind === 'number') return expression.value;
    return this.#number(expression, this.#now);
  };

  #number(expression: Expression, scope: Scope): bigint | undefined {
    try {
      const value = evaluate(expression, scope);
      return value === undefined || value.section !== undefined ? undefined : value.number;
    } catch (error) {
      if (error instanceof ExpressionError) return undefined;
      throw error;
    }
  }

  /** Distances within a piece are known at once. */
  readonly #now: Scope = this.#scope(
    () => this.#start,
    ({ piece, at }) => ({ number: BigInt(at), section: piece }),
    (piece) => (piece.section.pieces[0] === piece ? { number: 0n, section: piece } : undefined),
  );

  /** The positions in sections, as far as the layout knows them. */
  #laid(here: { piece: Piece; at: number }): Scope {
    return this.#scope(
      () => here,
      ({ piece, at }) => ({
        number: piece.address + BigInt(at) - piece.section.address,
        section: piece.section,
      }),
      (piece) => ({ number: 0n, section: piece.section }),
    );
  }

  #scope(
    here: () => { piece: Piece; at: number },
    label: (label: { piece: Piece; at: number }) => Value,
    start: (piece: Piece) => Value | undefined,
  ): Scope {
    const open = new Set<string>();
    const scope: Scope = {
      symbol: (name) => {
        const symbol = this.program.symbols.get(name);
        if (symbol?.value !== undefined) return symbol.value;
        if (symbol?.label !== undefined) return label(symbol.label);
        if (symbol?.expression === undefined || open.has(name)) return undefined;
        open.add(name);
        try {
          return evaluate(symbol.expression.value, {
            ...scope,
            here: (what) =>
              what === 'section' ? start(symbol.expression!.here.piece) : label(symbol.expression!.here),
          });
        } finally {
          open.delete(name);
        }
      },
      here: (what) => (what === 'section' ? start(here().piece) : label(here())),
    };
    return scope;
  }

  #instruction(scanner: Scanner): void {
    if (this.absolute !== undefined) throw new SourceError('an instruction outside of a section');
    const text = scanner.text.slice(scanner.at).trimEnd();
    const key = `${this.code}${this.relative}${text}`;
    this.program.line(this.origin);
    const kept = this.#kept.get(key);
    if (kept !== undefined) {
      this.program.data(kept.bytes);
      return;
    }
    const before = this.#symbolsRead;
    const { code, relative, grammar } = this;
    const found = intelInstruction(scanner, { nasm: true, relative, grammar }, code);
    if ('prefixes' in found) {
      this.program.data(found.prefixes);
      return;
    }
    const symbols = this.#symbolsRead > before;
    if (found.length === 0) throw new SourceError(`unknown instruction '${text.split(/\s/)[0]}'`);
    const here = this.start;
    const target = found[0]!.operands.find((one) => one.kind === 'target');
    if (target?.kind === 'target') {
      const forms = encode(found, code, this.known);
      const sizes = forms.filter(({ bytes }, n) => n === 0 || bytes.length > forms[n - 1]!.bytes.length);
      if (sizes.length > 1 && symbols)
        this.program.stretch({ kind: 'branch', forms: sizes, chosen: 0, target: target.value }, this.origin);
      else this.program.code(sizes.at(-1)!, this.origin);
      return;
    }
    if (symbols && found.some((one) => one.operands.some((operand) => this.#isOpen(operand)))) {
      const known = (expression: Expression) => this.#number(expression, this.#laid(here));
      this.program.stretch(
        { kind: 'instruction', encode: () => encode(found, code, known)[0]!, made: undefined },
        this.origin,
      );
      return;
    }
    const chosen = encode(found, code, this.known)[0]!;
    this.program.code(chosen, this.origin);
    if (!symbols && chosen.fixups.length === 0 && this.#kept.size < KEPT) this.#kept.set(key, chosen);
  }

  /** True if a number in the operand may still turn out not to depend on addresses. */
  #isOpen(operand: AsmOperand): boolean {
    const parts =
      operand.kind === 'memory'
        ? [operand.displacement]
        : operand.kind === 'immediate'
          ? [operand.value]
          : [];
    return parts.some((expression) => {
      if (expression === undefined || this.known(expression) !== undefined) return false;
      // A label that is already defined stays an address.
      if (expression.kind === 'symbol') return this.program.symbols.get(expression.name)?.label === undefined;
      return [...symbolsOf(expression)].length > 0 || expression.kind !== 'here';
    });
  }
}

/** A write to the lower half of a 64-bit register clears the upper one, so the shorter form suffices (NASM 2.2.3). */
function shortened(
  instruction: AsmInstruction,
  known: (expression: Expression) => bigint | undefined,
): AsmInstruction {
  const [to, from] = instruction.operands;
  if (instruction.mnemonic !== 'mov' || to?.kind !== 'register' || from?.kind !== 'immediate')
    return instruction;
  if (to.class !== 'general' || to.size !== 8 || from.size !== undefined) return instruction;
  const value = known(from.value);
  if (value === undefined) return { ...instruction, full: true };
  if (value < 0n || value > 0xffffffffn) return instruction;
  const half = registerNamed(to.number < 8 ? `e${to.name.slice(1)}` : `${to.name}d`)!;
  return { ...instruction, operands: [half, from] };
}

/** All encodings, the shortest first. @throws EncodeError */
function encode(
  candidates: Exclude<IntelCandidates, { prefixes: readonly number[] }>,
  code: CodeSize,
  known: (expression: Expression) => bigint | undefined,
): Encoded[] {
  let refused: EncodeError | undefined;
  for (const candidate of candidates) {
    try {
      return encodings(shortened(candidate, known), code, known, dialect);
    } catch (error) {
      if (!(error instanceof EncodeError)) throw error;
      refused ??= error;
    }
  }
  throw refused ?? new EncodeError('nothing fits');
}
