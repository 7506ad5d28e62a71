import { type GuestMemory, PAGE_SIZE } from '../../memory/index.js';
import { ImageError } from '../image.js';
import { AVAILABLE, memoryMap } from '../memory-map.js';
import { alignDown, alignUp, hex, range } from '../numbers.js';
import { moreMemory } from '../place.js';

/** Constraints for an address. */
export interface Placement {
  /** A power of 2. Default: a page. */
  align?: number;
  /** Its first byte is at or above this address, its last below `to`. */
  from?: number;
  to?: number;
  /** As high as possible, instead of as low as possible. */
  high?: boolean;
}

interface Taken {
  what: string;
  start: number;
  end: number;
}

const FOUR_GIB = 2 ** 32;

/** The guest's RAM while a loader plans its content: nothing is written, and no two parts overlap. */
export class Room {
  readonly #name: string;
  readonly #ram: readonly { start: number; end: number }[];
  readonly #taken: Taken[] = [];

  /** @param name of the image, for errors */
  constructor(memory: GuestMemory, name: string) {
    this.#name = name;
    this.#ram = memoryMap(memory)
      .filter(({ type }) => type === AVAILABLE)
      .map(({ address, size }) => ({ start: address, end: address + size }));
  }

  /** The end of RAM below 4 GiB. */
  get top(): number {
    return Math.min(FOUR_GIB, Math.max(0, ...this.#ram.map(({ end }) => end)));
  }

  /** Reserves a fixed address range. @throws ImageError where it is reserved already */
  reserve(what: string, address: number, size: number): void {
    const end = address + size;
    const other = this.#taken.find((one) => address < one.end && one.start < end);
    if (other !== undefined && size > 0)
      throw new ImageError(
        `${this.#name}: ${what} at ${range(address, size)} overlaps ${other.what} at ${range(other.start, other.end - other.start)}`,
        moreMemory(alignUp(end, PAGE_SIZE) + (other.end - other.start)),
      );
    this.#insert({ what, start: address, end });
  }

  /** True where all of it is free RAM. */
  isFree(address: number, size: number): boolean {
    const end = address + size;
    const inRam = this.#ram.some((ram) => address >= ram.start && end <= ram.end);
    return inRam && !this.#taken.some((one) => address < one.end && one.start < end);
  }

  /** Finds free RAM and reserves it. @throws ImageError where no free range is large enough */
  take(what: string, size: number, placement: Placement = {}): number {
    const address = this.tryTake(what, size, placement);
    if (address !== undefined) return address;
    const { from = 0, to = FOUR_GIB } = placement;
    const where = from === 0 && to === FOUR_GIB ? '' : ` between ${hex(from)} and ${hex(to - 1)}`;
    throw new ImageError(
      `${this.#name}: no room for ${what}, ${size} bytes${where}: the largest free piece there has ${this.#largest(from, to)}`,
      to <= this.top ? `make it smaller: it must be below ${hex(to)}` : moreMemory(this.top + size),
    );
  }

  /** As `take`; undefined where there is no room. */
  tryTake(what: string, size: number, placement: Placement = {}): number | undefined {
    const { align = PAGE_SIZE, from = 0, to = FOUR_GIB, high = false } = placement;
    const gaps = this.#gaps(from, to);
    for (const gap of high ? gaps.reverse() : gaps) {
      const start = high ? alignDown(gap.end - size, align) : alignUp(gap.start, align);
      if (start < gap.start || start + size > gap.end) continue;
      this.#insert({ what, start, end: start + size });
      return start;
    }
    return undefined;
  }

  #insert(one: Taken): void {
    if (one.end <= one.start) return;
    const at = this.#taken.findIndex(({ start }) => start > one.start);
    this.#taken.splice(at < 0 ? this.#taken.length : at, 0, one);
  }

  #largest(from: number, to: number): number {
    return Math.max(0, ...this.#gaps(from, to).map(({ start, end }) => end - start));
  }

  /** The free ranges between two addresses, in order. */
  #gaps(from: number, to: number): { start: number; end: number }[] {
    const gaps: { start: number; end: number }[] = [];
    for (const ram of this.#ram) {
      let start = Math.max(ram.start, from);
      const end = Math.min(ram.end, to);
      for (const taken of this.#taken) {
        if (taken.end <= start || taken.start >= end) continue;
        if (taken.start > start) gaps.push({ start, end: taken.start });
        start = taken.end;
      }
      if (start < end) gaps.push({ start, end });
    }
    return gaps;
  }
}
