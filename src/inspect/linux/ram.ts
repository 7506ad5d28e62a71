/**
 * Guest RAM by physical addresses, for structures whose place is searched.
 *
 * @module
 */
import type { PhysicalMemory } from '../explorer/words.js';

/** All of a guest's RAM: `GuestMemory` is that. */
export interface WholeMemory extends PhysicalMemory {
  readonly regions: readonly {
    readonly address: number;
    readonly size: number;
    readonly ofDevice?: boolean;
  }[];
  peek(address: number, length: number): Uint8Array;
}

/** False for memory of which only single addresses can be read. */
export function isWhole(memory: PhysicalMemory): memory is WholeMemory {
  return 'regions' in memory && 'peek' in memory;
}

const DIGITS = Uint8Array.from({ length: 20 }, (_, n) => (n % 2 ? 0 : 0x30 + n / 2));

/** A copy of a range of RAM, read by physical addresses: the guest may write while it is read. */
export class Window {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, from: number) {
    this.bytes = bytes;
    this.from = from;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u16(at: number): number {
    return this.#view.getUint16(at - this.from, true);
  }
  u32(at: number): number {
    return this.#view.getUint32(at - this.from, true);
  }
  u64(at: number): bigint {
    return this.#view.getBigUint64(at - this.from, true);
  }
}

/** See the module's comment. */
export class Ram {
  readonly memory: WholeMemory;

  constructor(memory: WholeMemory) {
    this.memory = memory;
  }

  /** The bytes from one address to another; undefined where they are not RAM of one region. */
  window(from: number, to: number): Window | undefined {
    if (from < 0 || to <= from || !this.memory.contains(from, to - from)) return undefined;
    return new Window(this.memory.readBytes(from, to - from), from);
  }

  /** As `window`, from the beginning of the region where that is later. */
  tail(from: number, to: number): Window | undefined {
    const region = this.memory.regions.find(({ address, size }) => to > address && to <= address + size);
    return region && this.window(Math.max(from, region.address), to);
  }

  /** As `window`, up to the end of the region where that is earlier. */
  head(from: number, to: number): Window | undefined {
    const region = this.memory.regions.find(({ address, size }) => from >= address && from < address + size);
    return region && this.window(from, Math.min(to, region.address + region.size));
  }

  /** Where the strings `0` to `9` follow each other, each with its NUL. */
  *findDigits(): Generator<number> {
    for (const { address, size, ofDevice } of this.memory.regions) {
      if (size === 0 || ofDevice) continue;
      const bytes = this.memory.peek(address, size);
      const step = DIGITS.length - 2;
      for (let at = 0; at + 1 < size; at += step) {
        // A digit and a NUL, in either order: nearly all of RAM is something else.
        const digit = bytes[at]! | bytes[at + 1]!;
        if (digit < 0x30 || digit > 0x39 || (bytes[at] !== 0 && bytes[at + 1] !== 0)) continue;
        // Where they begin if this is one of them: `at` has the digit, or the NUL before it.
        const start = at - 2 * (digit - 0x30) + (bytes[at] === 0 ? 1 : 0);
        if (start >= 0 && matches(bytes, start, DIGITS)) yield address + start;
      }
    }
  }
}

function matches(bytes: Uint8Array, at: number, pattern: Uint8Array): boolean {
  for (let n = 0; n < pattern.length; n++) if (bytes[at + n] !== pattern[n]) return false;
  return true;
}
