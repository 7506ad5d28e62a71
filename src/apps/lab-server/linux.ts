/**
 * Linux for the page: a kernel of this computer, and an initial file system with a shell.
 *
 * @module
 */
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { readBusybox, shellSystem } from '../../linux/index.js';

/** The files of this computer to offer. */
export interface LinuxFiles {
  readonly kernel: string;
  readonly busybox?: string;
}

export interface OfferedLinux {
  readonly name: string;
  kernel(): Uint8Array;
  initrd(): Uint8Array;
}

/** What this computer has; undefined without a kernel that may be read and a static busybox. */
export function offeredLinux(given: LinuxFiles | undefined = installed()): OfferedLinux | undefined {
  if (given === undefined) return undefined;
  const { kernel } = given;
  try {
    accessSync(kernel, constants.R_OK);
    const busybox = readBusybox(given.busybox);
    return {
      name: path.basename(kernel).replace(/^vmlinuz-/, 'Linux '),
      kernel: () => readFileSync(kernel),
      initrd: () => shellSystem(busybox),
    };
  } catch {
    return undefined;
  }
}

/** The newest kernel of `/boot`. */
function installed(): LinuxFiles | undefined {
  try {
    const names = readdirSync('/boot').filter((name) => name.startsWith('vmlinuz-'));
    const [newest] = names.sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
    return newest === undefined ? undefined : { kernel: path.join('/boot', newest) };
  } catch {
    return undefined;
  }
}
