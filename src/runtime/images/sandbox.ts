/**
 * Compiles untrusted sources with only the compiler's own files, the sources and a temporary folder, and nothing else of this host; without
 * a network.
 *
 * bubblewrap makes such a sandbox, or else `unshare` (util-linux), where the host allows namespaces to its users. Only the compiler runs
 * there, no code of the sources. The number of its processes is limited here, their memory, time and output in `run-tool.ts`.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readlinkSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram } from './tools.js';

export const sandboxNames = ['bubblewrap', 'unshare', 'none'] as const;
export type SandboxName = (typeof sandboxNames)[number];

/** The folders of a compilation. */
export interface SandboxFolders {
  /** The folders that it may read: those of the sources. */
  readonly read: readonly string[];
  /** The folder that it may write. */
  readonly write: string;
}

/** The limits of each process that compiles untrusted sources. */
export const sandboxLimits = {
  /** KiB of address space: gcc takes 100 to 200 MiB for a kernel of a course. */
  memoryKiB: 1024 * 1024,
  /** Seconds of processor time. */
  seconds: 10,
  /** Bytes of a file. */
  fileBytes: 32 * 1024 * 1024,
  /** Milliseconds of wall-clock time. */
  timeoutMs: 20_000,
  /** Processes and threads at a time: gcc has five. */
  processes: 64,
} as const;

/** Folders of the system that compilers read: programs, libraries, and links to the chosen versions of both. */
const SYSTEM = ['/usr', '/bin', '/lib', '/lib64', '/etc/alternatives', '/etc/ld.so.cache'];

/** Programs outside of the system's folders are readable with their neighbours: `/opt/gcc/bin` with `/opt/gcc`. */
function foldersOf(program: string): string[] {
  const found = findProgram(program);
  if (found === undefined) return [];
  const real = realpathSync(found);
  return [found, real]
    .filter((file) => !SYSTEM.some((root) => file.startsWith(`${root}/`)))
    .map((file) => path.dirname(path.dirname(path.resolve(file))))
    .filter((folder) => folder !== '/');
}

const headers = () => fileURLToPath(new URL('guests/include', import.meta.resolve('#package')));

function readable(program: string, { read }: SandboxFolders): string[] {
  const known = [...foldersOf(program), headers(), ...read.map((folder) => path.resolve(folder))];
  return [...new Set(known)].filter((folder) => existsSync(folder));
}

/** A command that runs another one in a sandbox. */
type Wrap = (folders: SandboxFolders, command: readonly string[]) => string[];

const environment = (folder: string): readonly [string, string][] => [
  ['PATH', '/usr/local/bin:/usr/bin:/bin'],
  ['LC_ALL', 'C'],
  ['TMPDIR', folder],
];

/**
 * The kernel counts a user's processes in the namespace that the sandbox has made. By the shell, whose option is `-u` in bash and `-p`
 * in dash and busybox: prlimit (util-linux) is not everywhere.
 */
const LIMITED = '{ ulimit -u "$0" || ulimit -p "$0"; } 2>/dev/null && exec "$@"';
const fewProcesses = (command: readonly string[]) => [
  ...['sh', '-c', LIMITED, `${sandboxLimits.processes}`],
  ...command,
];

/** User ids that Debian keeps unused; compilations at the same time have different ones. */
const UNUSED_IDS = { first: 65_000, count: 500 };

/** The host's root has no limit of processes: the compiler runs as nobody, and may read and write what the sandbox has. */
function asNobody(command: readonly string[]): string[] {
  const id = UNUSED_IDS.first + (process.pid % UNUSED_IDS.count);
  const only = '-all,+dac_override';
  const rights = [`--inh-caps=${only}`, `--ambient-caps=${only}`, `--bounding-set=${only}`, '--no-new-privs'];
  return fewProcesses([
    ...['setpriv', `--reuid=${id}`, `--regid=${id}`, '--clear-groups', ...rights],
    ...command,
  ]);
}

const bubblewrap =
  (namespaces: readonly string[], limited: typeof fewProcesses): Wrap =>
  (folders, command) => [
    ...['bwrap', ...namespaces, '--die-with-parent', '--new-session', '--clearenv'],
    ...environment(folders.write).flatMap(([name, value]) => ['--setenv', name, value]),
    ...SYSTEM.filter((file) => existsSync(file)).flatMap((file) =>
      lstatSync(file).isSymbolicLink() ? ['--symlink', readlinkSync(file), file] : ['--ro-bind', file, file],
    ),
    ...['--dev', '/dev', '--tmpfs', '/tmp'],
    ...readable(command[0]!, folders).flatMap((folder) => ['--ro-bind', folder, folder]),
    ...['--bind', folders.write, folders.write, '--chdir', folders.write, '--'],
    ...limited(command),
  ];

/**
 * The same with mount(8) in namespaces of one's own. `$1` is the folder that may be written, in which the new root is made; then
 * come readable folders up to `--`. A mount that a namespace's owner must keep `nosuid` and `nodev` takes these words again.
 * umount(8) reads /proc, which goes last.
 */
const UNSHARED = `
set -e
write=$1; root=$1/root; shift
mkdir -p "$root"
mount -t tmpfs -o mode=755,size=1m tmpfs "$root"
place() {
  if [ -d "$1" ]; then mkdir -p "$root$1"; else mkdir -p "$root$(dirname "$1")"; : > "$root$1"; fi
  mount --bind "$1" "$root$1"
}
while [ "$1" != -- ]; do
  if [ -L "$1" ]; then ln -s "$(readlink "$1")" "$root$1"
  else
    place "$1"
    mount -o remount,bind,ro,nosuid,nodev "$root$1" || mount -o remount,bind,ro "$root$1"
  fi
  shift
done
shift
place "$write"
place /dev/null
mkdir -p "$root/tmp" "$root/old" "$root/proc"
mount --rbind /proc "$root/proc"
cd "$root"
pivot_root . old
umount -l /old
umount -l /proc
cd "$write"
exec "$@"
`;

const unshared =
  (namespaces: readonly string[], limited: typeof fewProcesses): Wrap =>
  (folders, command) => [
    ...['unshare', ...namespaces, '--mount', '--pid', '--net', '--ipc', '--uts'],
    ...['--fork', '--kill-child', 'sh', '-c', UNSHARED, 'sh', folders.write],
    ...SYSTEM.filter((file) => existsSync(file)),
    ...readable(command[0]!, folders),
    ...['--', 'env', '-i', ...environment(folders.write).map(([name, value]) => `${name}=${value}`)],
    ...limited(command),
  ];

/** The ways to make each kind, the best first: the host's root without a namespace of users, then anybody. */
const ways: Readonly<Record<SandboxName, readonly Wrap[]>> = {
  bubblewrap: [
    ...(isRoot()
      ? [bubblewrap(['--unshare-ipc', '--unshare-pid', '--unshare-net', '--unshare-uts'], asNobody)]
      : []),
    bubblewrap(['--unshare-all'], fewProcesses),
  ],
  unshare: [
    ...(isRoot() ? [unshared([], asNobody)] : []),
    unshared(['--user', '--map-root-user'], fewProcesses),
  ],
  none: [],
};

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** The ways that were found to work. */
const working = new Map<SandboxName, Wrap>();

/** True where a kind of sandbox works on this host: it is tried, since a host may have the program and refuse the namespaces. */
function works(kind: SandboxName, folder: string): boolean {
  if (process.platform !== 'linux') return false;
  const way = working.get(kind) ?? ways[kind].find((wrap) => succeeds(wrap, folder));
  if (way !== undefined) working.set(kind, way);
  return way !== undefined;
}

function succeeds(wrap: Wrap, folder: string): boolean {
  const test = ['sh', '-c', 'test -w . && ! test -e /etc/passwd'];
  const [program, ...words] = wrap({ read: [], write: folder }, test);
  const { status } = spawnSync(program!, words, { stdio: 'ignore', timeout: 10_000, cwd: folder });
  return status === 0;
}

let chosen: SandboxName | undefined;

/**
 * The kind that works here.
 * @param asked for tests: this one, if it works
 * @param folder an empty folder of one's own, in which it is tried
 */
export function findSandbox(folder: () => string, asked?: SandboxName): SandboxName {
  if (asked !== undefined) return works(asked, folder()) ? asked : 'none';
  chosen ??= sandboxNames.find((kind) => kind !== 'none' && works(kind, folder())) ?? 'none';
  return chosen;
}

/** The words that run a command in a sandbox. */
export function inSandbox(
  kind: SandboxName,
  folders: SandboxFolders,
  command: readonly string[],
): readonly string[] {
  const wrap = working.get(kind) ?? ways[kind].at(-1);
  return wrap?.(folders, command) ?? command;
}
