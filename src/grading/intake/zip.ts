/**
 * ZIP files (APPNOTE.TXT of PKWARE): reads untrusted ones, and writes our own.
 *
 * @module
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { type Files, SubmissionError, shownName } from '../../exercises/index.js';
import { crc32 } from './crc32.js';

/** Where the bytes of an archive are. */
export interface Bytes {
  readonly size: number;
  read(offset: number, length: number): Buffer;
}

/** One file in a ZIP. */
export interface ZipEntry {
  readonly name: string;
  readonly size: number;
  /** Unpacks it. @throws SubmissionError where it is damaged, or larger than it says */
  read(): Uint8Array;
}

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
/** The end's record, and the longest comment after it. */
const LONGEST_END = 22 + 0xffff;
/** A directory of a class's export has tens of thousands of entries. */
const LARGEST_DIRECTORY = 64 * 1024 * 1024;
const UNIX = 3;
const FILE_TYPE = 0o170000;
const LINK = 0o120000;
const ENCRYPTED = 1;
const UTF8 = 1 << 11;

const damaged = (what: string) => new SubmissionError(`the ZIP file is damaged: ${what}`, 'pack it again');

/** The files of a ZIP, without its folders. @throws SubmissionError */
export function readZip(bytes: Bytes): ZipEntry[] {
  const { count, size, offset } = findEnd(bytes);
  if (size > LARGEST_DIRECTORY || offset + size > bytes.size)
    throw damaged('its directory leads outside of it');
  const directory = bytes.read(offset, size);
  const entries: ZipEntry[] = [];
  for (let at = 0, i = 0; i < count; i++) {
    if (at + 46 > directory.length || directory.readUInt32LE(at) !== CENTRAL)
      throw damaged('its directory is cut');
    const flags = directory.readUInt16LE(at + 8);
    const nameLength = directory.readUInt16LE(at + 28);
    const next = at + 46 + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
    if (next > directory.length) throw damaged('its directory is cut');
    const name = directory.toString(flags & UTF8 ? 'utf8' : 'latin1', at + 46, at + 46 + nameLength);
    const mode = directory.readUInt8(at + 5) === UNIX ? directory.readUInt32LE(at + 38) >>> 16 : 0;
    const header: Header = {
      name,
      flags,
      method: directory.readUInt16LE(at + 10),
      sum: directory.readUInt32LE(at + 16),
      packed: directory.readUInt32LE(at + 20),
      size: directory.readUInt32LE(at + 24),
      offset: directory.readUInt32LE(at + 42),
    };
    at = next;
    if (name.endsWith('/')) continue;
    if ((mode & FILE_TYPE) === LINK)
      throw new SubmissionError(
        `'${shownName(name)}' is a link, which is not followed`,
        'hand in the file itself',
      );
    entries.push({ name, size: header.size, read: () => unpack(bytes, header) });
  }
  return entries;
}

interface Header {
  name: string;
  flags: number;
  method: number;
  sum: number;
  packed: number;
  size: number;
  offset: number;
}

function findEnd(bytes: Bytes): { count: number; size: number; offset: number } {
  const length = Math.min(bytes.size, LONGEST_END);
  const tail = bytes.read(bytes.size - length, length);
  for (let at = tail.length - 22; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== END) continue;
    const count = tail.readUInt16LE(at + 10);
    const [size, offset] = [tail.readUInt32LE(at + 12), tail.readUInt32LE(at + 16)];
    if (count === 0xffff || offset === 0xffffffff)
      throw new SubmissionError('the ZIP file is a ZIP64, which is not read', 'pack less, or as .tar.gz');
    return { count, size, offset };
  }
  throw damaged('it has no end record');
}

function unpack(bytes: Bytes, { name, flags, method, sum, packed, size, offset }: Header): Uint8Array {
  const where = `'${shownName(name)}'`;
  if (flags & ENCRYPTED) throw new SubmissionError(`${where} is encrypted`, 'pack it without a password');
  if (offset + 30 > bytes.size) throw damaged(`${where} leads outside of it`);
  const local = bytes.read(offset, 30);
  if (local.readUInt32LE(0) !== LOCAL) throw damaged(`${where} is not where the directory says`);
  const start = offset + 30 + local.readUInt16LE(26) + local.readUInt16LE(28);
  if (start + packed > bytes.size) throw damaged(`${where} leads outside of it`);
  const data = bytes.read(start, packed);
  let content: Buffer;
  if (method === 0) content = data;
  else if (method === 8) {
    try {
      // Up to its stated size: a bomb, which unpacks to gigabytes, ends there.
      content = inflateRawSync(data, { maxOutputLength: Math.max(size, 1) });
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      throw damaged(
        code === 'ERR_BUFFER_TOO_LARGE'
          ? `${where} is larger than it says`
          : `${where}: ${(cause as Error).message}`,
      );
    }
  } else
    throw new SubmissionError(
      `${where} is packed by method ${method}, which is not read`,
      'pack it as an ordinary ZIP',
    );
  if (content.length !== size || crc32(content) !== sum)
    throw damaged(`${where} does not match its checksum`);
  return content;
}

/** A ZIP of some files: the same files give the same bytes. */
export function writeZip(files: Files, executable: ReadonlySet<string> = new Set()): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, bytes] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const nameBytes = Buffer.from(name);
    const packed = deflateRawSync(bytes, { level: 9 });
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(UTF8, 2);
    common.writeUInt16LE(8, 4);
    // 1980-01-01, the first day of the format.
    common.writeUInt16LE(0x21, 8);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(nameBytes.length, 22);
    const local = Buffer.alloc(4);
    local.writeUInt32LE(LOCAL, 0);
    const central = Buffer.alloc(6);
    central.writeUInt32LE(CENTRAL, 0);
    central.writeUInt16LE((UNIX << 8) | 20, 4);
    const rest = Buffer.alloc(14);
    const mode = 0o100000 | (executable.has(name) ? 0o755 : 0o644);
    rest.writeUInt32LE((mode << 16) >>> 0, 6);
    rest.writeUInt32LE(offset, 10);
    directory.push(central, common, rest, nameBytes);
    parts.push(local, common, nameBytes, packed);
    offset += 30 + nameBytes.length + packed.length;
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(END, 0);
  end.writeUInt16LE(files.size, 8);
  end.writeUInt16LE(files.size, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, ...directory, end]);
}
