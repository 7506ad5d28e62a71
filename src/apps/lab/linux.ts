/**
 * Linux to a shell: from a kernel and an initial file system that are dropped on the page, or from those of the computer behind it.
 *
 * @module
 */
import type { MachineSpec } from '../../browser/index.js';
import * as controller from './controller.js';
import { notice } from './notices.js';
import { open } from './opening.js';
import { openPanel } from './panels.js';
import { blank } from './projects.js';
import { linuxFile, linuxThere } from './server.js';
import * as state from './state.js';

/** A PC with the console on its serial port. On a busy computer a timer's tick can come later than the kernel's test of it waits. */
const spec: MachineSpec = {
  machine: 'pc',
  memory: 128 * 2 ** 20,
  append: 'console=ttyS0 no_timer_check panic=-1',
};

/** The signature of a bzImage (Linux: Documentation/arch/x86/boot.rst, "header"). */
export function isLinuxKernel(bytes: Uint8Array): boolean {
  return [0x48, 0x64, 0x72, 0x53].every((byte, i) => bytes[0x202 + i] === byte);
}

/** A cpio archive, perhaps compressed, by its name or its signature. */
export function isInitrd(name: string, bytes: Uint8Array): boolean {
  const isCpio = [0x30, 0x37, 0x30, 0x37, 0x30].every((byte, i) => bytes[i] === byte);
  return isCpio || /^init(rd|ramfs)|\.cpio(\.\w+)?$/i.test(name);
}

/** Boots a kernel. @param initrd its first files; without them it finds no program to start */
export async function bootLinux(
  title: string,
  kernel: Uint8Array,
  initrd: Uint8Array | undefined,
): Promise<void> {
  open({ ...blank, id: 'file/linux', title, summary: 'a Linux kernel', files: [], spec }, false);
  state.dropped.value = kernel;
  state.initrd.value = initrd;
  openPanel('console', true);
  if (initrd === undefined)
    notice(
      'The kernel has no initial file system, and will find no program to start: drop an initrd as well.',
    );
  await controller.run();
}

/** Whether the computer behind the page offers Linux. */
export async function findLinux(): Promise<void> {
  state.hostLinux.value = await linuxThere();
}

export async function bootHostLinux(): Promise<void> {
  const title = state.hostLinux.value;
  if (title === undefined) return;
  try {
    const [kernel, initrd] = await Promise.all([linuxFile('kernel'), linuxFile('initrd')]);
    await bootLinux(title, kernel, initrd);
  } catch (error) {
    controller.report(error);
  }
}
