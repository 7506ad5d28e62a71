/**
 * A machine's description: each field once, with its kind, its default, its option and its documentation. The
 * command line, guest.json, programs, launch.json and the browser all read this table.
 *
 * @module
 */
import { imageKinds, modes } from '../boot/index.js';
import { notifications } from '../devices/index.js';
import { irqchipNames } from '../engine/contract/index.js';
import { clockNames, DEFAULT_IPS, MAX_IPS } from '../machine/index.js';
import { cpuVendors } from '../x86/index.js';
import {
  address,
  bootOrder,
  choice,
  diskFile,
  flag,
  fwCfgFile,
  type Kind,
  listOf,
  module,
  name,
  region,
  size,
  whole,
} from './kinds.js';
import { network } from './networks.js';

export const engineNames = ['auto', 'kvm', 'soft'] as const;
export type EngineName = (typeof engineNames)[number];

export const machineNames = ['bare', 'pc'] as const;
export type MachineName = (typeof machineNames)[number];

export const syntaxes = ['intel', 'att'] as const;

/** The devices of `--virtio`. */
export const virtioNames = ['rng', 'console', 'balloon', 'keyboard', 'tablet'] as const;
export type VirtioName = (typeof virtioNames)[number];

export const virtioBuses = ['pci', 'mmio'] as const;

export const translateModes = ['off', 'on', 'eager'] as const;
export type TranslateMode = (typeof translateModes)[number];

/** The most CPUs that a machine can have. */
export const MAX_CPUS = 16;
/** The longest turn of one of several CPUs, in instructions. */
const MAX_QUANTUM = 1_000_000_000;

/** One field of a `MachineSpec`. */
export interface Field<T> {
  readonly kind: Kind<T>;
  /** One line of text: the option's help, and the description in editors. */
  readonly says: string;
  /** The default; missing where it depends on the image or the engine. */
  readonly default?: T;
  /**
   * How the command line gives it: `--memory <size>`; a plain `--name` has its opposite, `--no-name`. Missing: no option of
   * its own.
   */
  readonly option?: string;
  /** The help of `--no-name`, where a flag is on by default: then this option is the useful one. */
  readonly off?: string;
  /** False where a guest folder's guest.json may not set it. */
  readonly inGuestFile: boolean;
}

function field<T>(
  kind: Kind<T>,
  says: string,
  more: Partial<Omit<Field<NoInfer<T>>, 'kind' | 'says'>> = {},
): Field<T> {
  return { inGuestFile: true, ...more, kind, says };
}

/** Fields for the user who runs a guest; the guest's own folder cannot set them. */
const users = { inGuestFile: false } as const;

export const fields = {
  /** Which engine runs the code: `kvm`, `soft` (Terrarium's own CPU), or `auto`: KVM where it can run this guest. Default `auto`. */
  engine: field(
    choice(engineNames),
    'which engine runs the code; auto: KVM where it can, else the software CPU',
    {
      ...users,
      default: 'auto',
      option: '--engine <name>',
    },
  ),
  /** Let the software CPU finish instructions that KVM gives up on. Default true. */
  assist: field(flag, 'let the software CPU finish instructions that KVM gives up on', {
    ...users,
    default: true,
    option: '--assist <switch>',
  }),
  /** What the software CPU does with hot guest code: `on` translates it to WebAssembly, `eager` (for tests) at once. Default `on`, or what `TERRARIUM_TRANSLATE` says. */
  translate: field(choice(translateModes), 'translate hot guest code to WebAssembly, on the software CPU', {
    ...users,
    option: '--translate <when>',
  }),
  /**
   * The vendor of the software CPU, by its CPUID and where the vendors differ (docs/verify.md). KVM runs the host's.
   * Default `intel`.
   */
  cpuVendor: field(choice(cpuVendors), 'the vendor of the software CPU; KVM runs the host’s', {
    option: '--cpu-vendor <maker>',
  }),
  /** The CPU's first state; `auto` lets the image decide. Default `auto`. */
  mode: field(choice(modes), 'first CPU state', { default: 'auto', option: '--mode <mode>' }),
  /** Bytes of RAM from address 0, a multiple of 4,096. Default 16 MiB; 128 MiB for a kernel that a boot loader starts. */
  memory: field(size, 'RAM, such as 64K, 16M, 1G', { default: 16 * 1024 * 1024, option: '--memory <size>' }),
  /** How many CPUs the machine has, 1 to 16 (docs/smp.md). Default 1. */
  cpus: field(whole(1, MAX_CPUS), 'how many CPUs the machine has: 1 to 16', {
    default: 1,
    option: '--smp <n>',
  }),
  /** How many instructions each of several CPUs runs before it is the next one's turn. Default 10,000. */
  smpQuantum: field(whole(1, MAX_QUANTUM), 'instructions of a turn, where several CPUs take turns', {
    option: '--smp-quantum <n>',
  }),
  /** Turns of random lengths, up to twice the quantum, that follow from this number: other races show. Default: all are equal. */
  smpSeed: field(
    whole(0, 0xffff_ffff),
    'turns of random lengths that follow from this number, to provoke races',
    {
      option: '--smp-seed <n>',
    },
  ),
  /** More regions of memory. Default: none. */
  regions: field(
    listOf(region, 'a list of regions: [{ "address": 33554432, "size": 4096 }]'),
    'more memory; ro: writes leave the guest; may repeat',
    {
      option: '--region <address:size[:ro]>',
    },
  ),
  /** The kind of the image, where its bytes say otherwise (docs/images.md). Default: as its bytes say. */
  as: field(choice(imageKinds), 'what the image is, where its bytes say otherwise', {
    option: '--as <kind>',
  }),
  /** The command line of a kernel that a boot loader starts (docs/booting.md). Default: none. */
  append: field(name, 'a kernel’s command line, such as console=ttyS0', { option: '--append <words>' }),
  /** Linux's initial file system: several are joined. */
  initrds: field(
    listOf(name, 'a list of files: ["initrd.cpio"]'),
    'Linux’s initial file system; several are joined; may repeat',
    { option: '--initrd <file>' },
  ),
  /** Modules of a multiboot or PVH kernel: a file, and after a colon its arguments. */
  modules: field(
    listOf(name, 'a list of files with arguments: ["disk.img:ro"]'),
    'a module of a multiboot kernel, with its arguments; may repeat',
    { option: '--module <file[:args]>' },
  ),
  /** Guest physical address of a flat image's first byte. Default: by the mode. */
  load: field(address, 'the address of a flat image', { option: '--load <address>' }),
  /** Guest physical address of the first instruction. Default: the image's entry. */
  entry: field(address, 'where the guest starts', { option: '--entry <address>' }),
  /** Where the stack ends: the first push goes right below. Default: by the mode. */
  stack: field(address, "the stack's end", { option: '--stack <address>' }),
  /** SIMVIRTIO's devices, and how they learn what the guest did. Default: the machine has none. */
  simvirtio: field(choice(notifications), 'SIMVIRTIO devices: each write an exit, or a thread that polls', {
    option: '--simvirtio <how>',
  }),
  /**
   * Interrupt controllers and timer. Default `user`, or `none` without the standard devices. Those of `user` are silent until a guest
   * initializes them, so a guest that does not use them is not affected.
   */
  irqchip: field(
    choice(irqchipNames),
    'interrupt controllers and timer: devices, or inside the engine; split: only the local APICs there',
    { default: 'user', option: '--irqchip <where>' },
  ),
  /**
   * `bare`: only the standard devices. `pc`: a PC as QEMU's `pc` is, with APICs, a PCI bus, disk controllers, ACPI and
   * its tables. Default: `pc` where it boots a disk or a ROM, else `bare`.
   */
  machine: field(
    choice(machineNames),
    'bare: only the standard devices; pc: also APICs, PCI, disk controllers, ACPI',
    {
      option: '--machine <kind>',
    },
  ),
  /** The machine's time: the software CPU's instructions, or wall-clock time. Default: instructions where they are counted. */
  clock: field(
    choice(clockNames),
    "the machine's time: the software CPU's instructions (its default; runs repeat), the same with sleeps in wall-clock time (paced), or wall-clock time",
    { option: '--clock <what>' },
  ),
  /** Instructions a second where time is instructions: a multiple of 1,000. Default 100 million. */
  ips: field(whole(1000, MAX_IPS), 'instructions a second where time is instructions, a multiple of 1000', {
    default: DEFAULT_IPS,
    option: '--ips <n>',
  }),
  /** The seed of random numbers where time is instructions. Default 0. */
  seed: field(whole(0), 'the seed of random numbers where time is instructions', {
    default: 0,
    option: '--seed <n>',
  }),
  /** The user's own devices, in addition to the standard ones; one that claims the ports of a standard device replaces it. */
  devices: field(
    listOf(module, 'a list of modules: [{ "module": URL, "options": plain data }]'),
    'a device of your own: a module that exports it; may repeat',
    {
      ...users,
      option: '--device <module>',
    },
  ),
  /** The user's own hypercalls: the module's default export returns them by number, as `HypercallOptions.calls`. */
  hypercalls: field(module, 'hypercalls of your own: a module that exports them', {
    ...users,
    option: '--hypercalls <module>',
  }),
  /**
   * A VGA, whose memory replaces RAM from A0000 to BFFFF. Default false; on the command line true where the guest has nothing else there.
   */
  vga: field(
    flag,
    'a VGA: text at B8000, graphics at A0000; commands add it where its addresses are free, unless you say --no-vga',
    { default: false, option: '--vga' },
  ),
  /**
   * Hard disks, `hd0` and so on, `vd0` with `bus: 'virtio'`: raw images or qcow2. The guest's writes are kept in memory, or with `write` in
   * the file.
   */
  disks: field(
    listOf(diskFile, 'a list of disks: [{ "file": "disk.img" }]'),
    'a hard disk; ,write: changes go to the file; ,keep=copy: to a copy; ,bus=virtio: no ATA disk; may repeat',
    { ...users, option: '--disk <file[,write]>' },
  ),
  /** Virtio devices, in addition to disks with `bus: 'virtio'` (docs/virtio.md). Default: none. */
  virtio: field(
    listOf(choice(virtioNames), `a list of devices: ["${virtioNames[0]}"]`),
    `a virtio device: ${virtioNames.join(', ')}; may repeat`,
    { option: '--virtio <device>' },
  ),
  /** How virtio devices are connected. Default: `pci`, and `mmio` on a `bare` machine, which has no PCI bus. */
  virtioBus: field(
    choice(virtioBuses),
    'how virtio devices are connected: by PCI, or by registers in memory',
    {
      option: '--virtio-bus <bus>',
    },
  ),
  /** Floppy disks, in `fd0` and `fd1`. */
  floppies: field(
    listOf(diskFile, 'a list of disks: [{ "file": "floppy.img" }]'),
    'a floppy disk; may repeat',
    {
      ...users,
      option: '--floppy <file[,write]>',
    },
  ),
  /** CDs, in `cd0` and so on: images with an ISO 9660 file system. */
  cdroms: field(listOf(diskFile, 'a list of disks: [{ "file": "system.iso" }]'), 'a CD; may repeat', {
    ...users,
    option: '--cdrom <file>',
  }),
  /**
   * Which drive the firmware starts from: `a` the floppy, `c` the hard disk, `d` the CD. Default: the existing drives, in this
   * order.
   */
  boot: field(bootOrder, 'the order in which drives are tried: a floppy, c hard disk, d CD', {
    option: '--boot <a,c,d>',
  }),
  /** Another ROM instead of Terrarium's own BIOS. */
  firmware: field(name, 'a ROM that runs instead of the BIOS', {
    ...users,
    option: '--firmware <file>',
  }),
  /**
   * Network cards, each with its network (docs/network.md): `user` needs no privileges, `switch` leads to other machines, `tap` to an
   * interface of the host's. A program's guest reaches nothing outside unless it says `outside: true`.
   */
  nets: field(
    listOf(network, 'a list of networks: [{ "kind": "user", "outside": true }]'),
    'a network card: user (with ,forward=8080:80 or ,restrict), switch=NAME, tap=NAME; ,pcap=FILE; may repeat',
    { ...users, option: '--net <how>' },
  ),
  /** Files of QEMU's fw_cfg, in addition to the standard ones: firmware or a kernel of a whole PC reads them by name. */
  fwCfg: field(
    listOf(fwCfgFile, 'a list of files: [{ "name": "opt/greeting", "text": "hello" }]'),
    'a file of QEMU’s fw_cfg, for firmware or a kernel to read, or name=string:text; may repeat',
    { ...users, option: '--fw-cfg <name=file>' },
  ),
  /** How instructions are written, wherever they are shown: as Intel’s manuals do, or as the GNU assembler does (AT&T). Default `intel`. */
  syntax: field(
    choice(syntaxes),
    'how instructions are written: as in Intel’s manuals, or as in GNU’s assembler',
    {
      default: 'intel',
      option: '--syntax <name>',
    },
  ),
  /** Let the engine collect a console's writes and deliver them together. Default true. */
  coalesce: field(flag, 'let the engine collect console bytes and deliver them together', {
    ...users,
    default: true,
    option: '--coalesce',
    off: 'make every console byte its own exit',
  }),
  /** The debug console, the serial port, the debug exit, hypercalls, and a PC's board. Default true. */
  standardDevices: field(flag, 'consoles, debug exit, hypercalls and the devices of a PC’s board', {
    default: true,
  }),
  /** The name of the CPU's thread in `top -H`: `vm:` and this, at most 15 bytes. Default `terrarium/vcpu0`. */
  name: field(name, 'the machine’s name', users),
};

type Fields = typeof fields;

/**
 * A machine as plain data: it survives JSON and `structuredClone`. Values that cannot be data, such as a device object or a stream, are
 * passed separately. A field that is missing has its default.
 */
export type MachineSpec = {
  [Name in keyof Fields]?: Fields[Name] extends Field<infer T> ? T : never;
};

export type FieldName = keyof Fields;

/** The fields in the order of the command's help. */
export const fieldNames = Object.keys(fields) as FieldName[];

/** A field by its name, where its type does not matter. */
export function fieldOf(name: FieldName): Field<unknown> {
  return fields[name] as unknown as Field<unknown>;
}

/** The word of a field's option, such as `memory`, or `region` for `regions`; undefined where it has none. */
export function optionWord(name: FieldName): string | undefined {
  return /^--([\w-]+)/.exec(fieldOf(name).option ?? '')?.[1];
}

/** The default of a field. */
export function defaultOf<Name extends FieldName>(name: Name): MachineSpec[Name] {
  return fieldOf(name).default as MachineSpec[Name];
}
