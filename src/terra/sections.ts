/**
 * The container of a `.terra` file: a signature, then sections of compressed bytes, each with its lengths and a checksum, and an
 * empty one as the end.
 *
 * @module
 */
import { TerrariumError } from '../errors.js';

/**
 * Like PNG's: a byte that no text has, the name, and line ends that a transfer as text would change. `boot/recognise` knows it too.
 */
const SIGNATURE = Uint8Array.of(0x89, 0x54, 0x45, 0x52, 0x52, 0x41, 0x0d, 0x0a);
/** Its length, the length when compressed, and the CRC-32 of the compressed bytes: 32 bits each, little-endian. */
const HEADER = 12;
/** The most bytes of a section, before compression. */
export const SECTION = 4 * 2 ** 20;
/** The most bytes of all sections together: a guest of 4 GiB, and its other data. */
const MOST = 5 * 2 ** 30;

/** A file that is no `.terra` file, or a damaged one. */
export class TerraError extends TerrariumError {
  constructor(problem: string, hint?: string) {
    super('ETERRA', problem, hint === undefined ? {} : { hint });
  }
}

/** An error for a damaged file, which names the damage. */
export const damaged = (what: string) =>
  new TerraError(`the file is damaged: ${what}`, 'take another copy of it, or make it again');

export async function writeSections(contents: readonly Uint8Array[]): Promise<Uint8Array> {
  const parts: Uint8Array[] = [SIGNATURE];
  for (const content of contents) {
    const packed = await through(content, new CompressionStream('deflate-raw'), Number.POSITIVE_INFINITY);
    parts.push(headerOf(content.length, packed), packed);
  }
  parts.push(headerOf(0, new Uint8Array(0)));
  return joined(parts);
}

/** @throws TerraError for any other file, a damaged one, and one that would not fit into memory */
export async function readSections(file: Uint8Array): Promise<Uint8Array[]> {
  if (file.length < SIGNATURE.length || SIGNATURE.some((byte, i) => file[i] !== byte))
    throw new TerraError(
      'this is no snapshot and no recording',
      '`run --save` and `run --record` make such files',
    );
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const contents: Uint8Array[] = [];
  let total = 0;
  for (let at = SIGNATURE.length; ; ) {
    if (at + HEADER > file.length) throw damaged('its end is missing');
    const [length, packed, sum] = [0, 4, 8].map((field) => view.getUint32(at + field, true)) as [
      number,
      number,
      number,
    ];
    at += HEADER;
    if (length === 0 && packed === 0) {
      if (sum !== 0) throw damaged('the checksum of its end is wrong');
      if (at !== file.length) throw damaged(`${file.length - at} bytes follow its end`);
      return contents;
    }
    total += length;
    if (length > SECTION || total > MOST) throw damaged(`a section says that it has ${length} bytes`);
    if (packed > file.length - at) throw damaged('its end is missing');
    const bytes = file.subarray(at, at + packed);
    if (crc32(bytes) !== sum) throw damaged(`the checksum of the section at byte ${at} is wrong`);
    contents.push(await unpacked(bytes, length));
    at += packed;
  }
}

async function unpacked(bytes: Uint8Array, length: number): Promise<Uint8Array> {
  const content = await through(bytes, new DecompressionStream('deflate-raw'), length).catch(() => undefined);
  if (content?.length !== length) throw damaged('the length of a section is wrong');
  return content;
}

/** The output of a stream for these bytes; more than `most` is refused. */
async function through(
  bytes: Uint8Array,
  { readable, writable }: CompressionStream | DecompressionStream,
  most: number,
): Promise<Uint8Array> {
  const writer = writable.getWriter();
  const written = writer.write(new Uint8Array(bytes)).then(() => writer.close());
  // Its reader gets the error.
  written.catch(() => {});
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of readable as unknown as AsyncIterable<Uint8Array>) {
    length += part.length;
    if (length > most) throw damaged('a section is longer than it says');
    parts.push(part);
  }
  return joined(parts);
}

function headerOf(length: number, packed: Uint8Array): Uint8Array {
  const header = new DataView(new ArrayBuffer(HEADER));
  header.setUint32(0, length, true);
  header.setUint32(4, packed.length, true);
  header.setUint32(8, crc32(packed), true);
  return new Uint8Array(header.buffer);
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The reversed polynomial of ISO 3309, which PNG and zip use. */
const POLYNOMIAL = 0xedb88320;
const crcs = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  return crc;
});

function crc32(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) crc = crcs[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}
