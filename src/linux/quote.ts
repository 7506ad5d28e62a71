/**
 * Commands as a line for the agent.
 *
 * @module
 */
import { ConfigError } from '../errors.js';

/** Linux's MAX_ARG_STRLEN: a script goes to its shell as one argument. */
const LONGEST = 128 * 1024 - 1024;

/** A text as one word for a shell. */
export function quoted(text: string): string {
  if (text.includes('\0')) throw new ConfigError('an argument has a NUL byte', 'Linux has none in arguments');
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** The environment of a command. */
export interface Surroundings {
  /** Variables in addition to the guest's. */
  readonly env?: Readonly<Record<string, string>>;
  /** Its working directory. Default: `/root`. */
  readonly cwd?: string;
}

/** A shell script that executes the command. */
export function scriptOf(args: readonly string[], { env = {}, cwd = '/root' }: Surroundings): string {
  if (args.length === 0) throw new ConfigError('exec needs a command', "for example ['uname', '-a']");
  const variables = Object.entries(env).map(([name, value]) => {
    if (!/^[A-Za-z_]\w*$/.test(name)) throw new ConfigError(`'${name}' is no name of a variable`);
    return `export ${name}=${quoted(value)}`;
  });
  const script = [`cd ${quoted(cwd)} || exit 126`, ...variables, `exec ${args.map(quoted).join(' ')}`].join(
    '\n',
  );
  const { length } = new TextEncoder().encode(script);
  if (length > LONGEST)
    throw new ConfigError(
      `a command of ${length} bytes is too long for Linux, which takes ${LONGEST}`,
      'put it into a file with copyIn, or send it as input',
    );
  return script;
}

/** As the agent's `printf %b` reads it: in one line. */
export const escaped = (script: string): string => script.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
