import type { ByteFile } from './byte-file.js';
import { DiskError } from './disk.js';

export const QCOW2_MAGIC = 0x514649fb;
/** Bits 9 to 55 of a table's entry: an offset in the file. */
export const OFFSET_MASK = 0x00ff_ffff_ffff_fe00n;

const HEADER_2 = 72;
const HEADER_3 = 104;
/** Clusters from 512 bytes to 2 MiB. */
const CLUSTER_BITS = { least: 9, most: 21 };
/** The largest first table: QEMU's limit of 32 MiB. */
const MAX_L1 = (32 * 1024 * 1024) / 8;
const MAX_REFCOUNT_TABLE = 8 * 1024 * 1024;
/** The incompatible features that are known: bit 0 dirty, bit 1 corrupt. The others change how the image is read. */
const DIRTY = 1n;
const CORRUPT = 2n;

/** A header's fields, checked. Sizes and offsets are in bytes. */
export interface Qcow2Header {
  version: 2 | 3;
  size: number;
  clusterSize: number;
  /** Entries of an L2 table. */
  l2Size: number;
  l1Offset: number;
  l1Size: number;
  refcountOffset: number;
  /** Of the table of reference counts. */
  refcountTableSize: number;
  /** Bits of a count. */
  refcountBits: number;
}

/** @throws DiskError that names the file and what is wrong with it */
export function checkedHeader(file: ByteFile): Qcow2Header {
  const wrong = (what: string, hint = 'check it with qemu-img check') =>
    new DiskError(`${file.name}: ${what}`, hint);
  if (file.size < HEADER_2) throw wrong(`${file.size} bytes are no qcow2 image`);
  const bytes = new Uint8Array(Math.min(file.size, HEADER_3));
  file.read(0, bytes);
  const view = new DataView(bytes.buffer);
  const offset = (at: number, what: string): number => {
    const value = view.getBigUint64(at);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw wrong(`its ${what} is ${value}`);
    return Number(value);
  };
  const version = view.getUint32(4);
  if (view.getUint32(0) !== QCOW2_MAGIC) throw wrong('it is no qcow2 image');
  if (version !== 2 && version !== 3)
    throw wrong(`version ${version} of qcow2`, 'versions 2 and 3 are known: qemu-img convert -O qcow2');
  if (version === 3 && bytes.length < HEADER_3) throw wrong('its header is cut off');
  const backing = offset(8, 'backing file’s place');
  if (backing !== 0)
    throw wrong(
      'it has a backing file, which is not opened: an image must not name files of this host',
      'make one image of both: qemu-img convert -O qcow2 FILE NEW',
    );
  if (view.getUint32(32) !== 0) throw wrong('it is encrypted', 'decrypt it with qemu-img convert');
  const clusterBits = view.getUint32(20);
  if (clusterBits < CLUSTER_BITS.least || clusterBits > CLUSTER_BITS.most)
    throw wrong(`clusters of 2^${clusterBits} bytes`);
  const clusterSize = 2 ** clusterBits;
  const incompatible = version === 3 ? view.getBigUint64(72) : 0n;
  if (incompatible & CORRUPT) throw wrong('it is marked as corrupt', 'repair it: qemu-img check -r all');
  if (incompatible & ~(DIRTY | CORRUPT))
    throw wrong(
      `it uses unknown features (0x${incompatible.toString(16)})`,
      'qemu-img convert -O qcow2 FILE NEW',
    );
  if (incompatible & DIRTY && !file.readOnly)
    throw wrong(
      'it was not closed, and its reference counts may be wrong',
      'repair it first: qemu-img check -r all',
    );
  const refcountOrder = version === 3 ? view.getUint32(96) : 4;
  if (refcountOrder > 6) throw wrong(`reference counts of 2^${refcountOrder} bits`);
  const size = offset(24, 'size');
  const l1Size = view.getUint32(36);
  const l2Size = clusterSize / 8;
  const needed = Math.ceil(size / (clusterSize * l2Size));
  if (l1Size < needed || l1Size > MAX_L1)
    throw wrong(`its first table has ${l1Size} entries, and ${size} bytes need ${needed}`);
  const refcountTableSize = view.getUint32(56) * clusterSize;
  if (refcountTableSize > MAX_REFCOUNT_TABLE)
    throw wrong(`its table of reference counts has ${refcountTableSize} bytes`);
  const header: Qcow2Header = {
    version,
    size,
    clusterSize,
    l2Size,
    l1Offset: offset(40, 'first table’s place'),
    l1Size,
    refcountOffset: offset(48, 'reference counts’ place'),
    refcountTableSize,
    refcountBits: 2 ** refcountOrder,
  };
  for (const [what, at, length] of [
    ['first table', header.l1Offset, l1Size * 8],
    ['table of reference counts', header.refcountOffset, refcountTableSize],
  ] as const) {
    if (at % clusterSize !== 0) throw wrong(`its ${what} at ${at} begins within a cluster`);
    if (at < clusterSize || at + length > file.size)
      throw wrong(`its ${what} at ${at} lies outside of the file`);
  }
  return header;
}
