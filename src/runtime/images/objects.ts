/**
 * Compiles languages that the C compiler's driver does not handle to object files (or, for nasm's `org`, to the image).
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import type { Language } from './languages.js';
import { runTool, type ToolRun } from './run-tool.js';
import { ToolchainError } from './toolchain-error.js';
import { findProgram } from './tools.js';

/** The target of the object file. */
export interface ObjectTarget {
  bits: 16 | 32 | 64;
  /** For a debugger: optimise less. */
  debug: boolean;
}

/** An object file, and the compiler's messages. */
export interface MadeObject {
  file: string;
  warnings: string;
}

type Maker = (
  file: string,
  object: string,
  target: ObjectTarget,
  run: Omit<ToolRun, 'command'>,
) => MadeObject;

/** How each language becomes an object. */
export const makers: Partial<Record<Language, Maker>> = { nasm, rust, zig };

const NASM = 'install nasm: sudo apt-get install nasm';

function nasm(
  file: string,
  object: string,
  { bits }: ObjectTarget,
  run: Omit<ToolRun, 'command'>,
): MadeObject {
  const format = bits === 64 ? 'elf64' : 'elf32';
  const command = ['nasm', '-f', format, '-g', '-F', 'dwarf', ...nasmPaths(file), '-o', object, asPath(file)];
  return { file: object, warnings: runTool({ ...run, command, install: NASM }) };
}

/** Assembles a source with an `org` into a flat image. */
export function nasmImage(
  file: string,
  image: string,
  run: Omit<ToolRun, 'command'>,
  more: readonly string[] = [],
): string {
  const command = ['nasm', '-f', 'bin', ...nasmPaths(file), ...more, '-o', image, asPath(file)];
  return runTool({ ...run, command, install: NASM });
}

const nasmPaths = (file: string) => ['-I', `${path.dirname(path.resolve(file))}/`];

/** The target without an operating system, and its substitute on an ordinary installation. */
const BARE = 'x86_64-unknown-none';
const HOSTED = 'x86_64-unknown-linux-gnu';

function rust(
  file: string,
  object: string,
  { bits, debug }: ObjectTarget,
  run: Omit<ToolRun, 'command'>,
): MadeObject {
  requireLong(file, 'Rust', bits);
  const bare = hasRustTarget(BARE);
  const target = bare || !hasRustTarget(HOSTED) ? BARE : HOSTED;
  const archive = object.replace(/\.o$/, '.a');
  const command = [
    ...[
      'rustc',
      '--edition',
      '2021',
      '--target',
      target,
      '--crate-type',
      'staticlib',
      '--crate-name',
      'kernel',
    ],
    ...['-C', 'panic=abort', '-C', `opt-level=${debug ? 1 : 2}`, '-C', 'relocation-model=static', '-g'],
    ...['-C', 'no-redzone=yes', '-C', 'force-frame-pointers=no', '-o', archive, asPath(file)],
  ];
  const install = 'install Rust (rustup.rs), then: rustup target add x86_64-unknown-none';
  const said = runTool({ ...run, command, install });
  const note = `${file}: compiled for ${HOSTED}, whose code may use SSE, which a guest starts without; rustup target add ${BARE}`;
  return { file: archive, warnings: target === BARE ? said : [said, note].filter(Boolean).join('\n') };
}

/** True where rustc has the library of a target. */
function hasRustTarget(target: string): boolean {
  const { status, stdout } = spawnSync('rustc', ['--print', 'target-libdir', '--target', target], {
    encoding: 'utf8',
  });
  return status === 0 && spawnSync('test', ['-d', stdout.trim()]).status === 0;
}

function zig(
  file: string,
  object: string,
  { bits, debug }: ObjectTarget,
  run: Omit<ToolRun, 'command'>,
): MadeObject {
  requireLong(file, 'Zig', bits);
  const caches = [
    '--cache-dir',
    path.join(run.folder, 'zig'),
    '--global-cache-dir',
    path.join(run.folder, 'zig'),
  ];
  const command = [
    ...['zig', 'build-obj', '-target', 'x86_64-freestanding-none'],
    ...['-mcpu=x86_64-mmx-sse-sse2+soft_float', '-mno-red-zone', '-fno-stack-check'],
    ...['-O', debug ? 'Debug' : 'ReleaseSmall', ...(debug ? [] : ['-fno-strip']), ...caches],
    ...[`-femit-bin=${object}`, asPath(file)],
  ];
  return {
    file: object,
    warnings: runTool({ ...run, command, install: 'install Zig: ziglang.org/download' }),
  };
}

function requireLong(file: string, language: string, bits: number): void {
  if (bits === 64) return;
  throw new ToolchainError(
    `${file}: ${language} is compiled to 64-bit code, but ${bits}-bit code was requested`,
    'omit --mode, or use --mode long',
  );
}

/** A path that no compiler can mistake for an option or a file of options. */
export function asPath(file: string): string {
  return /^[-@]/.test(file) ? `./${file}` : file;
}

/** True where a language's compiler is on this machine, for tests and for `doctor`. */
export function hasCompiler(language: 'nasm' | 'rust' | 'zig'): boolean {
  return findProgram({ nasm: 'nasm', rust: 'rustc', zig: 'zig' }[language]) !== undefined;
}
