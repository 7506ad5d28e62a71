/**
 * Runs a compiler within limits. The compiler and its child processes end when they take too long, and when this process ends
 * in any way; the temporary folder is removed too.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { inSandbox, type SandboxFolders, type SandboxName, sandboxLimits } from './sandbox.js';
import { ToolchainError } from './toolchain-error.js';
import { INSTALL_COMPILER } from './tools.js';

/** Images above this size are refused: a typing mistake in `.org` or `.fill` easily makes them larger. */
export const LARGEST_OUTPUT = 256 * 1024 * 1024;
export const DEFAULT_TIMEOUT_MS = 60_000;
/** How long the guards may take beyond the deadline: milliseconds. */
const GUARD_MS = 5000;
/** The exit status of `timeout` after a timeout. */
const TIMED_OUT = 124;
const KILLED = 137;

export interface ToolRun {
  /** The program and its arguments. */
  command: readonly string[];
  /** For errors: the source. */
  file: string;
  /** For temporary files; removed if this process dies meanwhile. */
  folder: string;
  timeoutMs: number;
  /** The folder in which the program runs; `file` is then given to it with its whole path. Default: this process's own. */
  cwd?: string;
  /** What to do where the program is not installed. */
  install?: string;
  /** For untrusted sources: the sandbox in which the program runs, with `sandboxLimits`. It may write to `folder`. */
  sandbox?: { readonly kind: SandboxName; readonly read: SandboxFolders['read'] };
}

/**
 * CPU time and file size are limited for the compiler and its child processes, so that a `.fill` of gigabytes ends before it fills the
 * disk. `timeout` (coreutils) makes them a process group and ends the whole group. On SIGTERM, which this process's end sends
 * (PR_SET_PDEATHSIG), the shell ends them and removes the folder. It writes nothing more then: no process reads the pipe of its standard
 * error, and a write to it (the shell reports `Terminated`) would end the shell itself by SIGPIPE.
 */
const GUARD = `
folder=$1; seconds=$2; cpu=$3; blocks=$4; memory=$5; shift 5
ulimit -c 0 2>/dev/null
ulimit -t "$cpu" 2>/dev/null
ulimit -f "$blocks" 2>/dev/null
ulimit -v "$memory" 2>/dev/null
trap 'exec >/dev/null 2>&1; kill -TERM $child; wait $child; rm -rf "$folder"; exit 143' TERM
timeout -k 1 "$seconds" "$@" &
child=$!
wait $child
`;

/** The guard's limits: seconds of processor time, blocks of 512 bytes a file, KiB of memory. */
const usual = ['60', `${(2 * LARGEST_OUTPUT) / 512}`, 'unlimited'];
const strangers = [
  `${sandboxLimits.seconds}`,
  `${sandboxLimits.fileBytes / 512}`,
  `${sandboxLimits.memoryKiB}`,
];
/** The most bytes of a compiler's messages that are kept. */
const MESSAGES = 16 * 1024 * 1024;

let guarded: boolean | undefined;

/** True where the guards' programs are installed: util-linux and coreutils. */
function canGuard(): boolean {
  guarded ??=
    process.platform === 'linux' &&
    spawnSync('setpriv', ['--pdeathsig', 'TERM', 'timeout', '1', 'sh', '-c', ':']).status === 0;
  return guarded;
}

/** Runs the program and returns what it printed. @throws ToolchainError */
export function runTool({ command: plain, file, folder, timeoutMs, cwd, install, sandbox }: ToolRun): string {
  const guards = canGuard();
  const command =
    sandbox === undefined ? plain : inSandbox(sandbox.kind, { ...sandbox, write: folder }, plain);
  const limits = sandbox === undefined ? usual : strangers;
  const seconds = `${Math.max(timeoutMs, 1) / 1000}`;
  const words = guards
    ? ['setpriv', '--pdeathsig', 'TERM', 'sh', '-c', GUARD, 'sh', folder, seconds, ...limits, ...command]
    : command;
  const done = spawnSync(words[0]!, words.slice(1), {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C', TMPDIR: folder },
    cwd,
    timeout: guards ? timeoutMs + GUARD_MS : timeoutMs,
    killSignal: 'SIGKILL',
    maxBuffer: MESSAGES,
    input: '',
  });
  const all = `${done.stdout ?? ''}${done.stderr ?? ''}`.trimEnd();
  const said = cwd === undefined ? all : all.replaceAll(path.resolve(file), file);
  if (done.status === 0) return said;
  const { code } = (done.error ?? {}) as NodeJS.ErrnoException;
  const program = plain[0]!;
  if (code === 'ENOENT' || /^timeout: failed to run command .*: No such file/m.test(said)) {
    throw new ToolchainError(
      `${file}: cannot be compiled: ${program} is not installed`,
      install ?? INSTALL_COMPILER,
    );
  }
  const late = guards && (done.status === TIMED_OUT || done.status === KILLED);
  if (code === 'ETIMEDOUT' || late) {
    throw new ToolchainError(
      `${file}: ${program} did not end within ${timeoutMs} ms and was stopped`,
      'look for an endless .rept, .fill or macro',
    );
  }
  if (/File size limit|SIGXFSZ|File too large/i.test(said)) throw tooLarge(file, undefined, said);
  if (code === 'ENOBUFS')
    throw new ToolchainError(
      `${file}: ${program} printed more than ${MESSAGES / 2 ** 20} MiB of messages and was stopped`,
      'correct the first error, or look for a macro that repeats it',
    );
  if (
    sandbox !== undefined &&
    /out of memory|memory exhausted|cannot allocate memory|Killed signal|virtual memory/i.test(said)
  )
    throw new ToolchainError(
      `${file}: ${program} needs more than ${sandboxLimits.memoryKiB / 1024} MiB of memory`,
      'look for a .fill, .rept, macro or array that is larger than intended',
    );
  if (code !== undefined)
    throw new ToolchainError(`${file}: ${program} cannot be run: ${code}`, undefined, done.error);
  const how = done.signal === null ? '' : ` (ended by ${done.signal})`;
  const text = said === '' ? `${program} failed with status ${done.status}${how}` : said;
  throw new ToolchainError(`${file}: does not compile:\n${text}`, hintFor(said));
}

export function tooLarge(file: string, size: number | undefined, said = ''): ToolchainError {
  const much = size === undefined ? '' : `: ${size} bytes`;
  return new ToolchainError(
    `${file}: the image is larger than ${LARGEST_OUTPUT / 1024 / 1024} MiB${much}${said && `\n${said}`}`,
    'look for a .org, .fill or array that is larger than intended',
  );
}

/** Hints for the errors that beginners meet first. */
const hints: readonly [RegExp, string][] = [
  [
    /undefined reference to `__\w+[dt]i\d'/,
    'a 64-bit division in 32-bit code needs libgcc, which a bare guest does not have: use 32-bit numbers',
  ],
  [
    /undefined reference to `mem(cpy|set|move|cmp)'/,
    'gcc expects memcpy, memset, memmove and memcmp even in a freestanding program: write those that it needs',
  ],
  [
    /SSE register (return|argument)|x87 disabled/,
    'double and float need SSE, which a guest starts without: use integers, or turn SSE on (CR4.OSFXSR) and compile with --cflags "-mno-general-regs-only -msse2"',
  ],
  [/cannot execute .*cc1plus/, 'install the C++ compiler: sudo apt-get install g++'],
  [/cannot execute .*(as|ld|cc1)/, INSTALL_COMPILER],
  [
    /can't find crate for `(core|std)`/,
    'install the target: rustup target add x86_64-unknown-none; a kernel begins with #![no_std] and #![no_main]',
  ],
  [
    /unrecognized command-line option|unsupported option|unknown argument/,
    'is it from --cflags? Otherwise a gcc for x86-64 with GNU binutils, or clang with lld, is needed',
  ],
];

function hintFor(said: string): string | undefined {
  return hints.find(([what]) => what.test(said))?.[1];
}
