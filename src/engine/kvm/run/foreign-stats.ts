/**
 * KVM's counters of another process. A VM's ioctls work only in the process that made it (KVM API 2: others get EIO),
 * so no other process can open its statistics. But if that process has opened the file of its statistics, others can
 * read it: `pidfd_getfd` copies the file descriptor, with the permission that a debugger needs (ptrace(2)).
 *
 * @module
 */
import type { EngineCounter } from '../../contract/index.js';
import { callFailed } from '../api/errors.js';
import { Handle } from '../api/handle.js';
import { libc, SYS_pidfd_getfd, SYS_pidfd_open } from '../api/libc.js';
import { Stats } from '../api/stats.js';
import { readCounters } from './counters.js';

/** A file of counters: their owner, such as `kvm-1234/vcpu-0`, and their current values. */
export interface ForeignCounters {
  id: string;
  counters: EngineCounter[];
}

/** Another process, held by a pidfd, so that a new process cannot take its place (pidfd_open(2)). */
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
   * The counters of the process's file descriptor `fd`, which must be one from KVM_GET_STATS_FD.
   * @throws KvmError: `EPERM` without permission, `EBADF` where the file has been closed, `ESRCH` after the process's end.
   */
  readCounters(fd: number): ForeignCounters {
    const copy = this.libc.syscall(SYS_pidfd_getfd, this.fd, fd, 0);
    if (copy < 0) throw callFailed('pidfd_getfd', this.libc.errno());
    // The copy is closed at once: an open one would keep a VM alive that its process has ended.
    using stats = new Stats(`the statistics of process ${this.pid}`, copy);
    return { id: stats.id(), counters: readCounters(stats) };
  }
}
