/**
 * Where a machine's memory is: RAM from 0 on, but for the addresses of devices that show memory of their own.
 *
 * @module
 */
import type { Device, MemoryRange, Windows } from '../../devices/contract/index.js';
import { ConfigError } from '../../errors.js';
import { type GuestMemory, type MemoryRegion, PAGE_SIZE, type RegionConfig } from '../../memory/index.js';

/** The pages that devices want their guest to read as memory. */
export function backedRegions(devices: readonly Device[]): RegionConfig[] {
  return devices.flatMap(({ memory = [] }) =>
    memory
      .filter(({ backing }) => backing === 'ram')
      .map(({ address, size }) => ({ address, size, readOnly: true })),
  );
}

/** RAM of `size` bytes from 0 on without the given ranges: what would lie under one is not there. */
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

/** The memory behind the devices' windows: a region each, hidden until its device shows it. */
export class WindowRegions implements Windows {
  readonly ranges: readonly MemoryRange[];
  readonly configs: readonly RegionConfig[];
  #memory: GuestMemory | undefined;
  #regions: readonly MemoryRegion[] = [];
  #remap: (slot: number) => void = () => {};

  constructor(devices: readonly Device[]) {
    this.ranges = devices.flatMap(({ memory = [] }) => memory.filter(({ window }) => window !== undefined));
    this.configs = this.ranges.map(({ address, window = 0 }) => ({ address, size: window, hidden: true }));
  }

  /** The regions are the last ones of `memory`; `remap` tells the engine of one that was moved. */
  connect(memory: GuestMemory, remap: (slot: number) => void): void {
    this.#memory = memory;
    this.#regions = memory.regions.slice(memory.regions.length - this.ranges.length);
    this.#remap = remap;
  }

  bytes(range: MemoryRange): Uint8Array {
    const [memory, region] = this.#find(range);
    return memory.bytesOf(region);
  }

  show(range: MemoryRange, address: number, size: number): void {
    const [memory, region] = this.#find(range);
    if (size > 0 && (address < range.address || address + size > range.address + range.size))
      throw new ConfigError(`a window of ${size} bytes at 0x${address.toString(16)} is outside of its range`);
    memory.place(region.slot, address, size);
    this.#remap(region.slot);
  }

  #find(range: MemoryRange): [GuestMemory, MemoryRegion] {
    const region = this.#regions[this.ranges.indexOf(range)];
    if (this.#memory === undefined || region === undefined)
      throw new ConfigError('a device asked for the window of a range that is not its own');
    return [this.#memory, region];
  }
}
