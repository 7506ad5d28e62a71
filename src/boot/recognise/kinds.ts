/** The kinds of files, as named by `--as`. */
export const imageKinds = [
  'flat',
  'boot-sector',
  'floppy',
  'disk',
  'cdrom',
  'rom',
  'elf',
  'multiboot',
  'multiboot2',
  'linux',
  'linux16',
  'linux32',
  'linux64',
  'pvh',
] as const;
/** `linux` selects the best entry of the kernel; the numbers select one. */
export type ImageKind = (typeof imageKinds)[number];

/** Each kind as text that completes "this is". */
export const kindWords: Readonly<Record<ImageKind, string>> = {
  flat: 'a flat image',
  'boot-sector': 'a boot sector',
  floppy: 'a floppy disk',
  disk: 'a hard disk',
  cdrom: 'a CD-ROM',
  rom: 'a BIOS ROM',
  elf: 'an ELF file',
  multiboot: 'a multiboot kernel',
  multiboot2: 'a multiboot 2 kernel',
  linux: 'a Linux kernel',
  linux16: 'a Linux kernel for its 16-bit entry',
  linux32: 'a Linux kernel for its 32-bit entry',
  linux64: 'a Linux kernel for its 64-bit entry',
  pvh: 'a kernel for PVH',
};

/** The recognised kind of a file. */
export interface Recognised {
  /** `text` and `foreign` cannot run: a text, and a file of another system or of a packer. */
  kind: ImageKind | 'text' | 'foreign';
  /** The evidence in the file as text: `boot signature 55 AA, 1440 KiB`. */
  evidence: string;
}

/** A file that is read in pieces, since it may be large. */
export interface ImageBytes {
  readonly size: number;
  /** The bytes from `offset` on; fewer where the file ends. */
  read(offset: number, length: number): Uint8Array;
}

/** A file whose bytes are in memory. */
export function imageBytes(bytes: Uint8Array): ImageBytes {
  return {
    size: bytes.length,
    read: (offset, length) => bytes.subarray(offset, offset + length),
  };
}
