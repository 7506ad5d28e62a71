/**
 * How a CD boots: El Torito Bootable CD-ROM Format Specification 1.0. Everything on the CD is checked; a boot entry
 * with a pointer outside of the CD is refused.
 *
 * @module
 */
import { type Disk, DiskError, holds, requireSectors, SECTOR } from '../disk/index.js';

/** A CD's block is four sectors. */
const BLOCK = 4;
const BLOCK_BYTES = BLOCK * SECTOR;
const BOOT_RECORD = 17;
const CATALOGUE = 0x47;
const BOOTABLE = 0x88;
const USUAL_SEGMENT = 0x07c0;
/** The most that is loaded from a CD without emulation: as much as fits below 640 KiB. */
const MAX_LOADED = 0x9_0000;

/** Sectors of the floppies of media types 1 to 3. */
const FLOPPY_SECTORS = [0, 2400, 2880, 5760];

/** A CD's boot entry. */
export interface ElTorito {
  /** The kind of drive that the CD's image emulates. */
  readonly kind: 'none' | 'floppy' | 'disk';
  /** The entry's first byte: 0 none, 1 to 3 floppies of 1.2, 1.44 and 2.88 MB, 4 a hard disk. */
  readonly media: number;
  /** Where the image begins, in blocks of 2,048 bytes. */
  readonly block: number;
  /** Where it is loaded, and how many bytes. */
  readonly segment: number;
  readonly bytes: number;
  /** The emulated disk. */
  readonly image?: Disk;
}

/** Reads a CD's boot entry; where there is no usable one, returns a phrase with the reason. */
export function readElTorito(cd: Disk): ElTorito | string {
  try {
    return read(cd);
  } catch (error) {
    if (error instanceof DiskError) return error.message;
    throw error;
  }
}

function read(cd: Disk): ElTorito | string {
  const record = blockOf(cd, BOOT_RECORD);
  const text = record && Buffer8.text(record, 7, 23);
  if (record === undefined || record[0] !== 0 || text !== 'EL TORITO SPECIFICATION')
    return 'it has no El Torito boot record';
  const at = Buffer8.u32(record, CATALOGUE);
  const catalogue = blockOf(cd, at);
  if (catalogue === undefined) return `its boot catalogue at block ${at} is past its end`;
  let sum = 0;
  for (let i = 0; i < 32; i += 2) sum += Buffer8.u16(catalogue, i);
  if (catalogue[0] !== 1 || Buffer8.u16(catalogue, 30) !== 0xaa55 || (sum & 0xffff) !== 0)
    return `its boot catalogue at block ${at} is invalid`;
  const entry = catalogue.subarray(0x20, 0x40);
  if (entry[0] !== BOOTABLE) return 'its boot entry says that it is not bootable';
  const media = entry[1]! & 0x0f;
  const block = Buffer8.u32(entry, 8);
  const segment = Buffer8.u16(entry, 2) || USUAL_SEGMENT;
  const loaded = Math.max(Buffer8.u16(entry, 6), 1) * SECTOR;
  if (!holds(cd, block * BLOCK, 1)) return `its boot image at block ${block} is past its end`;
  if (media === 0) {
    const there = (cd.sectors - block * BLOCK) * SECTOR;
    return { kind: 'none', media, block, segment, bytes: Math.min(loaded, there, MAX_LOADED) };
  }
  if (media > 4) return `its boot entry has the unknown media type ${media}`;
  const sectors = media === 4 ? diskSectors(cd, block) : FLOPPY_SECTORS[media]!;
  const image = new PartOfDisk(cd, block * BLOCK, sectors);
  return { kind: media === 4 ? 'disk' : 'floppy', media, block, segment, bytes: SECTOR, image };
}

/** An emulated hard disk ends where its one partition does. */
function diskSectors(cd: Disk, block: number): number {
  const mbr = new Uint8Array(SECTOR);
  cd.read(block * BLOCK, mbr);
  const said = Buffer8.u32(mbr, 0x1be + 8) + Buffer8.u32(mbr, 0x1be + 12);
  return Math.max(1, Math.min(said, cd.sectors - block * BLOCK));
}

function blockOf(cd: Disk, block: number): Uint8Array | undefined {
  if (!holds(cd, block * BLOCK, BLOCK)) return undefined;
  const bytes = new Uint8Array(BLOCK_BYTES);
  cd.read(block * BLOCK, bytes);
  return bytes;
}

const Buffer8 = {
  u16: (bytes: Uint8Array, at: number) => bytes[at]! | (bytes[at + 1]! << 8),
  u32: (bytes: Uint8Array, at: number) =>
    (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0,
  text: (bytes: Uint8Array, at: number, length: number) =>
    String.fromCharCode(...bytes.subarray(at, at + length)),
};

/** A part of a disk, read-only; beyond the disk's end it reads as zeros. */
class PartOfDisk implements Disk {
  readonly readOnly = true;
  readonly sectors: number;
  readonly #disk: Disk;
  readonly #first: number;

  constructor(disk: Disk, first: number, sectors: number) {
    this.#disk = disk;
    this.#first = first;
    this.sectors = sectors;
  }

  read(sector: number, into: Uint8Array): void {
    requireSectors(this, sector, into.length);
    const there = Math.max(0, this.#disk.sectors - this.#first - sector) * SECTOR;
    const part = into.subarray(0, Math.min(there, into.length));
    if (part.length > 0) this.#disk.read(this.#first + sector, part);
    if (part.length < into.length) into.fill(0, part.length);
  }

  write(): void {
    throw new DiskError('a CD cannot be written to');
  }

  flush(): void {}
  discard(): void {}
}
