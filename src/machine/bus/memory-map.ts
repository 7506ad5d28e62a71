/**
 * A machine's memory map: RAM from 0 on, except for the addresses of devices with memory of their own.
 *
 * @module
 */
import type { Device, MemoryRange, TrackedBytes, Windows } from '../../devices/contract/index.js';
import { ConfigError } from '../../errors.js';
import { type GuestMemory, type MemoryRegion, PAGE_SIZE, type RegionConfig } from '../../memory/index.js';
import type { AddressSpace } from './address-space.js';
import type { Bus } from './bus.js';
import type { BusClaim } from './claim.js';

/** RAM of `size` bytes from 0 on without the given ranges: RAM below one does not exist. */
export function ramAround(size: number, ranges: readonly MemoryRange[]): RegionConfig[] {
  const pieces: RegionConfig[] = [];
  let from = 0;
  for (const range of [...ranges].sort((a, b) => a.address - b.address)) {
    const end = range.address + range.size;
    if (range.address % PAGE_SIZE !== 0 || end % PAGE_SIZE !== 0)
      throw new ConfigError(
        `a range with a window at 0x${range.address.toString(16)} is not made of whole pages`,
      );
    if (range.address >= size) break;
    if (range.address > from) pieces.push({ address: from, size: range.address - from });
    from = Math.max(from, end);
  }
  // A size that makes no sense is refused where memory is made.
  if (from < size || pieces.length === 0) pieces.push({ address: from, size: size - from });
  return pieces;
}

/** A range that is backed by memory, and the part of it that the guest sees. */
interface OwnRegion {
  readonly device: Device;
  readonly range: MemoryRange;
  /** In bytes from the claim's first address. */
  offset: number;
  size: number;
}

/**
 * The devices' own memory: the pages of ranges with `backing`, and the windows of ranges with `window`. Each is a region of guest memory
 * that follows its claim. The guest sees it only where the claim answers at all of its addresses, and where there is no RAM: RAM takes
 * precedence over all devices.
 */
export class DeviceMemory implements Windows {
  /** The regions to make in guest memory, after those of RAM. */
  readonly configs: readonly RegionConfig[];
  /** Ranges that RAM leaves out. */
  readonly windowRanges: readonly MemoryRange[];
  readonly #own: readonly OwnRegion[];
  #memory: GuestMemory | undefined;
  #regions: readonly MemoryRegion[] = [];
  #claims: readonly BusClaim[] = [];
  #space: AddressSpace | undefined;
  #remap: (slot: number) => void = () => {};

  constructor(devices: readonly Device[]) {
    const owners = devices.flatMap((device) => (device.memory ?? []).map((range) => ({ device, range })));
    const windows = owners.filter(({ range }) => range.window !== undefined);
    const backed = owners.filter(({ range }) => range.backing === 'ram');
    const roms = backed.filter(({ range }) => range.overRam === true);
    this.windowRanges = [...windows, ...roms].map(({ range }) => range);
    this.#own = [
      ...backed.map((owner) => ({ ...owner, offset: 0, size: owner.range.size })),
      ...windows.map((owner) => ({ ...owner, offset: 0, size: 0 })),
    ];
    this.configs = this.#own.map(({ range: { address, size, window, hidden = false } }) =>
      window === undefined
        ? { address, size, hidden, readOnly: true, ofDevice: true }
        : { address, size: window, hidden: true, ofDevice: true },
    );
  }

  /**
   * The regions are the last ones of `memory`.
   *
   * @param bus has the claims
   * @param remap notifies the engine of a moved region
   */
  connect(memory: GuestMemory, bus: Bus, remap: (slot: number) => void): void {
    this.#memory = memory;
    this.#space = bus.memory;
    this.#regions = memory.regions.slice(memory.regions.length - this.#own.length);
    this.#claims = this.#own.map(({ device, range }) => bus.claimOf(device, range)!);
    this.#remap = remap;
    for (const [i, claim] of this.#claims.entries())
      if (this.#own[i]!.range.backing === 'ram') claim.bytes = memory.holdRegion(this.#regions[i]!);
  }

  bytes(range: MemoryRange): Uint8Array {
    const i = this.#indexOf(range);
    return this.#memory!.holdRegion(this.#regions[i]!);
  }

  tracked(range: MemoryRange): TrackedBytes {
    const memory = this.#memory;
    const region = this.#regions[this.#indexOf(range)]!;
    return {
      bytes: memory!.bytesOf(region),
      written: (at, length) => memory!.hostWrites.note(region.offset + at, length),
    };
  }

  show(range: MemoryRange, address: number, size: number): void {
    const i = this.#indexOf(range);
    const claim = this.#claims[i]!;
    if (range.window === undefined)
      throw new ConfigError('a device showed a part of a range without a window');
    if (size > 0 && (address < claim.address || address + size - 1 > claim.last))
      throw new ConfigError(`a window of ${size} bytes at 0x${address.toString(16)} is outside of its range`);
    const own = this.#own[i]!;
    own.offset = address - claim.address;
    own.size = size;
    this.#place(i);
  }

  /** Claims have changed: updates the visibility of their memory. */
  follow(): void {
    // One may take the address of another: all are hidden first.
    for (const i of this.#own.keys()) if (this.#wanted(i) !== this.#regions[i]!.address) this.#hide(i);
    for (const i of this.#own.keys()) this.#place(i);
  }

  /** The region's address for the guest; -1 where it is hidden. */
  #wanted(i: number): number {
    const { offset, size } = this.#own[i]!;
    const claim = this.#claims[i]!;
    if (size === 0 || !claim.isHeld || this.#space?.isWhole(claim) !== true) return -1;
    const address = claim.address + offset;
    const own = this.#regions;
    const ram = this.#memory!.regions.some(
      (region) =>
        !own.includes(region) &&
        region.size > 0 &&
        address < region.address + region.size &&
        region.address < address + size,
    );
    return ram ? -1 : address;
  }

  #hide(i: number): void {
    const region = this.#regions[i]!;
    if (region.size === 0) return;
    this.#memory!.place(region.slot, region.address, 0);
    this.#remap(region.slot);
  }

  #place(i: number): void {
    const region = this.#regions[i]!;
    const address = this.#wanted(i);
    if (address < 0) {
      this.#hide(i);
      return;
    }
    const { size } = this.#own[i]!;
    if (region.size === size && region.address === address) return;
    this.#memory!.place(region.slot, address, size);
    this.#remap(region.slot);
  }

  #indexOf(range: MemoryRange): number {
    const i = this.#own.findIndex((one) => one.range === range);
    if (this.#memory === undefined || i < 0)
      throw new ConfigError(
        'a device asked for the memory of a range that has none',
        'ask with the very object that `memory` of the device has',
      );
    return i;
  }
}
