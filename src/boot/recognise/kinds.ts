/** What a file can be, as `--as` names it. */
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
/** `linux` leaves it to the kernel by which of its entries it starts; the numbers say it. */
export type ImageKind = (typeof imageKinds)[number];

/** Each kind in words, as they complete "this is". */
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

/** What a file was found to be. */
export interface Recognised {
  /** `text` and `foreign` are no kinds that could run: a text, and a file of another system or of a packer. */
  kind: ImageKind | 'text' | 'foreign';
  /** What in the file says so, in words: `boot signature 55 AA, 1440 KiB`. */
  evidence: string;
}

/** A file that is looked at in pieces, since it may be large. */
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
