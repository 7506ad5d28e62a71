import { errnoNumbers } from './errno.js';
import * as c from './libc.js';

/**
 * Takes a file for oneself, or shares it with other readers, until the descriptor is closed: flock(2), which tells openings of a
 * file apart in one process too. It binds those alone who ask.
 *
 * @returns false where somebody else has it; true also on hosts and file systems that have no such locks
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
