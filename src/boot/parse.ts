import { isElf, parseElf } from './elf.js';
import { type Image, ImageError } from './image.js';
import { findMultiboot, multibootPlacement } from './multiboot.js';

/**
 * Reads a kernel's file: a multiboot kernel by its header, ELF by its magic
 * number, anything else is a flat image. The segments are views of `bytes`.
 * @throws ImageError
 */
export function parseImage(bytes: Uint8Array, name: string): Image {
  if (bytes.length === 0) {
    throw new ImageError(
      `${name}: the image is empty`,
      'build the guest first; a flat image has at least one byte',
    );
  }
  const header = findMultiboot(bytes, name);
  const placement = header && multibootPlacement(bytes, header, name);
  if (placement !== undefined) {
    const { segment, entry } = placement;
    return { format: 'flat', name, segments: [segment], entry, multiboot: true };
  }
  if (isElf(bytes)) return { ...parseElf(bytes, name), ...(header && { multiboot: true }) };
  return {
    format: 'flat',
    name,
    segments: [{ address: 0, bytes, memorySize: bytes.length }],
    entry: undefined,
  };
}
