/**
 * Turns a guest's source into an image with the system's gcc and binutils. Everything happens in a temporary folder that
 * is removed again, whatever happens.
 *
 * @module
 */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { TerrariumError } from '../../errors.js';
import { elfScript, flatScript } from './linker-scripts.js';

/** A source that does not compile, or a compiler that cannot be used. The message holds the compiler's own words. */
export class ToolchainError extends TerrariumError {
  constructor(message: string, hint?: string, cause?: unknown) {
    super('ETOOLCHAIN', message, {
      ...(hint !== undefined && { hint }),
      ...(cause !== undefined && { cause }),
    });
  }
}

/** The CPU mode a source is compiled for: it decides the width of the code and the kind of the image. */
export type SourceMode = 'auto' | 'reset' | 'real' | 'protected' | 'paged' | 'pae' | 'long';

export interface CompileOptions {
  /** `auto`: an assembler source says it by its first `.code16`, `.code32` or `.code64`; everything else is `long`. */
  mode: SourceMode;
  /** Address to link for. Default: 0 for 16-bit code (0x7c00 for a boot sector), 1 MiB otherwise. */
  load?: number;
  /** Leave symbols and debug information out, for images that are kept. Default false. */
  strip?: boolean;
  /** Link a flat image as an ELF file instead, at the same addresses: for its symbols and lines. Default false. */
  symbols?: boolean;
  /** The compiler driver. Default `gcc`, or `x86_64-linux-gnu-gcc` where the host is not x86-64. */
  compiler?: string;
  /** Default 60,000. */
  timeoutMs?: number;
}

export interface Compiled {
  bytes: Uint8Array;
  kind: 'flat' | 'elf';
  /** The command that built it, for people. */
  command: string;
  /** What the compiler said although it succeeded; empty if nothing. */
  warnings: string;
}

/** Images above this are refused: a typing mistake in `.org` or `.fill` easily asks for more. */
const LARGEST_OUTPUT = 256 * 1024 * 1024;
const DEFAULT_TIMEOUT_MS = 60_000;
/** Where 32-bit and 64-bit guests are linked: above the PC's low memory, as Multiboot and Linux kernels are. */
const DEFAULT_ELF_LOAD = 0x100000;
/** Where a PC's firmware puts a boot sector. */
const BOOT_SECTOR_LOAD = 0x7c00;
const INSTALL_HINT = 'install the compiler: sudo apt-get install gcc binutils';

/** What a source compiles to. */
interface Target {
  /** Width of the object file; 16-bit assembler that goes on to `.code64` needs a 64-bit one. */
  bits: 16 | 32 | 64;
  kind: 'flat' | 'elf';
}

/**
 * Compiles `.S` (assembler, preprocessed), `.s` (assembler as it is) or `.c` into an image: 16-bit code into a flat
 * binary, 32-bit and 64-bit code into an ELF file.
 *
 * A linker script in the source's folder is used instead of the built-in one: the source's name with `.lds` or `.ld`,
 * `linker.ld`, or `kernel16.lds`, `kernel32.lds`, `kernel64.lds` for code of that width. Headers are found beside the
 * source and in `guests/include`.
 *
 * C is compiled without SSE, MMX and x87 (`-mgeneral-regs-only`), since a guest starts with them switched off
 * (CR4.OSFXSR clear, SDM 3A 2.5); a guest that switches them on uses them in inline assembly.
 *
 * @throws ToolchainError
 */
export function compileSource(file: string, options: CompileOptions): Compiled {
  const source = readSource(file);
  const target = chooseTarget(file, source, options.mode);
  const load = options.load ?? (target.kind === 'flat' ? 0 : DEFAULT_ELF_LOAD);
  if (!Number.isSafeInteger(load) || load < 0) {
    throw new ToolchainError(`${file}: cannot link for address ${load}`, 'give a whole number from 0');
  }
  const folder = mkdtempSync(path.join(os.tmpdir(), 'terrarium-'));
  try {
    const compiled = build(folder, file, target, load, options);
    const maybe = options.load === undefined && (options.mode === 'auto' || options.mode === 'real');
    if (!maybe || !isBootSector(compiled)) return compiled;
    return build(folder, file, target, BOOT_SECTOR_LOAD, options);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** The linker script that lies beside a source, if any. */
export function findLinkerScript(file: string, bits: number): string | undefined {
  const folder = path.dirname(file);
  const base = path.basename(file, path.extname(file));
  return [`${base}.lds`, `${base}.ld`, 'linker.ld', `kernel${bits}.lds`]
    .map((name) => path.join(folder, name))
    .find((script) => existsSync(script));
}

function readSource(file: string): string {
  if (!['.S', '.s', '.c'].includes(path.extname(file))) {
    throw new ToolchainError(`${file}: not a source`, 'sources end in .S, .s (assembler) or .c');
  }
  try {
    if (!statSync(file).isFile()) throw new ToolchainError(`${file}: not a regular file`);
    return readFileSync(file, 'utf8');
  } catch (cause) {
    if (cause instanceof ToolchainError) throw cause;
    const { code = 'unreadable' } = cause as NodeJS.ErrnoException;
    const said = code === 'ENOENT' ? 'no such file' : `cannot be read: ${code}`;
    throw new ToolchainError(`${file}: ${said}`, undefined, cause);
  }
}

/** Which code a source holds. */
export function chooseTarget(file: string, source: string, mode: SourceMode): Target {
  const isC = path.extname(file) === '.c';
  const directives = isC ? [] : widthDirectives(source);
  const width = mode === 'auto' ? (directives[0] ?? 64) : modeWidth[mode];
  const kind = width === 16 ? 'flat' : 'elf';
  return { kind, bits: directives.includes(64) ? 64 : width };
}

const modeWidth = { reset: 16, real: 16, protected: 32, paged: 32, pae: 32, long: 64 } as const;

/** Every `.code16`, `.code16gcc`, `.code32` and `.code64` of an assembler source in order, comments left out. */
function widthDirectives(source: string): (16 | 32 | 64)[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, ' ');
  const found = code.matchAll(/^[^\n/#"]*\.code(16|32|64)(?:gcc)?\b/gm);
  return [...found].map((match) => Number(match[1]) as 16 | 32 | 64);
}

/** An image of at least a sector with the boot signature 55 AA at its end, as a PC's firmware looks for it. */
function isBootSector({ kind, bytes }: Compiled): boolean {
  return kind === 'flat' && bytes.length >= 512 && bytes[510] === 0x55 && bytes[511] === 0xaa;
}

function build(
  folder: string,
  file: string,
  target: Target,
  load: number,
  options: CompileOptions,
): Compiled {
  const image = path.join(folder, 'image');
  rmSync(image, { force: true });
  const { compiler = hostCompiler, timeoutMs = DEFAULT_TIMEOUT_MS, strip = false, symbols = false } = options;
  const layout = { load, needsStart: path.extname(file) === '.c' };
  const own = findLinkerScript(file, target.bits);
  const script = own ?? path.join(folder, 'terrarium.ld');
  if (own === undefined)
    writeFileSync(script, target.kind === 'elf' ? elfScript(layout) : flatScript(layout));
  const flags = [...codeFlags(target.bits), ...linkFlags, ...includeFlags(file)];
  const debug = strip ? ['-s'] : target.kind === 'elf' || symbols ? ['-g'] : [];
  // The linker's option takes precedence over what a script of the guest's own says (ld: OUTPUT_FORMAT).
  const format = symbols ? [`-Wl,--oformat=${elfFormat(target)}`] : [];
  const words = [...flags, ...debug, ...format, '-T', asPath(script), '-o', image, asPath(file)];
  const warnings = runCompiler(compiler, words, file, folder, timeoutMs);
  const bytes = readImage(image, file, options.mode);
  return { bytes, kind: isElf(bytes) ? 'elf' : 'flat', command: [compiler, ...words].join(' '), warnings };
}

const elfFormat = ({ bits }: Target) => (bits === 64 ? 'elf64-x86-64' : 'elf32-i386');

const hostCompiler = process.arch === 'x64' ? 'gcc' : 'x86_64-linux-gnu-gcc';

function codeFlags(bits: Target['bits']): string[] {
  return [
    `-m${bits}`,
    '-O2',
    '-ffreestanding',
    '-ffunction-sections',
    // A compiler that turns a loop into a call of memset would ask for a library that is not there.
    '-fno-tree-loop-distribute-patterns',
    // Without an operating system every address may hold memory, 0 and 0x400 too.
    '-fno-delete-null-pointer-checks',
    '-Wno-array-bounds',
    '-fno-pic',
    '-fno-pie',
    '-fno-stack-protector',
    '-fno-asynchronous-unwind-tables',
    '-fcf-protection=none',
    '-mgeneral-regs-only',
    // An interrupt in ring 0 pushes onto the very stack it interrupts (System V ABI, AMD64, 3.2.2).
    ...(bits === 64 ? ['-mno-red-zone'] : []),
    '-Wall',
    '-Wa,-mx86-used-note=no',
  ];
}

// -n: segments need not be page-aligned in the file, which keeps images small.
const linkFlags = ['-nostdlib', '-static', '-no-pie', '-Wl,--build-id=none', '-Wl,-n'];

/** Of a kernel's code that can be written the linker warns since binutils 2.39; older ones know no option. */
const RWX_WARNING = /^.*has a LOAD segment with RWX permissions\n?/gm;

function includeFlags(file: string): string[] {
  const beside = path.dirname(path.resolve(file));
  const common = fileURLToPath(new URL('guests/include', import.meta.resolve('#package')));
  return ['-I', beside, '-I', common, `-ffile-prefix-map=${beside}=.`];
}

/** A path that gcc cannot take for an option or a file of options. */
function asPath(file: string): string {
  return /^[-@]/.test(file) ? `./${file}` : file;
}

let limiter: string[] | undefined;

/**
 * The words that put limits on the compiler and on all it starts: processor time, and the size of a file, so that a
 * `.fill` of gigabytes ends before it fills the disk. Where util-linux is missing, or the host allows less than that
 * already, the deadline alone has to do.
 */
function limits(): string[] {
  if (limiter === undefined) {
    const words = [`--cpu=${DEFAULT_TIMEOUT_MS / 1000}`, `--fsize=${2 * LARGEST_OUTPUT}`, '--core=0', '--'];
    limiter = spawnSync('prlimit', [...words, 'true']).status === 0 ? ['prlimit', ...words] : [];
  }
  return limiter;
}

/** Runs the compiler and gives back what it printed. */
function runCompiler(
  compiler: string,
  words: string[],
  file: string,
  folder: string,
  timeoutMs: number,
): string {
  const [command, ...rest] = [...limits(), compiler, ...words];
  const done = spawnSync(command!, rest, {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C', TMPDIR: folder },
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    maxBuffer: 16 * 1024 * 1024,
  });
  const said = `${done.stdout ?? ''}${done.stderr ?? ''}`.trimEnd();
  if (done.status !== 0) throw compilerError(compiler, done, said, file, timeoutMs);
  return said.replace(RWX_WARNING, '').trimEnd();
}

function compilerError(
  compiler: string,
  done: SpawnSyncReturns<string>,
  said: string,
  file: string,
  timeoutMs: number,
): ToolchainError {
  const { code } = (done.error ?? {}) as NodeJS.ErrnoException;
  // prlimit reports a program that it cannot start with status 1 or, as shells do, 127.
  if (code === 'ENOENT' || /failed to execute .*No such file/.test(said)) {
    return new ToolchainError(`${file}: cannot be compiled: no ${compiler} on this machine`, INSTALL_HINT);
  }
  if (code === 'ETIMEDOUT') {
    return new ToolchainError(
      `${file}: ${compiler} did not end within ${timeoutMs} ms and was stopped`,
      'look for a .rept, .fill or macro without an end',
    );
  }
  if (/File size limit|SIGXFSZ|File too large/i.test(said)) return tooLarge(file, undefined, said);
  if (code !== undefined)
    return new ToolchainError(`${file}: ${compiler} cannot be run: ${code}`, undefined, done.error);
  const how = done.signal === null ? '' : ` (ended by ${done.signal})`;
  const words = said === '' ? `${compiler} failed with status ${done.status}${how}` : said;
  return new ToolchainError(`${file}: does not compile:\n${words}`, hintFor(said));
}

function tooLarge(file: string, size: number | undefined, said = ''): ToolchainError {
  const much = size === undefined ? '' : `: ${size} bytes`;
  return new ToolchainError(
    `${file}: the image is larger than ${LARGEST_OUTPUT / 1024 / 1024} MiB${much}${said && `\n${said}`}`,
    'look for a .org, .fill or array that is larger than meant',
  );
}

/** What to do about the errors that beginners meet first. */
function hintFor(said: string): string | undefined {
  if (/undefined reference to `__\w+[dt]i\d'/.test(said)) {
    return 'a 64-bit division in 32-bit code needs libgcc, which a bare guest has not: use 32-bit numbers';
  }
  if (/undefined reference to `mem(cpy|set|move|cmp)'/.test(said)) {
    return 'gcc expects memcpy, memset, memmove and memcmp even in a freestanding program: write those it asks for';
  }
  if (/cannot execute .*(as|ld|cc1)/.test(said)) return INSTALL_HINT;
  if (/unrecognized command-line option|unsupported option|unknown argument/.test(said)) {
    return 'a gcc for x86-64 with GNU binutils is needed: sudo apt-get install gcc binutils';
  }
  return undefined;
}

function readImage(image: string, file: string, mode: SourceMode): Uint8Array {
  let size: number;
  try {
    size = statSync(image).size;
  } catch (cause) {
    throw new ToolchainError(`${file}: the compiler ended well but wrote no image`, undefined, cause);
  }
  if (size > LARGEST_OUTPUT) throw tooLarge(file, size);
  if (size === 0) throw new ToolchainError(`${file}: the image is empty`, 'is there an instruction in it?');
  const bytes = readFileSync(image);
  const reachesReset =
    size > 0xfff0 && size < 0x10000 && (mode === 'auto' || mode === 'reset') && !isElf(bytes);
  if (!reachesReset) return new Uint8Array(bytes);
  // A linker script of the guest's own may end behind the jump at FFF0; the segment's end must still be at 1 MiB.
  const segment = new Uint8Array(0x10000);
  segment.set(bytes);
  return segment;
}

function isElf(bytes: Uint8Array): boolean {
  return bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}
