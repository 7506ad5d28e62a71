import { ConfigError } from '../errors.js';
import { type GuestMemory, MAX_GUEST_MEMORY, PAGE_SIZE } from '../memory/index.js';
import { type Image, ImageError, type ImageSegment } from './image.js';
import { BOOT_SECTOR_ADDRESS, type BootMode, isBootSector, resetSize } from './modes.js';
import { alignUp, hex, PHYSICAL_BITS, range, sizeText } from './numbers.js';

/** Where the reset image ends, and the highest address of real mode's first megabyte plus one. */
const ONE_MIB = 0x10_0000;
/** From here on addresses are a kernel's own half of a 32-bit space (2 GiB, as -2 GiB in 64 bits). */
const HIGHER_HALF = 0x8000_0000;
/** The size that firmware loads of a disk, and the end of RAM for it. */
const SECTOR = 512;
const CONVENTIONAL_END = 0xa_0000;
/** The first instruction after a reset: F000:FFF0. */
export const RESET_VECTOR = 0xf_fff0;

/** An image whose segments have their final addresses. */
export interface PlacedImage {
  image: Image;
  segments: readonly ImageSegment[];
  entry: number;
}

/** Another part of memory: the boot tables, a stack. */
export interface Reserved {
  what: string;
  address: number;
  size: number;
}

/**
 * Decides the address of an image and checks that there is RAM. Writes nothing.
 * @throws ImageError, ConfigError
 */
export function placeImage(memory: GuestMemory, image: Image, mode: BootMode, load?: number): PlacedImage {
  const moved = load === undefined ? undefined : movedDown(memory, image, load);
  if (moved !== undefined) return placeImage(memory, moved, mode);
  if (load !== undefined && (image.format !== 'flat' || mode === 'reset' || image.loader)) {
    throw new ConfigError(
      image.format === 'flat'
        ? `${image.name}: a reset image cannot be moved to ${hex(load)}: its end is at 1M, where the CPU starts`
        : `${image.name}: an ELF file cannot be moved to ${hex(load)}: it has its own addresses`,
      image.format === 'flat'
        ? 'omit --load, or choose another mode (--mode real)'
        : 'omit --load, and link it for the address: ld -Ttext ADDRESS',
    );
  }
  const base = image.format === 'flat' && !image.loader ? flatBase(image, mode, load) : 0;
  const loaded = mode === 'real' ? loadedByFirmware(image, base) : image.segments;
  const segments = base === 0 ? loaded : loaded.map((s) => ({ ...s, address: s.address + base }));
  for (const segment of segments) checkInMemory(memory, image, segment);
  if (mode === 'reset') checkResetVector(image, segments);
  return { image, segments, entry: mode === 'reset' ? RESET_VECTOR : (image.entry ?? base) };
}

function flatBase(image: Image, mode: BootMode, load: number | undefined): number {
  if (mode === 'reset') {
    const size = image.segments[0]!.memorySize;
    if (size > ONE_MIB) {
      throw new ImageError(
        `${image.name}: a reset image of ${size} bytes does not fit below 1M, where it must end`,
        'a reset image has at most 1048576 bytes',
      );
    }
    return ONE_MIB - resetSize(size);
  }
  return load ?? (mode === 'real' && isBootSector(image) ? BOOT_SECTOR_ADDRESS : 0);
}

/**
 * Of a disk with a boot sector firmware loads only that sector; the rest stays on the disk. A boot sector with more
 * code right after it is not a disk: all of it is loaded.
 */
function loadedByFirmware({ segments, ...image }: Image, base: number): readonly ImageSegment[] {
  const [first] = segments;
  if (first === undefined || !isBootSector({ segments, ...image })) return segments;
  const isDisk = image.kind === 'floppy' || image.kind === 'disk';
  if (!isDisk && base + first.memorySize <= CONVENTIONAL_END) return segments;
  return [{ ...first, bytes: first.bytes.subarray(0, SECTOR), memorySize: SECTOR }];
}

/**
 * An ELF file whose segments name no physical addresses of their own (`p_paddr` is `p_vaddr`) and lie where no RAM is, moved so
 * that its lowest segment goes to `load`: kernels of the higher half. Undefined for every other image.
 */
function movedDown(memory: GuestMemory, image: Image, load: number): Image | undefined {
  if (image.format === 'flat' || !image.virtual || image.segments.every((s) => inMemory(memory, s)))
    return undefined;
  const by = load - Math.min(...image.segments.map(({ address }) => address));
  return {
    ...image,
    virtual: false,
    segments: image.segments.map((s) => ({ ...s, address: s.address + by })),
    entry: image.entry === undefined ? undefined : image.entry + by,
  };
}

const inMemory = (memory: GuestMemory, { address, memorySize }: ImageSegment) =>
  memory.contains(address, memorySize);

function checkResetVector(image: Image, segments: readonly ImageSegment[]): void {
  if (segments.some((s) => RESET_VECTOR >= s.address && RESET_VECTOR < s.address + s.memorySize)) return;
  throw new ImageError(
    `${image.name}: the image has nothing at ${hex(RESET_VECTOR)}, where the CPU starts after a reset`,
    'a reset image has 16 bytes or more, the last 16 of which jump to its code; or start it with --mode real',
  );
}

function checkInMemory(memory: GuestMemory, image: Image, segment: ImageSegment): void {
  const { address, memorySize } = segment;
  if (memory.contains(address, memorySize)) return;
  if (image.virtual && address >= HIGHER_HALF) throw higherHalf(image, segment);
  const end = address + memorySize;
  // A hidden window has no bytes.
  const regions = memory.regions.filter(({ size }) => size > 0);
  const top = Math.max(...regions.map((r) => r.address + r.size));
  const what =
    image.format === 'flat' ? `the image of ${memorySize} bytes` : `the segment of ${memorySize} bytes`;
  const found =
    regions.length === 1
      ? `guest memory has ${memory.size} bytes (${sizeText(memory.size)}) and is at ${range(regions[0]!.address, memory.size)}`
      : `guest memory is at ${regions.map((r) => range(r.address, r.size)).join(', ')}`;
  throw new ImageError(
    `${image.name}: ${what} at ${range(address, memorySize)} is not in guest memory: ${found}`,
    end > top ? moreMemory(end) : 'load or link it for an address range that is wholly in one region',
  );
}

function higherHalf({ name }: Image, { address }: ImageSegment): ImageError {
  // Of an address in the upper half of 64 bits a segment has those that a physical address may have.
  const linked = BigInt.asUintN(64, BigInt.asIntN(PHYSICAL_BITS, BigInt(address)));
  return new ImageError(
    `${name}: the segment at ${hex(linked)} is linked for the higher half, and the file has the same physical address (p_paddr is p_vaddr), where there is no RAM`,
    'let the linker script set its address in RAM, .text : AT(ADDR(.text) - OFFSET), or load it lower: --load 0x100000; the kernel’s own page tables then map it to the higher half',
  );
}

/** The hint where RAM up to `end` is needed. */
export function moreMemory(end: number): string {
  const needed = alignUp(end, PAGE_SIZE);
  return needed <= MAX_GUEST_MEMORY
    ? `give the guest at least ${sizeText(needed)} of memory (--memory ${sizeText(needed)})`
    : `no machine has that much (the most is ${sizeText(MAX_GUEST_MEMORY)}): load or link it lower`;
}

/**
 * Checks that no segment shares bytes with something else. `room` is how much memory the mode needs in addition to the image.
 * @throws ImageError
 */
export function checkApart(placed: PlacedImage, reserved: Reserved, room: number): void {
  for (const { address, memorySize } of placed.segments) {
    if (address >= reserved.address + reserved.size || reserved.address >= address + memorySize) continue;
    throw new ImageError(
      `${placed.image.name}: the image at ${range(address, memorySize)} overlaps ${reserved.what} at ${range(reserved.address, reserved.size)}`,
      moreMemory(alignUp(address + memorySize, PAGE_SIZE) + room),
    );
  }
}

/** Copies an image's segments into RAM and clears what lies after their bytes. */
export function copyImage(memory: GuestMemory, segments: readonly ImageSegment[]): void {
  for (const { address, bytes, memorySize } of segments) {
    memory.writeBytes(address, bytes);
    clear(memory, address + bytes.length, memorySize - bytes.length);
  }
}

const zeros = new Uint8Array(0x1_0000);

/** Sets RAM to zero by copying: a fill of shared memory is many times slower than a copy. */
export function clear(memory: GuestMemory, address: number, length: number): void {
  for (let done = 0; done < length; done += zeros.length) {
    const rest = length - done;
    memory.writeBytes(address + done, rest < zeros.length ? zeros.subarray(0, rest) : zeros);
  }
}
