/**
 * KVM's counters of another process, from the best source: the files of counters that the process has open, else the kernel's
 * debugfs.
 *
 * @module
 */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import path from 'node:path';
import { command } from '../../command.js';
import type { EngineCounter } from '../../engine/contract/index.js';
import { ForeignProcess, KvmError } from '../../engine/kvm/index.js';
import { TerrariumError } from '../../errors.js';
import type { CounterGroup } from '../../trace/index.js';

/** The source of the counters; `monitor`: from the machine's own process, which keeps them where the kernel does not. */
export type CounterSource = 'files' | 'debugfs' | 'monitor';

export interface ProcessCounters {
  source: CounterSource;
  groups: CounterGroup[];
}

/** A process whose counters cannot be read: `ESRCH`, `ENOVM`, `ENOCOUNTERS`, `EPERM`. */
export class StatError extends TerrariumError {}

/** The kernel's names of KVM's files in /proc/PID/fd. */
const VM = 'anon_inode:kvm-vm';
const VM_COUNTERS = 'anon_inode:kvm-vm-stats';
const VCPU_COUNTERS = 'anon_inode:kvm-vcpu-stats:';

export const DEBUGFS = '/sys/kernel/debug';

/** The facts about a watched process. */
export interface WatchedProcess extends Disposable {
  readonly pid: number;
  /** False once it has ended, also while it is a zombie. */
  readonly alive: boolean;
  /**
   * Its current counters; undefined while it has no VM.
   * @throws StatError
   */
  read(): ProcessCounters | undefined | Promise<ProcessCounters | undefined>;
}

/** @throws StatError where there is no such process; KvmError on a system that does not support it. */
export function openProcess(pid: number, debugfs = DEBUGFS) {
  const started = processStart(pid);
  if (started === undefined) {
    throw new StatError('ESRCH', `there is no process ${pid}`, {
      hint: 'give the number of a process that runs a virtual machine: pgrep -f terrarium',
    });
  }
  const handle = new ForeignProcess(pid);
  return {
    pid,
    get alive() {
      return processStart(pid) === started;
    },
    read: () => readCounters(handle, debugfs),
    [Symbol.dispose]: () => handle[Symbol.dispose](),
  };
}

/** True while the process has a KVM VM. @throws StatError where that cannot be determined. */
export function hasKernelVm(pid: number): boolean {
  return listFiles(pid).some(({ target }) => target === VM);
}

/** When the process began, in the kernel's ticks; undefined where it has ended (proc(5), /proc/pid/stat). */
function processStart(pid: number): string | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The name, in parentheses, may contain any characters; after it come the state (field 3) and, as field 22, the start.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

function readCounters(handle: ForeignProcess, debugfs: string): ProcessCounters | undefined {
  const files = listFiles(handle.pid);
  const counting = files.filter(({ target }) => target === VM_COUNTERS || target.startsWith(VCPU_COUNTERS));
  if (counting.length > 0) return { source: 'files', groups: readFiles(handle, counting) };
  if (!files.some(({ target }) => target === VM)) return undefined;
  return { source: 'debugfs', groups: readDebugfs(handle.pid, debugfs) };
}

interface OpenFile {
  fd: number;
  target: string;
}

function listFiles(pid: number): OpenFile[] {
  const folder = `/proc/${pid}/fd`;
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'EACCES' && code !== 'EPERM') return [];
    throw new StatError('EPERM', `process ${pid} belongs to another user`, {
      hint: `run this as the same user, or as root: sudo ${command('stat')}`,
      cause,
    });
  }
  return names.flatMap((name) => {
    try {
      return [{ fd: Number(name), target: readlinkSync(`${folder}/${name}`) }];
    } catch {
      // closed between the listing and now
      return [];
    }
  });
}

function readFiles(handle: ForeignProcess, files: readonly OpenFile[]): CounterGroup[] {
  const groups: CounterGroup[] = [];
  const several = files.filter(({ target }) => target === VM_COUNTERS).length > 1;
  for (const { fd, target } of files) {
    const what = target === VM_COUNTERS ? 'vm' : `vcpu ${target.slice(VCPU_COUNTERS.length)}`;
    const counters = readFile(handle, fd);
    if (counters !== undefined) groups.push({ where: several ? `${what} (fd ${fd})` : what, counters });
  }
  return groups.sort((a, b) => (a.where < b.where ? -1 : 1));
}

function readFile(handle: ForeignProcess, fd: number): EngineCounter[] | undefined {
  try {
    return handle.readCounters(fd).counters;
  } catch (error) {
    if (!(error instanceof KvmError)) throw error;
    // closed, or ended, between the listing and now
    if (error.code === 'EBADF' || error.code === 'ESRCH') return undefined;
    if (error.code !== 'EPERM') throw error;
    throw new StatError('EPERM', `process ${handle.pid} cannot be read: ${error.message}`, {
      ...(error.hint !== undefined && { hint: error.hint }),
      cause: error,
    });
  }
}

/** A folder per VM, named after the thread that made it and the VM's file descriptor, with a file per counter. */
function readDebugfs(pid: number, debugfs: string): CounterGroup[] {
  const kvm = path.join(debugfs, 'kvm');
  let folders: string[];
  try {
    const threads = new Set([String(pid), ...readdirSync(`/proc/${pid}/task`)]);
    folders = readdirSync(kvm).filter((name) => /^\d+-\d+$/.test(name) && threads.has(name.split('-')[0]!));
  } catch (cause) {
    throw noCounters(pid, debugfs, cause);
  }
  const groups = folders.map((name) => ({
    where: folders.length > 1 ? `vm ${name}` : 'vm and vcpus',
    counters: readFolder(pid, debugfs, path.join(kvm, name)),
  }));
  if (groups.length === 0) throw noCounters(pid, debugfs);
  return groups;
}

function readFolder(pid: number, debugfs: string, folder: string): EngineCounter[] {
  return readdirSync(folder).flatMap((name): EngineCounter[] => {
    const file = path.join(folder, name);
    try {
      const about = statSync(file);
      if (!about.isFile()) return [];
      const text = readFileSync(file, 'latin1').trim();
      if (!/^\d+$/.test(text)) return [];
      // Files that can be reset to 0 by writing to them are cumulative; the others are levels.
      const kind = (about.mode & 0o200) === 0 ? 'instant' : 'cumulative';
      return [{ name, kind, unit: '', value: Number(text) }];
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (code === 'EACCES' || code === 'EPERM') throw noCounters(pid, debugfs, cause);
      return [];
    }
  });
}

function noCounters(pid: number, debugfs: string, cause?: unknown): StatError {
  const { code = 'it has none there' } = (cause ?? {}) as NodeJS.ErrnoException;
  const advice: Record<string, string> = {
    EPERM: `the kernel is locked down and keeps ${debugfs}/kvm to itself (kernel_lockdown(7))`,
    EACCES: `only root may read ${debugfs}/kvm: sudo ${command(`stat ${pid}`)}`,
    ENOENT: `show them to root: sudo mount -t debugfs none ${debugfs}`,
  };
  return new StatError(
    'ENOCOUNTERS',
    `process ${pid} runs a virtual machine, but it has not opened its counters, and ${debugfs}/kvm cannot be read: ${code}`,
    {
      hint: `${advice[code] ?? `is debugfs mounted at ${debugfs}?`}; KVM shows a VM’s counters only to the process that made it (KVM_GET_STATS_FD)`,
      cause,
    },
  );
}
