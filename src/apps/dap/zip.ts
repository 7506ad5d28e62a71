import { crc32 } from 'node:zlib';

/** A file of an archive. */
export interface ZipFile {
  /** With slashes. */
  name: string;
  bytes: Uint8Array;
}

/** 1 January 1980, the format's first day: the same files give the same archive. */
const DATE = 0x0021;
const UTF8_NAMES = 0x0800;

/** A ZIP archive whose files are stored without compression (APPNOTE 4.3). */
export function zip(files: readonly ZipFile[]): Uint8Array {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name, bytes } of files) {
    const title = Buffer.from(name, 'utf8');
    const header = Buffer.alloc(30);
    header.writeUInt32LE(0x04034b50, 0);
    writeCommon(header, 4, bytes, title);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(20, 4);
    writeCommon(entry, 6, bytes, title);
    entry.writeUInt32LE(at, 42);
    parts.push(header, title, Buffer.from(bytes));
    directory.push(entry, title);
    at += header.length + title.length + bytes.length;
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, ...directory, end]);
}

/** What a file's header and its entry in the directory have in common: 26 bytes. */
function writeCommon(target: Buffer, at: number, bytes: Uint8Array, title: Buffer): void {
  target.writeUInt16LE(20, at);
  target.writeUInt16LE(UTF8_NAMES, at + 2);
  target.writeUInt16LE(DATE, at + 8);
  target.writeUInt32LE(crc32(bytes), at + 10);
  target.writeUInt32LE(bytes.length, at + 14);
  target.writeUInt32LE(bytes.length, at + 18);
  target.writeUInt16LE(title.length, at + 22);
}
