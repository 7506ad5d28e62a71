import { errnoNumbers } from './errno.js';
import * as c from './libc.js';

/**
 * Locks a file for only this process, or shares it with other readers, until the descriptor is closed: flock(2), which
 * also separates several descriptors of a file in one process. The lock is advisory. @returns false where another
 * descriptor has the lock; true also on hosts and file systems without such locks
 */
export function lockFile(fd: number, alone: boolean): boolean {
  let libc: c.Libc;
  try {
    libc = c.libc();
  } catch {
    return true;
  }
  const how = (alone ? c.LOCK_EX : c.LOCK_SH) | c.LOCK_NB;
  return libc.syscall(c.SYS_flock, fd, how, 0) === 0 || libc.errno() !== errnoNumbers.EAGAIN;
}
