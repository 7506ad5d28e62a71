/**
 * NASM's preprocessor (its manual, chapter 4): lines in, lines out, with single-line and multi-line macros put in.
 *
 * @module
 */
import type { SourceLine } from '../cpp.js';
import { type Complaint, type Origin, SourceError } from '../source.js';

export interface NasmPreprocessorHost {
  readonly read: (
    name: string,
    from: string,
  ) => { readonly file: string; readonly bytes: Uint8Array } | undefined;
  readonly complain: (complaint: Complaint) => void;
  /** The value of an expression that has to be known. @throws SourceError */
  readonly value: (text: string) => bigint;
}

interface Single {
  readonly parameters: readonly string[] | undefined;
  readonly body: string;
}

interface Multi {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  /** The last parameter takes all that is left. */
  readonly greedy: boolean;
  readonly defaults: readonly string[];
  readonly body: readonly SourceLine[];
}

interface Frame {
  readonly lines: readonly SourceLine[];
  at: number;
  /** Of a macro: what its parameters stand for, and which use this is. */
  readonly macro: { readonly given: string[]; readonly use: number } | undefined;
  /** Of a repetition. */
  readonly isLoop: boolean;
  /** How many conditions were open when it began: those that opened since end with it. */
  readonly conditions: number;
}

const MAX_LINES = 4_000_000;
const DEEPEST = 200;
const MAX_EXPANSION = 1 << 20;

const words = /[A-Za-z_.?@$%][\w.?@$#~]*|\d[\w.]*|"[^"]*"|'[^']*'|`(?:[^`\\]|\\.)*`|[^\w.?@$%"'`]+|./g;

export class NasmPreprocessor {
  readonly #host: NasmPreprocessorHost;
  readonly #singles = new Map<string, Single>();
  readonly #multis = new Map<string, Multi[]>();
  readonly #frames: Frame[] = [];
  readonly #conditions: { active: boolean; taken: boolean; outer: boolean; origin: Origin }[] = [];
  #uses = 0;
  #lines = 0;

  constructor(host: NasmPreprocessorHost, defines: ReadonlyMap<string, string>) {
    this.#host = host;
    for (const [name, body] of defines) this.#singles.set(name, { parameters: undefined, body });
  }

  get #active(): boolean {
    return this.#conditions.at(-1)?.active ?? true;
  }

  #complain(origin: Origin, error: SourceError): void {
    this.#host.complain({ origin, column: error.at + 1 || 1, message: error.message, hint: error.hint });
  }

  /** All lines that are left for the assembler. */
  *run(lines: readonly SourceLine[]): Generator<SourceLine> {
    this.#frames.push({ lines, at: 0, macro: undefined, isLoop: false, conditions: this.#conditions.length });
    for (let line = this.#next(); line !== undefined; line = this.#next()) {
      try {
        const out = this.#line(line);
        if (out !== undefined) yield out;
      } catch (error) {
        if (!(error instanceof SourceError)) throw error;
        this.#complain(line.origin, error);
      }
    }
    for (const { origin } of this.#conditions)
      this.#complain(origin, new SourceError('this condition has no %endif'));
  }

  #next(): SourceLine | undefined {
    for (;;) {
      const frame = this.#frames.at(-1);
      if (frame === undefined) return undefined;
      const line = frame.lines[frame.at++];
      if (line === undefined) {
        this.#frames.pop();
        continue;
      }
      if (++this.#lines > MAX_LINES) {
        this.#complain(line.origin, new SourceError(`more than ${MAX_LINES} lines with what macros make`));
        this.#frames.length = 0;
        return undefined;
      }
      return line;
    }
  }

  #push(frame: Frame): void {
    if (this.#frames.length >= DEEPEST)
      throw new SourceError(`more than ${DEEPEST} macros and files within each other`);
    this.#frames.push(frame);
  }

  #line({ text: raw, origin }: SourceLine): SourceLine | undefined {
    const text = this.#parameters(raw);
    const directive = /^\s*%([a-z]+)\b\s*(.*)$/i.exec(stripComment(text));
    if (directive !== null) {
      this.#directive(directive[1]!.toLowerCase(), directive[2]!.trim(), origin);
      return undefined;
    }
    if (!this.#active) return undefined;
    const expanded = this.#expand(stripComment(text), []);
    return this.#multi(expanded, origin) ? undefined : { text: expanded, origin };
  }

  /** Puts a macro's parameters in: %1, %0, %%label, %{1}. */
  #parameters(text: string): string {
    if (!text.includes('%')) return text;
    const { macro } = this.#frames.findLast(({ macro: one }) => one !== undefined) ?? {};
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
    if (/^(if|elif)/.test(word)) {
      this.#condition(word, rest, origin);
      return;
    }
    switch (word) {
      case 'else': {
        const condition = this.#innermost(word);
        condition.active = condition.outer && !condition.taken;
        condition.taken = true;
        return;
      }
      case 'endif':
        this.#innermost(word);
        this.#conditions.pop();
        return;
    }
    if (!this.#active) {
      // Blocks are passed over with what is in them.
      return;
    }
    switch (word) {
      case 'define':
      case 'idefine':
      case 'xdefine':
      case 'ixdefine':
        this.#define(rest, word.includes('x'));
        return;
      case 'undef':
        this.#singles.delete(rest);
        return;
      case 'assign':
      case 'iassign': {
        const [, name = '', value = ''] = /^(\S+)\s+(.*)$/.exec(rest) ?? [];
        if (name === '') throw new SourceError('a name and a number are needed', -1, '%assign NAME NUMBER');
        this.#singles.set(name, {
          parameters: undefined,
          body: String(this.#host.value(this.#expand(value, []))),
        });
        return;
      }
      case 'strlen': {
        const [, name = '', value = ''] = /^(\S+)\s+(.*)$/.exec(rest) ?? [];
        const string = this.#expand(value, []).trim();
        this.#singles.set(name, { parameters: undefined, body: String(Math.max(string.length - 2, 0)) });
        return;
      }
      case 'macro':
      case 'imacro':
        this.#defineMulti(rest);
        return;
      case 'rep':
        this.#repeat(rest);
        return;
      case 'exitrep': {
        const at = this.#frames.findLastIndex(({ isLoop }) => isLoop);
        if (at < 0) throw new SourceError('%exitrep outside of %rep');
        this.#leave(at);
        return;
      }
      case 'exitmacro': {
        const at = this.#frames.findLastIndex(({ macro }) => macro !== undefined);
        if (at < 0) throw new SourceError('%exitmacro outside of a macro');
        this.#leave(at);
        return;
      }
      case 'rotate': {
        const { macro } = this.#frames.findLast(({ macro: one }) => one !== undefined) ?? {};
        if (macro === undefined) throw new SourceError('%rotate outside of a macro');
        const by = Number(this.#host.value(this.#expand(rest, []))) % Math.max(macro.given.length, 1);
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

  /** Ends a macro or a repetition, and what began inside it. */
  #leave(at: number): void {
    this.#conditions.length = Math.min(this.#conditions.length, this.#frames[at]!.conditions);
    this.#frames.length = at;
  }

  #innermost(word: string) {
    const condition = this.#conditions.at(-1);
    if (condition === undefined) throw new SourceError(`%${word} without %if`);
    return condition;
  }

  #condition(word: string, rest: string, origin: Origin): void {
    if (word.startsWith('if')) {
      const outer = this.#active;
      const holds = outer && this.#holds(word.slice(2), rest);
      this.#conditions.push({ active: holds, taken: holds, outer, origin });
      return;
    }
    const condition = this.#innermost(word);
    const asks = condition.outer && !condition.taken;
    condition.active = asks && this.#holds(word.slice(4), rest);
    condition.taken ||= condition.active;
  }

  #holds(kind: string, rest: string): boolean {
    if (kind.startsWith('n') && kind !== 'num') return !this.#holds(kind.slice(1), rest);
    switch (kind) {
      case '':
        return this.#host.value(this.#expand(rest, [])) !== 0n;
      case 'def':
        return rest.split(/[\s,]+/).some((name) => this.#singles.has(name));
      case 'macro':
        return this.#multis.has(rest.split(/\s/)[0]!.toLowerCase());
      case 'idn':
      case 'idni': {
        const [a = '', b = ''] = splitCommas(this.#expand(rest, []));
        return kind === 'idn' ? a === b : a.toLowerCase() === b.toLowerCase();
      }
      case 'num':
        return /^[-+]?\d/.test(this.#expand(rest, []).trim());
      case 'str':
        return /^["'`]/.test(this.#expand(rest, []).trim());
      case 'id':
        return /^[A-Za-z_.?@$]/.test(this.#expand(rest, []).trim());
      case 'empty':
        return this.#expand(rest, []).trim() === '';
      default:
        throw new SourceError(`%if${kind} is not known here`);
    }
  }

  #define(rest: string, now: boolean): void {
    const [, name, list, body = ''] = /^([A-Za-z_.?@$][\w.?@$#~]*)(\([^)]*\))?\s*(.*)$/.exec(rest) ?? [];
    if (name === undefined) throw new SourceError('a name is missing', -1, '%define NAME TEXT');
    const parameters = list
      ?.slice(1, -1)
      .split(',')
      .map((one) => one.trim())
      .filter((one) => one !== '');
    this.#singles.set(name, { parameters, body: now ? this.#expand(body, []) : body });
  }

  /** The lines up to the end that belongs to a block. */
  #block(start: RegExp, end: RegExp, what: string): SourceLine[] {
    const body: SourceLine[] = [];
    for (let depth = 1; ; ) {
      const line = this.#next();
      if (line === undefined) throw new SourceError(`this ${what} has no end`);
      if (start.test(line.text)) depth++;
      if (end.test(line.text) && --depth === 0) return body;
      body.push(line);
    }
  }

  #defineMulti(rest: string): void {
    const body = this.#block(/^\s*%i?macro\b/i, /^\s*%endmacro\b/i, '%macro');
    const head = /^([A-Za-z_.?@$][\w.?@$]*)\s+(\d+)(?:-(\d+|\*))?(\+)?(?:\.nolist)?\s*(.*)$/.exec(rest);
    if (head === null) throw new SourceError(`'${rest}' is no head of a macro`, -1, '%macro NAME COUNT');
    const [, name = '', least = '0', most, greedy, defaults = ''] = head;
    const multi: Multi = {
      name,
      least: Number(least),
      most: most === undefined ? Number(least) : most === '*' ? Number.POSITIVE_INFINITY : Number(most),
      greedy: greedy !== undefined,
      defaults: defaults === '' ? [] : splitCommas(defaults),
      body,
    };

    const key = name.toLowerCase();
    this.#multis.set(key, [...(this.#multis.get(key) ?? []), multi]);
  }

  #repeat(rest: string): void {
    const body = this.#block(/^\s*%rep\b/i, /^\s*%endrep\b/i, '%rep');
    const count = this.#host.value(this.#expand(rest, []));
    if (count < 0n || count * BigInt(Math.max(body.length, 1)) > MAX_LINES)
      throw new SourceError(`%rep ${count}: too many lines`);
    const lines = Array.from({ length: Number(count) }, () => body).flat();
    this.#push({ lines, at: 0, macro: undefined, isLoop: true, conditions: this.#conditions.length });
  }

  #include(rest: string): void {
    const name = this.#expand(rest, [])
      .trim()
      .replace(/^(["'`<])(.*)(?:\1|>)$/, '$2');
    const from = this.#frames.at(-1)?.lines[0]?.origin.file ?? '';
    const found = this.#host.read(name, from);
    if (found === undefined)
      throw new SourceError(`there is no file ${name}`, -1, 'names count from the source that names them');
    this.#push({
      lines: nasmLines(new TextDecoder().decode(found.bytes), found.file),
      at: 0,
      macro: undefined,
      isLoop: false,
      conditions: this.#conditions.length,
    });
  }

  /** Puts a multi-line macro in, if the line is a use of one. */
  #multi(text: string, origin: Origin): boolean {
    const found = /^(\s*(?:[A-Za-z_.?@$][\w.?@$#~]*:)?)\s*([A-Za-z_.?@$][\w.?@$#~]*)(?:\s+(.*))?$/.exec(text);
    const choices = this.#multis.get(found?.[2]?.toLowerCase() ?? '');
    if (found === null || choices === undefined) return false;
    const rest = (found[3] ?? '').trim();
    const given = rest === '' ? [] : splitCommas(rest);
    const multi = choices.find(
      ({ least, most, greedy }) => given.length >= least && (given.length <= most || greedy),
    );
    if (multi === undefined) {
      const counts = choices.map(({ least, most }) => (least === most ? least : `${least} to ${most}`));
      throw new SourceError(`${found[2]} takes ${counts.join(' or ')} arguments, not ${given.length}`);
    }
    const last = multi.most;
    const values =
      multi.greedy && given.length > last
        ? [...given.slice(0, last - 1), given.slice(last - 1).join(',')]
        : given;
    for (let n = values.length; n < Math.min(multi.most, multi.least + multi.defaults.length); n++) {
      values.push(multi.defaults[n - multi.least] ?? '');
    }
    const label = found[1]!.trim();
    const lines = multi.body.map(({ text: line, origin: own }) => ({
      text: line,
      origin: { ...own, from: origin },
    }));
    const use = ++this.#uses;
    this.#push({
      lines,
      at: 0,
      macro: { given: values.map(unbrace), use },
      isLoop: false,
      conditions: this.#conditions.length,
    });
    if (label !== '')
      this.#push({
        lines: [{ text: label, origin }],
        at: 0,
        macro: undefined,
        isLoop: false,
        conditions: this.#conditions.length,
      });
    return true;
  }

  /** Puts single-line macros in; a name inside its own expansion stays. */
  #expand(text: string, within: readonly string[]): string {
    if (this.#singles.size === 0) return text;
    let result = '';
    const all = text.match(words) ?? [];
    for (let n = 0; n < all.length; n++) {
      const token = all[n]!;
      const single = within.includes(token) ? undefined : this.#singles.get(token);
      if (single === undefined) {
        result += token;
        continue;
      }
      if (single.parameters === undefined) {
        result += this.#expand(single.body, [...within, token]);
      } else {
        const after = all.slice(n + 1).join('');
        const call = callArguments(after);
        if (call === undefined) {
          result += token;
          continue;
        }
        const values = new Map(single.parameters.map((name, i) => [name, call.values[i] ?? '']));
        const body = (single.body.match(words) ?? []).map((one) => values.get(one) ?? one).join('');
        return this.#checked(
          result + this.#expand(body, [...within, token]) + this.#expand(after.slice(call.length), within),
        );
      }
      this.#checked(result);
    }
    return result.replace(/\s*%\+\s*/g, '');
  }

  #checked(text: string): string {
    if (text.length > MAX_EXPANSION) throw new SourceError('an expansion that does not end');
    return text;
  }
}

const unbrace = (text: string) => (text.startsWith('{') && text.endsWith('}') ? text.slice(1, -1) : text);

/** The arguments in brackets at the start of a text, and how many characters they take. */
function callArguments(text: string): { values: string[]; length: number } | undefined {
  const open = /^\s*\(/.exec(text);
  if (open === null) return undefined;
  let depth = 0;
  for (let at = open[0].length - 1; at < text.length; at++) {
    if (text[at] === '(') depth++;
    if (text[at] === ')' && --depth === 0) {
      return { values: splitCommas(text.slice(open[0].length, at)), length: at + 1 };
    }
  }
  return undefined;
}

/** Parts between commas; brackets, braces and quotes hold together. */
export function splitCommas(text: string): string[] {
  const found: string[] = [];
  let current = '';
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (character === '"' || character === "'" || character === '`') {
      const end = text.indexOf(character, at + 1);
      const until = end < 0 ? text.length : end + 1;
      current += text.slice(at, until);
      at = until - 1;
      continue;
    }
    if (/[([{]/.test(character)) depth++;
    if (/[)\]}]/.test(character)) depth--;
    if (character === ',' && depth <= 0) {
      found.push(current.trim());
      current = '';
    } else current += character;
  }
  found.push(current.trim());
  return found;
}

/** Takes a comment out: from a `;` that is in no string. */
function stripComment(line: string): string {
  if (!line.includes(';')) return line;
  for (let at = 0; at < line.length; at++) {
    const character = line[at]!;
    if (character === ';') return line.slice(0, at);
    if (character === '"' || character === "'" || character === '`') {
      const end = line.indexOf(character, at + 1);
      if (end < 0) return line;
      at = end;
    }
  }
  return line;
}

/** The lines of a source, continued ones joined. */
export function nasmLines(text: string, file: string): SourceLine[] {
  const lines: SourceLine[] = [];
  const all = text.split('\n');
  for (let n = 0; n < all.length; n++) {
    const origin = { file, line: n + 1 };
    let line = all[n]!.replace(/\r$/, '');
    while (line.endsWith('\\') && n + 1 < all.length) line = line.slice(0, -1) + all[++n]!.replace(/\r$/, '');
    lines.push({ text: line, origin });
  }
  return lines;
}
