import {
  biosGeometry,
  type Disk,
  DiskError,
  type Drive,
  type Drives,
  type FloppyFormat,
  floppyFor,
  type Geometry,
  SECTOR,
  sectorsOf,
  USUAL_FLOPPY,
} from '../disk/index.js';
import { type ElTorito, readElTorito } from './el-torito.js';
import { hex } from './words.js';

/** The number of the first hard disk, and of a CD without emulation. */
const FIRST_DISK = 0x80;
const FIRST_CD = 0xe0;

/** A drive as INT 13h numbers it. */
export interface BiosDrive {
  readonly number: number;
  readonly kind: 'floppy' | 'disk' | 'cdrom';
  /** As text: `drive A`, `disk 80h`, `CD E0h`. */
  readonly name: string;
  readonly disk: Disk;
  readonly geometry: Geometry;
  /** See `FloppyFormat.drive`; 0 where it is no floppy. */
  readonly floppyType: number;
  /** Bytes of a sector of the extended calls: 512, or a CD's 2,048. */
  readonly sectorSize: number;
}

/** The drives by their numbers. A CD that was booted with an emulated disk takes the first number of that kind. */
export class BiosDrives {
  readonly #drives: Drives | undefined;
  #emulated: ElTorito | undefined;
  #emulator = -1;
  #list: readonly BiosDrive[] = [];

  constructor(drives: Drives | undefined) {
    this.#drives = drives;
    this.emulate(undefined);
  }

  /** The boot entry of the CD that was booted from. */
  get emulated(): ElTorito | undefined {
    return this.#emulated;
  }

  /** The number of the CD that emulates a disk or was booted; -1 where none was. */
  get emulator(): number {
    return this.#emulator;
  }

  /** Numbers the drives as on a PC that booted this way. @param cd whose entry it is */
  emulate(entry: ElTorito | undefined, cd?: BiosDrive): void {
    this.#emulated = entry;
    this.#emulator = entry === undefined ? -1 : (cd?.number ?? -1);
    const own = (kind: Drive['kind']) => this.#drives?.of(kind) ?? [];
    const floppies = own('floppy').map(({ disk }) => disk);
    // Firmware has a driver for virtio disks as well (SeaBIOS numbers them after ATA's).
    const disks = [...own('disk'), ...own('virtio')].map(({ disk }) => disk);
    if (entry?.kind === 'floppy') floppies.unshift(entry.image!);
    if (entry?.kind === 'disk') disks.unshift(entry.image!);
    this.#list = [
      ...floppies.slice(0, 2).map(floppyDrive),
      ...disks.slice(0, 16).map(diskDrive),
      ...own('cdrom').map(({ disk }, i) => cdDrive(disk, i)),
    ];
  }

  get(number: number): BiosDrive | undefined {
    return this.#list.find((drive) => drive.number === number);
  }

  of(kind: BiosDrive['kind']): readonly BiosDrive[] {
    return this.#list.filter((drive) => drive.kind === kind);
  }

  /** `drive A`, also for a drive that does not exist. */
  nameOf(number: number): string {
    return this.get(number)?.name ?? (number < 2 ? floppyName(number) : `drive ${hex(number)}`);
  }

  /** The CD's boot entry, or why there is none. */
  elTorito(drive: BiosDrive): ElTorito | string {
    return readElTorito(drive.disk);
  }
}

const floppyName = (number: number) => `drive ${String.fromCharCode(0x41 + number)}`;

function floppyDrive(disk: Disk, i: number): BiosDrive {
  const format: FloppyFormat = floppyFor(disk.sectors) ?? USUAL_FLOPPY;
  return {
    number: i,
    kind: 'floppy',
    name: floppyName(i),
    disk,
    geometry: format,
    floppyType: format.drive,
    sectorSize: SECTOR,
  };
}

function diskDrive(disk: Disk, i: number): BiosDrive {
  const number = FIRST_DISK + i;
  return {
    number,
    kind: 'disk',
    name: `disk ${hex(number)}`,
    disk,
    geometry: biosGeometry(disk.sectors, firstSector(disk)),
    floppyType: 0,
    sectorSize: SECTOR,
  };
}

function cdDrive(disk: Disk, i: number): BiosDrive {
  const number = FIRST_CD + i;
  return {
    number,
    kind: 'cdrom',
    name: `CD ${hex(number)}`,
    disk,
    geometry: { cylinders: 1024, heads: 1, sectors: 63 },
    floppyType: 0,
    sectorSize: 4 * SECTOR,
  };
}

function firstSector(disk: Disk): Uint8Array | undefined {
  const bytes = new Uint8Array(SECTOR);
  try {
    disk.read(0, bytes);
  } catch (error) {
    if (error instanceof DiskError) return undefined;
    throw error;
  }
  return bytes;
}

/** The sectors of a drive that INT 13h can number by cylinder, head and sector. */
export const reach = ({ geometry }: BiosDrive) => sectorsOf(geometry);
