import type { SourceLine } from '../cpp.js';
import { SourceError } from '../source.js';
import { splitCommas } from './lines.js';

interface Multi {
  readonly least: number;
  readonly most: number;
  /** The last parameter takes the rest of the line. */
  readonly greedy: boolean;
  readonly defaults: readonly string[];
  readonly body: readonly SourceLine[];
}

/** A use of a macro: its lines, the values of its parameters, and the label before it. */
export interface MacroUse {
  readonly body: readonly SourceLine[];
  readonly given: string[];
  readonly label: string;
}

/** Multi-line macros (NASM's manual, 4.3): several may have one name, with other numbers of arguments. */
export class MultiMacros {
  readonly #macros = new Map<string, Multi[]>();

  has(name: string): boolean {
    return this.#macros.has(name.toLowerCase());
  }

  /** @param head `NAME COUNT DEFAULTS`, as it follows %macro */
  define(head: string, body: readonly SourceLine[]): void {
    const parts = /^([A-Za-z_.?@$][\w.?@$]*)\s+(\d+)(?:-(\d+|\*))?(\+)?(?:\.nolist)?\s*(.*)$/.exec(head);
    if (parts === null) throw new SourceError(`'${head}' is no head of a macro`, -1, '%macro NAME COUNT');
    const [, name = '', least = '0', most, greedy, defaults = ''] = parts;
    const multi: Multi = {
      least: Number(least),
      most: most === undefined ? Number(least) : most === '*' ? Number.POSITIVE_INFINITY : Number(most),
      greedy: greedy !== undefined,
      defaults: defaults === '' ? [] : splitCommas(defaults),
      body,
    };
    const key = name.toLowerCase();
    this.#macros.set(key, [...(this.#macros.get(key) ?? []), multi]);
  }

  /** The macro that a line uses; undefined where it uses none. */
  use(text: string): MacroUse | undefined {
    const found = /^(\s*(?:[A-Za-z_.?@$][\w.?@$#~]*:)?)\s*([A-Za-z_.?@$][\w.?@$#~]*)(?:\s+(.*))?$/.exec(text);
    const choices = this.#macros.get(found?.[2]?.toLowerCase() ?? '');
    if (found === null || choices === undefined) return undefined;
    const rest = (found[3] ?? '').trim();
    const given = rest === '' ? [] : splitCommas(rest);
    const multi = choices.find(
      ({ least, most, greedy }) => given.length >= least && (given.length <= most || greedy),
    );
    if (multi === undefined) {
      const counts = choices.map(({ least, most }) => (least === most ? least : `${least} to ${most}`));
      throw new SourceError(`${found[2]} takes ${counts.join(' or ')} arguments, not ${given.length}`);
    }
    return { body: multi.body, given: argumentsOf(multi, given).map(unbrace), label: found[1]!.trim() };
  }
}

/** The values of a macro's parameters: the rest of the line in the last one of a greedy macro, defaults for missing ones. */
function argumentsOf({ least, most, greedy, defaults }: Multi, given: readonly string[]): string[] {
  const values =
    greedy && given.length > most
      ? [...given.slice(0, most - 1), given.slice(most - 1).join(',')]
      : [...given];
  for (let n = values.length; n < Math.min(most, least + defaults.length); n++)
    values.push(defaults[n - least] ?? '');
  return values;
}

const unbrace = (text: string) => (text.startsWith('{') && text.endsWith('}') ? text.slice(1, -1) : text);
