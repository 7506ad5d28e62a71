/**
 * Archives of submissions, recognised by their bytes, not by their names.
 *
 * @module
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { FileCollector, type Files, SubmissionError, submissionLimits } from '../../exercises/index.js';
import { gunzip, isGzip, isTar, readTar } from './tar.js';
import { type Bytes, readZip, type ZipEntry } from './zip.js';

/** A larger packed submission is not read: even the limit for unpacked ones is smaller. */
const LARGEST = 64 * 1024 * 1024;

export const archiveName = /\.(?:zip|tar|tar\.gz|tgz)$/i;

const isZip = (bytes: Uint8Array) =>
  bytes[0] === 0x50 &&
  bytes[1] === 0x4b &&
  ((bytes[2] === 3 && bytes[3] === 4) || (bytes[2] === 5 && bytes[3] === 6));

/** True for bytes that begin as an archive does. */
export function isArchive(bytes: Uint8Array): boolean {
  return isZip(bytes) || isGzip(bytes) || isTar(bytes);
}

/** The files of an archive. If it contains only another archive, the files of that one. @throws SubmissionError */
export function unpackArchive(bytes: Uint8Array, depth = 0): Files {
  const files = isZip(bytes)
    ? filesOf(readZip(bytesOf(bytes)))
    : tarOf(isGzip(bytes) ? gunzip(bytes) : bytes);
  return expandNested(files, depth);
}

function tarOf(bytes: Uint8Array): Files {
  if (isTar(bytes)) return readTar(bytes);
  throw new SubmissionError(
    'the file is neither a ZIP nor a tar archive',
    'hand in a folder, .zip, .tar or .tar.gz',
  );
}

/** A submission that is a single archive, as learning platforms export it, becomes its content. */
export function expandNested(files: Files, depth = 0): Files {
  const [first, ...others] = files.values();
  if (first === undefined || others.length > 0 || depth >= 2 || !isArchive(first)) return files;
  return unpackArchive(first, depth + 1);
}

/** Entries of a ZIP as a submission. @param prefix the part to remove from the start of their names */
export function filesOf(entries: readonly ZipEntry[], prefix = ''): Files {
  const collector = new FileCollector();
  for (const entry of entries) {
    const name = entry.name.slice(prefix.length);
    if (!collector.wants(name)) continue;
    collector.reserve(name, entry.size);
    collector.add(name, entry.read());
  }
  return collector.files;
}

function bytesOf(bytes: Uint8Array): Bytes {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return { size: buffer.length, read: (offset, length) => buffer.subarray(offset, offset + length) };
}

/** Reads a packed submission from a file. @throws SubmissionError */
export function readArchive(file: string): Files {
  return withFile(file, ({ size, read }) => {
    if (size > LARGEST)
      throw new SubmissionError(
        `the archive has ${Math.ceil(size / 2 ** 20)} MiB, and may have ${LARGEST / 2 ** 20}`,
        `a submission has at most ${submissionLimits.bytes / 2 ** 20} MiB: submit only the sources`,
      );
    return unpackArchive(read(0, size));
  });
}

/** Opens a file for reading at any place. */
export function withFile<T>(file: string, use: (bytes: Bytes) => T): T {
  const fd = openSync(file, 'r');
  try {
    const { size } = fstatSync(fd);
    return use({
      size,
      read(offset, length) {
        const buffer = Buffer.alloc(Math.max(0, Math.min(length, size - offset)));
        let at = 0;
        while (at < buffer.length) {
          const read = readSync(fd, buffer, at, buffer.length - at, offset + at);
          if (read === 0) break;
          at += read;
        }
        return buffer.subarray(0, at);
      },
    });
  } finally {
    closeSync(fd);
  }
}
