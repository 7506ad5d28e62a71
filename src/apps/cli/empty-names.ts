/**
 * Empty file names, such as an unset variable in quotes gives: for no command do they mean the current folder.
 *
 * @module
 */
import type { Command } from 'commander';
import { ConfigError } from '../../errors.js';

/** Words of a usage that stand for a file or folder: `<file.zip>`, `[folder]`. */
const FILE = /^[<[]?(files?|folder|module|exercise|submissions|sources)\b/;
const HINT = 'name one; was a variable in quotes not set?';

/** @throws ConfigError that says which name is empty */
export function refuseEmptyNames(command: Command): void {
  for (const [i, argument] of command.registeredArguments.entries())
    if (FILE.test(argument.name()) && hasEmpty(command.processedArgs[i]))
      throw new ConfigError(`the name of the ${argument.name().replace(/s$/, '')} is empty`, HINT);
  for (const option of command.options) {
    const [, value = ''] = option.flags.split(' ');
    if (FILE.test(value) && hasEmpty(command.getOptionValue(option.attributeName())))
      throw new ConfigError(`${option.long}: the name of the ${FILE.exec(value)![1]} is empty`, HINT);
  }
}

function hasEmpty(value: unknown): boolean {
  return value === '' || (Array.isArray(value) && value.includes(''));
}
