import { isElf, parseElf } from './elf.js';
import { type Image, ImageError } from './image.js';
import { findMultiboot, multibootPlacement } from './multiboot.js';
import { type ImageKind, imageBytes, kindWords, recognise } from './recognise/index.js';

/**
 * Reads a kernel's file: by what its bytes say that it is, or by its user's word. The segments are views of `bytes`.
 * @param as what the file is, where its bytes are not asked
 * @throws ImageError where it cannot be booted, or is not what `as` says
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
  // Whoever gives bytes knows what they are; a file is refused where it is read.
  const kind = found.kind === 'text' || found.kind === 'foreign' ? 'flat' : found.kind;
  return { ...parseAs(bytes, name, kind), kind, evidence: found.evidence };
}

function parseAs(bytes: Uint8Array, name: string, kind: ImageKind): Image {
  switch (kind) {
    case 'elf':
    case 'pvh':
      return parseElf(bytes, name);
    case 'multiboot':
      return parseMultiboot(bytes, name);
    case 'multiboot2':
    case 'linux':
    case 'linux16':
    case 'linux32':
    case 'linux64':
      throw new ImageError(`${name}: ${kindWords[kind]}, which Terrarium does not start yet`);
    default:
      return parseFlat(bytes, name);
  }
}

function parseMultiboot(bytes: Uint8Array, name: string): Image {
  const header = findMultiboot(bytes, name);
  if (header === undefined)
    throw new ImageError(
      `${name}: there is no multiboot header in its first 8 KiB`,
      'the header is aligned to 4 bytes, and its magic number, flags and checksum add up to 0',
    );
  const placement = multibootPlacement(bytes, header, name);
  if (placement !== undefined) {
    const { segment, entry } = placement;
    return { format: 'flat', name, segments: [segment], entry, multiboot: true };
  }
  if (!isElf(bytes))
    throw new ImageError(
      `${name}: the multiboot header at offset 0x${header.offset.toString(16)} has no addresses, and the file is no ELF file`,
      'set bit 16 of the flags and fill in the address fields, or link the kernel as an ELF file',
    );
  return { ...parseElf(bytes, name), multiboot: true };
}

function parseFlat(bytes: Uint8Array, name: string): Image {
  return {
    format: 'flat',
    name,
    segments: [{ address: 0, bytes, memorySize: bytes.length }],
    entry: undefined,
  };
}
