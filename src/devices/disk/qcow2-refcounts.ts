import type { ByteFile } from './byte-file.js';
import { DiskError } from './disk.js';
import { OFFSET_MASK, type Qcow2Header } from './qcow2-header.js';

/**
 * The reference counts of an image that is written to. New clusters are added at the end of the file; each gets the
 * count 1, and blocks of counts are made when they are needed.
 */
export class RefCounts {
  readonly #file: ByteFile;
  readonly #header: Qcow2Header;
  /** Clusters that one block counts. */
  readonly #perBlock: number;

  /** @throws DiskError for counts that are not of whole bytes */
  constructor(file: ByteFile, header: Qcow2Header) {
    if (header.refcountBits < 8)
      throw new DiskError(
        `${file.name}: reference counts of ${header.refcountBits} bits`,
        'qemu-img convert -O qcow2 FILE NEW',
      );
    this.#file = file;
    this.#header = header;
    this.#perBlock = (header.clusterSize * 8) / header.refcountBits;
  }

  /** A new cluster at the end of the file, in bytes; it is counted, and nothing is written to it yet. */
  allocate(): number {
    const place = this.#append();
    this.#count(place);
    return place;
  }

  #append(): number {
    const { clusterSize } = this.#header;
    const place = Math.ceil(this.#file.size / clusterSize) * clusterSize;
    // The file grows at once, so that the next one goes after it.
    this.#file.write(place + clusterSize - 1, new Uint8Array(1));
    return place;
  }

  #count(place: number): void {
    const { clusterSize, refcountOffset, refcountTableSize, refcountBits } = this.#header;
    const cluster = place / clusterSize;
    const index = Math.floor(cluster / this.#perBlock);
    if ((index + 1) * 8 > refcountTableSize)
      throw new DiskError(
        `${this.#file.name}: its table of reference counts is full`,
        'make a new image: qemu-img convert -O qcow2 FILE NEW',
      );
    const entry = new Uint8Array(8);
    this.#file.read(refcountOffset + index * 8, entry);
    let block = Number(new DataView(entry.buffer).getBigUint64(0) & OFFSET_MASK);
    if (block === 0) {
      block = this.#append();
      new DataView(entry.buffer).setBigUint64(0, BigInt(block));
      this.#file.write(refcountOffset + index * 8, entry);
      // A block counts itself, or another block does.
      this.#count(block);
    }
    if (block % clusterSize !== 0 || block < clusterSize || block + clusterSize > this.#file.size)
      throw new DiskError(`${this.#file.name}: reference counts at ${block} lie outside of the file`);
    const bytes = refcountBits / 8;
    const count = new Uint8Array(bytes);
    // Big-endian.
    count[bytes - 1] = 1;
    this.#file.write(block + (cluster % this.#perBlock) * bytes, count);
  }
}
