/**
 * Turns a guest's sources into an image with the compilers of this machine. All intermediate files are in a temporary folder
 * that is removed afterwards.
 *
 * @module
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  BOOT_SECTOR_LOAD,
  DEFAULT_ELF_LOAD,
  type GuestTarget,
  guestTarget,
  isBootSector,
  isElf,
  placesItself,
  toSegment,
} from '../../assembler/index.js';
import { type AssemblerName, assembleBuiltin, refuseBuiltin } from './builtin-assembler.js';
import { Confinement } from './confined.js';
import { type Language, languageOf, SOURCE_ENDINGS } from './languages.js';
import { elfScript, flatScript } from './linker-scripts.js';
import { asPath, hasCompiler, makers, nasmImage } from './objects.js';
import { DEFAULT_TIMEOUT_MS, LARGEST_OUTPUT, runTool, tooLarge } from './run-tool.js';
import type { SandboxName } from './sandbox.js';
import { sandboxLimits } from './sandbox.js';
import { ToolchainError } from './toolchain-error.js';
import { type Driver, findDriver, hasDriver, temporaryFolder } from './tools.js';

export { type AssemblerName, assemblers } from './builtin-assembler.js';
export { hasCompiler } from './objects.js';
export { ToolchainError } from './toolchain-error.js';
export { findDriver } from './tools.js';

/** The CPU mode a source is compiled for: it decides the width of the code and the kind of the image. */
export type SourceMode = 'auto' | 'reset' | 'real' | 'protected' | 'paged' | 'pae' | 'long';

/** How sources are compiled, independent of the machine. */
export interface BuildOptions {
  /** The compiler driver, with its own options if needed. Default: the variable CC, else gcc or clang, as found. */
  compiler?: string;
  /** Further flags for the compiler of C, C++ and assembler, after Terrarium's own. */
  cflags?: readonly string[];
  /** Which assembler a source is for. Default: gcc's or NASM, and the built-in one where that is missing. */
  assembler?: AssemblerName;
  /** For a debugger: optimise only as far as it can follow. Default false. */
  debug?: boolean;
  /** The folder that the image is for: its debug information names the sources by the way from there. Default: their own folder. */
  keptIn?: string;
  /** The sources are untrusted: they may read only headers and files beside them. Default false. */
  confined?: boolean;
  /**
   * The sandbox in which the compiler sees only its own files and the sources, with limits on time, memory and output. With `none`, on a
   * host without a sandbox, only the built-in assembler is used, which reads no other files.
   */
  sandbox?: SandboxName;
}

export interface CompileOptions extends BuildOptions {
  /** `auto`: an assembler source's first `.code16`, `.code32`, `.code64` or `bits`; for everything else `long`. */
  mode: SourceMode;
  /** Address to link for. Default: 0 for 16-bit code (0x7c00 for a boot sector), 1 MiB otherwise. */
  load?: number;
  /** Omit symbols and debug information, for images that are kept. Default false. */
  strip?: boolean;
  /** Link a flat image as an ELF file instead, at the same addresses: for its symbols and lines. Default false. */
  symbols?: boolean;
  /** Default 60,000. */
  timeoutMs?: number;
}

export interface Compiled {
  bytes: Uint8Array;
  kind: 'flat' | 'elf';
  /** The command that linked it, for messages. */
  command: string;
  /** The compilers' warnings; empty if none. */
  warnings: string;
}

/** The largest accepted source. */
const LARGEST_SOURCE = 16 * 1024 * 1024;
/** The kind of the compiled image. */
type Target = GuestTarget;

/** A source file and its content. */
interface Source {
  file: string;
  language: Language;
  text: string;
}

/** Compiles one source; see `compileSources`. @throws ToolchainError */
export function compileSource(file: string, options: CompileOptions): Compiled {
  return compileSources([file], options);
}

/**
 * Compiles sources and links them into one image: 16-bit code into a flat binary, 32-bit and 64-bit code into an ELF file.
 * The first one decides the mode and comes first in the image.
 *
 * A linker script in the first source's folder is used instead of the built-in one: the source's name with `.lds` or `.ld`,
 * `linker.ld`, or `kernel16.lds`, `kernel32.lds`, `kernel64.lds` for code of that width. Headers are found beside the
 * sources and in `guests/include`.
 *
 * C and C++ are compiled without SSE, MMX and x87 (`-mgeneral-regs-only`), since a guest starts with them switched off
 * (CR4.OSFXSR clear, SDM 3A 2.5); a guest that switches them on uses them in inline assembly. C++ has neither exceptions nor
 * run-time type information; the guest's startup code must call the constructors from `__init_array_start` on.
 *
 * @throws ToolchainError
 */
export function compileSources(files: readonly string[], options: CompileOptions): Compiled {
  const sources = files.map(readSource);
  const [first] = sources;
  if (first === undefined) throw new ToolchainError('no source was given');
  const target = chooseTarget(first.file, first.text, options.mode);
  const load = options.load ?? (target.kind === 'flat' ? 0 : DEFAULT_ELF_LOAD);
  if (!Number.isSafeInteger(load) || load < 0)
    throw new ToolchainError(`${first.file}: cannot link for address ${load}`, 'give a whole number from 0');
  const folder = mkdtempSync(path.join(temporaryFolder(), 'terrarium-'));
  try {
    const compiled = build(folder, sources, target, load, options);
    const maybe = options.load === undefined && (options.mode === 'auto' || options.mode === 'real');
    if (!maybe || compiled.kind !== 'flat' || !isBootSector(compiled.bytes) || placesItself(first.text))
      return compiled;
    return build(folder, sources, target, BOOT_SECTOR_LOAD, options);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** The linker script beside a source, if any. */
export function findLinkerScript(file: string, bits: number): string | undefined {
  const folder = path.dirname(file);
  const base = path.basename(file, path.extname(file));
  return [`${base}.lds`, `${base}.ld`, 'linker.ld', `kernel${bits}.lds`]
    .map((name) => path.join(folder, name))
    .find((script) => existsSync(script));
}

function readSource(file: string): Source {
  const language = languageOf(file);
  if (language === undefined)
    throw new ToolchainError(`${file}: not a source`, `sources end in ${SOURCE_ENDINGS}`);
  try {
    const found = statSync(file);
    if (!found.isFile()) throw new ToolchainError(`${file}: not a regular file`);
    if (found.size > LARGEST_SOURCE)
      throw new ToolchainError(`${file}: ${found.size} bytes are too large for a source`);
    return { file, language, text: readFileSync(file, 'utf8') };
  } catch (cause) {
    if (cause instanceof ToolchainError) throw cause;
    const { code = 'unreadable' } = cause as NodeJS.ErrnoException;
    const said = code === 'ENOENT' ? 'no such file' : `cannot be read: ${code}`;
    throw new ToolchainError(`${file}: ${said}`, undefined, cause);
  }
}

/** The width of the code in a source. */
export function chooseTarget(file: string, source: string, mode: SourceMode): Target {
  const language = languageOf(file);
  return guestTarget(source, language === 'assembler' ? 'gas' : language === 'nasm' ? 'nasm' : 'other', mode);
}

function build(
  folder: string,
  sources: readonly Source[],
  target: Target,
  load: number,
  options: CompileOptions,
): Compiled {
  const image = path.join(folder, 'image');
  rmSync(image, { force: true });
  const { timeoutMs = DEFAULT_TIMEOUT_MS, strip = false, symbols = false, confined = false } = options;
  const { file } = sources[0]!;
  const read = [...new Set(sources.map((one) => path.dirname(path.resolve(one.file))))];
  const run = {
    file,
    folder,
    timeoutMs: options.sandbox === undefined ? timeoutMs : Math.min(timeoutMs, sandboxLimits.timeoutMs),
    ...(options.sandbox && { sandbox: { kind: options.sandbox, read } }),
  };
  if (options.sandbox === 'none') requireBuiltin(sources);
  if (options.sandbox === 'none' || takesBuiltin(sources, target, options)) {
    const made = assembleBuiltin(sources[0]!, {
      ...target,
      load,
      symbols,
      strip,
      confined,
      cflags: options.cflags ?? [],
    });
    return { ...made, bytes: toSegment(made.bytes, options.mode) };
  }
  if (sources.length === 1 && sources[0]!.language === 'nasm' && placesItself(sources[0]!.text) && !symbols) {
    const held = confined ? new Confinement(file, folder, undefined) : undefined;
    const assemble = () =>
      held === undefined
        ? nasmImage(file, image, run)
        : nasmImage(path.resolve(file), image, { ...run, cwd: held.cwd }, held.nasmFlags);
    const warnings = held === undefined ? assemble() : held.run(assemble);
    return {
      bytes: readImage(image, file, options.mode),
      kind: 'flat',
      command: `nasm -f bin ${file}`,
      warnings,
    };
  }
  const driver = findDriver(options.compiler);
  const layout = { load, needsStart: sources.every(({ language }) => language !== 'assembler') };
  const own = findLinkerScript(file, target.bits);
  const script = own ?? path.join(folder, 'terrarium.ld');
  if (own === undefined)
    writeFileSync(script, target.kind === 'elf' ? elfScript(layout) : flatScript(layout));
  const debug = strip ? ['-s'] : target.kind === 'elf' || symbols ? ['-g'] : [];
  const flags = [
    ...codeFlags(target.bits, driver, options),
    ...includeFlags(sources, options),
    ...debug,
    ...(options.cflags ?? []),
  ];
  const said: string[] = [];
  const inputs = sources.map((source, i) => {
    const { language } = source;
    const object = path.join(folder, `${i}.o`);
    const held = confined ? new Confinement(source.file, folder, driver) : undefined;
    const make = makers[language];
    if (make === undefined && language !== 'c++' && held === undefined) return asPath(source.file);
    if (make === undefined) {
      const own = [...(language === 'c++' ? cxxFlags : []), ...(held?.gccFlags ?? [])];
      const input = held === undefined ? asPath(source.file) : path.resolve(source.file);
      const command = [...driver.command, ...flags, ...own, '-c', '-o', object, input];
      const compile = () => runTool({ ...run, file: source.file, command, ...(held && { cwd: held.cwd }) });
      said.push(held === undefined ? compile() : held.run(compile));
      return object;
    }
    if (held !== undefined)
      throw new ToolchainError(`${source.file}: untrusted ${language} code is compiled only with an org`);
    const made = make(
      source.file,
      object,
      { bits: target.bits, debug: options.debug === true },
      { ...run, file: source.file },
    );
    said.push(made.warnings);
    return made.file;
  });
  const words = [
    ...flags,
    ...linkFlags(driver),
    ...formatFlags(symbols, target, driver),
    '-T',
    asPath(script),
    '-o',
    image,
    ...inputs,
  ];
  const command = [...driver.command, ...words];
  said.push(runTool({ ...run, command }));
  const bytes = readImage(image, file, options.mode);
  const warnings = said.join('\n').replace(NOISE, '').trim();
  return { bytes, kind: isElf(bytes) ? 'elf' : 'flat', command: command.join(' '), warnings };
}

/** @throws ToolchainError for sources that need a compiler, where no place for one was found */
function requireBuiltin(sources: readonly Source[]): void {
  const [{ language, file }] = sources as readonly [Source];
  if (sources.length === 1 && (language === 'assembler' || language === 'nasm')) return;
  throw new ToolchainError(
    `${file}: this host has no safe place to compile it: only a single assembler source is assembled`,
    'install bubblewrap (sudo apt-get install bubblewrap), or allow user namespaces for unshare',
  );
}

/** Whether the built-in assembler was asked for, or is the only one here for this source. */
function takesBuiltin(sources: readonly Source[], { bits }: Target, options: BuildOptions): boolean {
  const [first] = sources;
  const { language, file } = first!;
  const alone = sources.length === 1 && (language === 'assembler' || language === 'nasm');
  const own = findLinkerScript(file, bits);
  if (options.assembler === 'builtin') {
    if (!alone)
      throw refuseBuiltin(file, 'takes one assembler source', 'several sources and C need a compiler');
    if (own !== undefined && !(language === 'nasm' && placesItself(first!.text))) {
      throw refuseBuiltin(file, `does not read linker scripts such as ${own}`, 'use --as gcc');
    }
    return true;
  }
  if (options.assembler === 'nasm' && language !== 'nasm') {
    throw refuseBuiltin(file, undefined, 'NASM takes .asm and .nasm: omit --as');
  }
  if (options.assembler === 'gcc' && language === 'nasm') {
    throw refuseBuiltin(file, undefined, 'gcc takes .S and .s: omit --as');
  }
  if (!alone || own !== undefined || options.assembler !== undefined) return false;
  if (language === 'nasm') return !hasCompiler('nasm');
  return options.compiler === undefined && !process.env.CC?.trim() && !hasDriver();
}

/**
 * Warnings that every kernel gets: writable code, and assembler sources that do not say whether an operating system may execute the
 * stack (binutils since 2.39); flags that only the linker uses (clang).
 */
const NOISE =
  /^.*(?:has a LOAD segment with RWX permissions|missing \.note\.GNU-stack section|NOTE: This behaviour is deprecated|argument unused during compilation).*\n?/gm;

/** The linker's option takes precedence over the guest's own script (ld: OUTPUT_FORMAT). */
function formatFlags(symbols: boolean, { bits }: Target, { kind }: Driver): string[] {
  if (!symbols) return [];
  return [`-Wl,--oformat=${kind === 'clang' ? 'elf' : bits === 64 ? 'elf64-x86-64' : 'elf32-i386'}`];
}

function codeFlags(bits: Target['bits'], { kind }: Driver, { debug }: BuildOptions): string[] {
  return [
    ...(kind === 'clang' ? [`--target=${bits === 64 ? 'x86_64' : 'i386'}-unknown-linux-gnu`] : []),
    `-m${bits}`,
    debug ? '-Og' : '-O2',
    '-ffreestanding',
    '-ffunction-sections',
    // A compiler that turns a loop into a call of memset would need a library that does not exist.
    ...(kind === 'gcc' ? ['-fno-tree-loop-distribute-patterns'] : []),
    // Without an operating system every address may be memory, also 0 and 0x400.
    '-fno-delete-null-pointer-checks',
    '-Wno-array-bounds',
    '-fno-pic',
    '-fno-pie',
    '-fno-stack-protector',
    '-fno-asynchronous-unwind-tables',
    '-fcf-protection=none',
    '-mgeneral-regs-only',
    // An interrupt in ring 0 pushes onto the interrupted stack (System V ABI, AMD64, 3.2.2).
    ...(bits === 64 ? ['-mno-red-zone'] : []),
    '-Wall',
    ...(kind === 'gcc' ? ['-Wa,-mx86-used-note=no'] : []),
  ];
}

/** A guest has no library that could unwind, compare types or guard statics. */
const cxxFlags = ['-fno-exceptions', '-fno-rtti', '-fno-threadsafe-statics', '-fno-use-cxa-atexit'];

// -n: segments need not be page-aligned in the file, which keeps images small.
const linkFlags = ({ kind }: Driver) => [
  ...['-nostdlib', '-static', '-no-pie', '-Wl,--build-id=none', '-Wl,-n', '-Wl,-u,_start'],
  ...(kind === 'clang' ? ['-fuse-ld=lld'] : []),
];

function includeFlags(sources: readonly Source[], { keptIn }: BuildOptions): string[] {
  const beside = [...new Set(sources.map(({ file }) => path.dirname(path.resolve(file))))];
  const common = fileURLToPath(new URL('guests/include', import.meta.resolve('#package')));
  const home = beside[0]!;
  const way = (keptIn && path.relative(keptIn, home)) || '.';
  return [...beside.flatMap((folder) => ['-I', folder]), '-I', common, `-ffile-prefix-map=${home}=${way}`];
}

function readImage(image: string, file: string, mode: SourceMode): Uint8Array {
  let size: number;
  try {
    size = statSync(image).size;
  } catch (cause) {
    throw new ToolchainError(`${file}: the compiler succeeded but wrote no image`, undefined, cause);
  }
  if (size > LARGEST_OUTPUT) throw tooLarge(file, size);
  if (size === 0) throw new ToolchainError(`${file}: the image is empty`, 'does it contain an instruction?');
  return toSegment(readFileSync(image), mode);
}
