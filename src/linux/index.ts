/**
 * Linux guests for programs: a command runs in its own machine, and its result is returned.
 *
 * ```ts
 * import { bootLinux } from 'terrarium-vm/linux';
 *
 * await using vm = await bootLinux({ kernel: '/boot/vmlinuz-6.1.0-9-amd64' });
 * const { status, stdout } = await vm.exec(['sh', '-c', 'echo $((6 * 7))']);
 * ```
 *
 * @module
 */
export type { LinuxDeath, LinuxLogRecord, LinuxTask } from '../inspect/index.js';
export { bootLinux, type LinuxOptions, restoreLinux } from './boot-linux.js';
export { type ArchivedFile, FileKind, readArchive, writeArchive } from './cpio.js';
export {
  type ExecOptions,
  type ExecResult,
  type LinuxEnd,
  type LinuxEndKind,
  type LinuxSnapshot,
  LinuxVm,
} from './linux-vm.js';
export { readBusybox, shellSystem } from './system.js';
