/**
 * The command as it is typed here, so that users can copy it from a hint: a clone starts it by `npm start --`, a project that has the
 * package by `npx terrarium-vm`, all others by `terrarium`.
 *
 * @module
 */

/** The words before `run`, `debug` and the others. */
export type CommandStart = 'npm start --' | 'npx terrarium-vm' | 'terrarium';

/** The input of {@link commandStart}: plain data, so that tests can describe other surroundings than this process. */
export interface Surroundings {
  /** The environment's variables; npm sets some for its children. */
  env: Readonly<Record<string, string | undefined>>;
  /** The current folder. */
  cwd: string;
  /** URL of a file of this package. */
  file: string;
}

/**
 * How the command is started in these surroundings.
 *
 * `npm start` in a clone sets `npm_lifecycle_event` and `npm_package_name`; `npx` sets `npm_command` to `exec` (npm's "scripts" and "exec"
 * pages). Without them the package may be in the `node_modules` of the current folder or one above it: then no shell finds it by name.
 */
export function commandStart({ env, cwd, file }: Surroundings): CommandStart {
  if (env.npm_lifecycle_event === 'start' && env.npm_package_name === 'terrarium-vm') return 'npm start --';
  const [owner, inside] = splitAtModules(file);
  if (inside === undefined) return 'terrarium';
  if (env.npm_command === 'exec') return 'npx terrarium-vm';
  return isWithin(slashes(cwd), owner!) ? 'npx terrarium-vm' : 'terrarium';
}

/** A file's URL as the folder whose `node_modules` contains it, and the rest; no rest where it is in none. */
function splitAtModules(file: string): string[] {
  return slashes(decodeURIComponent(new URL(file).pathname)).split(/\/node_modules\/(.*)/s);
}

/** A path with `/`, and without the one that a URL has before a drive of Windows. */
function slashes(path: string): string {
  return path.replaceAll('\\', '/').replace(/^\/(?=[A-Za-z]:)/, '');
}

function isWithin(folder: string, owner: string): boolean {
  return `${folder}/`.startsWith(`${owner}/`);
}

let start: CommandStart | undefined;

/** A command line as it is typed here: `command('stop web')` is `npx terrarium-vm stop web` in a project. */
export function command(words = ''): string {
  start ??=
    // A browser has no command; a text that names one refers to another place.
    typeof process === 'undefined' || process.env === undefined
      ? 'terrarium'
      : commandStart({ env: process.env, cwd: process.cwd(), file: import.meta.url });
  return `${start} ${words}`.trimEnd();
}

/** Help text with its commands as they are typed here: `$ terrarium stop web` is `$ npx terrarium-vm stop web` in a project. */
export function asTyped(help: string, typed = command()): string {
  const longer = typed.length - 'terrarium'.length;
  return help
    .split('\n')
    .map((line) => {
      // The description of an example stays in its column.
      const [, example, gap, meaning] = /^( +\$ .*?\S)( {2,})(\S.*)$/.exec(line) ?? [];
      if (example === undefined) return line.replace(named, typed);
      const more = longer - longer * (example.match(named)?.length ?? 0);
      return `${example}${' '.repeat(Math.max(2, gap!.length + more))}${meaning}`.replace(named, typed);
    })
    .join('\n');
}

/** The command's name where it is one to type. */
const named = /(?<=[$|:] )terrarium(?= )/g;
