/**
 * Reads untrusted tar files (POSIX.1-2017, pax), also compressed by gzip.
 *
 * @module
 */
import { gunzipSync } from 'node:zlib';
import {
  FileCollector,
  type Files,
  SubmissionError,
  shownName,
  submissionLimits,
} from '../../exercises/index.js';

const BLOCK = 512;
/** A tar of a submission within the limits, with its headers. */
const LARGEST = submissionLimits.bytes + 4 * 1024 * 1024;
/** Extended headers have names and sizes. */
const LARGEST_HEADER = 64 * 1024;

const damaged = (what: string) => new SubmissionError(`the tar file is damaged: ${what}`, 'pack it again');

export const isGzip = (bytes: Uint8Array) => bytes[0] === 0x1f && bytes[1] === 0x8b;
/** The magic of POSIX and GNU tar is at byte 257. */
export const isTar = (bytes: Uint8Array) =>
  Buffer.from(bytes.subarray(257, 262)).toString('latin1') === 'ustar';

/** Unpacks gzip, up to the limit of a submission. @throws SubmissionError */
export function gunzip(bytes: Uint8Array): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: LARGEST });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
      throw new SubmissionError(
        `the archive unpacks to more than ${submissionLimits.bytes / 2 ** 20} MiB`,
        'submit only the sources, without images and tools',
      );
    throw new SubmissionError(`the archive is damaged: ${(cause as Error).message}`, 'pack it again');
  }
}

/** The files of a tar. @throws SubmissionError */
export function readTar(given: Uint8Array): Files {
  const bytes = Buffer.from(given.buffer, given.byteOffset, given.length);
  const collector = new FileCollector();
  let longName: string | undefined;
  for (let at = 0; at + BLOCK <= bytes.length; ) {
    const header = bytes.subarray(at, at + BLOCK);
    if (header.every((byte) => byte === 0)) break;
    requireSum(header);
    const size = sizeOf(header);
    const data = at + BLOCK;
    if (data + size > bytes.length) throw damaged('it is cut');
    at = data + Math.ceil(size / BLOCK) * BLOCK;
    const type = String.fromCharCode(header[156]!);
    if (type === 'L' || type === 'x') {
      if (size > LARGEST_HEADER) throw damaged('a header is too large');
      const text = bytes.toString('utf8', data, data + size);
      longName = type === 'L' ? text.replace(/\0.*$/s, '') : (paxPath(text) ?? longName);
      continue;
    }
    const name = (longName ?? nameOf(header)).replace(/^(?:\.\/)+/, '');
    longName = undefined;
    // g: for all that follow; 5: a folder.
    if (type === 'g' || type === '5' || name === '' || name === '.') continue;
    if (!collector.wants(name)) continue;
    if (type === '1' || type === '2')
      throw new SubmissionError(
        `'${shownName(name)}' is a link, which is not followed`,
        'hand in the file itself',
      );
    if (type !== '0' && type !== '\0' && type !== '7') continue;
    collector.reserve(name, size);
    collector.add(name, Uint8Array.from(bytes.subarray(data, data + size)));
  }
  return collector.files;
}

function requireSum(header: Buffer): void {
  let sum = 0;
  // The checksum's own field counts as blanks.
  for (let i = 0; i < BLOCK; i++) sum += i >= 148 && i < 156 ? 32 : header[i]!;
  if (sum !== Number.parseInt(textAt(header, 148, 8).trim(), 8))
    throw damaged('a header has a wrong checksum');
}

function sizeOf(header: Buffer): number {
  // GNU's binary form for sizes of 8 GiB and more.
  if (header[124]! & 0x80) throw damaged('a file of gigabytes');
  const size = Number.parseInt(textAt(header, 124, 12).trim() || '0', 8);
  if (!Number.isSafeInteger(size) || size < 0) throw damaged('a file without a size');
  return size;
}

function nameOf(header: Buffer): string {
  const prefix = textAt(header, 257, 5) === 'ustar' && header[262] === 0 ? textAt(header, 345, 155) : '';
  const name = textAt(header, 0, 100);
  return prefix === '' ? name : `${prefix}/${name}`;
}

const textAt = (header: Buffer, at: number, length: number) => {
  const text = header.toString('utf8', at, at + length);
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
};

/** `path` of a pax header: records of the form `LENGTH KEY=VALUE\n`. */
function paxPath(text: string): string | undefined {
  return /(?:^|\n)\d+ path=([^\n]*)\n/.exec(text)?.[1];
}
