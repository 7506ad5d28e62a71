import { decodeBase64, encodeBase64 } from '../base64.js';
import { DeviceStateError, stateFields } from '../state.js';
import { type Disk, DiskError, requireSectors, SECTOR } from './disk.js';

/** Sectors that are stored together when one of them is written: a page of most file systems. */
const CHUNK_SECTORS = 8;
const CHUNK = CHUNK_SECTORS * SECTOR;
/** The most that one machine may write to a disk that it shares: 1 GiB. A guest must not use up the host's memory. */
const MAX_CHUNKS = 2 ** 30 / CHUNK;

/** A written chunk; and its text, from the first request until it changes. */
interface Chunk {
  bytes: Uint8Array;
  text?: string;
}

/** The written chunks by their numbers; bytes in base 64. */
export interface OverlayState {
  chunks: [number, string][];
}

/**
 * A disk whose base is never changed: writes stay in memory, with the machine's state, and disappear with it.
 */
export class OverlayDisk implements Disk {
  readonly sectors: number;
  readonly readOnly = false;
  readonly #base: Disk;
  readonly #most: number;
  #chunks = new Map<number, Chunk>();

  /** @param most bytes that may be written */
  constructor(base: Disk, most = MAX_CHUNKS * CHUNK) {
    this.#base = base;
    this.sectors = base.sectors;
    this.#most = Math.floor(most / CHUNK);
  }

  /** The stored bytes, in whole chunks of 4 KiB. */
  get written(): number {
    return this.#chunks.size * CHUNK;
  }

  read(sector: number, into: Uint8Array): void {
    requireSectors(this, sector, into.length);
    if (this.#chunks.size === 0) {
      this.#base.read(sector, into);
      return;
    }
    const end = sector + into.length / SECTOR;
    // Chunks that were not written are read from the base, neighbours in one call.
    let from = sector;
    for (let at = sector; at < end; at = nextChunk(at)) {
      const chunk = this.#chunks.get(chunkOf(at));
      if (chunk === undefined) continue;
      if (from < at) this.#base.read(from, part(into, sector, from, at));
      from = Math.min(nextChunk(at), end);
      const start = (at % CHUNK_SECTORS) * SECTOR;
      part(into, sector, at, from).set(chunk.bytes.subarray(start, start + (from - at) * SECTOR));
    }
    if (from < end) this.#base.read(from, part(into, sector, from, end));
  }

  write(sector: number, bytes: Uint8Array): void {
    requireSectors(this, sector, bytes.length);
    const end = sector + bytes.length / SECTOR;
    for (let at = sector; at < end; at = nextChunk(at)) {
      const until = Math.min(nextChunk(at), end);
      const start = (at % CHUNK_SECTORS) * SECTOR;
      this.#writable(chunkOf(at), until - at).set(part(bytes, sector, at, until), start);
    }
  }

  flush(): void {}

  discard(sector: number, count: number): void {
    requireSectors(this, sector, count * SECTOR);
  }

  /** The written chunks, as plain data. */
  state(): OverlayState {
    const chunks: [number, string][] = [];
    for (const [index, chunk] of this.#chunks) {
      chunk.text ??= encodeBase64(chunk.bytes);
      chunks.push([index, chunk.text]);
    }
    return { chunks };
  }

  /** Loads the value of `state`. @param owner for errors */
  restore(owner: string, state: unknown): void {
    const { chunks } = stateFields(owner, state, { chunks: [] });
    if (!Array.isArray(chunks) || chunks.length > this.#most)
      throw new DeviceStateError(owner, "'chunks' is not a list of written chunks");
    const loaded = new Map<number, Chunk>();
    const last = chunkOf(this.sectors - 1);
    for (const pair of chunks as readonly unknown[]) {
      const [index, text] = Array.isArray(pair) ? (pair as unknown[]) : [];
      const bytes = typeof text === 'string' ? decodeBase64(text, CHUNK) : undefined;
      if (!Number.isInteger(index) || (index as number) < 0 || (index as number) > last || !bytes)
        throw new DeviceStateError(
          owner,
          `'chunks' holds ${String(index)}, which is not a chunk of the disk`,
        );
      loaded.set(index as number, { bytes, text: text as string });
    }
    this.#chunks = loaded;
  }

  dispose(): void {
    this.#base.dispose?.();
  }

  /** The chunk's bytes, for a write of `count` sectors. */
  #writable(index: number, count: number): Uint8Array {
    const known = this.#chunks.get(index);
    if (known !== undefined) {
      delete known.text;
      return known.bytes;
    }
    if (this.#chunks.size >= this.#most)
      throw new DiskError(
        `more than ${(this.#most * CHUNK) / 2 ** 20}M were written to a disk whose changes are kept in memory`,
        'let it change its file: --disk FILE,write',
      );
    const bytes = new Uint8Array(CHUNK);
    if (count < CHUNK_SECTORS) {
      const first = index * CHUNK_SECTORS;
      const there = Math.min(CHUNK_SECTORS, this.sectors - first);
      this.#base.read(first, bytes.subarray(0, there * SECTOR));
    }
    this.#chunks.set(index, { bytes });
    return bytes;
  }
}

const chunkOf = (sector: number) => Math.floor(sector / CHUNK_SECTORS);
const nextChunk = (sector: number) => (chunkOf(sector) + 1) * CHUNK_SECTORS;

/** The bytes of sectors `from` to `end` in a buffer that begins with sector `first`. */
function part(bytes: Uint8Array, first: number, from: number, end: number): Uint8Array {
  return bytes.subarray((from - first) * SECTOR, (end - first) * SECTOR);
}
