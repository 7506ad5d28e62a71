/**
 * Debian's stock kernel with its own virtio drivers, here and in QEMU: an initial file system of busybox, the kernel's modules and a
 * script.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createMachine, type MachineOptions } from '../../../src/index.js';
import { debian, noDebian, without } from '../../firmware/systems.js';
import { cpio, type File, system } from '../../firmware/userspace.js';
import { HANGS_MS, Scratch } from '../../support.js';

const modulesAt = (() => {
  if (debian === undefined) return undefined;
  const release = path.basename(debian.kernel).replace('vmlinuz-', '');
  const place = path.join(path.dirname(debian.kernel), '../lib/modules', release, 'kernel');
  return existsSync(path.join(place, 'drivers/virtio')) ? place : undefined;
})();

export const noVirtioLinux: string | false =
  noDebian ||
  (modulesAt === undefined &&
    'SKIPPED: the kernel has no modules here: remove .cache/debian and set up again');
export const noQemu = without({ 'qemu-system-x86_64': 'qemu-system-x86' });

/** The kernel's modules by their names, each after those that it needs. */
const files = {
  virtio: 'drivers/virtio/virtio.ko',
  ring: 'drivers/virtio/virtio_ring.ko',
  legacy: 'drivers/virtio/virtio_pci_legacy_dev.ko',
  modern: 'drivers/virtio/virtio_pci_modern_dev.ko',
  pci: 'drivers/virtio/virtio_pci.ko',
  mmio: 'drivers/virtio/virtio_mmio.ko',
  blk: 'drivers/block/virtio_blk.ko',
  rng: 'drivers/char/hw_random/virtio-rng.ko',
  console: 'drivers/char/virtio_console.ko',
  balloon: 'drivers/virtio/virtio_balloon.ko',
  evdev: 'drivers/input/evdev.ko',
  input: 'drivers/virtio/virtio_input.ko',
  failover: 'net/core/failover.ko',
  netFailover: 'drivers/net/net_failover.ko',
  net: 'drivers/net/virtio_net.ko',
} as const;
export type Module = keyof typeof files;
const pci: readonly Module[] = ['ring', 'virtio', 'legacy', 'modern', 'pci'];

/** An initial file system whose init loads modules and runs a script of busybox's shell. */
export function initial(modules: readonly Module[], script: string): Uint8Array {
  const wanted = [...pci, ...modules];
  const init = [
    '#!/bin/busybox sh',
    '/bin/busybox --install -s /bin',
    'export PATH=/bin',
    'mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev',
    // The last one finds the devices for all the others.
    ...[...pci.slice(0, -1), ...modules, 'pci' as const].map(
      (name) => `insmod /lib/${name}.ko || echo no ${name}`,
    ),
    script,
    'poweroff -f',
  ].join('\n');
  const content: File[] = [
    ...['lib', 'proc', 'sys', 'dev'].map((name): File => [name, 0o40755, new Uint8Array()]),
    ...wanted.map(
      (name): File => [`lib/${name}.ko`, 0o100644, readFileSync(path.join(modulesAt!, files[name]))],
    ),
    ['init', 0o100755, Buffer.from(`${init}\n`)],
  ];
  return Buffer.concat([system(readFileSync(debian!.busybox)), cpio(content)]);
}

export const APPEND = 'console=ttyS0 quiet panic=-1 nokaslr';

/** Boots it on the software CPU. Returns its output. */
export function bootLinux(
  initrd: Uint8Array,
  options: Partial<MachineOptions>,
): { said: string; end: string } {
  let said = '';
  using machine = createMachine({
    engine: 'soft',
    machine: 'pc',
    image: debian!.kernel,
    append: APPEND,
    beside: { initrds: [{ text: 'initrd', bytes: initrd }] },
    ...options,
    output: (bytes) => {
      said += Buffer.from(bytes).toString('latin1');
    },
  } as MachineOptions);
  const outcome = machine.run({ timeoutMs: 8 * HANGS_MS });
  const remarks = machine.devices.flatMap((device) => device.remark?.(false) ?? []);
  return { said, end: [outcome.reason, ...remarks].join('; ') };
}

/** The same in QEMU, with QEMU's devices. */
export function bootInQemu(initrd: Uint8Array, devices: readonly string[]): string {
  using scratch = new Scratch();
  const file = scratch.file('initrd');
  writeFileSync(file, initrd);
  const usual = [
    '-accel',
    'tcg',
    '-m',
    '128',
    '-display',
    'none',
    '-no-reboot',
    '-net',
    'none',
    '-serial',
    'stdio',
  ];
  const linux = ['-kernel', debian!.kernel, '-initrd', file, '-append', APPEND];
  const { stdout } = spawnSync('qemu-system-x86_64', [...usual, '-monitor', 'none', ...linux, ...devices], {
    timeout: 8 * HANGS_MS,
    encoding: 'latin1',
  });
  return stdout;
}
