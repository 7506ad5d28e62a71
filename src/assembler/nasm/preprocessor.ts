/**
 * NASM's preprocessor (its manual, chapter 4): lines in, lines out, with single-line and multi-line macros expanded.
 *
 * @module
 */
import type { SourceLine } from '../cpp.js';
import { LineStack, MAX_LINES } from '../line-stack.js';
import { type Complaint, type Origin, SourceError } from '../source.js';
import { Conditions } from './conditions.js';
import { nasmLines, splitCommas, stripComment } from './lines.js';
import { MultiMacros } from './multi-macros.js';
import { SingleMacros } from './single-macros.js';

export interface NasmPreprocessorHost {
  readonly read: (
    name: string,
    from: string,
  ) => { readonly file: string; readonly bytes: Uint8Array } | undefined;
  readonly complain: (complaint: Complaint) => void;
  /** The value of an expression that has to be known. @throws SourceError */
  readonly value: (text: string) => bigint;
}

/** The data about inserted lines. */
interface Frame {
  /** Of a macro: the values of its parameters, and the number of this use. */
  readonly macro?: { readonly given: string[]; readonly use: number };
  /** Of a repetition. */
  readonly isLoop?: boolean;
  /** How many conditions were open when it began: those opened since end with it. */
  readonly conditions: number;
}

export class NasmPreprocessor {
  readonly #host: NasmPreprocessorHost;
  readonly #singles: SingleMacros;
  readonly #multis = new MultiMacros();
  readonly #lines = new LineStack<Frame>((origin, error) => this.#complain(origin, error));
  readonly #conditions = new Conditions();
  #uses = 0;

  constructor(host: NasmPreprocessorHost, defines: ReadonlyMap<string, string>) {
    this.#host = host;
    this.#singles = new SingleMacros(defines);
  }

  #complain(origin: Origin, error: SourceError): void {
    this.#host.complain({ origin, column: error.at + 1 || 1, message: error.message, hint: error.hint });
  }

  /** All lines for the assembler. */
  *run(lines: readonly SourceLine[]): Generator<SourceLine> {
    this.#push(lines);
    for (let line = this.#lines.next(); line !== undefined; line = this.#lines.next()) {
      try {
        const out = this.#line(line);
        if (out !== undefined) yield out;
      } catch (error) {
        if (!(error instanceof SourceError)) throw error;
        this.#complain(line.origin, error);
      }
    }
    for (const origin of this.#conditions.origins)
      this.#complain(origin, new SourceError('this condition has no %endif'));
  }

  #push(lines: readonly SourceLine[], kind: Omit<Frame, 'conditions'> = {}): void {
    this.#lines.push(lines, { ...kind, conditions: this.#conditions.depth });
  }

  #line({ text: raw, origin }: SourceLine): SourceLine | undefined {
    const text = this.#parameters(raw);
    const directive = /^\s*%([a-z]+)\b\s*(.*)$/i.exec(stripComment(text));
    if (directive !== null) {
      this.#directive(directive[1]!.toLowerCase(), directive[2]!.trim(), origin);
      return undefined;
    }
    if (!this.#conditions.active) return undefined;
    const expanded = this.#singles.expand(stripComment(text));
    return this.#multi(expanded, origin) ? undefined : { text: expanded, origin };
  }

  /** Substitutes a macro's parameters: %1, %0, %%label, %{1}. */
  #parameters(text: string): string {
    if (!text.includes('%')) return text;
    const { macro } = this.#lines.find(({ macro: one }) => one !== undefined) ?? {};
    if (macro === undefined) return text;
    return text.replace(
      /%(?:%([A-Za-z_]\w*)|\{?(-?\d+)\}?)/g,
      (_, label: string | undefined, number: string) => {
        if (label !== undefined) return `..@${macro.use}.${label}`;
        if (number === '0') return String(macro.given.length);
        return macro.given[Number(number) - 1] ?? '';
      },
    );
  }

  #directive(word: string, rest: string, origin: Origin): void {
    if (this.#condition(word, rest, origin)) return;
    // Blocks are skipped with their content.
    if (!this.#conditions.active) return;
    switch (word) {
      case 'define':
      case 'idefine':
      case 'xdefine':
      case 'ixdefine':
        this.#singles.define(rest, word.includes('x'));
        return;
      case 'undef':
        this.#singles.delete(rest);
        return;
      case 'assign':
      case 'iassign': {
        const [, name = '', value = ''] = /^(\S+)\s+(.*)$/.exec(rest) ?? [];
        if (name === '') throw new SourceError('a name and a number are needed', -1, '%assign NAME NUMBER');
        this.#singles.set(name, String(this.#value(value)));
        return;
      }
      case 'strlen': {
        const [, name = '', value = ''] = /^(\S+)\s+(.*)$/.exec(rest) ?? [];
        const string = this.#singles.expand(value).trim();
        this.#singles.set(name, String(Math.max(string.length - 2, 0)));
        return;
      }
      case 'macro':
      case 'imacro':
        this.#multis.define(
          rest,
          this.#lines.block(/^\s*%i?macro\b/i, /^\s*%endmacro\b/i, 'this %macro has no end'),
        );
        return;
      case 'rep':
        this.#repeat(rest);
        return;
      case 'exitrep':
        this.#leave(({ isLoop = false }) => isLoop, '%exitrep outside of %rep');
        return;
      case 'exitmacro':
        this.#leave(({ macro }) => macro !== undefined, '%exitmacro outside of a macro');
        return;
      case 'rotate': {
        const { macro } = this.#lines.find(({ macro: one }) => one !== undefined) ?? {};
        if (macro === undefined) throw new SourceError('%rotate outside of a macro');
        const by = Number(this.#value(rest)) % Math.max(macro.given.length, 1);
        macro.given.push(...macro.given.splice(0, by < 0 ? macro.given.length + by : by));
        return;
      }
      case 'include':
        this.#include(rest);
        return;
      case 'error':
      case 'fatal':
        throw new SourceError(rest.replace(/^(["'])(.*)\1$/, '$2') || `%${word}`);
      case 'warning':
      case 'note':
      case 'pragma':
      case 'line':
      case 'use':
        return;
      default:
        throw new SourceError(`%${word} is not known here`);
    }
  }

  /** Ends a macro or a repetition, and all blocks inside it. */
  #leave(isMeant: (frame: Frame) => boolean, otherwise: string): void {
    const frame = this.#lines.leave(isMeant);
    if (frame === undefined) throw new SourceError(otherwise);
    this.#conditions.leave(frame.conditions);
  }

  /** False where the directive does not belong to a condition. */
  #condition(word: string, rest: string, origin: Origin): boolean {
    if (word.startsWith('if')) this.#conditions.begin(origin, () => this.#holds(word.slice(2), rest));
    else if (word.startsWith('elif'))
      this.#conditions.branch(word, () => this.#holds(word.slice('elif'.length), rest));
    else if (word === 'else') this.#conditions.branch(word, () => true);
    else if (word === 'endif') this.#conditions.end(word);
    else return false;
    return true;
  }

  #value(text: string): bigint {
    return this.#host.value(this.#singles.expand(text));
  }

  #holds(kind: string, rest: string): boolean {
    if (kind.startsWith('n') && kind !== 'num') return !this.#holds(kind.slice(1), rest);
    switch (kind) {
      case '':
        return this.#value(rest) !== 0n;
      case 'def':
        return rest.split(/[\s,]+/).some((name) => this.#singles.has(name));
      case 'macro':
        return this.#multis.has(rest.split(/\s/)[0]!);
      case 'idn':
      case 'idni': {
        const [a = '', b = ''] = splitCommas(this.#singles.expand(rest));
        return kind === 'idn' ? a === b : a.toLowerCase() === b.toLowerCase();
      }
      case 'num':
        return /^[-+]?\d/.test(this.#singles.expand(rest).trim());
      case 'str':
        return /^["'`]/.test(this.#singles.expand(rest).trim());
      case 'id':
        return /^[A-Za-z_.?@$]/.test(this.#singles.expand(rest).trim());
      case 'empty':
        return this.#singles.expand(rest).trim() === '';
      default:
        throw new SourceError(`%if${kind} is not known here`);
    }
  }

  #repeat(rest: string): void {
    const body = this.#lines.block(/^\s*%rep\b/i, /^\s*%endrep\b/i, 'this %rep has no end');
    const count = this.#value(rest);
    if (count < 0n || count * BigInt(Math.max(body.length, 1)) > MAX_LINES)
      throw new SourceError(`%rep ${count}: too many lines`);
    const lines = Array.from({ length: Number(count) }, () => body).flat();
    this.#push(lines, { isLoop: true });
  }

  #include(rest: string): void {
    const name = this.#singles
      .expand(rest)
      .trim()
      .replace(/^(["'`<])(.*)(?:\1|>)$/, '$2');
    const found = this.#host.read(name, this.#lines.file);
    if (found === undefined)
      throw new SourceError(`there is no file ${name}`, -1, 'names count from the source that names them');
    this.#push(nasmLines(new TextDecoder().decode(found.bytes), found.file));
  }

  /** Expands a multi-line macro, if the line uses one. */
  #multi(text: string, origin: Origin): boolean {
    const macro = this.#multis.use(text);
    if (macro === undefined) return false;
    const { body, given, label } = macro;
    const lines = body.map((line) => ({ text: line.text, origin: { ...line.origin, from: origin } }));
    this.#push(lines, { macro: { given, use: ++this.#uses } });
    if (label !== '') this.#push([{ text: label, origin }]);
    return true;
  }
}
