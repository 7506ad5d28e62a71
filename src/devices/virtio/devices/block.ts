/**
 * A block device (5.2) over a disk. Several queues share it, for drivers with a queue per processor.
 *
 * @module
 */
import { type Disk, DiskError, holds, SECTOR } from '../../disk/index.js';
import { Type } from '../constants.js';
import { VirtioDevice } from '../device.js';
import { type Chain, RingError, type Segment, slices, type VirtQueue } from '../queue/index.js';
import { ConfigBytes } from './config-bytes.js';

/** Feature bits (5.2.3). */
const BlockFeature = {
  segments: 2,
  readOnly: 5,
  blockSize: 6,
  flush: 9,
  queues: 12,
  discard: 13,
  writeZeroes: 14,
} as const;

/** Request types (5.2.6). */
const Request = { read: 0, write: 1, flush: 4, id: 8, discard: 11, writeZeroes: 13 } as const;
const Answer = { ok: 0, error: 1, unsupported: 2 } as const;

const HEADER = 16;
/** An identifier is filled up with zeros (5.2.6). */
const ID = 20;
/** Segments of data in a request. */
const MOST_SEGMENTS = 126;
/** The most bytes of a request's data: more is refused, so that a request takes a bounded time. */
const MOST_BYTES = 64 * 1024 * 1024;
/** A range of DISCARD and WRITE ZEROES, how many there are in a request, and sectors in one. */
const RANGE = 16;
const MOST_RANGES = 16;
const MOST_DISCARDED = 2 ** 22;
const MOST_ZEROED = 2 ** 15;
/** Bit 0 of a range's flags. */
const UNMAP = 1;
/** The most sectors that are moved at once through a buffer, where pieces are not whole sectors. */
const BOUNCE = 128;

export interface BlockOptions {
  readonly name: string;
  readonly disk: Disk;
  /** The answer to GET_ID; 20 bytes of ASCII at most. Default: the name. */
  readonly serial?: string;
  /** Default 1. */
  readonly queues?: number;
}

/** See the module's comment. */
export class VirtioBlock extends VirtioDevice {
  readonly #disk: Disk;
  readonly #id = new Uint8Array(ID);
  readonly #config: ConfigBytes;

  constructor({ name, disk, serial = name, queues = 1 }: BlockOptions) {
    const writes = disk.readOnly ? [BlockFeature.readOnly] : [BlockFeature.discard, BlockFeature.writeZeroes];
    super({
      name,
      type: Type.block,
      features: [
        BlockFeature.segments,
        BlockFeature.blockSize,
        BlockFeature.flush,
        ...(queues > 1 ? [BlockFeature.queues] : []),
        ...writes,
      ],
      queues: Array.from({ length: queues }, (_, i) => ({ name: `requests ${i}` })),
      configSize: 60,
    });
    this.#disk = disk;
    this.#id.set(new TextEncoder().encode(serial).subarray(0, ID));
    this.#config = new ConfigBytes(60)
      .set(0, 4, disk.sectors % 2 ** 32)
      .set(4, 4, Math.floor(disk.sectors / 2 ** 32))
      .set(12, 4, MOST_SEGMENTS)
      .set(20, 4, SECTOR)
      .set(34, 2, queues)
      .set(36, 4, MOST_DISCARDED)
      .set(40, 4, MOST_RANGES)
      .set(44, 4, 1)
      .set(48, 4, MOST_ZEROED)
      .set(52, 4, 1)
      .set(56, 1, 1);
  }

  protected override configByte(offset: number): number {
    return this.#config.at(offset);
  }

  protected serve(queue: VirtQueue): void {
    this.drain(queue, (chain) => this.#request(chain));
  }

  #request(chain: Chain): number {
    const room = chain.writableLength - 1;
    const header = chain.read(0, HEADER);
    if (header.length < HEADER || room < 0)
      throw new RingError('a request has no room for its header of 16 bytes and its status of one');
    const view = new DataView(header.buffer);
    const type = view.getUint32(0, true);
    // A number that a double cannot hold exactly is beyond every disk's end.
    const sector = view.getUint32(8, true) + view.getUint32(12, true) * 2 ** 32;
    const written = type === Request.read ? room : type === Request.id ? Math.min(room, ID) : 0;
    const answer = this.#try(() => this.#execute(chain, type, sector));
    chain.write(room, Uint8Array.of(answer));
    return answer === Answer.ok ? written + 1 : 1;
  }

  /** Runs an access that may fail on the host's side. */
  #try(access: () => number): number {
    try {
      return access();
    } catch (cause) {
      if (!(cause instanceof DiskError)) throw cause;
      return Answer.error;
    }
  }

  #execute(chain: Chain, type: number, sector: number): number {
    const room = chain.writableLength - 1;
    switch (type) {
      case Request.read:
        return this.#move(chain, chain.writable, 0, room, sector, true);
      case Request.write:
        if (this.#disk.readOnly) return Answer.error;
        return this.#move(chain, chain.readable, HEADER, chain.readableLength - HEADER, sector, false);
      case Request.flush:
        this.#disk.flush();
        return Answer.ok;
      case Request.id:
        chain.write(0, this.#id.subarray(0, Math.min(room, ID)));
        return Answer.ok;
      case Request.discard:
      case Request.writeZeroes:
        return this.#ranges(chain, type);
      default:
        return Answer.unsupported;
    }
  }

  /** Moves sectors between the disk and a request's data. */
  #move(
    chain: Chain,
    segments: readonly Segment[],
    from: number,
    length: number,
    sector: number,
    toMemory: boolean,
  ): number {
    if (length % SECTOR !== 0 || length > MOST_BYTES || !holds(this.#disk, sector, length / SECTOR))
      return Answer.error;
    const pieces = slices(segments, from, length);
    if (pieces.some((piece) => piece.length % SECTOR !== 0))
      return this.#bounce(chain, from, length, sector, toMemory);
    let at = sector;
    for (const piece of pieces) {
      const bytes = chain.view(piece, toMemory);
      if (toMemory) this.#disk.read(at, bytes);
      else this.#disk.write(at, bytes);
      at += piece.length / SECTOR;
    }
    return Answer.ok;
  }

  /** Through a buffer: drivers may divide a request's data in any way. */
  #bounce(chain: Chain, from: number, length: number, sector: number, toMemory: boolean): number {
    for (let done = 0; done < length; done += BOUNCE * SECTOR) {
      const part = Math.min(BOUNCE * SECTOR, length - done);
      const at = sector + done / SECTOR;
      if (toMemory) {
        const bytes = new Uint8Array(part);
        this.#disk.read(at, bytes);
        chain.write(from + done, bytes);
      } else this.#disk.write(at, chain.read(from + done, part));
    }
    return Answer.ok;
  }

  /** DISCARD and WRITE ZEROES: all ranges are checked before the first is processed. */
  #ranges(chain: Chain, type: number): number {
    const data = chain.read(HEADER, RANGE * (MOST_RANGES + 1));
    const zeroes = type === Request.writeZeroes;
    const most = zeroes ? 1 : MOST_RANGES;
    if (data.length === 0 || data.length % RANGE !== 0 || data.length > RANGE * most) return Answer.error;
    if (this.#disk.readOnly) return Answer.error;
    const view = new DataView(data.buffer);
    const ranges: { sector: number; count: number }[] = [];
    for (let at = 0; at < data.length; at += RANGE) {
      const sector = view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
      const [count, flags] = [view.getUint32(at + 8, true), view.getUint32(at + 12, true)];
      if (flags & ~(zeroes ? UNMAP : 0)) return Answer.unsupported;
      if (count > (zeroes ? MOST_ZEROED : MOST_DISCARDED) || !holds(this.#disk, sector, count))
        return Answer.error;
      ranges.push({ sector, count });
    }
    for (const { sector, count } of ranges) {
      if (zeroes) this.#zero(sector, count);
      else this.#disk.discard(sector, count);
    }
    return Answer.ok;
  }

  #zero(sector: number, count: number): void {
    const zeros = new Uint8Array(Math.min(count, BOUNCE) * SECTOR);
    for (let done = 0; done < count; done += BOUNCE)
      this.#disk.write(sector + done, zeros.subarray(0, Math.min(BOUNCE, count - done) * SECTOR));
  }
}
