/**
 * The compilers on this machine: finds them and chooses one.
 *
 * @module
 */

import { accessSync, constants, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isFolder } from './found.js';
import { ToolchainError } from './toolchain-error.js';

/** A compiler driver and its fixed first options. */
export interface Driver {
  /** The command: a program and its fixed options. */
  command: readonly string[];
  kind: 'gcc' | 'clang';
}

/** The drivers to search for, in this order. Where the host's own gcc makes code for another processor it comes last. */
const candidates =
  process.arch === 'x64' && process.platform === 'linux'
    ? ['gcc', 'x86_64-linux-gnu-gcc', 'x86_64-elf-gcc', 'clang', 'cc']
    : ['x86_64-elf-gcc', 'x86_64-linux-gnu-gcc', 'clang'];

/** What to install. */
export const INSTALL_COMPILER =
  process.platform === 'darwin'
    ? 'install a compiler: brew install x86_64-elf-gcc (or llvm and lld)'
    : process.arch === 'x64'
      ? 'install a compiler: sudo apt-get install gcc binutils'
      : 'install a compiler: sudo apt-get install gcc-x86-64-linux-gnu';

/**
 * The driver for C and assembler: the requested one, else the variable CC, else the first that is found.
 * @throws ToolchainError where there is none
 */
export function findDriver(asked?: string, env: NodeJS.ProcessEnv = process.env): Driver {
  const named = asked ?? (env.CC?.trim() ? env.CC : undefined);
  if (named !== undefined) {
    const command = named.trim().split(/\s+/);
    const [program = ''] = command;
    if (findProgram(program, env) === undefined) {
      const by = asked === undefined ? 'the variable CC names' : '--cc names';
      throw new ToolchainError(
        `${by} ${program || 'nothing'}, which is not a program on this host`,
        INSTALL_COMPILER,
      );
    }
    return { command, kind: kindOf(program) };
  }
  const found = candidates.find((name) => findProgram(name, env) !== undefined);
  if (found === undefined)
    throw new ToolchainError(`no compiler was found (${candidates.join(', ')})`, INSTALL_COMPILER);
  return { command: [found], kind: kindOf(found) };
}

/** True where there is a driver to be found. */
export function hasDriver(env: NodeJS.ProcessEnv = process.env): boolean {
  return candidates.some((name) => findProgram(name, env) !== undefined);
}

function kindOf(program: string): Driver['kind'] {
  return /clang[^/]*$/.test(path.basename(program)) ? 'clang' : 'gcc';
}

/** The path of a program, given by path or found in PATH; undefined where it is missing. */
export function findProgram(name: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  if (name === '') return undefined;
  if (name.includes('/')) return isExecutable(name) ? name : undefined;
  const endings = process.platform === 'win32' ? ['.exe', '.cmd', ''] : [''];
  for (const folder of (env.PATH ?? '').split(path.delimiter)) {
    for (const ending of endings) {
      const file = path.join(folder || '.', name + ending);
      if (isExecutable(file)) return file;
    }
  }
  return undefined;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Where temporary folders can be made: TMPDIR may name a folder that does not exist. */
export function temporaryFolder(): string {
  const named = os.tmpdir();
  return isFolder(named) ? named : '/tmp';
}
