/**
 * Macros and repetitions of GNU as (its manual: .macro, .rept, .irp, .irpc).
 *
 * @module
 */
import { SourceError } from '../source.js';

interface Parameter {
  readonly name: string;
  readonly initial: string | undefined;
  readonly kind: 'req' | 'vararg' | undefined;
}

export interface Macro {
  readonly name: string;
  readonly parameters: readonly Parameter[];
  readonly body: readonly string[];
}

const parameterText =
  /([A-Za-z_.$][\w.$]*)\s*(?::(req|vararg))?\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^,\s]+))?\s*[,\s]?\s*/y;

/** The parameters of `.macro name a, b=1, rest:vararg`. */
function parameters(text: string): Parameter[] {
  const found: Parameter[] = [];
  for (let at = 0; at < text.length; at = parameterText.lastIndex) {
    parameterText.lastIndex = at;
    const match = parameterText.exec(text);
    if (match === null) throw new SourceError(`'${text.slice(at)}' is no parameter of a macro`);
    const [, name = '', kind, initial] = match;
    found.push({
      name,
      kind: kind as Parameter['kind'],
      initial: initial === undefined ? undefined : unquote(initial),
    });
  }
  return found;
}

/** `.macro` with the rest of its line, and its body. */
export function defineMacro(head: string, body: readonly string[]): Macro {
  const [, name, rest = ''] = /^\s*([A-Za-z_.$][\w.$]*)\s*,?\s*(.*)$/.exec(head) ?? [];
  if (name === undefined) throw new SourceError('a macro has a name', -1, '.macro NAME PARAMETERS');
  return { name, parameters: parameters(rest.trim()), body };
}

const unquote = (text: string) =>
  text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;

/** Arguments: separated by commas, or by spaces where that is unambiguous; brackets and quotes group. */
export function splitArguments(text: string): string[] {
  const found: string[] = [];
  let current = '';
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (character === '"') {
      const end = closing(text, at);
      current += text.slice(at, end + 1);
      at = end;
      continue;
    }
    if (character === '(') depth++;
    if (character === ')') depth--;
    const space = /\s/.test(character);
    const before = current.trimEnd().at(-1) ?? '';
    const after = text.slice(at).trimStart()[0] ?? '';
    const joins = /[-+*/%|&^<>=!~,(]/.test(before) || /[-+*/%|&^<>=!,)]/.test(after);
    if (depth === 0 && (character === ',' || (space && current.trim() !== '' && after !== '' && !joins))) {
      found.push(current.trim());
      current = '';
      if (space) while (/\s/.test(text[at + 1] ?? '')) at++;
    } else current += character;
  }
  if (current.trim() !== '' || found.length > 0) found.push(current.trim());
  return found;
}

function closing(text: string, at: number): number {
  for (let end = at + 1; end < text.length; end++) {
    if (text[end] === '\\') end++;
    else if (text[end] === '"') return end;
  }
  throw new SourceError('the " here is not closed', at);
}

/** The lines of a macro with its arguments substituted. `count` is the value of `\@`. */
export function expandMacro(macro: Macro, text: string, count: number): string[] {
  const values = new Map<string, string>();
  const given = splitArguments(text);
  const names = macro.parameters.map(({ name }) => name);
  let next = 0;
  for (const argument of given) {
    const [, name, value = ''] = /^([A-Za-z_.$][\w.$]*)\s*=\s*([^=].*)$/.exec(argument) ?? [];
    if (name !== undefined && names.includes(name)) {
      values.set(name, unquote(value));
      continue;
    }
    const parameter = macro.parameters[next];
    if (parameter === undefined)
      throw new SourceError(`${macro.name} takes ${names.length} arguments, and there are more`);
    if (parameter.kind === 'vararg') {
      const already = values.get(parameter.name);
      values.set(parameter.name, already === undefined ? argument : `${already},${argument}`);
    } else {
      values.set(parameter.name, unquote(argument));
      next++;
    }
  }
  for (const { name, kind, initial } of macro.parameters) {
    if (values.get(name) !== undefined && values.get(name) !== '') continue;
    if (kind === 'req') throw new SourceError(`${macro.name} needs its argument '${name}'`);
    values.set(name, initial ?? '');
  }
  return macro.body.map((line) => substitute(line, values, count));
}

/** Substitutes values for `\name`, a number for `\@`, and nothing for `\()`. */
export function substitute(line: string, values: ReadonlyMap<string, string>, count: number): string {
  if (!line.includes('\\')) return line;
  return line.replace(/\\(\(\)|@|[A-Za-z_$][\w$]*)/g, (whole, name: string) => {
    if (name === '()') return '';
    if (name === '@') return String(count);
    // The longest parameter that begins here: \ab may be \a and a b where there is no ab.
    return values.get(name) ?? whole;
  });
}

/** `.irp x, a, b, c` and `.irpc x, abc`: the body once for each value. */
export function expandEach(
  head: string,
  body: readonly string[],
  characters: boolean,
  count: number,
): string[] {
  const [, name, rest = ''] = /^\s*([A-Za-z_.$][\w.$]*)\s*,?\s*(.*)$/.exec(head) ?? [];
  if (name === undefined) throw new SourceError('a name is missing', -1, '.irp NAME, VALUES');
  const values = characters ? [...unquote(rest.trim())] : splitArguments(rest);
  return (values.length === 0 ? [''] : values).flatMap((value) =>
    body.map((line) => substitute(line, new Map([[name, unquote(value)]]), count)),
  );
}
