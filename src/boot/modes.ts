import { ConfigError } from '../errors.js';
import { type Image, ImageError } from './image.js';
import type { Loader } from './loaders/headers.js';
import type { ImageKind } from './recognise/index.js';

/** The values of `--mode`. `auto` lets the image decide. */
export const modes = ['auto', 'reset', 'real', 'protected', 'paged', 'pae', 'long'] as const;
export type Mode = (typeof modes)[number];
/** A mode that a CPU can start in. */
export type BootMode = Exclude<Mode, 'auto'>;

/** The size of an image with the reset vector at the same offset as in a 16-bit BIOS: 64 KiB. */
const BIOS_SIZE = 0x1_0000;
/** The reset vector's space: the last 16 bytes below 1 MiB. A linker may end an image right after the jump in it. */
const VECTOR_SIZE = 16;

/** The size of an image whose last 16 bytes are the reset vector. */
export function resetSize(size: number): number {
  return Math.ceil(size / VECTOR_SIZE) * VECTOR_SIZE;
}
/** Where a BIOS loads the boot sector. */
export const BOOT_SECTOR_ADDRESS = 0x7c00;

/** Kinds whose first sector firmware starts. */
const startedByFirmware: ReadonlySet<ImageKind | undefined> = new Set(['boot-sector', 'floppy', 'disk']);

/** True for an image whose first 512 bytes end in 55 AA, as a BIOS requires of a boot sector, or that the user declares to be one. */
export function isBootSector(image: Image): boolean {
  if (image.kind !== undefined) return startedByFirmware.has(image.kind);
  const bytes = image.segments[0]?.bytes;
  return image.format === 'flat' && bytes !== undefined && bytes[510] === 0x55 && bytes[511] === 0xaa;
}

const entryModes = { 16: 'real', 32: 'protected', 64: 'long' } as const;

/** The mode in which a boot protocol starts a kernel. */
export function loaderMode(loader: Loader): BootMode {
  return loader.protocol === 'linux' ? entryModes[loader.entry] : 'protected';
}

/** The mode that `auto` means for an image: by multiboot header, ELF class, boot signature or size. */
export function autoMode(image: Image): BootMode {
  if (image.loader) return loaderMode(image.loader);
  if (image.format === 'elf64') return 'long';
  if (image.format === 'elf32') return 'protected';
  if (isBootSector(image)) return 'real';
  if (image.kind !== undefined) return image.kind === 'rom' ? 'reset' : 'real';
  return resetSize(image.segments[0]?.memorySize ?? 0) === BIOS_SIZE ? 'reset' : 'real';
}

/**
 * The mode to start in.
 * @throws ConfigError for an unknown name; ImageError where the image's code is not for that mode.
 */
export function chooseMode(image: Image, mode: Mode = 'auto'): BootMode {
  if (!modes.includes(mode)) {
    throw new ConfigError(`there is no mode '${String(mode)}'`, `the modes are ${modes.join(', ')}`);
  }
  if (mode === 'auto') return autoMode(image);
  const byLoader = image.loader && loaderMode(image.loader);
  if (mode === byLoader) return mode;
  if (image.loader?.protocol === 'linux' && image.format === 'flat')
    throw new ImageError(
      `${image.name}: a Linux kernel is started by its ${image.loader.entry}-bit entry, and not in ${mode} mode`,
      'select the entry: --as linux16, linux32 or linux64',
    );
  if (image.format === 'elf64' && mode !== 'long') {
    throw new ImageError(
      `${image.name}: 64-bit code (ELF64) cannot start in ${mode} mode: the CPU would decode its instructions differently`,
      'omit --mode (ELF64 starts in long mode), or compile with -m32, for real mode with -m16',
    );
  }
  if (image.format === 'elf32' && mode === 'long') {
    throw new ImageError(
      `${image.name}: 32-bit code (ELF32) cannot start in long mode: the CPU would decode its instructions as 64-bit ones`,
      'omit --mode (ELF32 starts in protected mode), or compile with -m64',
    );
  }
  return mode;
}
