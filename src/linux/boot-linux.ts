import { randomInt } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { EngineName } from '../config/index.js';
import { ConfigError, requireAtLeast } from '../errors.js';
import { type HostedOptions, hostMachine, whyUnreadable } from '../runtime/index.js';
import { portsOf } from './agent.js';
import { forwarding, forwardingAgain } from './forwards.js';
import { type LinuxSnapshot, LinuxVm } from './linux-vm.js';
import { initialSystem, modulesBeside, readBusybox } from './system.js';

/** The parts of a Linux guest. All except the kernel have a default. */
export interface LinuxOptions {
  /** A bzImage: the file of a stock kernel, such as `/boot/vmlinuz-6.1.0-9-amd64`. */
  readonly kernel: string;
  /** The folder of its modules. Default: `../lib/modules/RELEASE` beside `vmlinuz-RELEASE`, where there is one. */
  readonly modules?: string;
  /** A static busybox. Default: the host's, where it is static. */
  readonly busybox?: string;
  /** Archives (cpio) that are unpacked first: your programs and files. Terrarium's are unpacked over them. */
  readonly initrd?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** How many CPUs it has, 1 to 16. Default: 1. */
  readonly cpus?: number;
  /** Bytes of memory. Default: 256 MiB. */
  readonly memory?: number;
  readonly engine?: EngineName;
  /** Ports of the guest that programs of the host may reach, at `vm.forward(port)`. Default: none, and no network. */
  readonly ports?: readonly number[];
  /** Options for the kernel, in addition to Terrarium's. */
  readonly append?: string;
  /** Commands that can run at a time, 1 to 7. Default: 2. */
  readonly channels?: number;
  /** Milliseconds until commands can be run. Default: two minutes. */
  readonly timeoutMs?: number;
  /** Receives what the kernel and init print. */
  readonly onConsole?: (text: string) => void;
}

const MiB = 1024 * 1024;
const MEMORY = 256 * MiB;
const BOOT_MS = 120_000;
/** A virtio console has 31 ports: a terminal, and four for each channel. */
const MOST_CHANNELS = 7;
/** A panic resets at once. On a busy host a timer's tick can come later than the kernel's test of it waits. */
const APPEND = 'console=ttyS0 quiet panic=-1 no_timer_check';

/**
 * Boots Linux in a machine of its own, and returns it as soon as it can run commands.
 *
 * ```ts
 * await using vm = await bootLinux({ kernel: '/boot/vmlinuz-6.1.0-9-amd64' });
 * const { status, stdout } = await vm.exec(['uname', '-a']);
 * ```
 * @throws ConfigError for a file of the wrong kind; TerrariumError `ELINUX` where the guest does not start
 */
export async function bootLinux(options: LinuxOptions): Promise<LinuxVm> {
  const { kernel, modules = modulesBeside(kernel), memory = MEMORY, engine, cpus, channels = 2 } = options;
  if (!Number.isInteger(channels) || channels < 1 || channels > MOST_CHANNELS)
    throw new ConfigError(`channels is ${channels}`, `give a number from 1 to ${MOST_CHANNELS}`);
  requireAtLeast('timeoutMs', options.timeoutMs, 1);
  const system = initialSystem({ busybox: readBusybox(options.busybox), modules, channels });
  const nets = await forwarding(options.ports ?? []);
  const folder = mkdtempSync(path.join(tmpdir(), 'terrarium-linux-'));
  try {
    const initrd = path.join(folder, 'initrd');
    writeFileSync(initrd, Buffer.concat([...given(options.initrd), system]));
    const made: HostedOptions = {
      image: kernel,
      machine: 'pc',
      initrds: [initrd],
      append: [APPEND, options.append].filter(Boolean).join(' '),
      memory,
      // A guest that sleeps uses no processor time of the host.
      clock: 'paced',
      virtio: ['rng'],
      seed: randomInt(2 ** 32),
      ports: Array.from({ length: channels }, (_, n) => portsOf(n)).flat(),
      ...(nets.length > 0 && { nets }),
      ...(engine && { engine }),
      ...(cpus !== undefined && { cpus }),
    };
    const machine = await hostMachine(made);
    const vm = new LinuxVm(machine, made, channels, options.onConsole ?? (() => {}));
    try {
      await vm.booted(options.timeoutMs ?? BOOT_MS);
      return vm;
    } catch (error) {
      await vm[Symbol.asyncDispose]();
      throw error;
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * A guest that continues from a snapshot.
 *
 * ```ts
 * const booted = await vm.snapshot();
 * await using other = await restoreLinux(booted);
 * ```
 */
export async function restoreLinux(
  { made, channels, state }: LinuxSnapshot,
  { onConsole = () => {} }: Pick<LinuxOptions, 'onConsole'> = {},
): Promise<LinuxVm> {
  const again = made.nets === undefined ? made : { ...made, nets: await forwardingAgain(made.nets) };
  // The kernel's other files are in the state's memory.
  const machine = await hostMachine({ ...again, from: state, initrds: [] });
  const vm = new LinuxVm(machine, again, channels, onConsole);
  vm.ready();
  return vm;
}

function readArchiveFile(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new ConfigError(`${file}: ${whyUnreadable(cause)}`, 'it must be an initial file system');
  }
}

/** Archives one after the other: each begins at a multiple of 4 bytes (initramfs buffer format). */
function given(initrd: LinuxOptions['initrd'] = []): Uint8Array[] {
  const all = typeof initrd === 'string' || initrd instanceof Uint8Array ? [initrd] : initrd;
  return all.flatMap((one) => {
    const bytes = typeof one === 'string' ? readArchiveFile(one) : one;
    return [bytes, new Uint8Array(-bytes.length & 3)];
  });
}
