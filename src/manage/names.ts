import { ConfigError } from '../errors.js';

/** A name is a folder's name and a word on the command line: it starts with a letter or digit, so never with `.` or `-`. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

/**
 * The name itself, where it can be one.
 * @throws ConfigError
 */
export function checkName(name: string): string {
  if (NAME.test(name)) return name;
  throw new ConfigError(
    `'${name.slice(0, 80)}' cannot be a machine's name`,
    'use 1 to 63 letters, digits, dots, underscores and hyphens, the first one a letter or digit',
  );
}
