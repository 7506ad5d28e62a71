/**
 * How sources are compiled, as options of every command that takes them.
 *
 * @module
 */
import type { Command } from 'commander';
import type { BuildOptions } from '../../runtime/index.js';

export interface BuildFlags {
  cc?: string;
  cflags?: string;
}

export function addBuildOptions(command: Command): Command {
  return command
    .option(
      '--cc <compiler>',
      'the C compiler: gcc, clang, x86_64-elf-gcc (default: the variable CC, else as found)',
    )
    .option(
      '--cflags <words>',
      "further words for the compiler: '-O0 -DDEBUG=1'; a guest.json has a field of that name",
    );
}

export function buildOf({ cc, cflags }: BuildFlags): BuildOptions {
  return {
    ...(cc !== undefined && { compiler: cc }),
    ...(cflags !== undefined && { cflags: cflags.match(/\S+/g) ?? [] }),
  };
}
