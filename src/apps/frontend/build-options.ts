/**
 * How sources are compiled, as options of every command that takes them.
 *
 * @module
 */
import type { Command } from 'commander';
import { TerrariumError } from '../../errors.js';
import { type BuildOptions, findDriver, hasCompiler, type TemplateName } from '../../runtime/index.js';
import { isAssembler } from './machine-options.js';

export interface BuildFlags {
  /** An option of the machine as well: what an image's file is. */
  as?: unknown;
  cc?: string;
  cflags?: string;
}

export function addBuildOptions(command: Command): Command {
  return command
    .option(
      '--cc <compiler>',
      'the C compiler: gcc, clang, x86_64-elf-gcc (default: the variable CC, else the first one found)',
    )
    .option(
      '--cflags <words>',
      "further options for the compiler: '-O0 -DDEBUG=1'; a guest.json has a field of that name",
    );
}

export function buildOf({ as, cc, cflags }: BuildFlags): BuildOptions {
  return {
    ...(isAssembler(as) && { assembler: as }),
    ...(cc !== undefined && { compiler: cc }),
    ...(cflags !== undefined && { cflags: cflags.match(/\S+/g) ?? [] }),
  };
}

/** The compiler that a template needs and this host lacks, and what to install; undefined where nothing is missing. */
export function missingCompiler(template: TemplateName): string | undefined {
  const [language] = (['nasm', 'rust', 'zig'] as const).filter((name) => template.startsWith(name));
  if (language !== undefined && !hasCompiler(language))
    return `${language === 'rust' ? 'rustc' : language}, which compiles this kernel, is not installed; docs/languages.md says where to get it`;
  if (language === 'nasm') return undefined;
  try {
    findDriver();
    return undefined;
  } catch (error) {
    if (!(error instanceof TerrariumError)) throw error;
    return `${error.message}: ${error.hint}`;
  }
}
