/**
 * Processes as /proc shows them, and unique ids for them: a PID is reused sooner or later.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** Linux counts a process's time in hundredths of a second for user space, independent of its own clock (USER_HZ). */
const MS_PER_TICK = 10;

/** The content of /proc/PID/stat (proc_pid_stat(5)). */
export interface ProcessStat {
  /** One letter: R, S, D, T, Z, X, … */
  readonly state: string;
  /** CPU time in user and kernel mode, including the guest's: milliseconds. */
  readonly cpuMs: number;
  /** When it started, in ticks since boot. */
  readonly started: string;
}

/** Undefined where there is no such process. */
export function processStat(pid: number): ProcessStat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The second field is the program's name in brackets, which may contain any characters, even brackets and spaces.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state = 'X', started = ''] = [fields[0], fields[19]];
  return { state, cpuMs: (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK, started };
}

/** One holder of a name: process, start, boot, and a number that distinguishes several claims of one process. */
export interface HolderId {
  readonly pid: number;
  readonly started: string;
  readonly boot: string;
  /** The whole id as text for a file name. */
  readonly text: string;
}

let boot: string | undefined;

/** The first digits of the kernel's random number of this boot. */
function bootId(): string {
  boot ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').slice(0, 8);
  return boot;
}

/** A new, unique id of this process. */
export function newHolderId(): HolderId {
  const { pid } = process;
  const started = processStat(pid)!.started;
  return parseHolderId(`${pid}.${started}.${bootId()}.${randomBytes(4).toString('hex')}`)!;
}

/** Undefined where the text is not an id. */
export function parseHolderId(text: string): HolderId | undefined {
  const [, pid, started, of] = /^(\d{1,10})\.(\d{1,20})\.([\da-f]{8})\.[\da-f]{8}$/.exec(text) ?? [];
  if (pid === undefined || started === undefined || of === undefined) return undefined;
  return { pid: Number(pid), started, boot: of, text };
}

/** True while the process of the id runs; a zombie counts as ended. */
export function isAlive({ pid, started, boot: of }: HolderId): boolean {
  if (of !== bootId()) return false;
  const stat = processStat(pid);
  return stat !== undefined && stat.started === started && stat.state !== 'Z' && stat.state !== 'X';
}
