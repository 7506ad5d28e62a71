import type { GuestMemory } from '../../../memory/index.js';
import { isRam, RingError, reach } from './ram.js';

/** A piece of guest RAM. */
export interface Segment {
  readonly address: number;
  readonly length: number;
}

/** The most bytes of a buffer (2.7.4.2). */
const MOST_BYTES = 2 ** 32;

/**
 * A buffer: the pieces of RAM that the device reads, then those that it writes. Their addresses are checked once: RAM
 * of a machine does not disappear. The guest may change their contents at any time.
 */
export class Chain {
  /** The first descriptor's number, or a packed ring's buffer ID. */
  readonly id: number;
  /** Descriptors that it uses in the ring. */
  slots = 0;
  readonly readable: Segment[] = [];
  readonly writable: Segment[] = [];
  readableLength = 0;
  writableLength = 0;
  readonly #memory: GuestMemory;

  constructor(memory: GuestMemory, id: number) {
    this.#memory = memory;
    this.id = id;
  }

  /** @throws RingError for buffers that are not in RAM, or in the wrong order */
  add(address: number, length: number, write: boolean): void {
    if (length === 0) throw new RingError(`a buffer at 0x${address.toString(16)} has no bytes`);
    if (!isRam(this.#memory, address, length, write))
      throw new RingError(
        `${length} bytes at 0x${address.toString(16)} are not RAM that a device can ${write ? 'write' : 'read'}`,
      );
    if (!write && this.writable.length > 0)
      throw new RingError('a buffer to read comes after one to write (2.7.4.2)');
    (write ? this.writable : this.readable).push({ address, length });
    if (write) this.writableLength += length;
    else this.readableLength += length;
    if (this.readableLength + this.writableLength > MOST_BYTES)
      throw new RingError('a chain of buffers has more than 4 GiB');
  }

  /** A copy of bytes of the readable part: fewer than `length`, where it is shorter. */
  read(from: number, length: number): Uint8Array<ArrayBuffer> {
    const most = Math.max(0, Math.min(length, this.readableLength - from));
    const bytes = new Uint8Array(most);
    let done = 0;
    for (const piece of slices(this.readable, from, most)) {
      bytes.set(this.view(piece, false), done);
      done += piece.length;
    }
    return bytes;
  }

  /** Writes to the writable part, as much as there is room for. Returns the number of bytes. */
  write(from: number, bytes: Uint8Array): number {
    const most = Math.max(0, Math.min(bytes.length, this.writableLength - from));
    let done = 0;
    for (const piece of slices(this.writable, from, most)) {
      this.view(piece, true).set(bytes.subarray(done, done + piece.length));
      done += piece.length;
    }
    return done;
  }

  /** The guest's own bytes of a piece of this chain. */
  view({ address, length }: Segment, write: boolean): Uint8Array {
    const bytes = reach(this.#memory, address, length, write);
    if (bytes === undefined) throw new RingError(`0x${address.toString(16)} is no longer RAM`);
    return bytes;
  }
}

/** The pieces of `length` bytes from `from` on. */
export function slices(segments: readonly Segment[], from: number, length: number): Segment[] {
  const found: Segment[] = [];
  let [skip, left] = [from, length];
  for (const { address, length: whole } of segments) {
    if (left <= 0) break;
    if (skip >= whole) {
      skip -= whole;
      continue;
    }
    const part = Math.min(whole - skip, left);
    found.push({ address: address + skip, length: part });
    left -= part;
    skip = 0;
  }
  return found;
}
