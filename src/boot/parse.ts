import { isElf, parseElf } from './elf.js';
import { type Image, ImageError } from './image.js';

/**
 * Reads a kernel's file: ELF by its magic number, anything else is a flat image. The segments are views of `bytes`.
 * @throws ImageError
 */
export function parseImage(bytes: Uint8Array, name: string): Image {
  if (bytes.length === 0) {
    throw new ImageError(
      `${name}: the image is empty`,
      'build the guest first; a flat image has at least one byte',
    );
  }
  if (isElf(bytes)) return parseElf(bytes, name);
  return {
    format: 'flat',
    name,
    segments: [{ address: 0, bytes, memorySize: bytes.length }],
    entry: undefined,
  };
}
