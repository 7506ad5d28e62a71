/**
 * Files that are disks: ISO 9660 volumes, disks with a partition table, floppy disks.
 * Source: ECMA-119 8.1 (volume descriptors), "El Torito" 1.0 section 2, UEFI 2.10 section 5 (MBR and GPT), and Microsoft's "FAT32 File
 * System Specification" 1.03 (the BIOS parameter block).
 *
 * @module
 */
import type { ImageBytes, Recognised } from './kinds.js';

const SECTOR = 512;
/** ISO 9660: sectors of 2 KiB, of which the first 16 are the system's. */
const CD_SECTOR = 2048;
const FIRST_DESCRIPTOR = 16;
/** The most volume descriptors that are read; a damaged volume may have endless ones. */
const MAX_DESCRIPTORS = 32;
const BOOT_RECORD = 0;
const PRIMARY = 1;
const TERMINATOR = 255;
const PARTITIONS = 0x1be;
/** Sizes of floppy disks in KiB: 5.25 and 3.5 inches, from one side with 8 sectors a track to extra density. */
const FLOPPIES = new Set([160, 180, 320, 360, 720, 1200, 1440, 2880]);
/** The most that firmware could load at 7C00: RAM for real mode ends at 640 KiB. */
const LARGEST_FLAT = 0xa_0000 - 0x7c00;

/** A CD-ROM's image, by its volume descriptors. */
export function recogniseCdrom(file: ImageBytes): Recognised | undefined {
  let volume: string | undefined;
  let boots = false;
  for (let n = FIRST_DESCRIPTOR; n < FIRST_DESCRIPTOR + MAX_DESCRIPTORS; n++) {
    const sector = file.read(n * CD_SECTOR, 72);
    if (sector.length < 72 || latin1(sector.subarray(1, 6)) !== 'CD001') break;
    const type = sector[0];
    if (type === TERMINATOR) break;
    if (type === PRIMARY) volume ??= latin1(sector.subarray(40, 72)).trim();
    if (type === BOOT_RECORD && latin1(sector.subarray(7, 30)) === 'EL TORITO SPECIFICATION') boots = true;
    volume ??= '';
  }
  if (volume === undefined) return undefined;
  const name = volume === '' ? '' : ` '${volume.replaceAll(/[^ -~]/g, '?')}'`;
  return {
    kind: 'cdrom',
    evidence: `ISO 9660 volume${name}, ${boots ? 'with' : 'without'} an El Torito boot record`,
  };
}

/** A disk with partitions, or a floppy disk; undefined also for a boot sector that is all of the file. */
export function recogniseDisk(file: ImageBytes): Recognised | undefined {
  const sector = file.read(0, SECTOR);
  if (latin1(sector.subarray(0, 4)) === 'QFI\xfb') return { kind: 'disk', evidence: 'a qcow2 image' };
  if (latin1(file.read(SECTOR, 8)) === 'EFI PART')
    return { kind: 'disk', evidence: 'a GPT header in its second sector' };
  const signed = isSigned(sector);
  const partitions = signed ? partitionsOf(sector, file.size) : 0;
  if (partitions > 0)
    return {
      kind: 'disk',
      evidence: `a master boot record with ${partitions} partition${partitions === 1 ? '' : 's'}`,
    };
  const kib = file.size / 1024;
  if (FLOPPIES.has(kib) && (signed || hasParameters(sector, file.size)))
    return {
      kind: 'floppy',
      evidence: `${kib} KiB${signed ? ', and the boot signature 55 AA' : ', and a FAT file system'}`,
    };
  if (signed && file.size > LARGEST_FLAT)
    return { kind: 'disk', evidence: 'boot signature 55 AA, and larger than a boot sector’s memory' };
  return undefined;
}

/** True where a sector ends in 55 AA, as a BIOS requires of a sector that it starts. */
export function isSigned(sector: Uint8Array): boolean {
  return sector[510] === 0x55 && sector[511] === 0xaa;
}

/**
 * How many partitions a master boot record has; 0 where its table is none: other flags than 0 and 80, entries that are neither
 * empty nor whole, or no partition that begins in the file. A boot sector's code may be in the same bytes.
 */
function partitionsOf(sector: Uint8Array, size: number): number {
  const view = new DataView(sector.buffer, sector.byteOffset, sector.byteLength);
  let count = 0;
  for (let at = PARTITIONS; at < 510; at += 16) {
    const entry = sector.subarray(at, at + 16);
    if (entry.every((byte) => byte === 0)) continue;
    const [start, length] = [view.getUint32(at + 8, true), view.getUint32(at + 12, true)];
    if ((entry[0]! & 0x7f) !== 0 || entry[4] === 0 || start === 0 || length === 0) return 0;
    if (start * SECTOR < size) count++;
  }
  return count;
}

/** A BIOS parameter block that says the file's size. */
function hasParameters(sector: Uint8Array, size: number): boolean {
  const view = new DataView(sector.buffer, sector.byteOffset, sector.byteLength);
  return (
    view.getUint16(11, true) === SECTOR && view.getUint16(19, true) * SECTOR === size && sector[21]! >= 0xf0
  );
}

/** Bytes as characters of their own values. */
export function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
