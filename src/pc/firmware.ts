/**
 * Which machines have a BIOS, and how they start: those whose image is a disk of some kind, from a boot sector to a CD. Flat images,
 * ELF files and kernels with a loader's header have none and do not pay for one.
 *
 * @module
 */
import {
  BOOT_SECTOR_ADDRESS,
  type BootPlan,
  boot,
  type Image,
  ImageError,
  kindWords,
  memoryMap,
} from '../boot/index.js';
import type { MachineSpec } from '../config/index.js';
import {
  Bios,
  type Drive,
  Drives,
  floppyFor,
  MemoryDisk,
  OverlayDisk,
  SECTOR,
  sectorsOf,
} from '../devices/index.js';
import type { IrqchipName } from '../engine/contract/index.js';
import type { Machine } from '../machine/index.js';
import type { GuestMemory } from '../memory/index.js';

/** Where the ROM starts by itself: F000:E05B. */
const POWER_UP = 0xf_e05b;
const INTERRUPTS_ON = 0x200n;
/** Where the BIOS's own data begins, below 640 KiB. */
const EXTENDED_DATA = 0x9_fc00;

/** Letters of `--boot` for the kinds of image that a BIOS starts. */
const letters: Readonly<Record<string, string>> = {
  'boot-sector': 'a',
  floppy: 'a',
  disk: 'c',
  cdrom: 'd',
};

/** Is the image started by firmware? Not where the configuration says how the CPU starts, or where the image is loaded. */
export function wantsBios(spec: MachineSpec, image: Image): boolean {
  return spec.firmware === undefined && (isForFirmware(spec, image) || callsBios(spec, image));
}

/** A kernel that its loader starts in real mode, and that calls the BIOS from there: Linux's 16-bit entry. */
function callsBios({ standardDevices = true }: MachineSpec, { loader }: Image): boolean {
  return loader?.protocol === 'linux' && loader.entry === 16 && standardDevices;
}

/** True for an image that firmware starts, be it Terrarium's BIOS or another ROM. */
export function isForFirmware(spec: MachineSpec, { kind = 'flat' }: Image): boolean {
  const { mode = 'auto', standardDevices = true, load, entry, stack } = spec;
  const placed = [load, entry, stack].some((field) => field !== undefined);
  return letters[kind] !== undefined && mode === 'auto' && standardDevices && !placed;
}

/** The parts of a machine with a BIOS. */
export interface BiosParts {
  bios: Bios;
  drives: Drives;
  /** See `MachineConfig.start`; undefined where a loader starts the image. */
  start: ((memory: GuestMemory) => BootPlan) | undefined;
  /** Once the machine is made. @throws ImageError where no drive has a system */
  finish(machine: Machine): void;
}

interface Given {
  spec: MachineSpec;
  image: Image;
  /** Bytes of RAM from address 0. */
  memory: number;
  drives: Drives | undefined;
  irqchip: IrqchipName;
  print: ((text: string) => void) | undefined;
}

/** @throws ImageError where the image fits on no disk */
export function biosParts({ spec, image, memory, drives: given, irqchip, print }: Given): BiosParts {
  const byLoader = callsBios(spec, image);
  const drives = byLoader ? (given ?? new Drives([])) : withImage(given, image);
  const bios = new Bios({
    memory,
    map: memoryMap,
    drives,
    order: spec.boot ?? orderFor(image),
    ...(print && { print }),
  });
  // Controllers inside an engine answer only the guest's own OUT: there the ROM initialises them itself.
  const instant = irqchip !== 'kernel';
  if (byLoader) return { bios, drives, start: undefined, finish: () => bios.prepare(instant) };
  const first = sectorImage(image);
  let plan: BootPlan | undefined;
  return {
    bios,
    drives,
    start(memory) {
      const at = BOOT_SECTOR_ADDRESS;
      plan = boot(memory, first, {
        mode: 'real',
        load: at,
        stack: at,
        ...(!instant && { entry: POWER_UP }),
      });
      return plan;
    },
    finish({ cpu, memory }) {
      if (!instant || plan === undefined) return;
      const found = bios.start();
      if (typeof found === 'string')
        throw new ImageError(
          `${image.name}: nothing to start: ${found}`,
          'give a disk with a system: --disk FILE',
        );
      const { registers, system } = plan.state;
      registers.rdx = BigInt(found.drive);
      registers.rip = BigInt(found.offset);
      registers.rflags |= INTERRUPTS_ON;
      system.cs.selector = found.segment;
      system.cs.base = BigInt(found.segment * 16);
      plan.entry = found.segment * 16 + found.offset;
      loadRest(memory, image, plan);
      cpu.setSystemRegisters(system);
      cpu.setRegisters(registers);
    },
  };
}

/**
 * Code right after a boot sector is in memory, too: a BIOS would leave it on the disk, and many a first kernel is linked as one
 * piece.
 */
function loadRest(memory: GuestMemory, { kind, segments }: Image, plan: BootPlan): void {
  const bytes = segments[0]?.bytes.subarray(SECTOR);
  const at = BOOT_SECTOR_ADDRESS + SECTOR;
  if (kind !== 'boot-sector' || bytes === undefined || bytes.length === 0) return;
  if (at + bytes.length > EXTENDED_DATA || !memory.contains(at, bytes.length)) return;
  memory.writeBytes(at, bytes);
  plan.segments = [{ address: BOOT_SECTOR_ADDRESS, size: SECTOR + bytes.length }];
}

/** The kind of disk that was named as the image goes first; without one the order is the usual. */
export function orderFor({ kind = 'flat' }: Image): string {
  const first = letters[kind] ?? 'a';
  return [first, ...['a', 'c', 'd'].filter((letter) => letter !== first)].join(',');
}

/** The image as boot and debuggers see it: the sector that firmware loads. */
function sectorImage({ name, segments, kind }: Image): Image {
  const bytes = segments[0]?.bytes ?? new Uint8Array(SECTOR);
  const sector = new Uint8Array(SECTOR);
  if (kind !== 'cdrom') sector.set(bytes.subarray(0, SECTOR));
  return {
    format: 'flat',
    name,
    kind: 'flat',
    segments: [{ address: 0, bytes: sector, memorySize: SECTOR }],
    entry: undefined,
  };
}

/**
 * The drives of a machine whose firmware is a ROM.
 * @throws ImageError where firmware cannot start the image
 */
export function onDrives(drives: Drives | undefined, image: Image): Drives | undefined {
  if (image.kind === 'rom' && image.drive) return drives;
  if (letters[image.kind ?? 'flat'] !== undefined) return withImage(drives, image);
  throw new ImageError(
    `${image.name}: firmware starts disks, and this is ${kindWords[image.kind ?? 'flat']}`,
    'leave --firmware out, or put it on a disk',
  );
}

/** The drives, with the image in one of its own where it is in none yet. */
function withImage(drives: Drives | undefined, image: Image): Drives {
  if (image.drive !== undefined && drives !== undefined) return drives;
  const bytes = image.segments[0]?.bytes ?? new Uint8Array(SECTOR);
  const sectors = Math.ceil(bytes.length / SECTOR);
  const kind = image.kind === 'disk' || image.kind === 'cdrom' ? image.kind : 'floppy';
  const format = kind === 'floppy' ? floppyFor(sectors) : undefined;
  if (kind === 'floppy' && format === undefined)
    throw new ImageError(
      `${image.name}: ${bytes.length} bytes do not fit on a floppy`,
      'is it a hard disk? --as disk',
    );
  const own = new MemoryDisk(bytes, { ...(format && { sectors: sectorsOf(format) }), readOnly: true });
  const prefix = { floppy: 'fd', disk: 'hd', cdrom: 'cd' }[kind];
  const first: Drive = {
    name: `${prefix}0`,
    kind,
    file: image.name,
    disk: kind === 'cdrom' ? own : new OverlayDisk(own),
  };
  // Others of the kind move up by one.
  let number = 1;
  const others = (drives?.list ?? []).map((one) =>
    one.kind === kind ? { ...one, name: `${prefix}${number++}` } : one,
  );
  return new Drives([first, ...others]);
}
