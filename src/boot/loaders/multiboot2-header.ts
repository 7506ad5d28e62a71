/**
 * Multiboot 2: the header by which a kernel asks for a loader, a list of tags.
 * Source: "Multiboot2 Specification version 2.0", 3.1.
 *
 * @module
 */
import { ImageError } from '../image.js';
import { hex } from '../numbers.js';
import { hasMultiboot2 } from '../recognise/index.js';
import type { Multiboot2Header } from './headers.js';

const SEARCHED = 32768;
const OPTIONAL = 1;
const Tag = {
  end: 0,
  information: 1,
  addresses: 2,
  entry: 3,
  console: 4,
  frameBuffer: 5,
  align: 6,
  efiServices: 7,
  efiEntry32: 8,
  efiEntry64: 9,
  relocatable: 10,
} as const;
/** The bytes that each tag has at least. */
const sizes: Readonly<Record<number, number>> = {
  1: 8,
  2: 24,
  3: 12,
  4: 12,
  5: 20,
  6: 8,
  7: 8,
  8: 12,
  9: 12,
  10: 24,
};
/** Kinds of information in the specification; others cannot be requested. */
const LAST_INFORMATION = 21;
const NEEDS_CONSOLE = 1;

/** The header of a file. @throws ImageError where it has none, it is damaged, or requires a feature that Terrarium lacks */
export function readMultiboot2(bytes: Uint8Array, name: string): Multiboot2Header {
  const found = hasMultiboot2(bytes);
  if (found === undefined)
    throw new ImageError(
      `${name}: there is no multiboot 2 header in its first 32 KiB`,
      'the header is aligned to 8 bytes, is for i386, and its first four words add up to 0',
    );
  const { offset } = found;
  const fail = (what: string, hint = 'see the tags in the kernel’s source: each begins at a multiple of 8') =>
    new ImageError(`${name}: the multiboot 2 header at offset ${hex(offset)}: ${what}`, hint);
  const view = new DataView(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, SEARCHED));
  const end = offset + view.getUint32(offset + 8, true);
  if (end > view.byteLength)
    throw fail(
      `its length is ${end - offset} bytes, more than the first 32 KiB of the file have`,
      'header_length counts from the magic number to the end of the last tag',
    );
  const header: Multiboot2Header = { offset };
  for (let at = offset + 16; ; ) {
    if (at + 8 > end) throw fail('it has no tag that ends it (type 0, size 8)');
    const [type, flags, size] = [
      view.getUint16(at, true),
      view.getUint16(at + 2, true),
      view.getUint32(at + 4, true),
    ];
    const where = `the tag of type ${type} at offset ${hex(at)}`;
    if (type === Tag.end) return header;
    const least = sizes[type] ?? 8;
    if (size < least || at + size > end) throw fail(`${where} has ${size} bytes`);
    const word = (n: number) => view.getUint32(at + 8 + 4 * n, true);
    const required = (flags & OPTIONAL) === 0;
    switch (type) {
      case Tag.information:
        for (let n = 0; n < (size - 8) / 4; n++)
          if (required && (word(n) === 0 || word(n) > LAST_INFORMATION))
            throw fail(`${where} requires information of the unknown type ${word(n)}`);
        break;
      case Tag.addresses:
        header.addresses = { header: word(0), load: word(1), loadEnd: word(2), bssEnd: word(3) };
        break;
      case Tag.entry:
        header.entry = word(0);
        break;
      case Tag.console:
        if (required && (word(0) & NEEDS_CONSOLE) !== 0) header.needsConsole = true;
        break;
      case Tag.frameBuffer:
        header.video = { text: false, width: word(0), height: word(1), bits: word(2) };
        break;
      case Tag.relocatable:
        header.relocatable = true;
        break;
      // Modules are always on pages; EFI's tags are for EFI loaders.
      case Tag.align:
      case Tag.efiServices:
      case Tag.efiEntry32:
      case Tag.efiEntry64:
        break;
      default:
        if (required)
          throw fail(
            `${where} requires a feature that Terrarium does not have`,
            'types 1 to 10 are known; bit 0 of a tag’s flags makes it optional',
          );
    }
    at += Math.ceil(size / 8) * 8;
  }
}
