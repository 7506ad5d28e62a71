import { SourceError } from '../source.js';
import { callArguments } from './lines.js';

interface Single {
  readonly parameters: readonly string[] | undefined;
  readonly body: string;
}

const MAX_EXPANSION = 1 << 20;

const words = /[A-Za-z_.?@$%][\w.?@$#~]*|\d[\w.]*|"[^"]*"|'[^']*'|`(?:[^`\\]|\\.)*`|[^\w.?@$%"'`]+|./g;

/** Single-line macros: %define and related directives (NASM's manual, 4.1). */
export class SingleMacros {
  readonly #macros = new Map<string, Single>();

  constructor(defines: ReadonlyMap<string, string>) {
    for (const [name, body] of defines) this.set(name, body);
  }

  has(name: string): boolean {
    return this.#macros.has(name);
  }

  /** A macro without parameters. */
  set(name: string, body: string): void {
    this.#macros.set(name, { parameters: undefined, body });
  }

  delete(name: string): void {
    this.#macros.delete(name);
  }

  /**
   * `NAME(PARAMETERS) TEXT`, as it follows %define.
   * @param now the text is expanded at its definition, not at each use
   */
  define(rest: string, now: boolean): void {
    const [, name, list, body = ''] = /^([A-Za-z_.?@$][\w.?@$#~]*)(\([^)]*\))?\s*(.*)$/.exec(rest) ?? [];
    if (name === undefined) throw new SourceError('a name is missing', -1, '%define NAME TEXT');
    const parameters = list
      ?.slice(1, -1)
      .split(',')
      .map((one) => one.trim())
      .filter((one) => one !== '');
    this.#macros.set(name, { parameters, body: now ? this.expand(body) : body });
  }

  /** Expands the macros; a name inside its own expansion stays. */
  expand(text: string, within: readonly string[] = []): string {
    if (this.#macros.size === 0) return text;
    let result = '';
    const all = text.match(words) ?? [];
    for (let n = 0; n < all.length; n++) {
      const token = all[n]!;
      const single = within.includes(token) ? undefined : this.#macros.get(token);
      if (single === undefined) {
        result += token;
        continue;
      }
      if (single.parameters === undefined) {
        result += this.expand(single.body, [...within, token]);
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
          result + this.expand(body, [...within, token]) + this.expand(after.slice(call.length), within),
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
