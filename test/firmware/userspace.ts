/** An initial file system of a Linux kernel: busybox, and an init that says that it runs. */
const INIT = `#!/bin/busybox sh
echo "userspace of $(/bin/busybox uname -m): $(/bin/busybox expr 6 '*' 7)"
/bin/busybox poweroff -f
`;

/** What init prints. */
export const userspace = /userspace of x86_64: 42/;

export type File = [name: string, mode: number, content: Uint8Array];

/** An archive as the kernel unpacks it: cpio's format "newc" (Documentation/driver-api/early-userspace/buffer-format.rst). */
export function cpio(files: readonly File[]): Uint8Array {
  const parts: Buffer[] = [];
  const pad = (length: number) => Buffer.alloc((4 - (length % 4)) % 4);
  for (const [name, mode, content] of [...files, ['TRAILER!!!', 0, new Uint8Array()] as const]) {
    const fields = [1, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length + 1, 0];
    const head = Buffer.from(
      `070701${fields.map((one) => one.toString(16).padStart(8, '0')).join('')}${name}\0`,
    );
    parts.push(head, pad(head.length), Buffer.from(content), pad(content.length));
  }
  return Buffer.concat(parts);
}

/** busybox alone. */
export const system = (busybox: Uint8Array): Uint8Array =>
  cpio([
    ['bin', 0o40755, new Uint8Array()],
    ['bin/busybox', 0o100755, busybox],
  ]);

/** The init alone. */
export const init = (): Uint8Array => cpio([['init', 0o100755, Buffer.from(INIT)]]);

/** Both, as two archives in a row. */
export const initialFiles = (busybox: Uint8Array): Uint8Array => Buffer.concat([system(busybox), init()]);
