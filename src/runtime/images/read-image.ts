import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import path from 'node:path';
import { type Image, ImageError, type ImageKind, parseImage, recognise } from '../../boot/index.js';
import { type MachineSpec, memoryOf } from '../../config/index.js';
import { SOURCE_ENDINGS } from './languages.js';

/** ELF files with debug information are larger than the memory that they load. */
const LARGEST_ELF = 1024 * 1024 * 1024;
/** The bytes of a disk that are read: firmware loads only its first sector. */
const DISK_START = 1024 * 1024;
/** Files of this size cost nothing to read. */
const SMALL = 1024 * 1024;

/**
 * Reads an image, of the kind that its bytes show, or that the user gives (`spec.as`). A file that does not fit into this
 * machine's memory is refused by its size, before it is read: a sparse file of gigabytes takes no room on a disk.
 * @throws ImageError, and Node's errors where the file cannot be read
 */
export function readImage(file: string, spec: MachineSpec): Image {
  const fd = openSync(file, 'r');
  try {
    const { size } = fstatSync(fd);
    const { kind, evidence } =
      spec.as === undefined
        ? recognise({
            size,
            read: (offset, length) => readBytes(fd, offset, Math.min(length, size - offset)),
          })
        : { kind: spec.as, evidence: undefined };
    if (kind === 'text' || kind === 'foreign') throw refused(file, kind, evidence ?? '');
    const isElf = kinds.elf.has(kind);
    const room = isElf ? LARGEST_ELF : roomFor(spec, kind);
    const isDisk = kinds.disk.has(kind) && (spec.load === undefined || size > room);
    if (!isDisk && size > room)
      throw new ImageError(
        `${file}: ${size} bytes are more than ${isElf ? 'an ELF file may have' : 'the guest’s memory'}, ${room}`,
        isElf ? 'strip its debug information' : 'give the guest more memory (--memory)',
      );
    const bytes = readBytes(fd, 0, isDisk ? Math.min(size, DISK_START) : size);
    const image = parseImage(bytes, path.basename(file), kind);
    return evidence === undefined ? image : { ...image, evidence };
  } finally {
    closeSync(fd);
  }
}

const kinds: Readonly<Record<'elf' | 'disk', ReadonlySet<ImageKind>>> = {
  elf: new Set<ImageKind>(['elf', 'pvh', 'multiboot', 'multiboot2']),
  disk: new Set<ImageKind>(['floppy', 'disk', 'cdrom']),
};

/** A text file would be executed as machine code, letter by letter. */
function refused(file: string, kind: 'text' | 'foreign', evidence: string): ImageError {
  const overrule = '; --as flat runs it as it is';
  if (kind === 'text')
    return new ImageError(
      `${file}: this is ${evidence}, and not an image: its letters would be executed as machine code`,
      `give a source, which is known by its ending (${SOURCE_ENDINGS}), or what a compiler made of it${overrule}`,
    );
  const [what, instead] = evidence.split(': ');
  return new ImageError(`${file}: this is ${what}, and not an image`, `${instead}${overrule}`);
}

/**
 * The size of all memory that a flat image could be loaded into. For small files the machine itself reports what does not fit,
 * and where.
 */
function roomFor(spec: MachineSpec, kind: ImageKind): number {
  const { regions = [] } = spec;
  return Math.max(
    SMALL,
    regions.reduce((sum, { size }) => sum + size, memoryOf(spec, { kind })),
  );
}

/** The bytes of a file from `offset` on; fewer where it ends earlier. */
function readBytes(fd: number, offset: number, length: number): Uint8Array {
  const bytes = Buffer.alloc(Math.max(0, length));
  let at = 0;
  while (at < length) {
    const read = readSync(fd, bytes, at, length - at, offset + at);
    if (read === 0) break;
    at += read;
  }
  return bytes.subarray(0, at);
}
