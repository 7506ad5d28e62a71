/**
 * KVM's counters of another process.
 *
 * A VM answers its ioctls only to the process that made it (KVM API 2: others get EIO), so that nobody else can ask for
 * its statistics. But where that process has opened the file of its statistics, the file can be read by whoever may look
 * at the process: `pidfd_getfd` makes a copy of it here, with the permission that a debugger needs (ptrace(2)).
 *
 * @module
 */
import type { EngineCounter } from '../../contract/index.js';
import { callFailed } from '../api/errors.js';
import { Handle } from '../api/handle.js';
import { libc, SYS_pidfd_getfd, SYS_pidfd_open } from '../api/libc.js';
import { Stats } from '../api/stats.js';
import { readCounters } from './counters.js';

/** A file of counters: whose they are, such as `kvm-1234/vcpu-0`, and their values now. */
export interface ForeignCounters {
  id: string;
  counters: EngineCounter[];
}

/** Another process, held so that its number cannot come to mean a new one (pidfd_open(2)). */
export class ForeignProcess extends Handle {
  readonly pid: number;

  /** @throws KvmError with `ESRCH` where there is no such process. */
  constructor(pid: number) {
    const fd = libc().syscall(SYS_pidfd_open, pid, 0, 0);
    if (fd < 0) throw callFailed('pidfd_open', libc().errno());
    super(`process ${pid}`, fd);
    this.pid = pid;
  }

  /**
   * The counters behind the process's file descriptor `fd`, which must be one that KVM_GET_STATS_FD gave.
   * @throws KvmError: `EPERM` without permission, `EBADF` where the file is closed by now, `ESRCH` after the process's end.
   */
  readCounters(fd: number): ForeignCounters {
    const copy = this.libc.syscall(SYS_pidfd_getfd, this.fd, fd, 0);
    if (copy < 0) throw callFailed('pidfd_getfd', this.libc.errno());
    // The copy is closed at once: an open one would keep a VM alive that its process has ended.
    using stats = new Stats(`the statistics of process ${this.pid}`, copy);
    return { id: stats.id(), counters: readCounters(stats) };
  }
}
