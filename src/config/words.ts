import { type FieldName, fieldNames, fieldOf, type MachineSpec, optionWord } from './fields.js';
import { flag, isList } from './kinds.js';

/**
 * A description as options of the command line: `{ memory: 65536 }` → `--memory=65536`. Fields that have no option, and a
 * module's `options`, are left out.
 */
export function wordsOf(spec: MachineSpec): string[] {
  return fieldNames.flatMap((name) => {
    const value = spec[name];
    return value === undefined ? [] : wordsOfField(name, value);
  });
}

function wordsOfField(name: FieldName, value: unknown): string[] {
  const word = optionWord(name);
  if (word === undefined) return [];
  const { kind, option } = fieldOf(name);
  if (kind === flag && !option?.includes('<')) return [value === true ? `--${word}` : `--no-${word}`];
  if (!isList(kind)) return [`--${word}=${kind.write(value)}`];
  return (value as readonly unknown[]).map((one) => `--${word}=${kind.item.write(one)}`);
}
