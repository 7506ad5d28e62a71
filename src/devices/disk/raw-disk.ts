import type { ByteFile } from './byte-file.js';
import { type Disk, DiskError, MAX_SECTORS, requireSectors, SECTOR } from './disk.js';

/** A raw image: the file's bytes are the disk's. */
export class RawDisk implements Disk {
  readonly sectors: number;
  readonly readOnly: boolean;
  readonly #file: ByteFile;

  /**
   * @param sectors where a shorter image is filled up with zeros: the size of the medium. Then its last sector may also
   * be incomplete
   * @throws DiskError for a size that no disk has
   */
  constructor(file: ByteFile, sectors = 0) {
    const { name, size } = file;
    if (size % SECTOR !== 0 && (sectors === 0 || !file.readOnly))
      throw new DiskError(
        `${name}: ${size} bytes are no disk: its size is not a multiple of ${SECTOR}`,
        `cut off in a download? Otherwise fill it up with zeros: truncate -s %${SECTOR} FILE`,
      );
    const own = Math.ceil(size / SECTOR);
    if (own === 0) throw new DiskError(`${name}: an empty file is no disk`, 'make one: truncate -s 64M FILE');
    this.sectors = Math.max(own, file.readOnly ? sectors : 0);
    if (this.sectors > MAX_SECTORS)
      throw new DiskError(`${name}: a disk of ${size} bytes is too large`, 'the largest has 2 TiB');
    this.readOnly = file.readOnly;
    this.#file = file;
  }

  read(sector: number, into: Uint8Array): void {
    requireSectors(this, sector, into.length);
    const at = sector * SECTOR;
    const there = Math.min(into.length, Math.max(this.#file.size - at, 0));
    if (there > 0) this.#file.read(at, there < into.length ? into.subarray(0, there) : into);
    if (there < into.length) into.fill(0, there);
  }

  write(sector: number, bytes: Uint8Array): void {
    if (this.readOnly) throw new DiskError('the disk is read-only');
    requireSectors(this, sector, bytes.length);
    this.#file.write(sector * SECTOR, bytes);
  }

  flush(): void {
    if (!this.readOnly) this.#file.flush();
  }

  discard(sector: number, count: number): void {
    requireSectors(this, sector, count * SECTOR);
  }

  dispose(): void {
    this.#file.close();
  }
}
