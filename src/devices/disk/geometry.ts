/**
 * Cylinders, heads and sectors: how BIOS calls and old drivers number a disk's sectors.
 *
 * @module
 */

/** How a disk is divided. Sectors are numbered from 1, the others from 0. */
export interface Geometry {
  readonly cylinders: number;
  readonly heads: number;
  /** Sectors of a track. */
  readonly sectors: number;
}

/** A floppy's format. */
export interface FloppyFormat extends Geometry {
  /** The drive that it needs, as CMOS register 10h and INT 13h AH=08h have it: 1 360K, 2 1.2M, 3 720K, 4 1.44M, 5 2.88M. */
  readonly drive: 1 | 2 | 3 | 4 | 5;
}

const floppy = (cylinders: number, heads: number, sectors: number, drive: FloppyFormat['drive']) => ({
  cylinders,
  heads,
  sectors,
  drive,
});

/** The formats of PCs' floppies, the smallest first; also the formats with some more sectors or tracks. */
const floppyFormats: readonly FloppyFormat[] = [
  floppy(40, 1, 8, 1),
  floppy(40, 1, 9, 1),
  floppy(40, 2, 8, 1),
  floppy(40, 2, 9, 1),
  floppy(80, 2, 9, 3),
  floppy(80, 2, 15, 2),
  floppy(80, 2, 18, 4),
  floppy(80, 2, 20, 4),
  floppy(80, 2, 21, 4),
  floppy(82, 2, 21, 4),
  floppy(83, 2, 21, 4),
  floppy(80, 2, 36, 5),
];

/** A 3½-inch floppy of 1.44 MB, which also holds shorter images. */
export const USUAL_FLOPPY: FloppyFormat = floppy(80, 2, 18, 4);

export const sectorsOf = ({ cylinders, heads, sectors }: Geometry) => cylinders * heads * sectors;

/** The format of a floppy with this number of sectors; undefined where there is none. */
export function floppyFormat(sectors: number): FloppyFormat | undefined {
  return floppyFormats.find((format) => sectorsOf(format) === sectors);
}

/** The format of the floppy that an image of so many sectors fits on: the usual one, else the one that has room. */
export function floppyFor(sectors: number): FloppyFormat | undefined {
  return (
    floppyFormat(sectors) ?? [USUAL_FLOPPY, ...floppyFormats].find((format) => sectorsOf(format) >= sectors)
  );
}

/** What ATA's IDENTIFY says of a disk: 16 heads and 63 sectors, and as many of 16,383 cylinders as there are (ATA-6 6.2.1). */
export function ataGeometry(sectors: number): Geometry {
  return { cylinders: clamp(Math.floor(sectors / (16 * 63)), 1, 16_383), heads: 16, sectors: 63 };
}

/**
 * The geometry of a hard disk in INT 13h. Where the disk has partitions, it follows from them; else LBA-assisted
 * translation (Phoenix, Enhanced Disk Drive Specification 3.0, 3.3): as few heads as possible with fewer than 1,024
 * cylinders.
 */
export function biosGeometry(sectors: number, mbr?: Uint8Array): Geometry {
  const said = mbr && partitionGeometry(mbr);
  const { heads, sectors: track } = said ?? { heads: assistedHeads(sectors), sectors: 63 };
  return { cylinders: clamp(Math.floor(sectors / (heads * track)), 1, 1024), heads, sectors: track };
}

function assistedHeads(sectors: number): number {
  for (const heads of [16, 32, 64, 128]) if (sectors <= 1024 * heads * 63) return heads;
  return 255;
}

/** The end of a partition gives the number of heads and sectors, if it ends at a cylinder's end. */
function partitionGeometry(mbr: Uint8Array): Omit<Geometry, 'cylinders'> | undefined {
  if (mbr.length < 512 || mbr[510] !== 0x55 || mbr[511] !== 0xaa) return undefined;
  const view = new DataView(mbr.buffer, mbr.byteOffset, mbr.byteLength);
  for (let entry = 0x1be; entry < 0x1fe; entry += 16) {
    const [first, count] = [view.getUint32(entry + 8, true), view.getUint32(entry + 12, true)];
    if (mbr[entry + 4] === 0 || count === 0 || (mbr[entry]! & 0x7f) !== 0) continue;
    const [heads, sectors] = [mbr[entry + 5]! + 1, mbr[entry + 6]! & 0x3f];
    const cylinder = mbr[entry + 7]! | ((mbr[entry + 6]! & 0xc0) << 2);
    if (heads < 2 || heads > 255 || sectors === 0) continue;
    const end = (cylinder * heads + heads - 1) * sectors + sectors;
    // Both notations of its end have to agree, as they do on a disk that is small enough for this one.
    if (end === first + count) return { heads, sectors };
  }
  return undefined;
}

/** The number of a sector; -1 where the geometry does not have it. */
export function lbaOf(geometry: Geometry, cylinder: number, head: number, sector: number): number {
  const { cylinders, heads, sectors } = geometry;
  if (cylinder >= cylinders || head >= heads || sector < 1 || sector > sectors) return -1;
  return (cylinder * heads + head) * sectors + sector - 1;
}

const clamp = (value: number, least: number, most: number) => Math.min(Math.max(value, least), most);
