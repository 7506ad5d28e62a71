/**
 * Where sources of strangers are compiled: with the compiler's own files, the sources and a temporary folder, and nothing else of
 * this host; without a network.
 *
 * bubblewrap makes such a place; else `unshare` (util-linux) does, where the host lets its users have namespaces. No code of the
 * sources runs there: only the compiler does. So a fixed number of processes is started, and their memory, time and output are
 * limited (`run-tool.ts`).
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
  /** Those that it may read: those of the sources. */
  readonly read: readonly string[];
  /** The one that it may write. */
  readonly write: string;
}

/** What a compiler of a stranger's sources may take, each of its processes. */
export const sandboxLimits = {
  /** KiB of address space: gcc takes 100 to 200 MiB for a kernel of a course. */
  memoryKiB: 1024 * 1024,
  /** Seconds of processor time. */
  seconds: 10,
  /** Bytes of a file. */
  fileBytes: 32 * 1024 * 1024,
  /** Milliseconds of wall time. */
  timeoutMs: 20_000,
} as const;

/** Folders of the system that compilers read: programs, libraries, and links to the chosen versions of both. */
const SYSTEM = ['/usr', '/bin', '/lib', '/lib64', '/etc/alternatives', '/etc/ld.so.cache'];

/** Programs outside of the system's folders are readable with what is beside them: `/opt/gcc/bin` with `/opt/gcc`. */
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

/** A command that runs another one in a place of its own. */
type Wrap = (folders: SandboxFolders, command: readonly string[]) => string[];

const environment = (folder: string): readonly [string, string][] => [
  ['PATH', '/usr/local/bin:/usr/bin:/bin'],
  ['LC_ALL', 'C'],
  ['TMPDIR', folder],
];

const bubblewrap: Wrap = (folders, command) => [
  ...['bwrap', '--unshare-all', '--die-with-parent', '--new-session', '--clearenv'],
  ...environment(folders.write).flatMap(([name, value]) => ['--setenv', name, value]),
  ...SYSTEM.filter((file) => existsSync(file)).flatMap((file) =>
    lstatSync(file).isSymbolicLink() ? ['--symlink', readlinkSync(file), file] : ['--ro-bind', file, file],
  ),
  ...['--dev', '/dev', '--tmpfs', '/tmp'],
  ...readable(command[0]!, folders).flatMap((folder) => ['--ro-bind', folder, folder]),
  ...['--bind', folders.write, folders.write, '--chdir', folders.write, '--'],
  ...command,
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

const unshared: Wrap = (folders, command) => [
  ...['unshare', '--user', '--map-root-user', '--mount', '--pid', '--net', '--ipc', '--uts'],
  ...['--fork', '--kill-child', 'sh', '-c', UNSHARED, 'sh', folders.write],
  ...SYSTEM.filter((file) => existsSync(file)),
  ...readable(command[0]!, folders),
  ...['--', 'env', '-i', ...environment(folders.write).map(([name, value]) => `${name}=${value}`)],
  ...command,
];

const wraps: Readonly<Record<SandboxName, Wrap | undefined>> = {
  bubblewrap,
  unshare: unshared,
  none: undefined,
};

/** True where a kind works on this host: it is tried, since a host may have the program and refuse the namespaces. */
function works(kind: SandboxName, folder: string): boolean {
  const wrap = wraps[kind];
  if (wrap === undefined || process.platform !== 'linux') return false;
  const [program, ...words] = wrap({ read: [], write: folder }, [
    'sh',
    '-c',
    'test -w . && ! test -e /etc/passwd',
  ]);
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
  return wraps[kind]?.(folders, command) ?? command;
}
