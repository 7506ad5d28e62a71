import { writeArchive } from '../../src/linux/index.js';

/** An initial file system of a Linux kernel: busybox, and an init that reports that it runs. */
const INIT = `#!/bin/busybox sh
echo "userspace of $(/bin/busybox uname -m): $(/bin/busybox expr 6 '*' 7)"
/bin/busybox poweroff -f
`;

/** The output of init. */
export const userspace = /userspace of x86_64: 42/;

export type File = [name: string, mode: number, content: Uint8Array];

/** An archive for the kernel to unpack. */
export const cpio = (files: readonly File[]): Uint8Array =>
  writeArchive(files.map(([name, mode, content]) => ({ name, mode, content })));

/** Only busybox. */
export const system = (busybox: Uint8Array): Uint8Array =>
  cpio([
    ['bin', 0o40755, new Uint8Array()],
    ['bin/busybox', 0o100755, busybox],
  ]);

/** Only the init. */
export const init = (): Uint8Array => cpio([['init', 0o100755, Buffer.from(INIT)]]);

/** Both, as two archives in a row. */
export const initialFiles = (busybox: Uint8Array): Uint8Array => Buffer.concat([system(busybox), init()]);
