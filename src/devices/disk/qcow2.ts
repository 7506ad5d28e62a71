/**
 * QEMU's qcow2 images, versions 2 and 3: clusters of a disk, found by two levels of tables. For reading and writing;
 * without encryption and backing files; compressed clusters are read, and written uncompressed.
 *
 * Source: docs/interop/qcow2.txt of QEMU. Each number in the file is checked before it is used: a table may lie outside of the file,
 * over another one, or over itself.
 *
 * @module
 */
import type { ByteFile } from './byte-file.js';
import { type Disk, DiskError, MAX_SECTORS, requireSectors, SECTOR } from './disk.js';
import { checkedHeader, OFFSET_MASK, type Qcow2Header } from './qcow2-header.js';
import { RefCounts } from './qcow2-refcounts.js';

const COMPRESSED = 1n << 62n;
const COPIED = 1n << 63n;
/** Version 3: the cluster reads as zeros, even if it has a place. */
const ZERO = 1n;

/** L2 tables that are kept in memory: 64 of 64 KiB cover 32 GiB. */
const MAX_TABLES = 64;

/** Unpacks raw deflate to that many bytes at most. @throws any error for invalid bytes */
export type Inflate = (packed: Uint8Array, most: number) => Uint8Array;

export class Qcow2Disk implements Disk {
  readonly sectors: number;
  readonly readOnly: boolean;
  readonly #file: ByteFile;
  readonly #header: Qcow2Header;
  /** Where each L2 table lies; 0 where there is none. */
  readonly #l1: BigUint64Array;
  readonly #tables = new Map<number, BigUint64Array>();
  readonly #counts: RefCounts | undefined;
  readonly #inflate: Inflate | undefined;

  /**
   * @param inflate without it compressed clusters are not read
   * @throws DiskError that names the file and what is wrong with it
   */
  constructor(file: ByteFile, inflate?: Inflate) {
    this.#inflate = inflate;
    this.#file = file;
    this.#header = checkedHeader(file);
    const { size, l1Size, l1Offset } = this.#header;
    this.sectors = Math.floor(size / SECTOR);
    if (this.sectors > MAX_SECTORS) throw this.#wrong(`a disk of ${size} bytes is larger than 2 TiB`);
    this.readOnly = file.readOnly;
    this.#l1 = this.#readTable(l1Offset, l1Size);
    this.#counts = file.readOnly ? undefined : new RefCounts(file, this.#header);
  }

  read(sector: number, into: Uint8Array): void {
    requireSectors(this, sector, into.length);
    this.#each(sector, into, (cluster, offset, part) => {
      const entry = this.#entryOf(cluster);
      if (entry & COMPRESSED) part.set(this.#unpack(entry, cluster).subarray(offset, offset + part.length));
      else {
        const place = this.#placeOf(cluster, entry);
        if (place === 0) part.fill(0);
        else this.#readWithin(place + offset, part);
      }
    });
  }

  write(sector: number, bytes: Uint8Array): void {
    if (this.readOnly) throw new DiskError('the disk is read-only');
    requireSectors(this, sector, bytes.length);
    this.#each(sector, bytes, (cluster, offset, part) => {
      this.#file.write(this.#writable(cluster) + offset, part);
    });
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

  /** Splits an access into parts that are each within one cluster. */
  #each(
    sector: number,
    bytes: Uint8Array,
    act: (cluster: number, offset: number, part: Uint8Array) => void,
  ): void {
    const { clusterSize } = this.#header;
    let at = sector * SECTOR;
    for (let done = 0; done < bytes.length; ) {
      const offset = at % clusterSize;
      const length = Math.min(clusterSize - offset, bytes.length - done);
      act(Math.floor(at / clusterSize), offset, bytes.subarray(done, done + length));
      done += length;
      at += length;
    }
  }

  #entryOf(cluster: number): bigint {
    return this.#l2Of(cluster)?.[cluster % this.#header.l2Size] ?? 0n;
  }

  /** Where a cluster lies in the file; 0 where it reads as zeros. */
  #placeOf(cluster: number, entry: bigint): number {
    if (this.#header.version >= 3 && entry & ZERO) return 0;
    return this.#checkedPlace(entry, `cluster ${cluster}`);
  }

  /** A compressed cluster's bytes: its entry has the place, and how many sectors it touches after the first. */
  #unpack(entry: bigint, cluster: number): Uint8Array {
    const { clusterSize } = this.#header;
    if (this.#inflate === undefined)
      throw this.#wrong(
        `cluster ${cluster} is compressed: unpack it with qemu-img convert -O qcow2 FILE NEW`,
      );
    const bits = BigInt(62 - (Math.log2(clusterSize) - 8));
    const place = Number(entry & ((1n << bits) - 1n));
    const touched = Number((entry & (COMPRESSED - 1n)) >> bits);
    const length = Math.min((touched + 1) * SECTOR - (place % SECTOR), this.#file.size - place);
    if (place < clusterSize || length <= 0)
      throw this.#wrong(`cluster ${cluster} at ${place} lies outside of the file`);
    const packed = new Uint8Array(length);
    this.#file.read(place, packed);
    const bytes = new Uint8Array(clusterSize);
    try {
      bytes.set(this.#inflate(packed, clusterSize));
    } catch {
      throw this.#wrong(`cluster ${cluster} cannot be unpacked`);
    }
    return bytes;
  }

  /** The cluster's own place, for a write: a new one where it has none or shares it. */
  #writable(cluster: number): number {
    const { l2Size, clusterSize, version } = this.#header;
    const table = this.#l2Of(cluster) ?? this.#newTable(cluster);
    const index = cluster % l2Size;
    const entry = table[index]!;
    const isZero = version >= 3 && !(entry & COMPRESSED) && (entry & ZERO) !== 0n;
    const own = entry & COPIED && !(entry & COMPRESSED) ? this.#checkedPlace(entry, `cluster ${cluster}`) : 0;
    if (own !== 0 && !isZero) return own;
    const bytes = new Uint8Array(clusterSize);
    if (entry & COMPRESSED) bytes.set(this.#unpack(entry, cluster));
    else {
      const before = this.#placeOf(cluster, entry);
      if (before !== 0) this.#readWithin(before, bytes);
    }
    // One that reads as zeros may have a place already.
    const place = own !== 0 ? own : this.#counts!.allocate();
    this.#file.write(place, bytes);
    table[index] = BigInt(place) | COPIED;
    this.#writeEntry(this.#tablePlace(cluster) + index * 8, table[index]!);
    return place;
  }

  #tablePlace(cluster: number): number {
    const index = Math.floor(cluster / this.#header.l2Size);
    return this.#checkedPlace(this.#l1[index] ?? 0n, `L2 table ${index}`);
  }

  /** The L2 table of a cluster; undefined where there is none. */
  #l2Of(cluster: number): BigUint64Array | undefined {
    const index = Math.floor(cluster / this.#header.l2Size);
    const known = this.#tables.get(index);
    if (known !== undefined) return known;
    const place = this.#tablePlace(cluster);
    if (place === 0) return undefined;
    const table = this.#readTable(place, this.#header.l2Size);
    if (!this.readOnly && !(this.#l1[index]! & COPIED))
      throw this.#wrong(`L2 table ${index} also belongs to a snapshot: such an image can only be read`);
    this.#keep(index, table);
    return table;
  }

  #newTable(cluster: number): BigUint64Array {
    const index = Math.floor(cluster / this.#header.l2Size);
    const place = this.#counts!.allocate();
    this.#file.write(place, new Uint8Array(this.#header.clusterSize));
    this.#l1[index] = BigInt(place) | COPIED;
    this.#writeEntry(this.#header.l1Offset + index * 8, this.#l1[index]!);
    const table = new BigUint64Array(this.#header.l2Size);
    this.#keep(index, table);
    return table;
  }

  #keep(index: number, table: BigUint64Array): void {
    if (this.#tables.size >= MAX_TABLES) this.#tables.delete(this.#tables.keys().next().value!);
    this.#tables.set(index, table);
  }

  #writeEntry(at: number, value: bigint): void {
    const bytes = new DataView(new ArrayBuffer(8));
    bytes.setBigUint64(0, value);
    this.#file.write(at, new Uint8Array(bytes.buffer));
  }

  #readTable(at: number, entries: number): BigUint64Array {
    const bytes = new Uint8Array(entries * 8);
    if (at + bytes.length > this.#file.size) throw this.#wrong(`a table at ${at} ends after the file`);
    this.#file.read(at, bytes);
    const view = new DataView(bytes.buffer);
    return BigUint64Array.from({ length: entries }, (_, i) => view.getBigUint64(i * 8));
  }

  /** The last cluster may end with the file: the rest of it is zeros. */
  #readWithin(at: number, part: Uint8Array): void {
    const there = Math.max(0, Math.min(part.length, this.#file.size - at));
    if (there > 0) this.#file.read(at, part.subarray(0, there));
    if (there < part.length) part.fill(0, there);
  }

  #checkedPlace(entry: bigint, what: string): number {
    const place = Number(entry & OFFSET_MASK);
    if (place === 0) return 0;
    if (place % this.#header.clusterSize !== 0)
      throw this.#wrong(`${what} at ${place} begins within a cluster`);
    if (place >= this.#file.size) throw this.#wrong(`${what} at ${place} lies after the end of the file`);
    if (place < this.#header.clusterSize) throw this.#wrong(`${what} lies in the header`);
    return place;
  }

  #wrong(what: string): DiskError {
    return new DiskError(`${this.#file.name}: ${what}`, 'check it with qemu-img check');
  }
}
