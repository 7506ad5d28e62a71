import { isElf, parseElf } from './elf.js';
import { type Image, ImageError } from './image.js';
import {
  entryIn,
  type LinuxEntry,
  type Loader,
  loaderSections,
  multibootPlacement,
  placedBy,
  readLinux,
  readMultiboot,
  readMultiboot2,
  vmlinuxHeader,
} from './loaders/index.js';
import { type ImageKind, imageBytes, pvhEntry, recognise } from './recognise/index.js';

/**
 * Reads a kernel's file, as the kind that its bytes show or that the user says. The segments are views of `bytes`. @param as the kind of
 * the file, instead of the recognised one @throws ImageError where it cannot be booted, or is not of the kind `as`
 */
export function parseImage(bytes: Uint8Array, name: string, as?: ImageKind): Image {
  if (bytes.length === 0) {
    throw new ImageError(
      `${name}: the image is empty`,
      'build the guest first; a flat image has at least one byte',
    );
  }
  if (as !== undefined) return { ...parseAs(bytes, name, as), kind: as };
  const found = recognise(imageBytes(bytes));
  // A program that passes bytes knows their kind; a file is refused where it is read.
  const kind = found.kind === 'text' || found.kind === 'foreign' ? 'flat' : found.kind;
  return { ...parseAs(bytes, name, kind), kind, evidence: found.evidence };
}

function parseAs(bytes: Uint8Array, name: string, kind: ImageKind): Image {
  switch (kind) {
    case 'elf':
      return parseElf(bytes, name);
    case 'pvh':
      return parsePvh(bytes, name);
    case 'multiboot':
      return parseMultiboot(bytes, name);
    case 'multiboot2':
      return parseMultiboot2(bytes, name);
    case 'linux':
      return parseLinux(bytes, name, undefined);
    case 'linux16':
      return parseLinux(bytes, name, 16);
    case 'linux32':
      return parseLinux(bytes, name, 32);
    case 'linux64':
      return parseLinux(bytes, name, 64);
    default:
      return parseFlat(bytes, name);
  }
}

function parseMultiboot(bytes: Uint8Array, name: string): Image {
  const header = readMultiboot(bytes, name);
  const loader: Loader = { protocol: 'multiboot', ...header };
  const placement = multibootPlacement(bytes, header, name);
  if (placement !== undefined) {
    const { segment, entry } = placement;
    return { format: 'flat', name, segments: [segment], entry, loader };
  }
  return withSections(bytes, requireElf(bytes, name, header.offset), loader);
}

function parseMultiboot2(bytes: Uint8Array, name: string): Image {
  const header = readMultiboot2(bytes, name);
  const { offset, addresses, entry } = header;
  const loader: Loader = { protocol: 'multiboot2', ...header };
  const where = `${name}: the multiboot 2 header at offset 0x${offset.toString(16)}`;
  if (addresses !== undefined) {
    if (entry === undefined)
      throw new ImageError(
        `${where} has addresses, and no entry`,
        'add the tag of the entry address (type 3)',
      );
    const segment = placedBy(bytes, addresses, offset, where);
    return { format: 'flat', name, segments: [segment], entry: entryIn(segment, entry, where), loader };
  }
  const image = requireElf(bytes, name, offset);
  if (entry === undefined) return withSections(bytes, image, loader);
  if (!image.segments.some(({ address, memorySize }) => entry >= address && entry < address + memorySize))
    throw new ImageError(`${where}: its entry 0x${entry.toString(16)} is in no segment of the file`);
  return withSections(bytes, { ...image, entry }, loader);
}

function requireElf(bytes: Uint8Array, name: string, offset: number): Image {
  if (isElf(bytes)) return parseElf(bytes, name);
  throw new ImageError(
    `${name}: the multiboot header at offset 0x${offset.toString(16)} has no addresses, and the file is no ELF file`,
    'fill in the address fields (bit 16 of the flags, or the tag of type 2), or link the kernel as an ELF file',
  );
}

function withSections(bytes: Uint8Array, image: Image, loader: Loader): Image {
  const sections = loaderSections(bytes);
  return { ...image, loader: sections === undefined ? loader : ({ ...loader, sections } as Loader) };
}

function parsePvh(bytes: Uint8Array, name: string): Image {
  const image = parseElf(bytes, name);
  const entry = pvhEntry(imageBytes(bytes));
  if (entry === undefined)
    throw new ImageError(
      `${name}: no note of the file names an entry for PVH`,
      'the note has the owner Xen, the type 18 (XEN_ELFNOTE_PHYS32_ENTRY), and the physical address of 32-bit code',
    );
  if (!image.segments.some(({ address, memorySize }) => entry >= address && entry < address + memorySize))
    throw new ImageError(`${name}: PVH’s entry 0x${entry.toString(16)} is in no segment of the file`);
  return { ...image, entry, loader: { protocol: 'pvh', entry } };
}

function parseLinux(bytes: Uint8Array, name: string, wanted: LinuxEntry | undefined): Image {
  if (isElf(bytes)) return parseVmlinux(bytes, name, wanted);
  const { header, kernel } = readLinux(bytes, name, wanted);
  return {
    format: 'flat',
    name,
    segments: [{ address: header.load, bytes: kernel, memorySize: kernel.length }],
    entry: header.load + (header.entry === 64 ? ENTRY_64 : 0),
    loader: { protocol: 'linux', ...header },
  };
}

/** The offset of a bzImage's 64-bit entry in its protected-mode part. */
const ENTRY_64 = 0x200;

/** A vmlinux begins with the code that a bzImage unpacks: its entry needs the same zero page. */
function parseVmlinux(bytes: Uint8Array, name: string, wanted: LinuxEntry | undefined): Image {
  const image = parseElf(bytes, name);
  const own = image.format === 'elf64' ? 64 : 32;
  if (wanted !== undefined && wanted !== own)
    throw new ImageError(
      `${name}: a vmlinux of ${own} bits has no ${wanted}-bit entry`,
      'omit the number (--as linux), or give the bzImage that was made from it',
    );
  const load = Math.min(...image.segments.map(({ address }) => address));
  return { ...image, loader: { protocol: 'linux', ...vmlinuxHeader(own, load) } };
}

function parseFlat(bytes: Uint8Array, name: string): Image {
  return {
    format: 'flat',
    name,
    segments: [{ address: 0, bytes, memorySize: bytes.length }],
    entry: undefined,
  };
}
