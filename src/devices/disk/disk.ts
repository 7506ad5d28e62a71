import { TerrariumError } from '../../errors.js';

/** Bytes of a sector, the unit of every disk here. A CD's blocks are four of them. */
export const SECTOR = 512;

/** The most sectors of a disk: 2 TiB, all that 32 bits can number. */
export const MAX_SECTORS = 2 ** 32;

/**
 * A disk, independent of its storage: sectors of 512 bytes that are read and written at once, on the machine's own thread.
 * Floppy, ATA, ATAPI, virtio-blk and INT 13h all sit on this.
 */
export interface Disk {
  /** How many sectors it has, numbered from 0. */
  readonly sectors: number;
  /** Writes are refused. */
  readonly readOnly: boolean;
  /**
   * Reads whole sectors; `into` may be guest RAM.
   * @throws DiskError beyond the end, or where the host's file cannot be read
   */
  read(sector: number, into: Uint8Array): void;
  /**
   * Writes whole sectors. The bytes may be the guest's own, which another CPU changes meanwhile.
   * @throws DiskError beyond the end, on a disk that is read-only or full, or where the host's file cannot be written
   */
  write(sector: number, bytes: Uint8Array): void;
  /** All writes are stored safely when this returns. @throws DiskError where the host's file cannot be written */
  flush(): void;
  /**
   * The guest no longer needs these sectors: their contents are undefined until they are written. @throws DiskError
   * beyond the end
   */
  discard(sector: number, count: number): void;
  /** Releases its resources on the host. */
  dispose?(): void;
}

/** An access that a disk cannot execute. Devices catch it and report it to their guest in their own way. */
export class DiskError extends TerrariumError {
  constructor(message: string, hint?: string) {
    super('EDISK', message, hint === undefined ? {} : { hint });
  }
}

/**
 * Refuses an access that is not whole sectors of a disk.
 * @param bytes the access's length
 */
export function requireSectors({ sectors }: Pick<Disk, 'sectors'>, sector: number, bytes: number): void {
  const count = bytes / SECTOR;
  if (Number.isSafeInteger(sector) && Number.isSafeInteger(count) && sector >= 0 && count >= 0) {
    if (sector + count <= sectors) return;
    throw new DiskError(`sectors ${sector} to ${sector + count - 1} of a disk that has ${sectors}`);
  }
  throw new DiskError(`${bytes} bytes at sector ${sector} are not whole sectors`);
}

/** True where an access of `count` sectors is within the disk: for devices, before they call it. */
export function holds({ sectors }: Pick<Disk, 'sectors'>, sector: number, count: number): boolean {
  return sector >= 0 && count >= 0 && sector + count <= sectors;
}
