/**
 * The initial file system of a guest: busybox, the kernel's modules for virtio, and the agent.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { ConfigError } from '../errors.js';
import { whyUnreadable } from '../runtime/index.js';
import { agentScript, HOME_SCRIPT, initScript } from './agent.js';
import { type ArchivedFile, FileKind, writeArchive } from './cpio.js';

/** In the order in which they are loaded: each after those that it needs. A kernel may have any of them built in. */
const MODULES = [
  'virtio_ring',
  'virtio',
  'virtio_pci_legacy_dev',
  'virtio_pci_modern_dev',
  'virtio-rng',
  'virtio_console',
  'failover',
  'net_failover',
  'virtio_net',
  // The last one finds the devices, whose drivers are loaded by then.
  'virtio_pci',
];
const ENDINGS = ['.ko', '.ko.gz'];
const OTHER_ENDINGS = ['.ko.xz', '.ko.zst'];
/** The most files of a folder of modules that are searched. */
const MOST_FILES = 100_000;

export interface SystemOptions {
  readonly busybox: Uint8Array;
  /** The folder of the kernel's modules. */
  readonly modules: string | undefined;
  readonly channels: number;
}

/** An archive, which the kernel unpacks over the earlier ones. */
export function initialSystem({ busybox, modules, channels }: SystemOptions): Uint8Array {
  const loaded = modules === undefined ? [] : readModules(modules);
  const folder = (name: string): ArchivedFile => ({
    name,
    mode: FileKind.folder | 0o755,
    content: new Uint8Array(),
  });
  const file = (name: string, content: Uint8Array | string, mode = 0o644): ArchivedFile => ({
    name,
    mode: FileKind.file | mode,
    content: typeof content === 'string' ? new TextEncoder().encode(content) : content,
  });
  const names = loaded.map(([name]) => name);
  return writeArchive([
    ...['bin', 'lib', 'lib/terrarium'].map(folder),
    file('bin/busybox', busybox, 0o755),
    ...loaded.map(([name, bytes]) => file(`lib/terrarium/${name}`, bytes)),
    file(HOME_SCRIPT.slice(1), agentScript, 0o755),
    file('init', initScript(names, channels), 0o755),
  ]);
}

/** The first program of `shellSystem`: a shell on the console; its end powers the machine off. */
const SHELL = `#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /root /tmp
/bin/busybox --install -s /bin
export PATH=/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
cd /root
setsid -c sh </dev/ttyS0 >/dev/ttyS0 2>&1
poweroff -f
`;

/** An initial file system with busybox alone, which starts its shell on the serial port. */
export function shellSystem(busybox: Uint8Array): Uint8Array {
  return writeArchive([
    { name: 'bin', mode: FileKind.folder | 0o755, content: new Uint8Array() },
    { name: 'bin/busybox', mode: FileKind.file | 0o755, content: busybox },
    { name: 'init', mode: FileKind.file | 0o755, content: new TextEncoder().encode(SHELL) },
  ]);
}

/** Those of `MODULES` that a folder has. */
function readModules(folder: string): [name: string, bytes: Uint8Array][] {
  const found = new Map<string, string>();
  let left = MOST_FILES;
  const look = (place: string) => {
    for (const entry of readdirSync(place, { withFileTypes: true })) {
      if (--left < 0) return;
      const file = path.join(place, entry.name);
      if (entry.isDirectory()) look(file);
      else found.set(entry.name, file);
    }
  };
  if (!existsSync(folder)) throw new ConfigError(`${folder}: no such folder of kernel modules`);
  look(folder);
  return MODULES.flatMap((name) => {
    // Both spellings are in use for the same module.
    const spelled = [name, name.replaceAll('-', '_'), name.replaceAll('_', '-')];
    const ending = (endings: readonly string[]) =>
      spelled.flatMap((one) => endings.map((end) => found.get(`${one}${end}`))).find((file) => file);
    const file = ending(ENDINGS);
    if (file === undefined) {
      const other = ending(OTHER_ENDINGS);
      if (other === undefined) return [];
      throw new ConfigError(
        `${other} is compressed in a way that is not read here`,
        'unpack it: unxz, unzstd',
      );
    }
    const bytes = readFileSync(file);
    return [[`${name}.ko`, file.endsWith('.gz') ? gunzipSync(bytes) : bytes] as [string, Uint8Array]];
  });
}

/** Where Debian has a static busybox. */
const BUSYBOXES = ['/bin/busybox', '/usr/bin/busybox', '/usr/lib/busybox/busybox'];

/** @throws ConfigError where there is none, or it needs a dynamic linker, which the guest does not have */
export function readBusybox(given: string | undefined): Uint8Array {
  const file = given ?? BUSYBOXES.find((one) => existsSync(one));
  const hint =
    'give a static busybox for x86-64, such as that of Debian’s package busybox-static: { busybox: FILE }';
  if (file === undefined) throw new ConfigError('there is no busybox here', hint);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    throw new ConfigError(`${file}: ${whyUnreadable(cause)}`, hint);
  }
  const isElf = bytes.length > 64 && Buffer.from(bytes.subarray(0, 4)).toString('latin1') === '\x7fELF';
  if (!isElf || bytes[4] !== 2) throw new ConfigError(`${file} is no 64-bit ELF program`, hint);
  if (needsLinker(bytes)) throw new ConfigError(`${file} is not static`, hint);
  return bytes;
}

/** It has a program header of type PT_INTERP (ELF-64 Object File Format). */
function needsLinker(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [first, size, count] = [
    Number(view.getBigUint64(32, true)),
    view.getUint16(54, true),
    view.getUint16(56, true),
  ];
  for (let n = 0; n < count; n++) {
    const at = first + n * size;
    if (at + 4 <= bytes.length && view.getUint32(at, true) === 3) return true;
  }
  return false;
}

/** The modules of a kernel that is installed where Linux has it: `/boot/vmlinuz-6.1.0` and `/lib/modules/6.1.0`. */
export function modulesBeside(kernel: string): string | undefined {
  const [, release] = /^vmlinuz-(.+)$/.exec(path.basename(kernel)) ?? [];
  if (release === undefined) return undefined;
  const place = path.resolve(path.dirname(kernel), '../lib/modules', release);
  return existsSync(place) ? place : undefined;
}
