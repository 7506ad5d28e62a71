import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import path from 'node:path';
import { type Image, ImageError, isBootSector, parseImage } from '../../boot/index.js';
import { defaultOf, type MachineSpec } from '../../config/index.js';
import { refuseText } from './languages.js';

/** Bytes that say what a file is: an ELF file's magic number, a boot sector's signature. */
const HEAD = 512;
const ELF_MAGIC = '\x7fELF';
/** ELF files with debug information are larger than what they load. */
const LARGEST_ELF = 1024 * 1024 * 1024;
/** What is read of a disk that begins with a boot sector: firmware loads the sector alone. */
const DISK_START = 1024 * 1024;
/** Files of this size cost nothing to read. */
const SMALL = 1024 * 1024;

/**
 * Reads an image. A file that no memory of this machine could hold is refused by its size, before it is read: a sparse file of
 * gigabytes takes no room on a disk.
 * @throws ImageError, and Node's errors where the file cannot be read
 */
export function readImage(file: string, spec: MachineSpec): Image {
  const fd = openSync(file, 'r');
  try {
    const { size } = fstatSync(fd);
    const head = readBytes(fd, Math.min(size, HEAD));
    const name = path.basename(file);
    const isElf = Buffer.from(head.subarray(0, ELF_MAGIC.length)).toString('latin1') === ELF_MAGIC;
    const room = isElf ? LARGEST_ELF : roomFor(spec);
    if (size <= room) {
      const bytes = readBytes(fd, size);
      const image = parseImage(bytes, name);
      if (image.format === 'flat') refuseText(bytes, file);
      return image;
    }
    if (!isElf && spec.load === undefined && isBootSector(parseImage(head, name)))
      return parseImage(readBytes(fd, DISK_START), name);
    throw new ImageError(
      `${file}: ${size} bytes are more than ${isElf ? 'an ELF file may have' : 'the guest’s memory'}, ${room}`,
      isElf ? 'strip its debug information' : 'give the guest more memory (--memory)',
    );
  } finally {
    closeSync(fd);
  }
}

/** Bytes of all the memory that a flat image could lie in. For small files the machine itself says what does not fit, and where. */
function roomFor({ memory = defaultOf('memory') ?? 0, regions = [] }: MachineSpec): number {
  return Math.max(
    SMALL,
    regions.reduce((sum, { size }) => sum + size, memory),
  );
}

/** The first bytes of a file; fewer where it ends earlier. */
function readBytes(fd: number, length: number): Uint8Array {
  const bytes = Buffer.alloc(length);
  let at = 0;
  while (at < length) {
    const read = readSync(fd, bytes, at, length - at, at);
    if (read === 0) break;
    at += read;
  }
  return bytes.subarray(0, at);
}
