/**
 * Archives in cpio's format "newc", as Linux unpacks its initial file system (Documentation/driver-api/early-userspace/buffer-format.rst)
 * and busybox reads and writes them.
 *
 * @module
 */
import { TerrariumError } from '../errors.js';

/** A file of an archive. */
export interface ArchivedFile {
  /** From the archive's root, without a leading slash. */
  readonly name: string;
  /** As in `st_mode`: the kind and the permissions. */
  readonly mode: number;
  /** The target of a link. */
  readonly content: Uint8Array;
}

/** Kinds of files in a mode (stat(2)). */
export const FileKind = { mask: 0o170000, folder: 0o040000, file: 0o100000, link: 0o120000 } as const;

const MAGIC = '070701';
const END = 'TRAILER!!!';
/** Magic and 13 fields of 8 digits. */
const HEAD = 110;
/** Indexes among the 13 fields. */
const Field = { mode: 1, links: 4, size: 6, name: 11 } as const;
/** Names are paths of Linux: shorter than PATH_MAX. */
const LONGEST_NAME = 4096;

const padded = (length: number) => (length + 3) & ~3;

/** An archive of these files. A folder comes before its content. */
export function writeArchive(files: readonly ArchivedFile[]): Uint8Array {
  const parts: Uint8Array[] = [];
  const end = { name: END, mode: 0, content: new Uint8Array() };
  for (const [n, { name, mode, content }] of [...files, end].entries()) {
    const text = new TextEncoder().encode(`${name}\0`);
    const fields = new Array<number>(13).fill(0);
    // The inode's number: files with the same one would be one file.
    fields[0] = n + 1;
    fields[Field.mode] = mode;
    fields[Field.links] = 1;
    fields[Field.size] = content.length;
    fields[Field.name] = text.length;
    const head = `${MAGIC}${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`;
    const entry = new Uint8Array(padded(HEAD + text.length) + padded(content.length));
    entry.set(new TextEncoder().encode(head));
    entry.set(text, HEAD);
    entry.set(content, padded(HEAD + text.length));
    parts.push(entry);
  }
  return Buffer.concat(parts);
}

/**
 * The files of an archive, which a guest wrote.
 * @throws TerrariumError `EARCHIVE` where it is cut off or not an archive
 */
export function readArchive(bytes: Uint8Array): ArchivedFile[] {
  const files: ArchivedFile[] = [];
  for (let at = 0; ; ) {
    if (at + HEAD > bytes.length) throw damaged(at, 'it ends without its last entry');
    const head = Buffer.from(bytes.subarray(at, at + HEAD)).toString('latin1');
    if (!/^070701[0-9a-fA-F]{104}$/.test(head)) throw damaged(at, 'no entry begins there');
    const field = (n: number) => Number.parseInt(head.slice(6 + 8 * n, 14 + 8 * n), 16);
    const [nameSize, size] = [field(Field.name), field(Field.size)];
    const content = at + padded(HEAD + nameSize);
    if (nameSize < 1 || nameSize > LONGEST_NAME || content + size > bytes.length)
      throw damaged(at, 'its entry is longer than the archive');
    const name = Buffer.from(bytes.subarray(at + HEAD, at + HEAD + nameSize - 1)).toString();
    if (name === END) return files;
    files.push({ name, mode: field(Field.mode), content: bytes.slice(content, content + size) });
    at = padded(content + size);
  }
}

function damaged(at: number, what: string): TerrariumError {
  return new TerrariumError('EARCHIVE', `the cpio archive is damaged at byte ${at}: ${what}`);
}
