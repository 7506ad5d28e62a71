/**
 * Numbers and symbols as GNU as writes them (its manual, 3.6 and 6.1).
 *
 * @module
 */
import { type Expression, number } from '../expression.js';
import { cNumber, type Grammar, gasLevels } from '../parse-expression.js';
import { escapedBytes, gasName, type Scanner } from '../scanner.js';
import { SourceError } from '../source.js';

/** Returns the label that `1b` or `1f` means here. */
export type LocalLabels = (digits: string, direction: 'b' | 'f') => string;

function numberHere(scanner: Scanner, local: LocalLabels): Expression {
  const { at } = scanner;
  const text = scanner.digits()!;
  const label = /^([0-9]+)([bf])$/.exec(text);
  if (label !== null && !(/^0b$/.test(text) && /[01]/.test(scanner.next))) {
    return { kind: 'symbol', name: local(label[1]!, label[2] as 'b' | 'f') };
  }
  const value = cNumber(text);
  if (value === undefined)
    throw new SourceError(`'${text}' is no number`, at, 'such as 42, 0x2a, 0b101010 or 052');
  return number(value);
}

/** `'A`, and `'\n`; a second quote may close it. */
function characterHere(scanner: Scanner): Expression {
  const found = scanner.match(/'(\\[\s\S]|[^\\\n])'?/y);
  if (found === undefined) throw new SourceError('a character is missing after the quote', scanner.at);
  const inside = found.slice(1);
  const [byte = 0] = escapedBytes(
    inside.length > 1 && inside.endsWith("'") && inside !== "\\'" ? inside.slice(0, -1) : inside,
  );
  return number(BigInt(byte));
}

/** The grammar of GNU as. */
export function gasGrammar(local: LocalLabels): Grammar {
  return {
    levels: gasLevels,
    unary: ['-', '~', '!', '+'],
    primary(scanner) {
      const { next } = scanner;
      if (next >= '0' && next <= '9') return numberHere(scanner, local);
      if (next === "'") return characterHere(scanner);
      const name = next === '"' ? scanner.quoted() : scanner.match(gasName);
      if (name === undefined) return undefined;
      return name === '.' ? { kind: 'here', what: 'statement' } : { kind: 'symbol', name };
    },
  };
}
