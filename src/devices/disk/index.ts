/**
 * Disks: sectors for floppy, ATA, ATAPI, virtio-blk and INT 13h, and their storage.
 *
 * @module
 */
export type { ByteFile } from './byte-file.js';
export { type Disk, DiskError, holds, MAX_SECTORS, requireSectors, SECTOR } from './disk.js';
export { type Drive, type DriveKind, Drives } from './drives.js';
export {
  ataGeometry,
  biosGeometry,
  type FloppyFormat,
  floppyFor,
  floppyFormat,
  type Geometry,
  lbaOf,
  sectorsOf,
  USUAL_FLOPPY,
} from './geometry.js';
export { MemoryDisk } from './memory-disk.js';
export { OverlayDisk, type OverlayState } from './overlay.js';
export { type Inflate, Qcow2Disk } from './qcow2.js';
export { QCOW2_MAGIC } from './qcow2-header.js';
export { RawDisk } from './raw-disk.js';
