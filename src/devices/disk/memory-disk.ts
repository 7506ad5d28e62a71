import { type Disk, DiskError, MAX_SECTORS, requireSectors, SECTOR } from './disk.js';

/** A disk in memory. The last sector is filled up with zeros, and so are the sectors up to `sectors`. */
export class MemoryDisk implements Disk {
  readonly sectors: number;
  readonly readOnly: boolean;
  readonly #bytes: Uint8Array;

  /**
   * @param bytes the disk's content, not copied
   * @param options `sectors`: the disk's size, where it is larger
   */
  constructor(bytes: Uint8Array, options: { sectors?: number; readOnly?: boolean } = {}) {
    const own = Math.ceil(bytes.length / SECTOR);
    this.sectors = Math.max(own, options.sectors ?? 0);
    if (this.sectors > MAX_SECTORS) throw new DiskError(`a disk of ${this.sectors} sectors is too large`);
    // The filled-up part has no bytes that could be written.
    this.readOnly = options.readOnly ?? this.sectors * SECTOR !== bytes.length;
    this.#bytes = bytes;
  }

  read(sector: number, into: Uint8Array): void {
    requireSectors(this, sector, into.length);
    const part = this.#bytes.subarray(sector * SECTOR, sector * SECTOR + into.length);
    into.set(part);
    if (part.length < into.length) into.fill(0, part.length);
  }

  write(sector: number, bytes: Uint8Array): void {
    if (this.readOnly) throw new DiskError('the disk is read-only');
    requireSectors(this, sector, bytes.length);
    this.#bytes.set(bytes, sector * SECTOR);
  }

  flush(): void {}

  discard(sector: number, count: number): void {
    requireSectors(this, sector, count * SECTOR);
  }
}
