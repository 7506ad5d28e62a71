import { TerrariumError } from '../errors.js';
import { HostWrites } from './host-writes.js';
import { acquirePages, isWanted, type Pages, pagesOf, releasePages, WASM_PAGE } from './pool.js';

/** The smallest unit that can be mapped, in bytes. */
export const PAGE_SIZE = 4096;
/** Bytes at the start of every VM's memory that belong to the software engine; guest RAM starts right after. */
export const ENGINE_AREA = 32 * 1024 * 1024;
/** The most RAM a VM can have, in bytes: engine area and RAM share the 4 GiB that WebAssembly can address. */
export const MAX_GUEST_MEMORY = 4 * 1024 * 1024 * 1024 - ENGINE_AREA;

const NOTHING = new Uint8Array(0);

/** An access outside guest RAM, or memory that cannot be allocated. */
export class GuestMemoryError extends TerrariumError {
  constructor(message: string, hint?: string) {
    super('EMEMORY', message, hint === undefined ? {} : { hint });
  }
}

/** A region of guest physical memory in a configuration. Sizes and addresses are in bytes, multiples of 4,096. */
export interface RegionConfig {
  /** Guest physical address of the first byte. */
  address: number;
  size: number;
  /** The guest reads at full speed; a write causes an MMIO exit (KVM_MEM_READONLY). */
  readOnly?: boolean;
  /** Keep a log of the pages that the guest writes (KVM_MEM_LOG_DIRTY_PAGES). */
  logDirty?: boolean;
  /** The guest does not see it until `GuestMemory.place` maps it: a device shows it at times. */
  hidden?: boolean;
  /** A device's own memory, which is not in a map of the machine's RAM. */
  ofDevice?: boolean;
}

/** A region of guest physical memory. Where a device shows its own memory, `address` and `size` change: see `place`. */
export interface MemoryRegion extends Required<Omit<RegionConfig, 'hidden'>> {
  /** The slot number, unique in its VM. */
  readonly slot: number;
  /** Bytes that are kept for it; `size` of them are in guest memory, 0 while it is hidden. */
  readonly capacity: number;
  /** The offset of the region's first byte in `GuestMemory.buffer`. */
  readonly offset: number;
}

/**
 * A VM's RAM: one shared `WebAssembly.Memory` that the CPU engine, the devices and other threads see as the same bytes.
 *
 * Addresses are guest physical. Every read and write must lie wholly inside one region; anything else throws a
 * `GuestMemoryError` that names the address. Numbers are little-endian, as on x86.
 */
export class GuestMemory implements Disposable {
  /** The WebAssembly memory whose bytes these are: engine area first, then the regions one after another. */
  readonly wasm: WebAssembly.Memory;
  readonly buffer: SharedArrayBuffer;
  readonly regions: readonly MemoryRegion[];
  /** The pages that were written from outside of the CPUs. */
  readonly hostWrites: HostWrites;
  readonly #pages: Pages;
  #view: DataView | undefined;
  #bytes: Uint8Array;

  private constructor(pages: Pages, regions: readonly MemoryRegion[]) {
    this.wasm = pages.wasm;
    this.buffer = pages.bytes.buffer as SharedArrayBuffer;
    this.regions = regions;
    const size = regions.reduce((sum, { capacity }) => sum + capacity, 0);
    this.hostWrites = new HostWrites(this.buffer, ENGINE_AREA, size);
    this.#pages = pages;
    this.#view = pages.view;
    this.#bytes = pages.bytes;
  }

  /** Reserves RAM for the given regions; all bytes are 0. Pages cost host memory when they are first touched. */
  static create(regions: readonly RegionConfig[]): GuestMemory {
    const mapped = layOut(regions);
    const last = mapped[mapped.length - 1]!;
    const pages = Math.ceil((last.offset + last.capacity) / WASM_PAGE);
    const memory = new GuestMemory(acquirePages(pages), mapped);
    // The last VM with this memory may have kept a log.
    if (memory.hostWrites.on) memory.hostWrites.log(false);
    return memory;
  }

  /** The memory of another thread's VM, from the data that the thread posted. */
  static attach(wasm: WebAssembly.Memory, regions: readonly MemoryRegion[]): GuestMemory {
    return new GuestMemory(pagesOf(wasm), regions);
  }

  /** Total RAM of all regions in bytes. */
  get size(): number {
    return this.regions.reduce((sum, region) => sum + region.size, 0);
  }

  /** The region that holds all of `length` bytes from `address`, if there is one. */
  find(address: number, length = 1): MemoryRegion | undefined {
    for (const region of this.regions) {
      const inside = address - region.address;
      if (inside >= 0 && inside + length <= region.size) return region;
    }
    return undefined;
  }

  /**
   * Moves region `slot`: its first `size` bytes are in guest memory from `address` on; 0 hides it. Only this side's
   * accesses follow; the engine is told with `EngineVm.remapRegion`.
   */
  place(slot: number, address: number, size: number): MemoryRegion {
    const region = this.regions.find((one) => one.slot === slot);
    if (region === undefined) throw new GuestMemoryError(`there is no region ${slot} of memory`);
    const paged = address >= 0 && address % PAGE_SIZE === 0 && size >= 0 && size % PAGE_SIZE === 0;
    if (!Number.isSafeInteger(address + size) || !paged || size > region.capacity) {
      throw new GuestMemoryError(`region ${slot} cannot be placed at ${hex(address)} with ${size} bytes`);
    }
    const inTheWay = this.regions.find((r) => r !== region && overlaps(r, address, size));
    if (inTheWay !== undefined)
      throw new GuestMemoryError(
        `region ${slot} at ${hex(address)} overlaps the one at ${hex(inTheWay.address)}`,
      );
    region.address = address;
    region.size = size;
    return region;
  }

  /** True if all of `length` bytes from `address` are RAM of one region. */
  contains(address: number, length: number): boolean {
    return Number.isSafeInteger(address) && length >= 0 && this.find(address, length) !== undefined;
  }

  read8(address: number): number {
    return this.#at(address, 1).getUint8(this.#offset);
  }
  read16(address: number): number {
    return this.#at(address, 2).getUint16(this.#offset, true);
  }
  read32(address: number): number {
    return this.#at(address, 4).getUint32(this.#offset, true);
  }
  read64(address: number): bigint {
    return this.#at(address, 8).getBigUint64(this.#offset, true);
  }
  write8(address: number, value: number): void {
    this.#toWrite(address, 1).setUint8(this.#offset, value);
  }
  write16(address: number, value: number): void {
    this.#toWrite(address, 2).setUint16(this.#offset, value, true);
  }
  write32(address: number, value: number): void {
    this.#toWrite(address, 4).setUint32(this.#offset, value, true);
  }
  write64(address: number, value: bigint): void {
    this.#toWrite(address, 8).setBigUint64(this.#offset, value, true);
  }

  /** A copy of `length` bytes: later writes of the guest do not change it. */
  readBytes(address: number, length: number): Uint8Array {
    this.#at(address, length);
    return this.#bytes.slice(this.#offset, this.#offset + length);
  }

  writeBytes(address: number, bytes: Uint8Array): void {
    this.#toWrite(address, bytes.length);
    this.#bytes.set(bytes, this.#offset);
  }

  /**
   * The guest's own bytes, not a copy, to write or read now. A guest may change them between two reads: read once, check, then
   * use. Use `hold` for a view that is kept for later writes. It must not be used after the memory is disposed.
   */
  view(address: number, length: number): Uint8Array {
    this.#toWrite(address, length);
    return this.#bytes.subarray(this.#offset, this.#offset + length);
  }

  /** As `view`, to read only: the bytes do not count as written. */
  peek(address: number, length: number): Uint8Array {
    this.#at(address, length);
    return this.#bytes.subarray(this.#offset, this.#offset + length);
  }

  /** As `view`, for a device that keeps it and writes at any time: from now on its pages always count as written. */
  hold(address: number, length: number): Uint8Array {
    const bytes = this.view(address, length);
    this.hostWrites.hold(this.#offset, length);
    return bytes;
  }

  /** As `hold`, for all bytes of a region, whether the guest sees them or not. */
  holdRegion(region: MemoryRegion): Uint8Array {
    this.hostWrites.hold(region.offset, region.capacity);
    return this.bytesOf(region);
  }

  /** All bytes of a region, whether the guest sees them or not, to read only. */
  bytesOf({ offset, capacity }: MemoryRegion): Uint8Array {
    if (this.#view === undefined)
      throw new GuestMemoryError('guest memory was used after its machine was disposed');
    return this.#bytes.subarray(offset, offset + capacity);
  }

  /** The next VM may use this memory, once it is cleared. */
  get isWanted(): boolean {
    return isWanted(this.#pages);
  }

  /** Ends this handle. With `zeroed` (the contents are known to be 0 again) the memory serves the next VM. */
  release(zeroed: boolean): void {
    if (this.#view === undefined) return;
    this.#view = undefined;
    this.#bytes = NOTHING;
    if (zeroed) releasePages(this.#pages);
  }

  [Symbol.dispose](): void {
    this.release(false);
  }

  /** Byte offset in `buffer` that the last check found; a field, so that a checked access allocates nothing. */
  #offset = 0;

  #toWrite(address: number, length: number): DataView {
    const view = this.#at(address, length);
    this.hostWrites.note(this.#offset, length);
    return view;
  }

  #at(address: number, length: number): DataView {
    if (this.#view === undefined)
      throw new GuestMemoryError('guest memory was used after its machine was disposed');
    if (Number.isSafeInteger(address) && Number.isSafeInteger(length) && length >= 0) {
      const region = this.find(address, length);
      if (region !== undefined) {
        this.#offset = region.offset + (address - region.address);
        return this.#view;
      }
    }
    throw new GuestMemoryError(
      `${length} byte${length === 1 ? '' : 's'} at ${hex(address)} are not in guest memory`,
      `guest memory is ${this.regions.map((r) => `${hex(r.address)}–${hex(r.address + r.size - 1)}`).join(', ')}`,
    );
  }
}

/** Checks the regions and gives each its slot and its place after the engine area. */
function layOut(configs: readonly RegionConfig[]): MemoryRegion[] {
  if (configs.length === 0) throw new GuestMemoryError('a machine needs at least one region of memory');
  let offset = ENGINE_AREA;
  const regions: MemoryRegion[] = [];
  for (const {
    address,
    size,
    readOnly = false,
    logDirty = false,
    hidden = false,
    ofDevice = false,
  } of configs) {
    const name = `the memory region at ${hex(address)}`;
    if (!Number.isSafeInteger(size) || size <= 0) {
      throw new GuestMemoryError(
        `${name} has a size of ${size} bytes`,
        'give it at least one page, 4096 bytes',
      );
    }
    if (
      size % PAGE_SIZE !== 0 ||
      !Number.isSafeInteger(address) ||
      address < 0 ||
      address % PAGE_SIZE !== 0
    ) {
      throw new GuestMemoryError(
        `${name} of ${size} bytes does not start and end on a page`,
        'addresses and sizes are multiples of 4096 bytes (4K)',
      );
    }
    if (offset + size > ENGINE_AREA + MAX_GUEST_MEMORY) {
      throw new GuestMemoryError(
        `${name} of ${size} bytes is more than a machine can have`,
        `the most is ${MAX_GUEST_MEMORY / 1024 / 1024}M in all regions together`,
      );
    }
    const visible = hidden ? 0 : size;
    const other = regions.find((r) => overlaps(r, address, visible));
    if (other !== undefined)
      throw new GuestMemoryError(
        `${name} overlaps the one at ${hex(other.address)}`,
        'give each region addresses of its own',
      );
    const slot = regions.length;
    regions.push({ address, size: visible, capacity: size, readOnly, logDirty, ofDevice, slot, offset });
    offset += size;
  }
  return regions;
}

function overlaps(region: MemoryRegion, address: number, size: number): boolean {
  if (region.size === 0 || size === 0) return false;
  return address < region.address + region.size && region.address < address + size;
}

function hex(value: number): string {
  return Number.isSafeInteger(value) && value >= 0 ? `0x${value.toString(16)}` : String(value);
}
